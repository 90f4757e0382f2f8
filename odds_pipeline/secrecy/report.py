"""The report on secrecy that goes with a release: by class and partner, what is hidden and whether
any of it can be derived.
"""

import duckdb
import pandas as pd

from odds_pipeline.declarations.access import WIDEST_FIRST, readable
from odds_pipeline.declarations.project import Project
from odds_pipeline.secrecy.protect import Protection

_COUNTS = """
SELECT variable, count(*) AS cells,
       count(*) FILTER (WHERE hidden_by = 'producteur') AS hidden_producteur,
       count(*) FILTER (WHERE hidden_by = 'primaire') AS hidden_primaire,
       count(*) FILTER (WHERE hidden_by = 'secondaire') AS hidden_secondaire
FROM (SELECT variable, month, place, min(hidden_by) AS hidden_by FROM marked
      WHERE value IS NOT NULL OR hidden_by IS NOT NULL GROUP BY ALL)
GROUP BY variable
"""


def secrecy_report(
    connection: duckdb.DuckDBPyConnection, project: Project, protection: Protection
) -> pd.DataFrame:
    """One row for each access class and partner.

    ``tried`` counts the cells attacked with all that has ever been published, ``recoverable`` those
    that can be told more closely than their rule allows, ``told_before`` those that an earlier
    release published before they became secret. A class reads some of the figures of the widest
    one, hidden alike in all: what cannot be derived from that one cannot be from any.
    """
    counts = connection.execute(_COUNTS).df()
    of_cells = protection.attacked.dropna(subset=["variable"])
    attacked = of_cells.groupby("variable").agg(
        tried=("told", lambda told: int((~told.astype(bool)).sum())),
        recoverable=("recoverable", "sum"),
        told_before=("told", "sum"),
    )
    counts = counts.merge(attacked.astype("float64"), on="variable", how="left")
    counts = counts.fillna(dict.fromkeys(attacked.columns, 0.0))
    class_of = {name: entry.access for name, (entry, _) in project.variables.items()}
    counts["partner"] = counts["variable"].str.split(".").str[0]
    tables = []
    for access in WIDEST_FIRST:
        own = counts[counts["variable"].map(class_of).isin(readable(access))]
        sums = own.drop(columns="variable").groupby("partner").sum().reset_index()
        tables.append(sums.assign(edition=access))
    found = pd.concat(tables, ignore_index=True)
    numbers = [c for c in found if c not in ("partner", "edition")]
    return found.astype(dict.fromkeys(numbers, "int64"))[["edition", "partner", *numbers]]
