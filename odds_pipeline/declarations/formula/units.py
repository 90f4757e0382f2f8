"""Whether the unit of an indicator is the one that its formula gives."""

from collections import Counter
from collections.abc import Callable

from odds_pipeline.declarations.formula.normal_form import Formula, Place, Product, Term

UnitOf = Callable[[str], "tuple[str, str]"]
Powers = tuple[tuple[str, int], ...]
Dimension = tuple[Powers, float]
"""Units with their powers, those of a share left out, and the factor before them."""
PLACES: tuple[tuple[Place, int], ...] = (("numerator", 1), ("multiplier", 1), ("denominator", -1))

OVER = {
    "percentile_rank": "rang_centile",
    "dissimilarity": "indice_100",
    "concentration": "indice_100",
    "share_in_class": "pct",
}
"""What is done over several territories is measured in, whatever is ranked or spread."""


def unit_mismatch(formula: Formula, kind: str, unit: str, scale: float, unit_of: UnitOf) -> str | None:
    """Why ``unit`` cannot be the unit of ``formula``, or ``None`` when it can.

    ``unit_of`` gives the unit id and kind of a variable.
    """
    for product in formula.products:
        for place, _ in PLACES:
            units = {unit_of(t.variable)[0] for t in product.of(place)}
            if len(units) > 1:
                return f"the {place} adds different units: {', '.join(sorted(units))}"
    if formula.over:
        given = OVER[formula.over]
        return None if unit == given else f"{formula.over}() gives {given}, the declaration says {unit}"
    if formula.simple and not formula.products[0].of("multiplier"):
        return _of_one(formula, kind, unit, scale, unit_of)
    return _of_several(formula, kind, unit, scale, unit_of)


def _of_one(formula: Formula, kind: str, unit: str, scale: float, unit_of: UnitOf) -> str | None:
    own, own_kind = unit_of(formula.numerator[0].variable)
    if not formula.denominator:
        if formula.factor != 1 and own_kind not in ("count", "amount"):
            return f"a {own} cannot be multiplied"
        if own == "pct_niveau" and len(formula.terms) > 1:
            return None if unit == "points" else "a difference of percentages is in points"
        return None if unit == own else f"the formula gives {own}, the declaration says {unit}"
    if _is_index(formula):
        return None if kind == "ratio" and formula.factor == scale else _index(unit, formula.factor)
    units = map(unit_of, formula.variables)
    delivered = {u for u, other in units if other in ("level", "proportion", "ratio")}
    if delivered:
        # Over one sum of variables, the only quotients of delivered figures are a growth and an index.
        same = {t.variable for t in formula.numerator} == {t.variable for t in formula.denominator}
        later = min(t.lag for t in formula.numerator) < min(t.lag for t in formula.denominator)
        if same and later and formula.factor == 100 and kind == "ratio":
            return None
        return f"{', '.join(sorted(delivered))} is taken as delivered: only its growth can be computed"
    if kind not in ("proportion", "ratio"):
        return f"a quotient needs a proportion or a ratio as unit, {unit} is a {kind}"
    whole, whole_kind = unit_of(formula.denominator[0].variable)
    if kind == "proportion" and (own_kind, whole_kind) != ("count", "count"):
        return f"{unit} is a share of a count; the formula divides {own} by {whole}"
    if formula.factor != scale:
        return f"{unit} needs the factor {scale:g}, the formula has {formula.factor:g}"
    return None


def _is_index(formula: Formula) -> bool:
    """Whether the same is divided by itself, elsewhere or in a given month."""

    def bare(terms: tuple[Term, ...]) -> list[tuple[str, str, int, float]]:
        return sorted((t.variable, t.window, t.lag, t.coefficient) for t in terms)

    elsewhere = any(t.at or t.month for t in formula.denominator)
    return elsewhere and bare(formula.numerator) == bare(formula.denominator)


def _index(unit: str, factor: float) -> str:
    return f"an index over elsewhere or over a month is a ratio of scale {factor:g}, not {unit}"


def _of_several(formula: Formula, kind: str, unit: str, scale: float, unit_of: UnitOf) -> str | None:
    above, below = (
        {_dimension(p, unit_of) for p in formula.products if p.side == side}
        for side in ("numerator", "denominator")
    )
    for side, found in (("numerator", above), ("denominator", below)):
        if len(found) > 1:
            return f"the {side} adds different things: {' and '.join(sorted(map(_said, found)))}"
    ((powers, factor),) = above
    ((under, divided),) = below or {((), 1.0)}
    left = _less(powers, under)
    whole = formula.factor * factor / divided
    if len(left) == 1 and left[0][1] == 1:
        (own,) = left
        return None if unit == own[0] and whole == 1 else f"the formula gives {own[0]}, not {unit}"
    if not below and not left and whole == 100:
        return None if unit == "points" else "a difference of percentages is in points"
    if kind != "ratio":
        return f"what is computed of several rates needs a ratio as unit, {unit} is a {kind}"
    return None if whole == scale else f"{unit} needs the factor {scale:g}, the formula has {whole:g}"


def _dimension(product: Product, unit_of: UnitOf) -> Dimension:
    powers: Counter[str] = Counter()
    for place, power in PLACES:
        if terms := product.of(place):
            powers[unit_of(terms[0].variable)[0]] += power
    return _kept(powers), abs(product.factor)


def _kept(powers: "Counter[str]") -> Powers:
    return tuple(sorted((unit, power) for unit, power in powers.items() if power))


def _less(powers: Powers, under: Powers) -> Powers:
    left = Counter(dict(powers))
    left.subtract(dict(under))
    return _kept(left)


def _said(dimension: Dimension) -> str:
    powers, factor = dimension
    units = " × ".join(f"{unit}^{power}" for unit, power in powers) or "a share"
    return f"{factor:g} × {units}"
