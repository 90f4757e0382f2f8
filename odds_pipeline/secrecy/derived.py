"""Indicator values that their own rule hides, though every figure they are computed from may be read.

The strictest rule of all that a formula reads holds for its result: a numerator or denominator under
its threshold, a rate over too small a denominator.
"""

import duckdb
import pandas as pd

from odds_pipeline.model.project import Project
from odds_pipeline.secrecy.rules import threshold_of

_HIDE = """
CREATE OR REPLACE TEMP TABLE protected AS
SELECT c.* EXCLUDE hides REPLACE (
    CASE WHEN hides THEN NULL ELSE value END AS value,
    CASE WHEN hides THEN 'Q' ELSE obs_status END AS obs_status,
    CASE WHEN hides THEN 'C' ELSE conf_status END AS conf_status,
    CASE WHEN hides THEN 'primaire' ELSE hidden_by END AS hidden_by,
    CASE WHEN hides THEN NULL ELSE numerator END AS numerator,
    CASE WHEN hides THEN NULL ELSE denominator END AS denominator)
FROM (
    SELECT c.*, c.hidden_by IS NULL AND c.value IS NOT NULL AND (
               (r.counts AND c.numerator <> 0 AND abs(c.numerator) < r.threshold)
               OR coalesce(c.denominator > 0
                           AND c.denominator < greatest(r.threshold, r.rate_minimum), false)) AS hides
    FROM computed c JOIN value_rules r USING (indicator)
) c
"""


def value_rules(project: Project) -> pd.DataFrame:
    """The strictest threshold and least denominator of each indicator; ``counts``: of its numerator.

    A change over time is nobody's group, whatever its size.
    """
    rows = []
    for entry in project.indicators.values():
        formula = entry.indicator.parsed
        rules = [project.variables[v][0].secrecy for v in formula.variables]
        rows.append(
            (
                entry.id,
                max(threshold_of(project, v) for v in formula.variables),
                max(rule.rate_minimum for rule in rules),
                not any(t.lag for t in formula.numerator)
                and all(project.unit_kind(t.variable) == "count" for t in formula.numerator),
            )
        )
    return pd.DataFrame(rows, columns=["indicator", "threshold", "rate_minimum", "counts"])


def hide_values(connection: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Fill the temporary table ``protected``: ``computed`` less what the rules on results hide."""
    connection.register("value_rules", value_rules(project))
    connection.execute(_HIDE)
    connection.unregister("value_rules")
