"""Audits of what waits, made in the second process of a command before the gates ask for them.

An audit follows from the deliveries and from what was accepted before them. A gate that asks for exactly
that finds it made; any other one it makes itself.
"""

from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any

import duckdb
import pandas as pd

from odds_pipeline.beside import Second
from odds_pipeline.home import Home
from odds_pipeline.model.project import FeedEntry, Project
from odds_pipeline.quality.accepted import accepted_before, print_of
from odds_pipeline.quality.audit import Finding, audit
from odds_pipeline.quality.waiting import Batch, batches_of, pending, waiting_of
from odds_pipeline.warehouse.store import Store

_made: "dict[str, tuple[Second, Future[tuple[str, list[Finding]]]]]" = {}


def ready() -> None:
    """Load what an audit needs: 2.5 CPU seconds."""
    import odds_pipeline.quality.expectations  # noqa: F401


def audit_ahead(
    second: Second, project: Project, home: Home, feeds: Iterable[str], first: str, last: str
) -> None:
    """Have the first batch that waits for each feed, between two months, audited in its order."""
    _made.clear()
    if not second.started:
        return
    with Store(home.warehouse).connect() as connection:
        for feed in feeds:
            entry = project.feeds[feed]
            rows = pending(connection, feed, first, last)
            known = (*accepted_before(connection, entry), print_of(connection, entry))
            future = second.submit(project, _audit, home, feed, rows, *known)
            if future is not None:
                _made[feed] = second, future


def _basis(batch: Batch, known: str) -> str:
    """What an audit rests on: the months of deliveries, and the fingerprint of what was accepted."""
    return f"{batch.key} {[(one.delivery, one.months) for one in batch.waiting]} {known}"


def _audit(
    project: Project,
    home: Home,
    feed: str,
    rows: list[tuple[Any, ...]],
    accepted: pd.DataFrame,
    former: set[str],
    known: str,
) -> tuple[str, list[Finding]]:
    waiting, _ = waiting_of(project, home, feed, rows)
    batch = batches_of(waiting)[0]
    findings = audit(project, project.feeds[feed], batch.readings, accepted, former)
    return _basis(batch, known), findings


def made(
    project: Project, connection: duckdb.DuckDBPyConnection, entry: FeedEntry, batch: Batch
) -> list[Finding] | None:
    """The findings on exactly this batch, after what is accepted now, if they were made ahead."""
    second, future = _made.pop(entry.id, (None, None))
    if second is None or future is None or not second.holds(project):
        return None
    ready()  # publishing needs it here too: it loads while the other process audits
    # What failed there fails here too, and says so; or it was the process, and it does not.
    if future.exception() is not None:
        return None
    made_on, findings = future.result()
    return findings if made_on == _basis(batch, print_of(connection, entry)) else None
