"""Indicator formulas: parsed from text into numerator and denominator terms.

Every formula is ``factor × (Σ coefficient·variable) / (Σ coefficient·variable)``, each variable
possibly taken some years before (``lag(x, 5)``). ``annual_growth(x, k)`` is the mean annual change
over ``k`` years in per cent, ``growth(x, k)`` the whole change in per cent, ``change(x, k)`` the
difference. ``year_total(x)`` is the sum of a monthly flow over the twelve months of a calendar year,
dated December; it is missing when one of them is. Because all indicators share this shape they are
rows of a table rather than code, and one SQL statement computes any number of them.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Side = Literal["numerator", "denominator"]
Key = tuple[str, int]
"""An input of the formula, a variable or ``year_total(variable)``, and its lag."""
Linear = dict[Key, float]


class FormulaError(ValueError):
    """The formula is not one the observatory can compute; the text says what is allowed."""


@dataclass(frozen=True)
class Term:
    """``coefficient`` × ``input`` as it was ``lag`` years before; the input is ``variable`` or its total
    over the calendar year (``of_year``)."""

    side: Side
    variable: str
    lag: int
    coefficient: float
    of_year: bool = False

    @property
    def input(self) -> str:
        return year_total(self.variable) if self.of_year else self.variable

    @property
    def key(self) -> str:
        """How the term is written in a formula and in a worked example."""
        return f"lag({self.input}, {self.lag})" if self.lag else self.input


def year_total(variable: str) -> str:
    """The name of the variable's total over a calendar year."""
    return f"year_total({variable})"


@dataclass(frozen=True)
class Formula:
    """The normal form; ``root`` k > 1 means the k-th root of the quotient minus 1, for growth."""

    text: str
    factor: float
    terms: tuple[Term, ...]
    root: int | None = None

    @property
    def numerator(self) -> tuple[Term, ...]:
        return tuple(t for t in self.terms if t.side == "numerator")

    @property
    def denominator(self) -> tuple[Term, ...]:
        return tuple(t for t in self.terms if t.side == "denominator")

    @property
    def variables(self) -> tuple[str, ...]:
        """Variables in order of appearance, the numerator's first."""
        return tuple(dict.fromkeys(t.variable for t in self.terms))

    @property
    def canonical(self) -> str:
        """Equal for two formulas that compute the same thing: one leading coefficient of 1 a side."""
        factor = self.factor
        terms: list[tuple[str, str, int, str]] = []
        for side, power in ((self.numerator, 1), (self.denominator, -1)):
            ordered = sorted(side, key=lambda t: (t.input, t.lag))
            leading = 1.0 if self.root or not ordered else ordered[0].coefficient
            factor *= leading**power
            terms += [(t.side, t.input, t.lag, f"{t.coefficient / leading:.12g}") for t in ordered]
        return f"{factor:.12g}|{self.root}|{terms}"

    def evaluate(self, inputs: Mapping[str, float]) -> float | None:
        """The value for ``inputs`` keyed as in :attr:`Term.key`; ``None`` when it has no meaning.

        It has none over zero or less, nor has a mean annual change towards less than zero.
        """
        numerator = sum(t.coefficient * inputs[t.key] for t in self.numerator)
        if not self.denominator:
            return self.factor * numerator
        denominator = sum(t.coefficient * inputs[t.key] for t in self.denominator)
        if denominator <= 0 or (self.root is not None and numerator < 0):
            return None
        quotient = numerator / denominator
        if self.root is not None:
            return float(self.factor * (quotient ** (1 / self.root) - 1))
        return self.factor * quotient


@dataclass
class _Quotient:
    factor: float
    numerator: Linear
    denominator: Linear
    root: int | None = None


def _scaled(linear: Linear, by: float) -> Linear:
    return {key: by * value for key, value in linear.items()}


def _added(left: Linear, right: Linear, sign: float) -> Linear:
    total = dict(left)
    for key, value in right.items():
        total[key] = total.get(key, 0.0) + sign * value
    left_over = {key: value for key, value in total.items() if value != 0}
    if not left_over:
        raise FormulaError("the terms cancel out")
    return left_over


def _is_number(quotient: _Quotient) -> bool:
    return not quotient.numerator


def _years(call: ast.Call, name: str) -> tuple[ast.expr, int]:
    match call.args:
        case [inner, ast.Constant(value=int(years))] if years > 0 and not call.keywords:
            return inner, years
    raise FormulaError(f"write {name}(variable, years) with a whole number of years")


def _lagged(linear: Linear, years: int) -> Linear:
    return {(variable, lag + years): c for (variable, lag), c in linear.items()}


def _year_total(call: ast.Call) -> _Quotient:
    match call.args:
        case [ast.Attribute(value=ast.Name(id=partner), attr=name)] if not call.keywords:
            return _Quotient(1.0, {(year_total(f"{partner}.{name}"), 0): 1.0}, {})
    raise FormulaError("write year_total(variable), of one variable")


def _call(call: ast.Call) -> _Quotient:
    name = call.func.id if isinstance(call.func, ast.Name) else "?"
    if name == "year_total":
        return _year_total(call)
    if name not in {"lag", "growth", "annual_growth", "change"}:
        known = "lag, growth, annual_growth, change and year_total"
        raise FormulaError(f"unknown function {name}(): {known} are known")
    inner, years = _years(call, name)
    base = _read(inner)
    if base.denominator or base.root or _is_number(base) or base.factor != 1:
        raise FormulaError(f"{name}() takes a variable or a sum of variables")
    before = _lagged(base.numerator, years)
    if name == "lag":
        return _Quotient(1.0, before, {})
    if name == "change":
        return _Quotient(1.0, _added(base.numerator, before, -1), {})
    if name == "growth" or years == 1:
        return _Quotient(100.0, _added(base.numerator, before, -1), before)
    return _Quotient(100.0, base.numerator, before, root=years)


