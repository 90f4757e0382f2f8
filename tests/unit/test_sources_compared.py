"""How far apart two sources are is told only where it tells no single figure."""

import duckdb
import pytest

from odds_pipeline.indicators import sources
from odds_pipeline.storage.sql import read_sql

SQL = read_sql(sources.__file__, "sources_compared")


@pytest.mark.parametrize(
    ("figures", "apart", "told"),
    [
        (1, 50.0, (False, None)),
        (10, 5.0, (True, None)),
        (11, 5.0, (True, 0.005)),
        (11, 20.0, (False, 0.02)),
    ],
)
def test_the_gap_of_few_figures_is_not_told(
    figures: int, apart: float, told: tuple[bool, float | None]
) -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE shared AS SELECT 'x' AS variable")
    connection.execute("CREATE TABLE deliveries AS FROM (VALUES (1, 'a'), (2, 'b')) t (id, feed)")
    connection.execute(
        "CREATE TABLE observations AS SELECT 'x' AS variable, '2024-12' AS month, 'commune' AS level, 2024 AS "
        "geography, c AS territory, d AS delivery, 1000.0 - (d - 1) * $apart AS value, now() AS known_from "
        "FROM range($figures) t (c) CROSS JOIN (SELECT unnest([1, 2]) AS d)",
        {"figures": figures, "apart": apart},
    )
    connection.execute(SQL, {"agreement": sources.AGREEMENT, "enough": sources.ENOUGH})
    rows = connection.execute("SELECT agree, gap FROM sources_compared").fetchall()
    assert rows == [told]


def test_communes_are_compared_across_geographies() -> None:
    """One file is in the communes of 2024, the other in those of 2025; of the merged one alone they differ."""
    connection = duckdb.connect()
    connection.execute("CREATE TABLE shared AS SELECT 'x' AS variable")
    connection.execute("CREATE TABLE deliveries AS FROM (VALUES (1, 'a'), (2, 'b')) t (id, feed)")
    connection.execute(
        "CREATE TABLE observations AS SELECT 'x' AS variable, '2016-01' AS month, 'commune' AS level, 2023 + d AS "
        "geography, c AS territory, d AS delivery, CASE WHEN c = 0 AND d = 2 THEN 2000.0 ELSE 1000.0 END AS value, "
        "now() AS known_from FROM range(39) t (c) CROSS JOIN (SELECT unnest([1, 2]) AS d)"
    )
    connection.execute(SQL, {"agreement": sources.AGREEMENT, "enough": sources.ENOUGH})
    assert connection.execute("SELECT figures, agree, gap FROM sources_compared").fetchall() == [
        (39, True, 0.0)
    ]
