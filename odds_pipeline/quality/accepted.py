"""What was accepted of a feed before a delivery: what its audit compares it with."""

from collections.abc import Iterable

import duckdb
import pandas as pd

from odds_pipeline.declarations.project import FeedEntry

_ROWS = """
SELECT variable, month, territory, level, geography, value, conf_status, lines
FROM observations WHERE known_to IS NULL AND variable IN (SELECT unnest($variables))
"""

_FORMER_COLUMNS = """
SELECT DISTINCT m.feed, unnest(d.unknown_columns) AS name
FROM trusted_months m JOIN deliveries d ON d.id = m.delivery WHERE m.feed IN (SELECT unnest($feeds))
"""

_PRINTS = f"""
WITH asked AS (
    SELECT unnest($feeds) AS feed
), rows AS (
    SELECT unnest($feed_of) AS feed, unnest($variables) AS variable
), figures AS (
    SELECT feed, count(*) AS count, bit_xor(hash(o)) AS print
    FROM (SELECT r.feed, o.* FROM ({_ROWS}) o JOIN rows r USING (variable)) o GROUP BY feed
), columns AS (
    SELECT feed, string_agg(name, '|' ORDER BY name) AS names FROM ({_FORMER_COLUMNS}) GROUP BY feed
)
SELECT a.feed, coalesce(f.count, 0), concat_ws('|', f.count, f.print, c.names)
FROM asked a LEFT JOIN figures f USING (feed) LEFT JOIN columns c USING (feed)
"""


def _variables(entry: FeedEntry) -> list[str]:
    return [entry.variable_id(name) for name in entry.feed.variables]


def accepted_before(
    connection: duckdb.DuckDBPyConnection, entry: FeedEntry
) -> tuple[pd.DataFrame, set[str]]:
    """The feed's accepted observations, and the columns that its contract ignores in accepted files."""
    rows = connection.execute(_ROWS, {"variables": _variables(entry)}).df()
    former = connection.execute(_FORMER_COLUMNS, {"feeds": [entry.id]}).fetchall()
    return rows, {name for _, name in former}


def prints_of(
    connection: duckdb.DuckDBPyConnection, entries: Iterable[FeedEntry]
) -> dict[str, tuple[int, str]]:
    """By feed, how many its accepted observations are, and a fingerprint of the same."""
    feeds = {entry.id: _variables(entry) for entry in entries}
    given = {
        "feeds": list(feeds),
        "feed_of": [feed for feed, names in feeds.items() for _ in names],
        "variables": [name for names in feeds.values() for name in names],
    }
    rows = connection.execute(_PRINTS, given).fetchall()
    return {feed: (count, text) for feed, count, text in rows}