def _binary(node: ast.BinOp) -> _Quotient:
    left, right = _read(node.left), _read(node.right)
    if left.root or right.root:
        raise FormulaError("annual_growth() cannot be combined with anything else")
    match node.op:
        case ast.Add() | ast.Sub():
            if _is_number(left) or _is_number(right) or left.denominator or right.denominator:
                raise FormulaError("only variables can be added or subtracted, before dividing")
            sign = 1.0 if isinstance(node.op, ast.Add) else -1.0
            whole = _added(
                _scaled(left.numerator, left.factor), _scaled(right.numerator, right.factor), sign
            )
            return _Quotient(1.0, whole, {})
        case ast.Mult():
            number, other = (left, right) if _is_number(left) else (right, left)
            if not _is_number(number):
                raise FormulaError("two variables cannot be multiplied")
            if number.factor == 0:
                raise FormulaError("multiplied by zero, nothing is left")
            return _Quotient(number.factor * other.factor, other.numerator, other.denominator)
        case ast.Div():
            if _is_number(right):
                if right.factor == 0:
                    raise FormulaError("division by zero")
                return _Quotient(left.factor / right.factor, left.numerator, left.denominator)
            if _is_number(left) or left.denominator or right.denominator:
                raise FormulaError("divide a sum of variables by a sum of variables, once")
            return _Quotient(left.factor, left.numerator, _scaled(right.numerator, right.factor))
    raise FormulaError("only + - * / are known")


def _read(node: ast.expr) -> _Quotient:
    match node:
        case ast.Constant(value=int(number) | float(number)) if not isinstance(number, bool):
            return _Quotient(float(number), {}, {})
        case ast.Attribute(value=ast.Name(id=partner), attr=name):
            return _Quotient(1.0, {(f"{partner}.{name}", 0): 1.0}, {})
        case ast.Name(id=name):
            raise FormulaError(f"{name!r} is not a variable: write partner.name")
        case ast.BinOp():
            return _binary(node)
        case ast.Call():
            return _call(node)
    raise FormulaError("use numbers, partner.variable, + - * / and parentheses")


def parse(text: str) -> Formula:
    """Parse ``text``; :class:`FormulaError` says what is wrong and what is allowed."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise FormulaError(f"not a formula: {error.msg}") from error
    quotient = _read(tree.body)
    if _is_number(quotient):
        raise FormulaError("a formula needs at least one variable")
    sides: list[tuple[Side, Linear]] = [
        ("numerator", quotient.numerator),
        ("denominator", quotient.denominator),
    ]
    terms = tuple(
        _term(side, read, lag, coefficient)
        for side, linear in sides
        for (read, lag), coefficient in linear.items()
    )
    return Formula(text, quotient.factor, terms, quotient.root)


def _term(side: Side, read: str, lag: int, coefficient: float) -> Term:
    variable = read.removeprefix("year_total(").removesuffix(")")
    return Term(side, variable, lag, coefficient, of_year=variable != read)


UnitOf = Callable[[str], "tuple[str, str]"]


def unit_mismatch(formula: Formula, kind: str, unit: str, scale: float, unit_of: UnitOf) -> str | None:
    """Why ``unit`` cannot be the unit of ``formula``, or ``None`` when it can.

    ``unit_of`` gives the unit id and kind of a variable.
    """
    numerator = {unit_of(t.variable) for t in formula.numerator}
    denominator = {unit_of(t.variable) for t in formula.denominator}
    for side, units in (("numerator", numerator), ("denominator", denominator)):
        if len(units) > 1:
            names = ", ".join(sorted(u for u, _ in units))
            return f"the {side} adds different units: {names}"
    (own, own_kind) = next(iter(numerator))
    if not formula.denominator:
        if formula.factor != 1 and own_kind not in ("count", "amount"):
            return f"a {own} cannot be multiplied"
        if own == "pct_niveau" and len(formula.terms) > 1:
            return None if unit == "points" else "a difference of percentages is in points"
        return None if unit == own else f"the formula gives {own}, the declaration says {unit}"
    delivered = {u for u, other in numerator | denominator if other in ("level", "proportion", "ratio")}
    if delivered:
        # Over one sum of variables, the only quotient of delivered figures is a growth.
        same = {t.variable for t in formula.numerator} == {t.variable for t in formula.denominator}
        later = min(t.lag for t in formula.numerator) < min(t.lag for t in formula.denominator)
        if same and later and formula.factor == 100 and kind == "ratio":
            return None
        return f"{', '.join(sorted(delivered))} is taken as delivered: only its growth can be computed"
    if kind not in ("proportion", "ratio"):
        return f"a quotient needs a proportion or a ratio as unit, {unit} is a {kind}"
    (whole, whole_kind) = next(iter(denominator))
    if kind == "proportion" and (own_kind, whole_kind) != ("count", "count"):
        return f"{unit} is a share of a count; the formula divides {own} by {whole}"
    if formula.factor != scale:
        return f"{unit} needs the factor {scale:g}, the formula has {formula.factor:g}"
    return None
