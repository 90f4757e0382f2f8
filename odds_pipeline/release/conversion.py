"""Values in the geography that the reader chooses: the communes of before a merger, or of after.

Counts were added and rates computed from the added parts when the release was made; what cannot be
(a median, the parts of a merged commune after the merger) is missing, and says so.
"""

import duckdb

from odds_pipeline.declarations.project import Project
from odds_pipeline.months import year_of
from odds_pipeline.storage.sql import read_sql

IN_GEOGRAPHY = read_sql(__file__, "in_geography")
"""Creates, in the database in use, ``in_geography(2024)``: every value that exists in that geography."""

_GAPS = """
SELECT DISTINCT month FROM indicator_values
WHERE indicator = $indicator AND list_contains($codes, territory) AND value IS NOT NULL
EXCEPT
SELECT month FROM in_geography($geography) WHERE indicator = $indicator AND territory = $territory
ORDER BY month
"""


def gaps_of(
    project: Project,
    connection: duckdb.DuckDBPyConnection,
    indicator: str,
    territory: str,
    geography: int,
) -> list[tuple[str, str]]:
    """Months that have a figure in another geography only, each with the reason, in French."""
    targets = {new for _, old, new in project.territories.mergers if old == territory}
    months = connection.execute(
        _GAPS,
        {
            "indicator": indicator,
            "codes": [territory, *targets],
            "geography": geography,
            "territory": territory,
        },
    ).fetchall()
    merged = {year for year, old, new in project.territories.mergers if territory in (old, new)}
    since = min(merged, default=9999)

    def reason(month: str) -> str:
        if (territory, geography) not in project.territories.by_key:
            return f"{territory} n'existe pas dans la géographie {geography} : voir {', '.join(targets)}"
        if geography < since <= year_of(month):
            return f"la commune fusionnée en {since} ne se partage pas entre les anciennes communes"
        return "ne se calcule pas à partir des anciennes communes (médiane, indice ou part manquante)"

    return [(month, reason(month)) for (month,) in months]
