"""Readings that a command made on reception, kept until their gate takes them: a file is read once.

Reading a file takes 15 ms, and reception, the audit and the gate each need what is in it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from odds_pipeline.declarations.project import Project
from odds_pipeline.reception.reading import Reading

ROWS = 1_000_000
"""Rows kept at a time, of some 500 bytes; files received after that are read again."""


@dataclass
class _Kept:
    project: Project
    readings: dict[tuple[str, str, str], Reading] = field(default_factory=dict)
    rows: int = 0


_kept: ContextVar[_Kept | None] = ContextVar("kept", default=None)


@contextmanager
def readings_kept(project: Project) -> Iterator[None]:
    """Inside, :func:`keep` keeps readings made under ``project``; without it nothing is kept."""
    token = _kept.set(_Kept(project))
    try:
        yield
    finally:
        _kept.reset(token)


def keep(project: Project, delivery: str, feed: str, fmt: str, reading: Reading) -> None:
    """Keep what a delivery holds by a contract's format."""
    kept = _kept.get()
    if kept and kept.project is project and kept.rows + len(reading.frame) <= ROWS:
        kept.readings[delivery, feed, fmt] = reading
        kept.rows += len(reading.frame)


def reading_of(project: Project, delivery: str, feed: str, fmt: str) -> Reading | None:
    """The same, if it was kept, under these very declarations."""
    kept = _kept.get()
    return kept.readings.get((delivery, feed, fmt)) if kept and kept.project is project else None


def forget(delivery: str, feed: str, fmt: str) -> None:
    """Let go of what a gate has taken."""
    kept = _kept.get()
    if kept is not None and (reading := kept.readings.pop((delivery, feed, fmt), None)) is not None:
        kept.rows -= len(reading.frame)
