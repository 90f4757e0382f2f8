"""A second process of a command, for work that needs the declarations and no warehouse.

Python computes on one processor at a time: what follows from its arguments alone can be computed on
another one meanwhile. The process holds the declarations of the command, and ends with it.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from contextvars import ContextVar
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

from odds_pipeline.collector import look_seldom
from odds_pipeline.declarations.project import Project

T = TypeVar("T")
_project: Project
"""In the second process: the declarations."""
_second: "ContextVar[Second | None]" = ContextVar("second", default=None)
"""That of the command that runs, if it has one."""


class Second:
    """The second process of a command; nothing runs in it before ``start``."""

    def __init__(self, project: Project) -> None:
        self._project = self._same = project
        self._pool: ProcessPoolExecutor | None = None

    @property
    def started(self) -> bool:
        return self._pool is not None

    def holds(self, project: Project) -> bool:
        """Whether these are its declarations; another reading of them is compared once, in 34 ms."""
        if project is not self._project and project is not self._same:
            if project != self._project:
                return False
            self._same = project
        return True

    def start(self, ready: Callable[[], object]) -> None:
        """Start it, where there is a processor for it; it calls ``ready``, to load what it needs."""
        if self._pool is None and (os.cpu_count() or 1) > 1:
            # Spawned: a fork would share the threads and the open files of DuckDB and SQLite.
            self._pool = ProcessPoolExecutor(1, get_context("spawn"), _begin, (self._project, ready))
            self._pool.submit(int)  # a pool starts its process when it is first asked for something

    def submit(self, project: Project, function: Callable[..., T], *given: Any) -> "Future[T] | None":
        """Call ``function(project, *given)`` there.

        ``None`` when it is not there, or holds other declarations: the caller then does the work.
        """
        if self._pool is None or not self.holds(project):
            return None
        try:
            return self._pool.submit(_call, function, given)
        except BrokenProcessPool:
            return None

    def end(self) -> None:
        """Let it go when what it is doing is done."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


@contextmanager
def second_process(project: Project) -> Iterator[Second]:
    """The second process of the command that runs inside."""
    second = Second(project)
    token = _second.set(second)
    try:
        yield second
    finally:
        _second.reset(token)
        second.end()


def side_by_side(project: Project, function: Callable[..., T], *calls: tuple[Any, ...]) -> list[T]:
    """``function(project, *call)`` for each of ``calls``, the last one here, the others meanwhile in the
    second process of the command, if it has one.
    """
    second = _second.get()
    begun = [(call, second.submit(project, function, *call) if second else None) for call in calls[:-1]]
    here = [function(project, *call) for call in calls[-1:]]
    # What failed there fails here too, and says so; or it was the process, and it does not.
    there = [
        function(project, *call) if future is None or future.exception() else future.result()
        for call, future in begun
    ]
    return [*there, *here]


def _begin(project: Project, ready: Callable[[], object]) -> None:
    global _project
    look_seldom()
    _project = project
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command is interrupted, and ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    ready()


def _end_with_parent() -> None:
    """A command that is killed leaves no process behind: the pool itself would wait for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _call(function: Callable[..., T], given: tuple[Any, ...]) -> T:
    return function(_project, *given)
