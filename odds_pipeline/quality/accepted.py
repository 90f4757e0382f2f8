"""What was accepted of a feed before a delivery: what its audit compares it with."""

import duckdb
import pandas as pd

from odds_pipeline.model.project import FeedEntry

_ROWS = """
SELECT variable, month, territory, level, geography, value, conf_status, lines
FROM observations WHERE known_to IS NULL AND variable IN (SELECT unnest($variables))
"""

_FORMER_COLUMNS = """
SELECT DISTINCT unnest(unknown_columns) FROM deliveries
WHERE id IN (SELECT delivery FROM trusted_months WHERE feed = $feed)
"""

_PRINT = f"""
SELECT concat_ws('|', count(*), bit_xor(hash(o)),
       (SELECT string_agg(c, '|' ORDER BY c) FROM ({_FORMER_COLUMNS}) f(c))) FROM ({_ROWS}) o
"""


def _asked(entry: FeedEntry) -> dict[str, object]:
    return {"variables": [entry.variable_id(name) for name in entry.feed.variables]}


def accepted_before(
    connection: duckdb.DuckDBPyConnection, entry: FeedEntry
) -> tuple[pd.DataFrame, set[str]]:
    """The feed's accepted observations, and the columns that its contract ignores in accepted files."""
    rows = connection.execute(_ROWS, _asked(entry)).df()
    former = connection.execute(_FORMER_COLUMNS, {"feed": entry.id}).fetchall()
    return rows, {name for (name,) in former}


def count_of(connection: duckdb.DuckDBPyConnection, entry: FeedEntry) -> int:
    """How many the feed's accepted observations are."""
    row = connection.execute(f"SELECT count(*) FROM ({_ROWS})", _asked(entry)).fetchone()
    assert row is not None
    return int(row[0])


def print_of(connection: duckdb.DuckDBPyConnection, entry: FeedEntry) -> str:
    """A fingerprint of the same."""
    row = connection.execute(_PRINT, {**_asked(entry), "feed": entry.id}).fetchone()
    assert row is not None
    return str(row[0])
