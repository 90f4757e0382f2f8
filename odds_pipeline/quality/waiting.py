"""Deliveries that wait for a gate, read again from the archive, in batches that are judged together."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pandas as pd

from odds_pipeline.declarations.problems import Explained
from odds_pipeline.declarations.project import Project
from odds_pipeline.reception.corrections import corrected
from odds_pipeline.reception.kept import reading_of
from odds_pipeline.reception.reading import Reading, read
from odds_pipeline.reception.receive import archive_path, table_of
from odds_pipeline.reception.recognition import Match, match_as
from odds_pipeline.reception.tables import open_tables
from odds_pipeline.storage.home import Home


@dataclass(frozen=True)
class Waiting:
    """A delivery that waits, read again from the archive, and its months to judge."""

    delivery: str
    file_name: str
    format: str
    reading: Reading
    months: tuple[str, ...]

    @property
    def frame(self) -> pd.DataFrame:
        frame = self.reading.frame
        return frame[frame["month"].isin(self.months)].assign(delivery=self.delivery)


@dataclass
class Batch:
    """Deliveries of one format and the same levels, no month twice."""

    key: tuple[str, ...]
    waiting: list[Waiting] = field(default_factory=list)

    @property
    def months(self) -> set[str]:
        return {month for one in self.waiting for month in one.months}

    @property
    def readings(self) -> list[Reading]:
        return [one.reading for one in self.waiting]


class DamagedArchive(Explained):
    """The archive does not hold the bytes that were received: restore it from a copy."""


_PENDING = """
SELECT m.feed, d.id, d.file_name, d.format, list(m.month ORDER BY m.month) AS months
FROM deliveries d JOIN delivered_months m ON m.delivery = d.id
WHERE m.feed IN (SELECT unnest($feeds)) AND m.state = 'pending' AND m.month BETWEEN $first AND $last
GROUP BY ALL ORDER BY min(d.received_order)
"""


def pending(
    connection: duckdb.DuckDBPyConnection, feeds: Sequence[str], first: str, last: str
) -> dict[str, list[tuple[Any, ...]]]:
    """By feed, delivery, file name, format and months of what waits, in order of reception."""
    given = {"feeds": list(feeds), "first": first, "last": last}
    found: dict[str, list[tuple[Any, ...]]] = {}
    for feed, *row in connection.execute(_PENDING, given).fetchall():
        found.setdefault(feed, []).append(tuple(row))
    return found


def waiting_of(
    project: Project, home: Home, feed: str, rows: Iterable[tuple[Any, ...]]
) -> tuple[list[Waiting], list[tuple[Any, ...]]]:
    """The deliveries of ``rows`` read again, and the rows that their contract no longer fits."""
    waiting, unread = [], []
    for row in rows:
        delivery, file_name, fmt, months = row
        reading = reread(project, home, delivery, file_name, feed, fmt)
        if reading is None:
            unread.append(row)
        else:
            waiting.append(Waiting(delivery, file_name, fmt, reading, tuple(months)))
    return waiting, unread


def reread(
    project: Project, home: Home, delivery: str, file_name: str, feed: str, fmt: str
) -> Reading | None:
    """Read a delivery again from the archive, unless it was just read; ``None`` when its contract no
    longer fits.

    Raises :class:`DamagedArchive` when the bytes are no longer those received.
    """
    sha256, number = table_of(delivery)
    path = archive_path(home, sha256)
    content = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DamagedArchive(f"{file_name}: {path} no longer holds the bytes received")
    if (reading := reading_of(project, delivery, feed, fmt)) is not None:
        return reading
    table = open_tables(file_name, content)[number]
    entry = project.feeds[feed]
    for candidate in entry.feed.formats:
        if candidate.id == fmt:
            match = match_as(entry, candidate, table, project.territories_of(entry))
            if not isinstance(match, Match):
                return None
            return corrected(entry, read(project, match), file_name, sha256)
    return None


def batches_of(waiting: list[Waiting]) -> list[Batch]:
    """Group deliveries, keeping the order of two deliveries of the same month."""
    batches: list[Batch] = []
    for one in waiting:
        levels = sorted(str(level) for level in one.reading.frame["level"].unique())
        key = (one.format, *levels)
        last = next((b for b in reversed(batches) if b.key == key), None)
        if last is None or last.months & set(one.months):
            last = Batch(key)
            batches.append(last)
        last.waiting.append(one)
    return batches
