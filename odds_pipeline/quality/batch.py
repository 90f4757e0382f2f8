"""One audit for all that waits: deliveries of all feeds, in turns, as many as memory holds."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import duckdb
import pandas as pd

from odds_pipeline.declarations.project import FeedEntry, Project
from odds_pipeline.indicators.staleness import ALL, Months
from odds_pipeline.quality.accepted import Prints, accepted_before, prints_in, prints_of
from odds_pipeline.quality.audit import audit
from odds_pipeline.quality.findings import Finding
from odds_pipeline.quality.lost_parts import without_lost_parts
from odds_pipeline.quality.structure import unread_findings
from odds_pipeline.quality.tables import keep, keep_declared, keep_past
from odds_pipeline.quality.verdicts import basis_of, keep_verdicts, next_turns
from odds_pipeline.quality.waiting import (
    Pending,
    Readings,
    Waiting,
    is_large,
    pending,
    reread,
    turns_of,
)
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.scratch import scratch
from odds_pipeline.storage.sql import read_sql
from odds_pipeline.storage.store import transaction

FIGURES = 1_000_000
"""Figures, delivered and accepted before, that are audited together; some 500 bytes each."""

_SUPPOSE = read_sql(__file__, "suppose")


@dataclass(frozen=True)
class _Feed:
    """What waits for a feed, in turns; ``unread``: deliveries that its contract no longer reads."""

    entry: FeedEntry
    turns: list[list[Waiting]]
    unread: dict[str, list[str]]
    figures: int


def audit_all(
    project: Project,
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    first: str = "",
    ahead: Readings | None = None,
) -> None:
    """Audit all that waits, that of the feed ``first`` before others; ``ahead`` was read already.

    Of feeds that share a variable, one: what its gate accepts changes what the others are compared with.
    What ends on an error is left, and what has a large delivery to read: its gate audits it alone.
    """
    turns = next_turns(project, connection)
    missing = sorted(
        (name for name, turn in turns.items() if turn is None), key=lambda n: (n != first, n)
    )
    entries = without_shared([project.feeds[name] for name in missing])
    prints = prints_of(project, connection, entries)
    for portion in _portions(project, home, connection, entries, prints, ahead or {}):
        with suppress(Exception):
            _audit(project, connection, portion, prints)


def without_shared(entries: Sequence[FeedEntry]) -> list[FeedEntry]:
    """The feeds that deliver no variable of one before them."""
    kept, taken = [], set[str]()
    for entry in entries:
        own = {entry.variable_id(name) for name in entry.feed.variables}
        if not own & taken:
            kept.append(entry)
            taken |= own
    return kept


def audit_feed(
    project: Project,
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    feed: str,
    months: Months,
    ahead: Readings,
) -> None:
    """Audit what waits for one feed between two months."""
    entry = project.feeds[feed]
    prints = prints_of(project, connection, [entry])
    due = pending(connection, [feed], *months).get(feed, [])
    _audit(project, connection, [_read(project, home, entry, due, prints, ahead)], prints)


def audit_one(
    project: Project, connection: duckdb.DuckDBPyConnection, waiting: Waiting
) -> list[Finding]:
    """Audit one delivery, inside the transaction that judges it."""
    entries = [project.feeds[waiting.feed]]
    with _tables(project, connection, entries) as tables:
        prints = prints_of(project, connection, entries)
        return _audit_turn(project, connection, tables, [waiting], 0, prints)


def _portions(
    project: Project,
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    entries: Sequence[FeedEntry],
    prints: Prints,
    ahead: Readings,
) -> Iterator[list[_Feed]]:
    """What waits, as much at a time as memory holds."""
    portion: list[_Feed] = []
    waiting = pending(connection, [entry.id for entry in entries], *ALL)
    for entry in entries:
        due = waiting.get(entry.id, [])
        if any(delivery not in ahead and is_large(home, delivery) for delivery, *_ in due):
            continue
        with suppress(Exception):
            one = _read(project, home, entry, due, prints, ahead)
            if portion and sum(each.figures for each in [*portion, one]) > FIGURES:
                yield portion
                portion = []
            portion.append(one)
    if portion:
        yield portion


def _read(
    project: Project,
    home: Home,
    entry: FeedEntry,
    due: Sequence[Pending],
    prints: Prints,
    ahead: Readings,
) -> _Feed:
    waiting: list[Waiting] = []
    unread: dict[str, list[str]] = {}
    feed = entry.id
    for delivery, file_name, fmt, own in due:
        reading = (
            ahead[delivery]
            if delivery in ahead
            else reread(project, home, delivery, file_name, feed, fmt)
        )
        if reading is None:
            unread[delivery] = own
        else:
            waiting.append(Waiting(feed, delivery, file_name, fmt, reading, tuple(own)))
    delivered = sum(len(one.reading.frame) for one in waiting)
    return _Feed(entry, turns_of(waiting), unread, delivered + prints[feed][0])


@contextmanager
def _tables(
    project: Project, connection: duckdb.DuckDBPyConnection, entries: Sequence[FeedEntry]
) -> Iterator[duckdb.DuckDBPyConnection]:
    with scratch() as tables:
        keep_past(tables, *accepted_before(project, connection, entries))
        keep_declared(tables, project, entries)
        yield tables


def _audit(
    project: Project, connection: duckdb.DuckDBPyConnection, portion: list[_Feed], prints: Prints
) -> None:
    entries = [one.entry for one in portion]
    with transaction(connection):
        _refuse_unread(project, connection, portion, prints)
    with _tables(project, connection, entries) as tables:
        for turn in range(max(len(one.turns) for one in portion)):
            waiting = [each for one in portion for each in _turn(one, turn)]
            with transaction(connection):
                findings = _audit_turn(project, connection, tables, waiting, turn, prints)
            _suppose(project, tables, waiting, findings)
            prints = prints_in(tables, entries)


def _turn(one: _Feed, turn: int) -> list[Waiting]:
    return one.turns[turn] if turn < len(one.turns) else []


def _refuse_unread(
    project: Project, connection: duckdb.DuckDBPyConnection, portion: list[_Feed], prints: Prints
) -> None:
    findings: list[Finding] = []
    audited = []
    for one in portion:
        basis = basis_of(project, one.entry.id, prints[one.entry.id][1])
        for delivery, months in one.unread.items():
            findings += unread_findings(delivery, months)
            audited += [(delivery, month, 0, basis) for month in months]
    if audited:
        keep_verdicts(connection, findings, audited)


def _audit_turn(
    project: Project,
    connection: duckdb.DuckDBPyConnection,
    tables: duckdb.DuckDBPyConnection,
    waiting: Sequence[Waiting],
    turn: int,
    prints: Prints,
) -> list[Finding]:
    """The findings on what waits in one turn, kept with the figures as they were read."""
    audited = [
        (one.delivery, month, turn, basis_of(project, one.feed, prints[one.feed][1]))
        for one in waiting
        for month in one.months
    ]
    asked = {(delivery, month) for delivery, month, *_ in audited}
    waiting = without_lost_parts(project, tables, waiting)
    findings = [f for f in audit(project, waiting, tables) if (f.subject, f.month) in asked]
    figures = pd.concat([one.frame for one in waiting], ignore_index=True)
    keep_verdicts(connection, findings, audited, figures)
    return findings


def _suppose(
    project: Project,
    tables: duckdb.DuckDBPyConnection,
    waiting: Sequence[Waiting],
    findings: Sequence[Finding],
) -> None:
    """Take what passed as accepted in the tables of the audit."""
    refused = {(f.subject, f.month) for f in findings if f.refuses}
    passed = [
        (one.feed, month)
        for one in waiting
        for month in one.months
        if (one.delivery, month) not in refused
    ]
    keep(tables, "passed", pd.DataFrame(passed, columns=["feed", "month"]))
    tables.execute(_SUPPOSE, {"population": project.observatory.population})
