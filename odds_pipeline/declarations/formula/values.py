"""What a formula is while it is read: sums of products, and what may be done to them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from odds_pipeline.declarations.formula.normal_form import FormulaError, Over, Read

Linear = dict[Read, float]


@dataclass(frozen=True)
class Factors:
    """``factor`` × ``above`` × ``times`` / ``below``; an empty sum stands for 1."""

    factor: float
    above: Linear
    times: Linear
    below: Linear
    root: float | None = None

    def scaled(self, by: float) -> "Factors":
        return replace(self, factor=self.factor * by)

    def reading(self, change: Callable[[Read], Read]) -> "Factors":
        """The same of other months or territories."""
        above, times, below = (
            {change(r): c for r, c in own.items()} for own in (self.above, self.times, self.below)
        )
        return Factors(self.factor, above, times, below, self.root)


@dataclass(frozen=True)
class Value:
    """``factor`` × Σ ``above`` / Σ ``below``, done ``over`` the ``parts`` of a territory or its peers; a
    number when nothing is above."""

    above: tuple[Factors, ...]
    below: tuple[Factors, ...] = ()
    factor: float = 1.0
    over: Over = ""
    parts: str = ""
    bounds: tuple[float, float] = (0.0, 0.0)

    @property
    def is_number(self) -> bool:
        return not self.above

    @property
    def is_sum(self) -> bool:
        """Whether it is a sum of products, not divided by another."""
        return not (self.is_number or self.below or self.over or any(p.root for p in self.above))

    @property
    def divides(self) -> bool:
        """Whether it is a rate or made of some."""
        return bool(self.below) or any(p.below for p in self.above)

    @property
    def products(self) -> tuple[Factors, ...]:
        """The products of a sum, with its factor."""
        return tuple(p.scaled(self.factor) for p in self.above)

    def reading(self, change: Callable[[Read], Read]) -> "Value":
        above, below = (tuple(p.reading(change) for p in own) for own in (self.above, self.below))
        return replace(self, above=above, below=below)


def of(
    linear: Linear, factor: float = 1.0, below: Linear | None = None, root: float | None = None
) -> Value:
    """One product."""
    return Value((Factors(factor, linear, {}, below or {}, root),))


def is_linear(value: Value) -> bool:
    """Whether it is a sum of variables."""
    return value.is_sum and len(value.above) == 1 and not (value.above[0].below or value.above[0].times)


def linear(value: Value, name: str) -> Linear:
    """The sum of variables that ``name`` needs."""
    if not is_linear(value):
        raise FormulaError(f"{name} takes a variable or a sum of variables")
    (product,) = value.products
    return scaled(product.above, product.factor)


def rate(value: Value, name: str) -> Factors:
    """The sum of variables over another that ``name`` needs."""
    if not value.is_sum or len(value.above) != 1 or not value.above[0].below:
        raise FormulaError(f"{name} takes rates: a sum of variables over another")
    return value.products[0]


def scaled(own: Linear, by: float) -> Linear:
    """A number of times a sum."""
    return {key: by * value for key, value in own.items()}


def added(left: Linear, right: Linear, sign: float = 1.0) -> Linear:
    """A sum and another, or less another, without the terms that cancel out."""
    total = dict(left)
    for key, value in right.items():
        total[key] = total.get(key, 0.0) + sign * value
    left_over = {key: value for key, value in total.items() if value != 0}
    if not left_over:
        raise FormulaError("the terms cancel out")
    return left_over


def plus(left: Value, right: Value, sign: float) -> Value:
    """A sum or a difference: of variables, or of rates."""
    if is_linear(left) and is_linear(right):
        return of(added(linear(left, "+"), linear(right, "+"), sign))
    if not (left.is_sum and right.is_sum and left.divides and right.divides):
        raise FormulaError("variables are added to variables, rates to rates")
    return Value((*left.products, *(p.scaled(sign) for p in right.products)))


def times(left: Value, right: Value) -> Value:
    """A number times anything but another function's result."""
    number, other = (left, right) if left.is_number else (right, left)
    if not number.is_number:
        raise FormulaError("two variables cannot be multiplied")
    if number.factor == 0:
        raise FormulaError("multiplied by zero, nothing is left")
    return replace(other, factor=other.factor * number.factor)


def over(left: Value, right: Value) -> Value:
    """A rate of two sums of variables, or the ratio of two rates."""
    if right.is_number:
        if right.factor == 0:
            raise FormulaError("division by zero")
        return replace(left, factor=left.factor / right.factor)
    if is_linear(left) and is_linear(right):
        return of(left.products[0].above, left.products[0].factor, linear(right, "/"))
    expected = is_linear(left) and any(p.times for p in right.above)
    if not (left.is_sum and right.is_sum and (expected or (left.divides and right.divides))):
        raise FormulaError("divide a sum of variables by a sum of variables, once, or a rate by a rate")
    return Value(left.above, right.products, left.factor)
