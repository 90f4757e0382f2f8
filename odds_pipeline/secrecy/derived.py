"""Indicator values that their own rule hides, though every figure they are computed from may be read.

The strictest rule of all that a formula reads holds for its result: a numerator or denominator under
its threshold, a rate over too small a denominator.
"""

import duckdb
import pandas as pd

from odds_pipeline.declarations.formula import Term
from odds_pipeline.declarations.project import Project
from odds_pipeline.secrecy.structure import threshold_of

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
               coalesce(c.numerator <> 0 AND abs(c.numerator) < r.least_numerator, false)
               OR coalesce(c.denominator > 0 AND c.denominator < r.least_denominator, false)) AS hides
    FROM computed c JOIN value_rules r USING (indicator)
) c
"""


def value_rules(project: Project) -> pd.DataFrame:
    """The least numerator and denominator that each indicator may be published with; 0: any.

    Both are as the formula writes them: of ``0.001 * foyers`` the threshold is a thousandth. Only
    counts have one; a change over time is nobody's group, whatever its size.
    """
    rows = []
    for entry in project.indicators.values():
        formula = entry.indicator.parsed
        threshold = max(threshold_of(project, v) for v in formula.variables)
        rate = max(project.variables[v][0].secrecy.rate_minimum for v in formula.variables)
        over_time = any(term.lag for term in formula.numerator)
        rows.append(
            (
                entry.id,
                0.0 if over_time else threshold * _one(project, formula.numerator),
                max(threshold, rate) * _one(project, formula.denominator),
            )
        )
    return pd.DataFrame(rows, columns=["indicator", "least_numerator", "least_denominator"])


def _one(project: Project, terms: tuple[Term, ...]) -> float:
    """What one unit counts for in a sum of counts, 0 when something else than counts is added."""
    if not terms or any(project.unit_kind(term.variable) != "count" for term in terms):
        return 0.0
    return min(abs(term.coefficient) for term in terms)


def hide_values(connection: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Fill the temporary table ``protected``: ``computed`` less what the rules on results hide."""
    connection.register("value_rules", value_rules(project))
    connection.execute(_HIDE)
    connection.unregister("value_rules")
