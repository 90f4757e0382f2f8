"""What a reader computes by taking published counts from others.

What remains of a total beside its part, what is published as a difference, what a share leaves out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from odds_pipeline.declarations.formula import Term
from odds_pipeline.declarations.indicator import Indicator
from odds_pipeline.declarations.project import Project

Signs = Mapping[str, float]
"""Variables with 1 or -1."""


@dataclass(frozen=True)
class _Rest:
    """``signs`` under ``threshold`` is secret; ``of``: the variables that make the total it remains of.

    ``marked``: an indicator publishes it, with a mark of its own.
    """

    signs: Signs
    of: frozenset[str]
    threshold: int
    marked: bool


def remainders_table(project: Project) -> pd.DataFrame:
    """Each difference as rows of ``rest``, ``variable``, ``sign``, ``whole`` (it makes the total).

    With its ``threshold``, its number of ``terms``, and whether it is ``marked``.
    """
    found: dict[frozenset[tuple[str, float]], _Rest] = {}
    for rest in (*_parts(project), *_published(project)):
        key = frozenset(rest.signs.items())
        known = found.get(key, rest)
        threshold, marked = max(known.threshold, rest.threshold), known.marked or rest.marked
        found[key] = _Rest(known.signs, known.of, threshold, marked)
    rows = [
        (number, variable, sign, variable in rest.of, rest.threshold, len(rest.signs), rest.marked)
        for number, rest in enumerate(found.values())
        for variable, sign in rest.signs.items()
    ]
    columns = ["rest", "variable", "sign", "whole", "threshold", "terms", "marked"]
    return pd.DataFrame(rows, columns=columns)


def _parts(project: Project) -> Iterator[_Rest]:
    """Totals and parts that contracts declare: a reader knows besides that no part exceeds its total."""
    for entry in project.feeds.values():
        for name, variable in entry.own.items():
            own = entry.variable_id(name)
            if variable.part_of is not None and project.unit_kind(own) in ("count", "amount"):
                total = entry.variable_id(variable.part_of)
                yield _Rest(
                    {total: 1.0, own: -1.0}, frozenset([total]), _least(project, total, own), False
                )


def _published(project: Project) -> Iterator[_Rest]:
    """What is counted in a difference, and what the share of one count in another leaves out."""
    for entry in project.indicators.values():
        indicator = entry.indicator
        for product in indicator.parsed.products:
            for place in ("numerator", "denominator"):
                signs = _signs(project, product.of(place))
                threshold = max(map(project.threshold_of, signs), default=0)
                if threshold and len(signs) > 1 and -1.0 in signs.values():
                    of = frozenset(v for v, sign in signs.items() if sign > 0)
                    yield _Rest(signs, of, threshold, True)
        if rest := _left_out(project, indicator):
            yield rest


def _left_out(project: Project, indicator: Indicator) -> _Rest | None:
    formula = indicator.parsed
    if not formula.simple or project.units[indicator.unit].kind != "proportion":
        return None
    above, below = _signs(project, formula.numerator), _signs(project, formula.denominator)
    if not (above and below):
        return None
    signs = {v: below.get(v, 0.0) - above.get(v, 0.0) for v in (*below, *above)}
    signs = {v: sign for v, sign in signs.items() if sign}
    least = _least(project, *signs)
    alone = len(signs) < 2 or any(abs(sign) != 1 for sign in signs.values())
    return None if alone or not least else _Rest(signs, frozenset(below), least, False)


def _least(project: Project, *variables: str) -> int:
    """The rule on what remains: theirs, the strictest one.

    It needs none where figures are rounded to as much: their difference tells nothing under that.
    """
    thresholds = [project.threshold_of(v) for v in variables]
    strict = max(thresholds) if min(thresholds) else 0
    rounded = max(project.variables[v][0].secrecy.rounding or 0 for v in variables)
    return 0 if rounded >= strict else strict


def _signs(project: Project, terms: tuple[Term, ...]) -> dict[str, float]:
    """The counts of one month and territory that are added or taken away; nothing for any other sum."""
    plain = all(t.key == t.variable and abs(t.coefficient) == 1 for t in terms)
    counts = all(project.unit_kind(t.variable) == "count" for t in terms)
    return {t.variable: t.coefficient for t in terms} if plain and counts else {}
