"""Receives files: archives their bytes, recognises them, and records what they hold.

Receiving judges nothing: figures wait, month by month, for the gate. The same bytes received twice
change nothing; a file killed in the middle is received again from the start.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from odds_pipeline.declarations.project import FeedEntry, Project
from odds_pipeline.reception.corrections import corrected
from odds_pipeline.reception.files import content_of, files_in, shown_name
from odds_pipeline.reception.periods import groups_of, month_of, year_of
from odds_pipeline.reception.reading import Reading, read
from odds_pipeline.reception.recognition import Match, Unrecognised, recognise
from odds_pipeline.reception.tables import Table, Unreadable, open_tables
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Overtaken, Store, transaction

NO_MONTH = "0000-00"
"""Month of a delivery whose period cannot be told."""


@dataclass(frozen=True)
class Receipt:
    """What became of one table of one file; ``feed`` is ``None`` when it was set aside.

    ``replaced_by``: of known bytes, the last file accepted since for months they hold.
    """

    file: str
    delivery: str
    feed: str | None
    format: str | None
    months: tuple[str, ...]
    known: bool
    simulated: bool
    reason: str | None
    replaced_by: str | None = None


def archive_path(home: Home, sha256: str) -> Path:
    """Where the bytes of that hash are kept."""
    return home.archive / sha256[:2] / sha256


def _archive(home: Home, content: bytes, sha256: str) -> None:
    target = archive_path(home, sha256)
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).chmod(0o400)
    Path(file.name).replace(target)


def _refusal(outcome: Unrecognised) -> str:
    if outcome.named is not None:
        return f"{outcome.named.feed.label} : {' ; '.join(outcome.missing)}."
    if outcome.ambiguous:
        return f"Plusieurs contrats conviennent : {', '.join(outcome.ambiguous)}."
    if not outcome.nearest:
        return "Aucun contrat ne convient : aucun n'a de colonne en commun avec ce fichier."
    nearest = " | ".join(str(near) for near in outcome.nearest)
    return f"Aucun contrat ne convient. Les plus proches : {nearest}"


_STRUCTURE = ("structure", "Renvoyer le fichier avec les colonnes du contrat.")
_UNREADABLE = ("illisible", "Renvoyer le fichier entier, en CSV ou en classeur .xlsx.")


def _insert(
    connection: duckdb.DuckDBPyConnection,
    receipt: Receipt,
    table: Table | None,
    sha256: str,
    size: int,
    reading: Reading | None,
) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    connection.execute(
        """
        INSERT INTO deliveries BY NAME SELECT $id AS id, $sha AS sha256, $file AS file_name,
            $part AS part, $size AS size, $now AS received_at,
            coalesce((SELECT max(received_order) FROM deliveries), 0) + 1 AS received_order,
            $feed AS feed, $format AS format, $geography AS geography, $ignored AS ignored_rows,
            $unknown AS unknown_columns, $simulated AS simulated, $reason AS reason, $levels AS levels
        """,
        {
            "id": receipt.delivery,
            "sha": sha256,
            "file": receipt.file,
            "part": table.part if table else None,
            "size": size,
            "now": now,
            "feed": receipt.feed,
            "format": receipt.format,
            "geography": reading.geography if reading else None,
            "ignored": reading.ignored if reading else None,
            "unknown": list(reading.unknown_columns) if reading else [],
            "simulated": receipt.simulated,
            "reason": receipt.reason,
            "levels": sorted(map(str, reading.frame["level"].unique())) if reading else None,
        },
    )
    if receipt.feed is None:
        return
    if receipt.reason is not None:
        connection.execute(
            "INSERT INTO delivered_months (delivery, feed, month, state, judged_at) "
            "VALUES (?, ?, ?, 'refused', ?)",
            [receipt.delivery, receipt.feed, receipt.months[0], now],
        )
        rule, remedy = _STRUCTURE if table else _UNREADABLE
        connection.execute(
            "INSERT INTO verdicts "
            "(delivery, month, rule, severity, passed, message, remedy, failing, rows) "
            "VALUES (?, ?, ?, 'critical', false, ?, ?, 1, '[]')",
            [receipt.delivery, receipt.months[0], rule, receipt.reason, remedy],
        )
        return
    for month in receipt.months:
        connection.execute(
            "INSERT INTO delivered_months (delivery, feed, month, state) VALUES (?, ?, ?, 'pending')",
            [receipt.delivery, receipt.feed, month],
        )


def _without_period(match: Match) -> str:
    """Why no figure of a recognised table has a month, and what to do."""
    period = match.format.period
    if not match.table.rows[match.header_row + 1 :]:
        return "Le fichier n'a que son en-tête."
    if period.file and year_of(match.groups) is None:
        return (
            f"La période n'est pas dans le nom du fichier (forme attendue : {period.file}). "
            "Renvoyer le fichier avec son année dans le nom."
        )
    return "Aucune ligne du fichier ne donne de figure datée."


def named_month(entry: FeedEntry, file_name: str) -> str:
    """The month that the file's name tells by the contract's patterns; else :data:`NO_MONTH`."""
    calendar = entry.feed.calendar
    for fmt in entry.feed.formats:
        groups = groups_of(fmt.file, file_name) | groups_of(fmt.period.file, file_name)
        month = month_of(groups, calendar.month, fmt.period.year_shift)
        if month is not None and calendar.has(month):
            return month
    return NO_MONTH


def named_feed(project: Project, file_name: str) -> FeedEntry | None:
    """The one contract whose files are called so; for files that cannot be opened."""
    found = {
        entry.id: entry
        for entry in project.feeds.values()
        for fmt in entry.feed.formats
        if fmt.file and re.search(fmt.file, file_name, re.IGNORECASE)
    }
    return next(iter(found.values())) if len(found) == 1 else None


def _receive_table(project: Project, table: Table, delivery: str) -> tuple[Receipt, Reading | None]:
    outcome = recognise(project, table)
    if isinstance(outcome, Match):
        sha256, _ = table_of(delivery)
        reading = corrected(outcome.entry, read(project, outcome), table.file_name, sha256)
        problem = (
            f"{table.flaw}." if table.flaw else None if reading.months else _without_period(outcome)
        )
        receipt = Receipt(
            table.file_name,
            delivery,
            outcome.entry.id,
            outcome.format.id,
            reading.months or (named_month(outcome.entry, table.file_name),),
            False,
            outcome.simulated,
            problem,
        )
        return receipt, reading
    named = outcome.named.id if outcome.named else None
    month = named_month(outcome.named, table.file_name) if outcome.named else NO_MONTH
    simulated = any("SIMULEES" in str(cell).upper() for row in table.rows[:1] for cell in row)
    receipt = Receipt(
        table.file_name, delivery, named, None, (month,), False, simulated, _refusal(outcome)
    )
    return receipt, None


_KNOWN = "SELECT id, feed, format, simulated, reason FROM deliveries WHERE sha256 = ? ORDER BY id"

# Months of each delivery that a file received since was accepted for, and that file.
_REPLACED = """
SELECT m.delivery, m.month, max_by(e.file_name, e.received_order)
FROM delivered_months m JOIN deliveries d ON d.id = m.delivery
JOIN trusted_months t ON t.feed = m.feed AND t.month = m.month
JOIN deliveries e ON e.id = t.delivery AND e.received_order > d.received_order
     AND list_has_all(coalesce(e.levels, []), coalesce(d.levels, []))
