"""What every formula becomes: sums of products of sums of figures, divided at most once.

A *product* is ``factor × numerator × multiplier / denominator``, each a sum of terms. Nearly every
formula is one product; a difference of rates, a standardised rate or a ratio of rates are several, and
``factor × Σ products above / Σ products below``. Because all indicators share this shape they are rows
of tables rather than code, and a few SQL statements compute any number of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Place = Literal["numerator", "multiplier", "denominator"]
Side = Literal["numerator", "denominator"]
Window = Literal["", "year_total", "twelve_months"]
Over = Literal["", "percentile_rank", "dissimilarity", "concentration", "share_in_class"]
Inputs = Mapping[str, "float | Sequence[float]"]
YEAR = 12


class FormulaError(ValueError):
    """The formula is not one the observatory can compute; the text says what is allowed."""


@dataclass(frozen=True)
class Read:
    """What is read: ``variable`` or its total over a ``window``, ``lag`` months before or in one
    ``month``, of the territory or of the one ``at`` a level that it lies in."""

    variable: str
    window: Window = ""
    lag: int = 0
    month: str = ""
    at: str = ""

    @property
    def input(self) -> str:
        """The figure that is looked up, whatever its month and territory."""
        return input_name(self.variable, self.window)

    @property
    def key(self) -> str:
        """How it is written in a formula and in a worked example."""
        years, months = divmod(self.lag, YEAR)
        text = self.input
        if self.month:
            text = f"in_month({text}, '{self.month}')"
        elif self.lag:
            text = f"lag_months({text}, {self.lag})" if months else f"lag({text}, {years})"
        return f"at('{self.at}', {text})" if self.at else text


@dataclass(frozen=True)
class Term(Read):
    """``coefficient`` × what is read, in one ``place`` of a product."""

    side: Place = "numerator"
    coefficient: float = 1.0


def input_name(variable: str, window: Window) -> str:
    """The name of a variable's total over a window, or its own."""
    return f"{window}({variable})" if window else variable


@dataclass(frozen=True)
class Product:
    """One product of the sum above (``numerator``) or below (``denominator``); ``root`` k means the k-th
    root of the quotient minus 1, for growth over k years."""

    side: Side
    factor: float
    terms: tuple[Term, ...]
    root: float | None = None

    def of(self, place: Place) -> tuple[Term, ...]:
        return tuple(t for t in self.terms if t.side == place)

    @property
    def canonical(self) -> tuple[object, ...]:
        """Equal for two products that compute the same thing: one leading coefficient of 1 a place."""
        factor = self.factor
        terms: list[tuple[str, str, str]] = []
        for place, power in (("numerator", 1), ("multiplier", 1), ("denominator", -1)):
            ordered = sorted((t for t in self.terms if t.side == place), key=lambda t: t.key)
            leading = 1.0 if self.root or not ordered else ordered[0].coefficient
            factor *= leading**power
            terms += [(place, t.key, f"{t.coefficient / leading:.12g}") for t in ordered]
        return self.side, f"{factor:.12g}", self.root, tuple(terms)

    def evaluate(self, inputs: Mapping[str, float]) -> float | None:
        """The value, ``None`` when it has no meaning: over zero or less, or growth to less than zero."""
        above, times, below = (
            sum(t.coefficient * inputs[t.key] for t in self.of(place))
            for place in ("numerator", "multiplier", "denominator")
        )
        above *= times if self.of("multiplier") else 1
        if not self.of("denominator"):
            return self.factor * above
        if below <= 0 or (self.root is not None and above < 0):
            return None
        quotient = above / below
        return float(self.factor * (quotient if self.root is None else quotient ** (1 / self.root) - 1))


