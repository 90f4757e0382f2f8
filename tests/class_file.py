"""A release written by hand: one class file with the values given, for tests of what reads releases."""

import duckdb
import pandas as pd

from odds_pipeline.declarations.access import Access
from odds_pipeline.declarations.project import Project
from odds_pipeline.release.definitions import definitions_table
from odds_pipeline.storage.home import Home

COLUMNS = {
    "indicator": None, "month": None, "territory": None, "level": "commune", "geography": 2024, "value": None,
    "obs_status": "A", "conf_status": "F", "departement_value": None, "france_value": None, "rank": None,
    "ranked": None, "change_1y": None, "change_5y": None, "reserve": None,
    "ci_low": None, "ci_high": None, "numerator": None, "denominator": None, "quartile": None,
}  # fmt: skip
NUMBERS = [
    "value", "departement_value", "france_value", "rank", "ranked", "change_1y", "change_5y",
    "ci_low", "ci_high", "numerator", "denominator", "quartile",
]  # fmt: skip


def write_class_file(
    home: Home,
    project: Project,
    rows: list[dict[str, object]],
    *,
    access: Access = "public",
    simulated: bool = True,
) -> None:
    """Release 1 with ``rows`` of ``indicator_values``; what a row does not say takes the default above."""
    frame = pd.DataFrame([{**COLUMNS, **row} for row in rows])
    frame[NUMBERS] = frame[NUMBERS].astype("float64")
    frame["reserve"] = frame["reserve"].astype("string")
    folder = home.releases / "0001"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{access}.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.register("given", frame)
        connection.register("sheets", definitions_table(project))
        connection.execute("CREATE TABLE indicator_values AS FROM given")
        connection.execute("CREATE TABLE definitions AS FROM sheets")
        connection.execute("CREATE TABLE deliveries (id VARCHAR)")
        connection.execute("CREATE TABLE territories (territory VARCHAR)")
        connection.execute(
            "CREATE TABLE about AS SELECT 1 AS number, '2025-01-08T07:00:00+00:00' AS published_at, 'x' AS content, "
            "$access AS edition, 2 AS indicators, 3 AS values_count, $simulated AS simulated",
            {"access": access, "simulated": simulated},
        )
    (home.releases / "current").write_text("1\n")
