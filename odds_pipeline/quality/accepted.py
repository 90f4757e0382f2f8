"""What was accepted before: what an audit compares deliveries with, and a fingerprint of the same."""

from collections.abc import Sequence

import duckdb
import pandas as pd

from odds_pipeline.declarations.project import FeedEntry

_WANTED = "(SELECT unnest($feeds) AS feed, unnest($variables) AS variable)"

_ACCEPTED = f"""
SELECT w.feed, variable, month, territory, level, geography, value, conf_status, lines
FROM observations JOIN {_WANTED} w USING (variable) WHERE known_to IS NULL
"""

_FORMER = f"""
SELECT DISTINCT m.feed, unnest(d.unknown_columns) AS name
FROM trusted_months m JOIN deliveries d ON d.id = m.delivery
WHERE m.feed IN (SELECT feed FROM {_WANTED})
"""

_PRINTS = """
WITH figures AS (
    SELECT feed, count(*) AS count, bit_xor(hash(variable, month, territory, level,
        geography::INTEGER, value, conf_status, lines::INTEGER)) AS print
    FROM ({accepted}) GROUP BY feed
), names AS (
    SELECT feed, string_agg(name, '|' ORDER BY name) AS names FROM ({former}) GROUP BY feed
)
SELECT feed, coalesce(f.count, 0), concat_ws('|', f.count, f.print, n.names)
FROM figures f FULL JOIN names n USING (feed)
"""

Prints = dict[str, tuple[int, str]]
"""By feed, how many its accepted figures are, and a fingerprint of them and of its former columns."""


def _wanted(entries: Sequence[FeedEntry]) -> dict[str, list[str]]:
    pairs = [(entry.id, entry.variable_id(name)) for entry in entries for name in entry.feed.variables]
    return {"feeds": [feed for feed, _ in pairs], "variables": [variable for _, variable in pairs]}


def accepted_before(
    connection: duckdb.DuckDBPyConnection, entries: Sequence[FeedEntry]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Accepted figures of the feeds, and the columns that their contracts ignore in accepted files."""
    given = _wanted(entries)
    return connection.execute(_ACCEPTED, given).df(), connection.execute(_FORMER, given).df()


def _prints(rows: list[tuple[str, int, str]], entries: Sequence[FeedEntry]) -> Prints:
    return {entry.id: (0, "") for entry in entries} | {f: (count, text) for f, count, text in rows}


def prints_of(connection: duckdb.DuckDBPyConnection, entries: Sequence[FeedEntry]) -> Prints:
    """Of what the warehouse has accepted."""
    query = _PRINTS.format(accepted=_ACCEPTED, former=_FORMER)
    return _prints(connection.execute(query, _wanted(entries)).fetchall(), entries)


def prints_in(tables: duckdb.DuckDBPyConnection, entries: Sequence[FeedEntry]) -> Prints:
    """Of the tables of an audit, where what it lets through counts as accepted."""
    query = _PRINTS.format(accepted="FROM accepted", former="FROM former")
    return _prints(tables.execute(query).fetchall(), entries)
