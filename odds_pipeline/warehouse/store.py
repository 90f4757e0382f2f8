"""The warehouse file: opened by one process at a time, changed in whole transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from filelock import FileLock

SCHEMA = (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")
LOCK_SECONDS = 600
"""Longest wait for another writer; the longest write known takes some 20 s."""


class Store:
    """One DuckDB file behind a file lock: DuckDB lets one process at a time open it for writing."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The open warehouse, schema in place."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with (
            FileLock(str(self.path) + ".lock", timeout=LOCK_SECONDS),
            duckdb.connect(str(self.path)) as connection,
        ):
            # Without this a missing extension waits for the network.
            connection.execute("SET autoinstall_known_extensions = false")
            connection.execute(SCHEMA)
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """All that is written inside is kept, or none of it."""
        with self.connect() as connection, transaction(connection):
            yield connection


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
