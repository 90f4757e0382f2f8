"""How long the reading of one file may last, whatever it is made of."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

from odds_pipeline.reception import bounds
from odds_pipeline.reception.table import TooLarge

_end: ContextVar[tuple[float, str] | None] = ContextVar("end", default=None)


@contextmanager
def in_time(name: str) -> Iterator[None]:
    """What is read inside has :data:`bounds.SECONDS`; :func:`check` ends it after."""
    token = _end.set((monotonic() + bounds.SECONDS, name))
    try:
        yield
    finally:
        _end.reset(token)


def check() -> None:
    """Raise :class:`TooLarge` when the file that is being read has had its time."""
    end = _end.get()
    if end is not None and monotonic() > end[0]:
        raise TooLarge(f"{end[1]} : n'a pas pu être lu en {bounds.SECONDS // 60} minutes.")
