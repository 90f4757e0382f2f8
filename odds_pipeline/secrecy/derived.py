"""Indicator values that their own rule hides, though every figure they are computed from may be read.

The strictest rule of all that a formula reads holds for its result: a numerator or denominator under
its threshold, a rate over too small a denominator, in each product of the formula. What a function
derives from figures that may be read is known here for each: one that is not known is refused.
"""

import duckdb
import pandas as pd

from odds_pipeline.declarations.formula import Term
from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.compute import products_of
from odds_pipeline.storage.sql import read_sql

_HIDE = read_sql(__file__, "results")


SHOWN = (
    "computed from figures that are all shown, hidden when one is not: it tells nothing that they do not"
)
PARTS = "computed over all parts of a territory, hidden when one is hidden"
PEERS = "the order of the values that are shown: a hidden one has no rank and counts in no other's"
DERIVATIONS = {
    **dict.fromkeys(("lag", "change", "growth", "annual_growth", "annualised_growth", "pooled"), SHOWN),
    # Overlapping sums tell the difference of two months, and both of these are shown.
    **dict.fromkeys(("year_total", "twelve_months", "twelve_month_mean"), SHOWN),
    # Figures of a wider territory or another month that are hidden hide the result.
    **dict.fromkeys(("relative_to", "base_100", "expected", "standardised"), SHOWN),
    "weighted_mean": SHOWN,
    "percentile_rank": PEERS,
    **dict.fromkeys(("dissimilarity", "concentration", "share_in_class"), PARTS),
}
"""Why each function of the language tells no more than the figures it reads."""


class UnknownDerivationError(Exception):
    """A formula calls a function of which nobody has said what its results tell."""


def value_rules(project: Project) -> pd.DataFrame:
    """The least numerator and denominator that each product may be published with; 0: any.

    Both are as the formula writes them: of ``0.001 * foyers`` the threshold is a thousandth. Only
    counts have one; a change over time is nobody's group, whatever its size. ``ranks`` marks ranks.
    """
    rows: list[tuple[str, str | None, bool, float, float]] = []
    for entry in project.indicators.values():
        formula = entry.indicator.parsed
        _refuse_unknown(entry.id, formula.functions)
        threshold = max(project.threshold_of(v) for v in formula.variables)
        rate = max(project.variables[v][0].secrecy.rate_minimum for v in formula.variables)
        if not formula.simple:
            rows.append((entry.id, None, formula.over == "percentile_rank", 0.0, 0.0))
        for name, product in products_of(entry):
            numerator, denominator = product.of("numerator"), product.of("denominator")
            least = 0.0 if any(t.lag for t in numerator) else threshold * _one(project, numerator)
            whole = None if formula.simple else entry.id
            rows.append((name, whole, False, least, max(threshold, rate) * _one(project, denominator)))
    columns = ["indicator", "whole", "ranks", "least_numerator", "least_denominator"]
    return pd.DataFrame(rows, columns=columns).astype({"whole": "string"})


def _refuse_unknown(indicator: str, functions: frozenset[str]) -> None:
    if unknown := sorted(functions - DERIVATIONS.keys()):
        raise UnknownDerivationError(
            f"{indicator}: secrecy has no rule for {unknown[0]}(). Say in secrecy/derived.py what its "
            "results tell of the figures it reads, and test it, before it is published."
        )


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
