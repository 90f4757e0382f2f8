"""Audits of what waits, made in the second process of a command before the gates ask for them.

An audit follows from the deliveries and from what was accepted before them. A gate that asks for exactly
that finds it made; any other one it makes itself.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pandas as pd

from odds_pipeline.beside import Second
from odds_pipeline.declarations.project import FeedEntry, Project
from odds_pipeline.quality.accepted import accepted_before, prints_of
from odds_pipeline.quality.audit import Finding, audit
from odds_pipeline.quality.outstanding import Batch as Waiting
from odds_pipeline.quality.ready import ready
from odds_pipeline.quality.waiting import Batch, batches_of, pending, waiting_of
from odds_pipeline.reception.kept import keep, reading_of, readings_kept
from odds_pipeline.reception.reading import Reading
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

SENT = 1_000_000
"""Accepted figures sent to the second process for audits not used yet: some 340 MB of memory."""


@dataclass(frozen=True)
class _Asked:
    """What waits for a feed, and how many its accepted figures are, with their fingerprint."""

    feed: str
    rows: list[tuple[Any, ...]]
    count: int
    known: str


@dataclass
class _Audit:
    """An audit asked of the second process: what it was given, and what comes of it."""

    count: int
    given: tuple[Any, ...]
    future: "Future[tuple[str, list[Finding]]]"


@dataclass
class _Ahead:
    """Audits being made, by feed, in the order of the gates, and what is still to be asked."""

    second: Second
    project: Project
    home: Home
    to_come: deque["_Asked"]
    made: dict[str, _Audit] = field(default_factory=dict)

    def send(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Ask for more audits, as many as there is room for."""
        room = SENT - sum(one.count for one in self.made.values())
        while self.to_come and room > 0:
            one = self.to_come.popleft()
            if one.count > SENT:
                continue  # a country's: its gate reads them once, and sends them nowhere
            readings = [reading_of(self.project, row[0], one.feed, row[2]) for row in one.rows]
            accepted, former = accepted_before(connection, self.project.feeds[one.feed])
            given = (self.home, one, readings, accepted, former)
            future = self.second.submit(self.project, _audit, *given)
            if future is None:
                return
            self.made[one.feed] = _Audit(one.count, given, future)
            room -= one.count

    def await_(self, audit: _Audit) -> None:
        """Until it is made, make here those that the second process would begin last."""
        for other in reversed(self.made.values()):
            if audit.future.done():
                return
            if other.future.cancel():
                other.future = Future()
                try:
                    other.future.set_result(_audit(self.project, *other.given))
                except Exception as error:
                    other.future.set_exception(error)


_ahead: _Ahead | None = None


def audit_ahead(second: Second, project: Project, home: Home, batches: Iterable[Waiting]) -> None:
    """Have what waits first for each feed audited, in the order of the gates."""
    global _ahead
    _ahead = None
    if second.started:
        with Store(home.warehouse).connect() as connection:
            _ahead = _Ahead(second, project, home, deque(_asked(project, connection, batches)))
            _ahead.send(connection)


def _asked(
    project: Project, connection: duckdb.DuckDBPyConnection, batches: Iterable[Waiting]
) -> Iterator[_Asked]:
    for batch in batches:
        rows = pending(connection, batch.names, batch.first, batch.last)
        prints = prints_of(connection, [project.feeds[feed] for feed in batch.names])
        yield from (_Asked(feed, rows[feed], *prints[feed]) for feed in batch.names if feed in rows)


def _basis(batch: Batch, known: str) -> str:
    """What an audit rests on: the months of deliveries, and the fingerprint of what was accepted."""
    return f"{batch.key} {[(one.delivery, one.months) for one in batch.waiting]} {known}"


def _audit(
    project: Project,
    home: Home,
    asked: _Asked,
    readings: list[Reading | None],
    accepted: pd.DataFrame,
    former: set[str],
) -> tuple[str, list[Finding]]:
    with readings_kept(project):
        for (delivery, _, fmt, _), reading in zip(asked.rows, readings, strict=True):
            if reading is not None:
                keep(project, delivery, asked.feed, fmt, reading)
        waiting, _ = waiting_of(project, home, asked.feed, asked.rows)
    batch = batches_of(waiting)[0]
    findings = audit(project, project.feeds[asked.feed], batch.readings, accepted, former)
    return _basis(batch, asked.known), findings


def made(
    project: Project, connection: duckdb.DuckDBPyConnection, entry: FeedEntry, batch: Batch
) -> list[Finding] | None:
    """The findings on exactly this batch, after what is accepted now, if they were made ahead."""
    if _ahead is None or entry.id not in _ahead.made or not _ahead.second.holds(project):
        return None
    one = _ahead.made.pop(entry.id)
    _ahead.send(connection)
    ready()  # publishing needs it here too: it loads while the other process audits
    _ahead.await_(one)
    # What failed there fails here too, and says so; or it was the process, and it does not.
    if one.future.exception() is not None:
        return None
    made_on, findings = one.future.result()
    _, known = prints_of(connection, [entry])[entry.id]
    return findings if made_on == _basis(batch, known) else None
