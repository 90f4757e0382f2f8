"""What is known of bytes that were received before, and what to do when they come again."""

from dataclasses import dataclass, replace

import duckdb

from odds_pipeline.reception.receipt import Receipt
from odds_pipeline.reception.recording import now
from odds_pipeline.storage.sql import read_sql
from odds_pipeline.storage.store import transaction


@dataclass(frozen=True)
class Known:
    """A delivery recorded before. ``contracts``: the fingerprint of those it was recognised under.

    ``refused`` are the months of it in quarantine; ``misdated``: all were, for months that cannot be.
    """

    delivery: str
    feed: str | None
    format: str | None
    simulated: bool
    reason: str | None
    contracts: str | None
    file: str
    months: list[str]
    refused: list[str]
    misdated: bool


_KNOWN = read_sql(__file__, "known")
_REPLACED = read_sql(__file__, "replaced")
_AGAIN = read_sql(__file__, "again")
_ARRIVED = """
INSERT INTO arrivals SELECT ?, ?, contracts, rest FROM arrivals WHERE delivery = ?
"""

_PENDING = """
INSERT INTO delivered_months (delivery, feed, month, state)
SELECT ?, ?, unnest(?::VARCHAR[]), 'pending'
"""

Replaced = dict[str, dict[str, str]]
"""Of each delivery, the months that others replaced since, with the last file that did."""


def known_of(connection: duckdb.DuckDBPyConnection, hashes: list[str]) -> dict[str, list[Known]]:
    """The deliveries recorded of the bytes of each hash."""
    found: dict[str, list[Known]] = {}
    for sha256, *rest in connection.execute(_KNOWN, [hashes]).fetchall():
        found.setdefault(sha256, []).append(Known(*rest))
    return found


def replaced_by_others(connection: duckdb.DuckDBPyConnection) -> Replaced:
    """The deliveries whose months others were accepted for since."""
    found: Replaced = {}
    for delivery, month, by in connection.execute(_REPLACED).fetchall():
        found.setdefault(delivery, {})[month] = by
    return found


def already(file: str, known: list[Known], replaced: Replaced) -> list[Receipt]:
    """Receipts of bytes that were received before."""
    receipts: dict[str, Receipt] = {}  # one a table, however often it was sent again
    for one in known:
        by = next(reversed(replaced.get(one.delivery, {}).values()), None)
        table = one.delivery.partition("@")[0]
        if by is not None or table not in receipts:
            receipts[table] = Receipt(
                file,
                one.delivery,
                one.feed,
                one.format,
                (),
                True,
                one.simulated,
                one.reason,
                by,
                refused=tuple(one.refused),
            )
    return list(receipts.values())


def taken_back(
    connection: duckdb.DuckDBPyConnection, file: str, known: list[Known], replaced: Replaced
) -> list[Receipt]:
    """Known bytes that others replaced since are a delivery of their own, which waits for the gate."""
    receipts = []
    with transaction(connection):
        for receipt in already(file, known, replaced):
            if receipt.replaced_by is None:
                receipts.append(receipt)
                continue
            months = tuple(replaced[receipt.delivery])
            again = f"{receipt.delivery.partition('@')[0]}@{len(known) + 1}"
            connection.execute(_AGAIN, {"id": receipt.delivery, "again": again, "now": now()})
            connection.execute(_ARRIVED, [again, now(), receipt.delivery])
            connection.execute(_PENDING, [again, receipt.feed, list(months)])
            receipts.append(replace(receipt, delivery=again, months=months, known=False))
    return receipts
