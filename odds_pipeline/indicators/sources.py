"""Which source a figure rests on, where several contracts deliver one variable; whether they agree.

Two sources agree when the median gap between the figures that both delivered is at most
:data:`AGREEMENT`; else, or when they never overlap, a change from one to the other is a break.
"""

import duckdb
import pandas as pd

from odds_pipeline.declarations.feed import LEVELS
from odds_pipeline.declarations.project import Project
from odds_pipeline.storage.sql import read_sql

AGREEMENT = 0.01
"""One per cent: what rounding to 5 does to the median count of a commune."""
ENOUGH = 11
"""Figures whose median gap may be told: it is that of one of them, and none may be known from it."""

NO_SOURCES = pd.DataFrame(
    {
        "i": pd.Series(dtype="int64"),
        "level": pd.Series(dtype="string"),
        "t": pd.Series(dtype="int64"),
        "source": pd.Series(dtype="string"),
    }
)

_COMPARED = read_sql(__file__, "sources_compared")

# A whole that no source delivered is a sum of communes: it rests on what they rest on. Sources that
# agree bear the name of the first.
_RESTS_ON = """
WITH figures AS (
    SELECT DISTINCT o.variable, o.level, o.month, coalesce(a.feed, d.feed) AS feed
    FROM {schema}observations o SEMI JOIN shared USING (variable)
    JOIN {schema}deliveries d ON d.id = o.delivery
    LEFT JOIN (SELECT variable, other, min(feed) AS feed FROM {schema}sources_compared
               WHERE agree GROUP BY ALL) a ON a.variable = o.variable AND a.other = d.feed
), told AS (
    SELECT f.variable, f.month, l.level, coalesce(min(f.feed) FILTER (WHERE f.level = l.level),
               min(f.feed) FILTER (WHERE f.level = 'commune')) AS feed
    FROM figures f CROSS JOIN (SELECT unnest($levels) AS level) l GROUP BY ALL
)
SELECT s.i, t.level, CAST(left(t.month, 4) AS INTEGER) * 12 + CAST(right(t.month, 2) AS INTEGER) AS t,
       string_agg(t.variable || ' ' || t.feed, ' ' ORDER BY t.variable) AS source
FROM told t JOIN shared s USING (variable) GROUP BY ALL
"""


def _shared(project: Project) -> pd.DataFrame:
    """The variables of each indicator (by its number) that several contracts deliver."""
    rows = [
        (i, name)
        for i, entry in enumerate(project.indicators.values())
        for name in sorted(entry.indicator.parsed.variables)
        if len(project.sources_of(name)) > 1
    ]
    frame = pd.DataFrame(rows, columns=["i", "variable"])
    return frame.astype({"i": "int64", "variable": "string"})


def compare_sources(project: Project, connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table ``sources_compared`` from the open warehouse."""
    connection.register("shared", _shared(project))
    connection.execute(_COMPARED, {"agreement": AGREEMENT, "enough": ENOUGH})
    connection.unregister("shared")


def tell_sources(
    project: Project, connection: duckdb.DuckDBPyConnection, schema: str = ""
) -> pd.DataFrame:
    """By indicator, level and month, the sources of its shared variables.

    ``schema`` is where the release's own tables are.
    """
    connection.register("shared", _shared(project))
    found = connection.execute(_RESTS_ON.format(schema=schema), {"levels": list(LEVELS)}).df()
    connection.unregister("shared")
    return found.astype(NO_SOURCES.dtypes.to_dict())
