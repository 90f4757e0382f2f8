"""SQL kept in files, text for statements that take no parameters, and answers of one row."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb


def read_sql(module: str, name: str) -> str:
    """The SQL of ``name`` in the folder ``sql`` beside a module, given by its ``__file__``."""
    return (Path(module).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def quoted(text: object) -> str:
    """``text``, a path for example, as an SQL string."""
    return "'" + str(text).replace("'", "''") + "'"


def one(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    given: Sequence[object] | Mapping[str, object] | None = None,
) -> tuple[Any, ...]:
    """The one row that ``sql`` answers; :class:`LookupError` when it answers none."""
    row = first(connection, sql, given)
    if row is None:
        raise LookupError(f"no answer: {sql}")
    return row


def first(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    given: Sequence[object] | Mapping[str, object] | None = None,
) -> tuple[Any, ...] | None:
    """The first row of ``sql``, if any. All are fetched: from DuckDB 2 on, a result left open keeps its
    connection from any other use."""
    rows = connection.execute(sql, given).fetchall()
    return rows[0] if rows else None
