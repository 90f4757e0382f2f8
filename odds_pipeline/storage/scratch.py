"""Tables in memory for one reading or one audit: temporary ones of a connection of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import duckdb

from odds_pipeline.storage.duck import connect


@cache
def _memory() -> duckdb.DuckDBPyConnection:
    """One empty database for the process: opening one costs 8 ms, a connection to it none.

    On one processor: with more, DuckDB 1.5.5 sometimes fails on a window over few rows, and refuses
    every query from then on (duckdb/duckdb#25713). A rule that cannot run refuses a right delivery.
    """
    return connect(threads="1")


@contextmanager
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose temporary tables and registered frames no other sees; they end with it."""
    with _memory().cursor() as connection:
        yield connection
