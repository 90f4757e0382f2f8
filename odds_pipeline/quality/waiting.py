"""Deliveries that wait for a gate, read again from the archive, in turns that are judged together."""

import hashlib
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

import duckdb
import pandas as pd

from odds_pipeline.declarations.problems import Explained
from odds_pipeline.declarations.project import Project
from odds_pipeline.reception.corrections import corrected
from odds_pipeline.reception.reading import Reading, read
from odds_pipeline.reception.receive import LARGE, archive_path, archived_origin, table_of
from odds_pipeline.reception.recognition import Match, match_as
from odds_pipeline.reception.tables import open_tables
from odds_pipeline.storage.home import Home


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


def pending(
    connection: duckdb.DuckDBPyConnection, feeds: Sequence[str], first: str, last: str
) -> dict[str, list[tuple[str, str, str, list[str]]]]:
    """By feed, delivery, file name, format and months of what waits, in order of reception."""
    given = {"feeds": list(feeds), "first": first, "last": last}
    found: dict[str, list[tuple[str, str, str, list[str]]]] = {}
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


class _ReadFirst(Exception):
    """A large delivery must be read before the warehouse is opened."""


_Judged = TypeVar("_Judged")
_ahead: ContextVar[dict[str, Reading | None] | None] = ContextVar("ahead", default=None)


def not_while_open(judge: Callable[[], _Judged]) -> _Judged:
    """What ``judge`` does in the warehouse that it opens, over again for each large delivery it needs.

    Those take seconds to read: nobody waits for the warehouse meanwhile.
    """
    ahead: dict[str, Reading | None] = {}
    token = _ahead.set(ahead)
    try:
        while True:
            try:
                return judge()
            except _ReadFirst as asked:
                ahead[asked.args[2]] = reread(*asked.args)
    finally:
        _ahead.reset(token)


def reading_of(
    project: Project, home: Home, delivery: str, file_name: str, feed: str, fmt: str
) -> Reading | None:
    """A waiting delivery's reading: :func:`reread`, or what was read before the warehouse was opened."""
    ahead, path = _ahead.get(), archive_path(home, table_of(delivery)[0])
    if ahead is None or not path.exists() or path.stat().st_size <= LARGE:
        return reread(project, home, delivery, file_name, feed, fmt)
    if delivery not in ahead:
        raise _ReadFirst(project, home, delivery, file_name, feed, fmt)
    return ahead[delivery]


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
