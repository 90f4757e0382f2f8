"""Tables in memory for one reading or one audit: temporary ones of a connection of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import duckdb


@cache
def _memory() -> duckdb.DuckDBPyConnection:
    """One empty database for the process: opening one costs 8 ms, a connection to it none."""
    return duckdb.connect(":memory:")


@contextmanager
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose temporary tables and registered frames no other sees; they end with it."""
    with _memory().cursor() as connection:
        yield connection
