"""The shape of a release's tables, by the format that it says; what an older one lacks is completed.

====== ============================================================================================
1      no number; the oldest lack reserves, comparisons, units of changes
2      ``about`` says software, format and fingerprint of declarations; ``inputs``; kinds of units
3      ``inputs`` has each ``term`` as the formula writes it
4      ``territories`` has the communes that each neighbourhood lies in
5      ``definitions`` says how a group of communes has a value
6      ``territories`` has the EPCI of each commune
7      ``definitions`` says which rates their producer gives to the unit; reserves name no rule
====== ============================================================================================
"""

import duckdb
import pandas as pd

from odds_pipeline.release.inputs import inputs_of

FORMAT = 7

_SINCE_1 = {
    "about": {"format": "1", "software": "NULL::VARCHAR", "declarations": "NULL::VARCHAR"},
    "deliveries": {"origin": "NULL::VARCHAR"},
    "definitions": {
        **dict.fromkeys(("kind", "change_unit", "since", "weights", "adds_up"), "NULL::VARCHAR"),
        "to_the_unit": "NULL::BOOLEAN",
        "notes": "'[]'",
        "corrections": "'[]'",
    },
    "indicator_values": {
        **dict.fromkeys(("departement_value", "france_value", "change_1y", "change_5y"), "NULL::DOUBLE"),
        **dict.fromkeys(("ci_low", "ci_high"), "NULL::DOUBLE"),
        **dict.fromkeys(("rank", "ranked", "quartile"), "NULL::INTEGER"),
        "reserve": "NULL::VARCHAR",
    },
    "territories": {"communes": "''", "epci": "''"},
}
"""Columns that a release without a number may lack, and what stands for them."""


_RESERVES = (
    " REPLACE (regexp_replace(reserve, '(non respectée) [(][a-z0-9_]+[)]', '\\1', 'g') AS reserve)"
)
"""The reserves of releases before format 7 name the rule as a machine does."""


def format_of(connection: duckdb.DuckDBPyConnection, database: str) -> int:
    """The format of the release that is open as ``database``."""
    if "format" not in _columns(connection, database, "about"):
        return 1
    rows = connection.execute(f'SELECT format FROM "{database}".about').fetchall()
    return int(rows[0][0])


def complete(connection: duckdb.DuckDBPyConnection, database: str) -> None:
    """Give an older release that is open as ``database`` today's shape, by temporary views."""
    if format_of(connection, database) == FORMAT:
        return
    for table in _SINCE_1:
        connection.execute(f"CREATE TEMP VIEW {table} AS {completed(connection, database, table)}")
    connection.register("inputs", read_inputs(connection, database))


def completed(connection: duckdb.DuckDBPyConnection, database: str, table: str) -> str:
    """The query that gives a table of a release today's columns."""
    has = _columns(connection, database, table)
    added = _SINCE_1[table].items() if format_of(connection, database) < FORMAT else ()
    as_now = _RESERVES if table == "indicator_values" and "reserve" in has and added else ""
    columns = [f"*{as_now}", *(f"{sql} AS {name}" for name, sql in added if name not in has)]
    return f'SELECT {", ".join(columns)} FROM "{database}".main.{table}'


def read_inputs(connection: duckdb.DuckDBPyConnection, database: str) -> pd.DataFrame:
    """What the indicators of a release read: its table, or for an older one its formulas parsed."""
    if format_of(connection, database) > 1:
        added = "" if "term" in _columns(connection, database, "inputs") else ", NULL::VARCHAR AS term"
        return connection.execute(f'SELECT *{added} FROM "{database}".main.inputs').df()
    sheets = connection.execute(f'SELECT indicator, formula FROM "{database}".main.definitions')
    return inputs_of(sheets.fetchall(), {})


def _columns(connection: duckdb.DuckDBPyConnection, database: str, table: str) -> set[str]:
    rows = connection.execute(
        "SELECT column_name FROM duckdb_columns() WHERE database_name = ? AND table_name = ? "
        "AND schema_name = 'main'",
        [database, table],
    ).fetchall()
    return {name for (name,) in rows}
