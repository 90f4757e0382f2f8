"""Indicator values that their own rule hides, though every figure they are computed from may be read.

The strictest rule of all that a formula reads holds for its result: a numerator or denominator under
its threshold, a rate over too small a denominator.
"""

from pathlib import Path

import duckdb
import pandas as pd

from odds_pipeline.declarations.formula import Term
from odds_pipeline.declarations.project import Project
from odds_pipeline.secrecy.structure import threshold_of

_HIDE = (Path(__file__).parent / "sql" / "results.sql").read_text(encoding="utf-8")


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