@dataclass(frozen=True)
class Formula:
    """``factor`` × the products above / the products below.

    ``over`` names what is then done over several territories, the ``parts`` of one being of that level,
    a class going from the first of ``bounds`` to below the second; ``functions`` are those that the
    text calls.
    """

    text: str
    factor: float
    products: tuple[Product, ...]
    over: Over = ""
    parts: str = ""
    bounds: tuple[float, float] = (0.0, 0.0)
    functions: frozenset[str] = frozenset()

    @property
    def simple(self) -> bool:
        """Whether it is one product, of the territory alone."""
        return len(self.products) == 1 and not self.over

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        return tuple(t for p in self.products for t in p.terms)

    @cached_property
    def numerator(self) -> tuple[Term, ...]:
        """The terms above, of what is above."""
        return tuple(t for p in self.products if p.side == "numerator" for t in p.of("numerator"))

    @cached_property
    def denominator(self) -> tuple[Term, ...]:
        """Every other term."""
        above = self.numerator
        return tuple(t for t in self.terms if t not in above) if not self.simple else self._below

    @property
    def _below(self) -> tuple[Term, ...]:
        return self.products[0].of("denominator")

    @property
    def root(self) -> float | None:
        return self.products[0].root

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """Variables in order of appearance, those above first."""
        return tuple(dict.fromkeys(t.variable for t in self.terms))

    @property
    def canonical(self) -> str:
        """Equal for two formulas that compute the same thing."""
        own = [p.canonical for p in self.products]
        over = f"{self.over}{self.parts}{self.bounds if any(self.bounds) else ''}"
        if len(own) == 1:  # the factor may stand in the one product or before it
            side, factor, root, terms = own[0]
            return f"{float(str(factor)) * self.factor:.12g}|{side}|{root}|{terms}|{over}"
        return f"{self.factor:.12g}|{sorted(map(str, own))}|{over}"

    def evaluate(self, inputs: Inputs) -> float | None:
        """The value for ``inputs`` keyed as in :attr:`Read.key`; ``None`` when it has no meaning.

        Over several territories each input is a list: of the territory first and of those it is ranked
        among, or of the parts.
        """
        if not self.over:
            return self._value({key: _one(value) for key, value in inputs.items()})
        places = _each(inputs)
        return self._rank(places) if self.over == "percentile_rank" else self._over_parts(places)

    def _value(self, inputs: Mapping[str, float]) -> float | None:
        above = _total(p.evaluate(inputs) for p in self.products if p.side == "numerator")
        below = _total(p.evaluate(inputs) for p in self.products if p.side == "denominator")
        if above is None or below is None:
            return None
        if not any(p.side == "denominator" for p in self.products):
            return self.factor * above
        return self.factor * above / below if below > 0 else None

    def _rank(self, places: list[dict[str, float]]) -> float | None:
        own, *others = (self._value(place) for place in places)
        told = [value for value in others if value is not None]
        if own is None or not told:
            return None
        return 100 * sum(value < own for value in told) / len(told)

    def _over_parts(self, places: list[dict[str, float]]) -> float | None:
        groups = [[p.evaluate(place) or 0.0 for place in places] for p in self.products]
        one, other = groups
        if sum(one) <= 0 or (sum(other) <= 0 and self.over != "share_in_class"):
            return None
        pairs = list(zip(one, other, strict=True))
        if self.over == "share_in_class":
            low, high = self.bounds
            told = sum(a for a, b in pairs if low <= b < high) / sum(one)
        elif self.over == "dissimilarity":
            told = sum(abs(a / sum(one) - b / sum(other)) for a, b in pairs) / 2
        else:  # twice the surface under the diagonal, over that under it
            told = sum(abs(a * d - c * b) for a, b in pairs for c, d in pairs) / (
                2 * sum(one) * sum(other)
            )
        return self.factor * told


def _one(value: "float | Sequence[float]") -> float:
    if isinstance(value, int | float):
        return float(value)
    raise FormulaError("a list of values is for percentile_rank() and what is done over parts")


def _each(inputs: Inputs) -> list[dict[str, float]]:
    lists = {k: [v] if isinstance(v, int | float) else list(v) for k, v in inputs.items()}
    lengths = {len(values) for values in lists.values()}
    if len(lengths) != 1:
        raise FormulaError("every input of the example needs a list of the same length")
    return [{key: values[i] for key, values in lists.items()} for i in range(lengths.pop())]


def _total(values: Iterable[float | None]) -> float | None:
    known = list(values)
    told = [value for value in known if value is not None]
    return sum(told) if len(told) == len(known) else None
