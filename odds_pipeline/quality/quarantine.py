"""The quarantine: what waits there, and how a person accepts figures that break a rule.

A delivery that passes closes by itself the refused months that it replaces (view ``quarantine``).
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from odds_pipeline.declarations.project import Project
from odds_pipeline.quality.batch import audit_one
from odds_pipeline.quality.gate import Judgement, judge
from odds_pipeline.quality.verdicts import Due
from odds_pipeline.quality.waiting import Waiting, reread
from odds_pipeline.reception.contents import SAME_BYTES
from odds_pipeline.reception.recording import OLDER
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.manifest import write_manifest
from odds_pipeline.storage.sql import first
from odds_pipeline.storage.store import Store, transaction


class NotAcceptable(ValueError):
    """The figures cannot be accepted; the text says why and what to do."""


@dataclass(frozen=True)
class Case:
    """One refused month of one delivery. ``rules`` are the critical ones it broke."""

    delivery: str
    feed: str
    month: str
    file: str
    received_at: datetime
    rules: tuple[str, ...]
    why: str


_CASES = """
SELECT q.delivery, q.feed, q.month, q.file_name, q.received_at,
       coalesce(list(v.rule ORDER BY v.rule) FILTER (WHERE v.rule IS NOT NULL), []),
       coalesce(string_agg(v.message, ' ' ORDER BY v.rule), 'Aucun verdict.')
FROM quarantine q LEFT JOIN failing_verdicts v ON v.delivery = q.delivery AND v.month = q.month
GROUP BY ALL ORDER BY q.feed, q.month, q.received_at, q.delivery
"""


def cases(connection: duckdb.DuckDBPyConnection, named: str | None = None) -> list[Case]:
    """Everything in quarantine; ``named`` keeps the deliveries of that sha256 beginning or file."""
    found = [
        Case(d, feed, month, file, received, tuple(rules), why)
        for d, feed, month, file, received, rules, why in connection.execute(_CASES).fetchall()
    ]
    if named is None:
        return found
    return [c for c in found if c.file == named or (len(named) >= 4 and c.delivery.startswith(named))]


def one_case(connection: duckdb.DuckDBPyConnection, named: str, month: str | None = None) -> Case:
    """The one case of that name and month. :class:`LookupError` says which there are otherwise."""
    found = [c for c in cases(connection, named) if month in (None, c.month)]
    if not found:
        raise LookupError(f"nothing in quarantine is named {named!r}: see `odds quarantine`")
    if len(found) > 1:
        shown = ", ".join(f"{c.delivery[:10]} --month {c.month}" for c in found[:6])
        raise LookupError(f"{named!r} has {len(found)} refused months: say which ({shown})")
    return found[0]


def accept(
    project: Project, home: Home, named: str, month: str | None, reason: str, decided_by: str
) -> Judgement:
    """Judge a refused month again, setting aside the rules that its verdict says it broke.

    The figures enter by the same transaction as any other's. Raises :class:`LookupError` when there
    is no such case, :class:`NotAcceptable` when the figures cannot be taken.
    """
    if len(reason.strip()) < 10 or len(decided_by.strip()) < 2:
        raise NotAcceptable("a reason that a reader understands, and who decides, are needed")
    with Store(home.warehouse).transaction() as connection:
        case = one_case(connection, named, month)
        fmt = _format(connection, case.delivery)
        reading = (
            reread(project, home, case.delivery, case.file, case.feed, fmt)
            if fmt and case.feed in project.feeds
            else None
        )
        if reading is None or case.month not in reading.months:
            raise NotAcceptable(f"{case.file} cannot be read: {case.why} It must be sent again.")
        waiting = Waiting(case.feed, case.delivery, case.file, str(fmt), reading, (case.month,))
        findings = audit_one(project, connection, waiting)
        due = [Due(case.delivery, case.file, case.month)]
        judged = judge(project, connection, {case.feed: due}, findings, frozenset(case.rules))
        (judgement,) = judged[case.feed]
        refusing = {f.rule: f for f in judgement.findings if f.refuses}
        if judgement.refused:
            final = sorted(name for name, f in refusing.items() if not f.overrulable)
            new = sorted(refusing.keys() - set(case.rules) - set(final))
            if final:
                raise NotAcceptable(f"no person may overrule {', '.join(final)}: it must be sent again")
            raise NotAcceptable(f"other rules refuse it now: {', '.join(new)}; judge it again first")
        connection.execute(
            "DELETE FROM overrulings WHERE delivery = ? AND month = ? AND rule IN (SELECT unnest(?))",
            [case.delivery, case.month, sorted(refusing)],
        )
        connection.executemany(
            "INSERT INTO overrulings (delivery, month, rule, reason, decided_by, decided_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [
                [case.delivery, case.month, rule, reason.strip(), decided_by.strip(),
                 datetime.now(UTC).replace(tzinfo=None)]
                for rule in sorted(refusing.keys() | ({OLDER, SAME_BYTES[0]} & set(case.rules)))
            ],
        )  # fmt: skip
    with Store(home.warehouse).connect() as connection:
        write_manifest(connection, home)
    return judgement


def retry(home: Home, named: str) -> list[Case]:
    """Let refused months wait for the gate again, after a contract or a rule was mended."""
    with Store(home.warehouse).connect() as connection, transaction(connection):
        found = cases(connection, named)
        # Which of two files is the right one is decided by a person, who says why: `accept`.
        readable = [c for c in found if OLDER not in c.rules and _format(connection, c.delivery)]
        again = [[c.delivery, c.month] for c in readable] or [["", ""]]
        connection.executemany(
            "UPDATE delivered_months SET state = 'pending' WHERE delivery = ? AND month = ?", again
        )
        connection.executemany("DELETE FROM audits WHERE delivery = ? AND month = ?", again)
    return readable


def _format(connection: duckdb.DuckDBPyConnection, delivery: str) -> str | None:
    row = first(connection, "SELECT format FROM deliveries WHERE id = ?", [delivery])
    return row[0] if row else None