WHERE m.state = 'accepted' GROUP BY m.delivery, m.month
HAVING NOT bool_or(e.sha256 = d.sha256) ORDER BY m.delivery, m.month
"""

_AGAIN = """
INSERT INTO deliveries BY NAME SELECT * REPLACE (
    $again AS id, $now AS received_at, (SELECT max(received_order) + 1 FROM deliveries) AS received_order
) FROM deliveries WHERE id = $id
"""


Replaced = dict[str, dict[str, str]]
"""Of each delivery, the months that others replaced since, with the last file that did."""


def _replaced(connection: duckdb.DuckDBPyConnection) -> Replaced:
    found: Replaced = {}
    for delivery, month, by in connection.execute(_REPLACED).fetchall():
        found.setdefault(delivery, {})[month] = by
    return found


def _already(file: str, known: list[tuple[Any, ...]], replaced: Replaced) -> list[Receipt]:
    """Receipts of bytes that were received before."""
    receipts: dict[str, Receipt] = {}  # one a table, however often it was sent again
    for i, feed, fmt, simulated, reason in known:
        by, table = next(reversed(replaced.get(i, {}).values()), None), i.partition("@")[0]
        if by is not None or table not in receipts:
            receipts[table] = Receipt(file, i, feed, fmt, (), True, simulated, reason, by)
    return list(receipts.values())


def _take_back(
    connection: duckdb.DuckDBPyConnection, file: str, known: list[tuple[Any, ...]], replaced: Replaced
) -> list[Receipt]:
    """Known bytes that others replaced since are a delivery of their own, which waits for the gate."""
    now = datetime.now(UTC).replace(tzinfo=None)
    receipts = []
    with transaction(connection):
        for receipt in _already(file, known, replaced):
            if receipt.replaced_by is None:
                receipts.append(receipt)
                continue
            months = tuple(replaced[receipt.delivery])
            again = f"{receipt.delivery.partition('@')[0]}@{len(known) + 1}"
            connection.execute(_AGAIN, {"id": receipt.delivery, "again": again, "now": now})
            connection.execute(
                "INSERT INTO delivered_months (delivery, feed, month, state) "
                "SELECT ?, ?, unnest(?::VARCHAR[]), 'pending'",
                [again, receipt.feed, list(months)],
            )
            receipts.append(replace(receipt, delivery=again, months=months, known=False))
    return receipts


def table_of(delivery: str) -> tuple[str, int]:
    """The sha256 of a delivery's bytes, and which table of the file it is."""
    sha256, _, number = delivery.partition("@")[0].partition("#")
    return sha256, int(number or 0)


