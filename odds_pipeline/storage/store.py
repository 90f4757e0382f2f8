"""The warehouse, opened by one writer at a time and changed in whole transactions.

Embedded, it is a DuckDB file behind a file lock; beyond one machine, a DuckLake behind a lock in
its PostgreSQL catalogue. Callers see the same tables in both.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from odds_pipeline.declarations.deployment import FileStorage, LakeStorage, deployment
from odds_pipeline.declarations.problems import Explained
from odds_pipeline.storage.duck import connect
from odds_pipeline.storage.lake import NoWarehouse as NoWarehouse
from odds_pipeline.storage.lake import Overtaken as Overtaken
from odds_pipeline.storage.lake import open_lake, read_lake, writers
from odds_pipeline.storage.migrations import Migration
from odds_pipeline.storage.owner import check_warehouse, claim_warehouse
from odds_pipeline.storage.schema import (
    MIGRATIONS,
    apply_schema,
    check_up_to_date,
    keys_of,
    without_keys,
)
from odds_pipeline.storage.sql import first, one

SORTED_ASOF = "SET asof_loop_join_threshold = 0"
"""Where DuckDB expects few rows it joins "the latest before" by comparing all pairs; it expects wrongly:
22 of 24 CPU seconds for 300 communes and one month."""
LOCK_SECONDS = 600
"""Longest wait for another writer; the longest write known takes some 20 s."""


class InUse(Explained):
    """Another program has the warehouse's file open: nothing is damaged."""


Opened = tuple[duckdb.DuckDBPyConnection, Callable[[], bool]]
"""The open warehouse, and how to ask whether another writer waits for it."""


class Store:
    """The warehouse of a deployment; ``path`` is its file when it is embedded.

    ``patience``: seconds to wait for another writer, :class:`Overtaken` after that (LOCK_SECONDS).
    """

    def __init__(
        self,
        path: Path,
        storage: FileStorage | LakeStorage | None = None,
        patience: int | None = None,
    ) -> None:
        self.path = path
        self.patience = LOCK_SECONDS if patience is None else patience
        self.storage = storage or deployment().storage

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The open warehouse, schema in place."""
        if (kept := self._keeper()) is not None:
            with kept.lend() as connection:
                yield connection
            return
        with self._open() as (connection, _):
            yield connection

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Inside, the warehouse stays open from one ``connect`` to the next, until another writer waits.

        Opening and closing it takes 44 ms of CPU time, 139 times in a month of everything: 6 of its 49
        seconds. Where it is a lake, 0.4 s a time.
        """
        if self._keeper() is not None:  # already, by who called
            yield
            return
        kept = _Kept(self)
        token = _kept.set(kept)
        try:
            yield
        finally:
            _kept.reset(token)
            kept.close()

    def _keeper(self) -> "_Kept | None":
        """Who keeps this warehouse open, if somebody does."""
        kept = _kept.get()
        if kept is None or (kept.store.path, kept.store.storage) != (self.path, self.storage):
            return None
        return kept

    def let_go(self) -> None:
        """Close the warehouse where it is kept open: others may write until its next use."""
        if (kept := self._keeper()) is not None:
            kept.close()

    def writers(self) -> tuple[int, int]:
        """How many processes write, and how many wait to; of a file, whether any does."""
        if isinstance(self.storage, LakeStorage):
            return writers(self.storage.dsn)
        return _is_held(f"{self.path}.lock"), _is_held(f"{self.path}.queue")

    @contextmanager
    def _open(self) -> Iterator[Opened]:
        if isinstance(self.storage, LakeStorage):
            with open_lake(self.storage, self.patience) as (connection, wanted):
                self._make_ready(connection, without_keys(MIGRATIONS))
                yield connection, wanted
            return
        if self.path.exists() and not os.access(self.path.parent, os.W_OK):
            with self.reading() as connection:  # a disk that may only be read: so may the warehouse
                yield connection, lambda: False
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with (
            writer_lock(self.path, self.patience) as wanted,
            _open_file(self.path) as connection,
        ):
            self._make_ready(connection, MIGRATIONS)
            yield connection, wanted

    def _make_ready(
        self, connection: duckdb.DuckDBPyConnection, migrations: Sequence[Migration]
    ) -> None:
        """Bring what was opened to write up to date, when it is ours."""
        connection.execute(SORTED_ASOF)
        ours = check_warehouse(connection, self._named_by)
        apply_schema(connection, migrations)
        if not ours:
            claim_warehouse(connection)

    @property
    def _named_by(self) -> str:
        """The setting that says which warehouse it is."""
        return self.storage.catalogue if isinstance(self.storage, LakeStorage) else "ODDS_HOME"

    @contextmanager
    def reading(self, seconds: float = 0) -> Iterator[duckdb.DuckDBPyConnection]:
        """The warehouse as it stands, to read only: nothing is locked longer, migrated or made.

        :class:`Overtaken` when a writer has it for longer than ``seconds``; a lake has no need to wait.
        """
        if isinstance(self.storage, LakeStorage):
            with read_lake(self.storage) as connection:
                check_warehouse(connection, self._named_by)
                yield connection
            return
        if not self.path.exists():
            raise NoWarehouse(f"no warehouse in {self.path.parent} (ODDS_HOME)")
        with ExitStack() as stack:
            if os.access(self.path.parent, os.W_OK):
                stack.enter_context(writer_lock(self.path, seconds))
            connection = stack.enter_context(_open_file(self.path, read_only=True))
            connection.execute(SORTED_ASOF)
            check_up_to_date(connection, MIGRATIONS)
            check_warehouse(connection, self._named_by)
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """All that is written inside is kept, or none of it."""
        with self.connect() as connection, transaction(connection):
            yield connection


