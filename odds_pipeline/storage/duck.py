"""A DuckDB connection as all that opens one wants it: silent, and nothing asked of the network."""

from contextlib import suppress
from pathlib import Path

import duckdb


def connect(
    path: Path | str = ":memory:", *, read_only: bool = False, locked: bool = False, **config: str
) -> duckdb.DuckDBPyConnection:
    """Open a database; ``config`` are DuckDB's settings, ``locked`` that none may be changed later.

    Without the first of ours a missing extension waits for the network. Without the second a query of
    more than two seconds draws a bar on standard output, where JSON is read.
    """
    connection = duckdb.connect(
        str(path), read_only=read_only, config={"autoinstall_known_extensions": "false", **config}
    )
    with suppress(duckdb.InvalidInputException):  # locked by another connection of this process
        connection.execute("SET enable_progress_bar = false")
        if locked:
            connection.execute("SET lock_configuration = true")
    return connection