def _receive_file(
    project: Project,
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    replaced: Replaced,
    again: bool,
) -> list[Receipt]:
    name = shown_name(path)
    try:
        content = content_of(path)
    except Unreadable as error:
        return [Receipt(name, "", None, None, (), False, False, str(error))]
    sha256 = hashlib.sha256(content).hexdigest()
    known = connection.execute(_KNOWN, [sha256]).fetchall()
    # Bytes that no contract read are tried again: a contract may know them by now.
    if any(reason is None for *_, reason in known):
        if again:
            return _take_back(connection, name, known, replaced)
        return _already(name, known, replaced)
    _archive(home, content, sha256)
    received: list[tuple[Receipt, Table | None, Reading | None]] = []
    try:
        tables = open_tables(name, content)
    except Unreadable as error:
        named = named_feed(project, name)
        month = named_month(named, name) if named else NO_MONTH
        feed = named.id if named else None
        receipt = Receipt(name, sha256, feed, None, (month,), False, False, str(error))
        received.append((receipt, None, None))
    else:
        for number, table in enumerate(tables):
            if table.hidden:
                continue
            delivery = sha256 if number == 0 else f"{sha256}#{number}"
            receipt, reading = _receive_table(project, table, delivery)
            received.append((receipt, table, reading))
    outcome = [(r.delivery, r.feed, r.format, r.simulated, r.reason) for r, _, _ in received]
    if known == outcome:
        return _already(name, known, replaced)
    with transaction(connection):
        if connection.execute(_KNOWN, [sha256]).fetchall() != known:
            raise Overtaken(f"{name}: another process received the same bytes meanwhile")
        for name in ("verdicts", "delivered_months"):
            connection.execute(
                f"DELETE FROM {name} WHERE delivery IN (SELECT unnest(?))", [[i for i, *_ in known]]
            )
        connection.execute("DELETE FROM deliveries WHERE sha256 = ?", [sha256])
        for receipt, one, reading in received:
            _insert(connection, receipt, one, sha256, len(content), reading)
    return [receipt for receipt, _, _ in received]


def receive(
    project: Project, home: Home, paths: Iterable[Path], again: bool = False
) -> Iterator[Receipt]:
    """Receive files and folders, one receipt per table, as they are dealt with.

    ``again``: known bytes that later ones replaced count as sent anew, after them. The warehouse is
    held until the last receipt is taken; each file is a transaction of its own.
    """
    with Store(home.warehouse).connect() as connection:
        # Once: the landing folder is read whole each time, and receiving accepts nothing.
        replaced = _replaced(connection)
        for path in files_in(paths):
            yield from _receive_file(project, home, connection, path, replaced, again)
