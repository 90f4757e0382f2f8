"""Temporary tables that end with the step that made them, whoever keeps the connection open."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

_NAMES = """
SELECT 'TABLE' AS kind, table_name AS name FROM duckdb_tables() WHERE temporary
UNION ALL
SELECT 'VIEW' AS kind, view_name AS name FROM duckdb_views() WHERE temporary AND NOT internal
ORDER BY kind DESC, name
"""


def temporaries(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The temporary tables and views of a connection, each with its kind; views first."""
    return {name: kind for kind, name in connection.execute(_NAMES).fetchall()}


@contextmanager
def ending(connection: duckdb.DuckDBPyConnection, kept: tuple[str, ...] = ()) -> Iterator[None]:
    """Drop the temporary tables that were made inside, but those ``kept``.

    After an error the connection is closed, and they go with it.
    """
    before = temporaries(connection)
    yield
    for name, kind in temporaries(connection).items():
        if name not in before and name not in kept:
            connection.execute(f"DROP {kind} temp.{name}")