class _Kept:
    """A warehouse that stays open between two uses; after an error the next use opens it anew."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._open = ExitStack()
        self._opened: Opened | None = None

    @contextmanager
    def lend(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if self._opened is None:
            self._opened = self._open.enter_context(self.store._open())
        connection, wanted = self._opened
        try:
            yield connection
        except BaseException:
            self._opened = None
            with self._open:  # told of the error, as if it had been opened for this use alone
                raise
        if wanted():
            self.close()

    def close(self) -> None:
        self._opened = None
        self._open.close()


_kept: ContextVar[_Kept | None] = ContextVar("kept", default=None)


def _open_file(path: Path, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """The file that ours alone may write: DuckDB's own lock tells who else has it open."""
    try:
        return connect(path, read_only=read_only)
    except duckdb.IOException as error:
        holder = re.search(r"Conflicting lock is held in (.*?\(PID \d+\))", str(error))
        if holder is None:
            raise
        raise InUse(
            f"{path} is open in another program, {holder[1]}: close it there, then run the same "
            "command again."
        ) from None


def _is_held(lock: str) -> bool:
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True


@contextmanager
def writer_lock(path: Path, seconds: float = LOCK_SECONDS) -> Iterator[Callable[[], bool]]:
    """Be the one writer of the file; :class:`Overtaken` when another stays it for too long.

    Gives a question: whether another writer waits. The first of those that wait holds a second lock.
    """
    queue, lock = f"{path}.queue", FileLock(f"{path}.lock", timeout=seconds)

    try:
        with FileLock(queue, timeout=seconds):
            lock.acquire()
    except Timeout as error:
        raise Overtaken(f"{path}: another writer has kept it for {seconds:.0f} s") from error
    try:
        yield partial(_is_held, queue)
    finally:
        lock.release()


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit at the end; roll back on any error."""
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def version(connection: duckdb.DuckDBPyConnection) -> int | None:
    """A number that changes with every commit, whoever makes it; ``None`` when none but us can."""
    if not is_lake(connection):
        return None
    return int(one(connection, "FROM lake.current_snapshot()")[0])


def is_lake(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the open warehouse is a DuckLake."""
    return one(connection, "SELECT current_database()") == ("lake",)


_CURRENT = ["variable", "month", "territory", "level", "geography"]
_VALUE = ["indicator", "month", "territory", "level", "geography"]


def check_unique(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise when a key is there twice, in every engine: nothing is to be published from it."""
    keys = {**keys_of(MIGRATIONS), "verdicts": ["delivery", "month", "rule"], "indicator_values": _VALUE}
    keys["(FROM observations WHERE known_to IS NULL)"] = _CURRENT
    for table, columns in keys.items():
        listed = ", ".join(columns)
        row = first(connection, f"SELECT {listed} FROM {table} GROUP BY ALL HAVING count(*) > 1 LIMIT 1")
        if row is not None:
            raise RuntimeError(f"{table}: {row} is there twice (key: {listed}); nothing is published")
