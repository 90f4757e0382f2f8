"""Audits of what waits, made in the second process of a command before the gates ask for them.

An audit follows from the deliveries and from what was accepted before them. A gate that asks for exactly
that finds it made; any other one it makes itself.
"""

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pandas as pd

from odds_pipeline.beside import Second
from odds_pipeline.home import Home
from odds_pipeline.model.project import FeedEntry, Project
from odds_pipeline.outstanding import Batch as Waiting
from odds_pipeline.quality.accepted import accepted_before, count_of, print_of
from odds_pipeline.quality.audit import Finding, audit
from odds_pipeline.quality.waiting import Batch, batches_of, pending, waiting_of
from odds_pipeline.reception.kept import keep, reading_of, readings_kept
from odds_pipeline.reception.reading import Reading
from odds_pipeline.warehouse.store import Store

SENT = 1_000_000
"""Accepted figures sent to the second process for audits not used yet: some 340 MB of memory."""


@dataclass
class _Ahead:
    """Audits being made, by feed, each with the number of figures sent for it, and feeds to come."""

    second: Second
    project: Project
    home: Home
    to_come: deque[tuple[str, str, str]]
    made: dict[str, tuple[int, "Future[tuple[str, list[Finding]]]"]] = field(default_factory=dict)

    def send(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Ask for more audits, as many as there is room for."""
        room = SENT - sum(count for count, _ in self.made.values())
        while self.to_come and room > 0:
            feed, first, last = self.to_come.popleft()
            entry = self.project.feeds[feed]
            count = count_of(connection, entry)
            if count > SENT:
                continue  # a country's: its gate reads them once, and sends them nowhere
            rows = pending(connection, feed, first, last)
            readings = [reading_of(self.project, row[0], feed, row[2]) for row in rows]
            known = (*accepted_before(connection, entry), print_of(connection, entry))
            future = self.second.submit(self.project, _audit, self.home, feed, rows, readings, *known)
            if future is None:
                return
            self.made[feed] = count, future
            room -= count


_ahead: _Ahead | None = None


def ready() -> None:
    """Load what an audit needs: 2 CPU seconds."""
    import odds_pipeline.quality.expectations  # noqa: F401


def audit_ahead(second: Second, project: Project, home: Home, batches: Iterable[Waiting]) -> None:
    """Have what waits first for each feed audited, in the order of the gates."""
    global _ahead
    _ahead = None
    if second.started:
        feeds = deque((feed, batch.first, batch.last) for batch in batches for feed in batch.names)
        _ahead = _Ahead(second, project, home, feeds)
        with Store(home.warehouse).connect() as connection:
            _ahead.send(connection)


def _basis(batch: Batch, known: str) -> str:
    """What an audit rests on: the months of deliveries, and the fingerprint of what was accepted."""
    return f"{batch.key} {[(one.delivery, one.months) for one in batch.waiting]} {known}"


def _audit(
    project: Project,
    home: Home,
    feed: str,
    rows: list[tuple[Any, ...]],
    readings: list[Reading | None],
    accepted: pd.DataFrame,
    former: set[str],
    known: str,
) -> tuple[str, list[Finding]]:
    with readings_kept():
        for (delivery, _, fmt, _), reading in zip(rows, readings, strict=True):
            if reading is not None:
                keep(project, delivery, feed, fmt, reading)
        waiting, _ = waiting_of(project, home, feed, rows)
    batch = batches_of(waiting)[0]
    findings = audit(project, project.feeds[feed], batch.readings, accepted, former)
    return _basis(batch, known), findings


def made(
    project: Project, connection: duckdb.DuckDBPyConnection, entry: FeedEntry, batch: Batch
) -> list[Finding] | None:
    """The findings on exactly this batch, after what is accepted now, if they were made ahead."""
    if _ahead is None or entry.id not in _ahead.made or not _ahead.second.holds(project):
        return None
    _, future = _ahead.made.pop(entry.id)
    _ahead.send(connection)
    ready()  # publishing needs it here too: it loads while the other process audits
    # What failed there fails here too, and says so; or it was the process, and it does not.
    if future.exception() is not None:
        return None
    made_on, findings = future.result()
    return findings if made_on == _basis(batch, print_of(connection, entry)) else None
