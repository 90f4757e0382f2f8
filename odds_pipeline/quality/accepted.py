"""What was accepted before: what an audit compares deliveries with, and a fingerprint of the same."""

from collections.abc import Sequence

import duckdb
import pandas as pd

from odds_pipeline.declarations.project import FeedEntry, Project

_WANTED = "(SELECT unnest($feeds) AS feed, unnest($variables) AS variable)"

_ACCEPTED = f"""
SELECT w.feed, variable, month, territory, level, geography, value, conf_status, lines
FROM observations JOIN {_WANTED} w USING (variable) WHERE known_to IS NULL
"""

_FORMER = """
SELECT DISTINCT m.feed, unnest(d.unknown_columns) AS name
FROM trusted_months m JOIN deliveries d ON d.id = m.delivery
WHERE list_contains($feeds, m.feed)
"""

_POPULATION = """
SELECT territory, geography, arg_max(value, month) AS population FROM observations
WHERE known_to IS NULL AND variable = $population AND value IS NOT NULL GROUP BY ALL
"""

_PRINTS = """
WITH figures AS (
    SELECT feed, count(*) AS count, bit_xor(hash(variable, month, territory, level,
        geography::INTEGER, value, conf_status, lines::INTEGER)) AS print
    FROM ({accepted}) GROUP BY feed
), names AS (
    SELECT feed, string_agg(name, '|' ORDER BY name) AS names FROM ({former}) GROUP BY feed
)
, people AS (
    SELECT bit_xor(hash(territory, geography::INTEGER, population)) AS print FROM ({population})
)
SELECT feed, coalesce(f.count, 0), concat_ws('|', f.count, f.print, n.names, p.print)
FROM (SELECT DISTINCT unnest($feeds) AS feed) LEFT JOIN figures f USING (feed)
LEFT JOIN names n USING (feed) CROSS JOIN people p
"""

Prints = dict[str, tuple[int, str]]
"""By feed, how many its accepted figures are, and a fingerprint of them, of its former columns and of
the population that counts are set against."""


def _wanted(entries: Sequence[FeedEntry]) -> dict[str, list[str]]:
    pairs = [(entry.id, entry.variable_id(name)) for entry in entries for name in entry.feed.variables]
    return {"feeds": [feed for feed, _ in pairs], "variables": [variable for _, variable in pairs]}


def accepted_before(
    project: Project, connection: duckdb.DuckDBPyConnection, entries: Sequence[FeedEntry]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Accepted figures of the feeds, columns that their contracts ignore in accepted files, and the last
    known population of each territory.
    """
    given = _wanted(entries)
    return (
        connection.execute(_ACCEPTED, given).df(),
        connection.execute(_FORMER, {"feeds": given["feeds"]}).df(),
        connection.execute(_POPULATION, {"population": project.observatory.population}).df(),
    )


def prints_of(
    project: Project, connection: duckdb.DuckDBPyConnection, entries: Sequence[FeedEntry]
) -> Prints:
    """Of what the warehouse has accepted."""
    if not entries:
        return {}
    query = _PRINTS.format(accepted=_ACCEPTED, former=_FORMER, population=_POPULATION)
    given = {**_wanted(entries), "population": project.observatory.population}
    return {f: (count, text) for f, count, text in connection.execute(query, given).fetchall()}


def prints_in(tables: duckdb.DuckDBPyConnection, entries: Sequence[FeedEntry]) -> Prints:
    """Of the tables of an audit, where what it lets through counts as accepted."""
    query = _PRINTS.format(accepted="FROM accepted", former="FROM former", population="FROM population")
    given = {"feeds": [entry.id for entry in entries]}
    return {f: (count, text) for f, count, text in tables.execute(query, given).fetchall()}
