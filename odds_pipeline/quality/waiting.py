"""Deliveries that wait for a gate, read again from the archive, in turns that are judged together."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pandas as pd

from odds_pipeline.declarations.problems import Explained
from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.staleness import Months
from odds_pipeline.quality.verdicts import next_turns
from odds_pipeline.reception.corrections import corrected
from odds_pipeline.reception.kept import archive_path, archived_origin, table_of
from odds_pipeline.reception.matching import Match, match_as
from odds_pipeline.reception.reading import Reading, read
from odds_pipeline.reception.receive import LARGE
from odds_pipeline.reception.tables import open_tables
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store


@dataclass(frozen=True)
class Waiting:
    """A delivery that waits, read again from the archive, and its months to judge."""

    feed: str
    delivery: str
    file_name: str
    format: str
    reading: Reading
    months: tuple[str, ...]

    @property
    def frame(self) -> pd.DataFrame:
        frame = self.reading.frame
        return frame[frame["month"].isin(self.months)].assign(delivery=self.delivery)

    @property
    def kind(self) -> tuple[str, ...]:
        """Format and levels: what is of one kind is judged together, unless a month is there twice."""
        return self.format, *sorted(map(str, self.reading.frame["level"].unique()))


class DamagedArchive(Explained):
    """The archive does not hold the bytes that were received: restore it from a copy."""


_PENDING = """
SELECT m.feed, d.id, d.file_name, d.format, list(m.month ORDER BY m.month) AS months
FROM deliveries d JOIN delivered_months m ON m.delivery = d.id
WHERE m.feed IN (SELECT unnest($feeds)) AND m.state = 'pending' AND m.month BETWEEN $first AND $last
GROUP BY ALL ORDER BY min(d.received_order)
"""


Pending = tuple[str, str, str, list[str]]
"""Delivery, file name, format and months of what waits."""


def pending(
    connection: duckdb.DuckDBPyConnection, feeds: Sequence[str], first: str, last: str
) -> dict[str, list[Pending]]:
    """What waits, by feed, in order of reception."""
    given = {"feeds": list(feeds), "first": first, "last": last}
    found: dict[str, list[Pending]] = {}
    for feed, *row in connection.execute(_PENDING, given).fetchall():
        found.setdefault(feed, []).append(tuple(row))
    return found


def reread(
    project: Project, home: Home, delivery: str, file_name: str, feed: str, fmt: str
) -> Reading | None:
    """Read a delivery again from the archive; ``None`` when its contract no longer fits.

    Raises :class:`DamagedArchive` when the bytes are no longer those received.
    """
    sha256, number = table_of(delivery)
    path = archive_path(home, sha256)
    content = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DamagedArchive(f"{file_name}: {path} no longer holds the bytes received")
    table = open_tables(file_name, content)[number].beside(archived_origin(home, sha256).told)
    entry = project.feeds[feed]
    for candidate in entry.feed.formats:
        if candidate.id == fmt:
            match = match_as(entry, candidate, table, project.territories_of(entry))
            if not isinstance(match, Match):
                return None
            return corrected(entry, read(project, match), file_name, sha256)
    return None


Readings = dict[str, Reading | None]
"""Of deliveries that wait, what was read of them before the warehouse was opened."""


def is_large(home: Home, delivery: str) -> bool:
    """Whether reading it again takes seconds: nobody waits for the warehouse meanwhile."""
    path = archive_path(home, table_of(delivery)[0])
    return path.exists() and path.stat().st_size > LARGE


def read_ahead(project: Project, home: Home, feed: str, months: Months) -> Readings:
    """The feed's large deliveries that wait for an audit between two months, each read once.

    Call it before the warehouse is opened for :func:`~odds_pipeline.quality.gate.judge_waiting`.
    """
    store = Store(home.warehouse)
    with store.connect() as connection:
        waiting = pending(connection, [feed], *months).get(feed, [])
        large = [each for each in waiting if is_large(home, each[0])]
        if not large or next_turns(project, connection, [feed], months)[feed] is not None:
            return {}
    store.let_go()
    return {
        delivery: reread(project, home, delivery, file_name, feed, fmt)
        for delivery, file_name, fmt, _ in large
    }


def turns_of(waiting: Sequence[Waiting]) -> list[list[Waiting]]:
    """Deliveries of one feed by kind, in order of reception; of a month's two, one after the other."""
    turns: list[list[Waiting]] = []
    for one in waiting:
        last = next((turn for turn in reversed(turns) if turn[0].kind == one.kind), None)
        if last is None or any(set(other.months) & set(one.months) for other in last):
            last = []
            turns.append(last)
        last.append(one)
    return turns
