"""The warehouse, opened by one writer at a time and changed in whole transactions.

Embedded, it is a DuckDB file behind a file lock; beyond one machine, a DuckLake behind a lock in
its PostgreSQL catalogue. Callers see the same tables in both.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from odds_pipeline.model.deployment import FileStorage, LakeStorage, deployment
from odds_pipeline.warehouse.lake import Overtaken as Overtaken
from odds_pipeline.warehouse.schema import SCHEMA, apply_schema, keys_of, without_keys

SORTED_ASOF = "SET asof_loop_join_threshold = 0"
"""Where DuckDB expects few rows it joins "the latest before" by comparing all pairs; it expects wrongly:
22 of 24 CPU seconds for 300 communes and one month."""
LOCK_SECONDS = 600
"""Longest wait for another writer; the longest write known takes some 20 s."""


class Store:
    """The warehouse of a deployment; ``path`` is its file when it is embedded."""

    def __init__(self, path: Path, storage: FileStorage | LakeStorage | None = None) -> None:
        self.path = path
        self.storage = storage or deployment().storage

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The open warehouse, schema in place."""
        if isinstance(self.storage, LakeStorage):
            from odds_pipeline.warehouse.lake import (
                open_lake,  # needs the packages of the extra `server`
            )

            with open_lake(self.storage, without_keys(SCHEMA), LOCK_SECONDS) as connection:
                connection.execute(SORTED_ASOF)
                yield connection
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with writer_lock(self.path), duckdb.connect(str(self.path)) as connection:
            # Without this a missing extension waits for the network.
            connection.execute("SET autoinstall_known_extensions = false")
            # The commands show their own progress; DuckDB's bar would cut through it.
            connection.execute("SET enable_progress_bar = false")
            connection.execute(SORTED_ASOF)
            apply_schema(connection, SCHEMA)
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """All that is written inside is kept, or none of it."""
        with self.connect() as connection, transaction(connection):
            yield connection


@contextmanager
def writer_lock(path: Path) -> Iterator[None]:
    """Be the one writer of the file; :class:`Overtaken` when another stays it for too long."""
    lock = FileLock(f"{path}.lock", timeout=LOCK_SECONDS)
    try:
        lock.acquire()
    except Timeout as error:
        raise Overtaken(f"{path}: another writer has kept it for {LOCK_SECONDS} s") from error
    try:
        yield
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
    row = connection.execute("FROM lake.current_snapshot()").fetchone()
    assert row is not None
    return int(row[0])


def is_lake(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the open warehouse is a DuckLake."""
    row = connection.execute("SELECT current_database()").fetchone()
    return row == ("lake",)


_CURRENT = ["variable", "month", "territory", "level", "geography"]
_VALUE = ["indicator", "month", "territory", "level", "geography"]


def check_unique(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise when a key is there twice, in every engine: nothing is to be published from it."""
    keys = {**keys_of(SCHEMA), "verdicts": ["delivery", "month", "rule"], "indicator_values": _VALUE}
    keys["(FROM observations WHERE known_to IS NULL)"] = _CURRENT
    for table, columns in keys.items():
        listed = ", ".join(columns)
        row = connection.execute(
            f"SELECT {listed} FROM {table} GROUP BY ALL HAVING count(*) > 1 LIMIT 1"
        ).fetchone()
        if row is not None:
            raise RuntimeError(f"{table}: {row} is there twice (key: {listed}); nothing is published")
