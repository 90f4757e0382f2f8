"""The functions of a formula, by name; secrecy has a rule for each, and refuses one that has none."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

from odds_pipeline.declarations.formula.normal_form import YEAR, FormulaError, Over, Read, Window
from odds_pipeline.declarations.formula.values import (
    Factors,
    Linear,
    Value,
    added,
    linear,
    of,
    over,
    plus,
    rate,
    times,
)

Argument = Value | str
Function = Callable[..., Value]
FUNCTIONS: dict[str, Function] = {}


def function(own: Function) -> Function:
    """Make a function of the language of one of Python."""
    FUNCTIONS[own.__name__] = own
    return own


def called(name: str, arguments: Sequence[Argument]) -> Value:
    """The value of a call, :class:`FormulaError` for a function or arguments that there are not."""
    if name not in FUNCTIONS:
        raise FormulaError(f"unknown function {name}(): {', '.join(sorted(FUNCTIONS))} are known")
    try:
        return FUNCTIONS[name](*arguments)
    except (AttributeError, TypeError) as error:
        said = (FUNCTIONS[name].__doc__ or "").splitlines()[0]
        raise FormulaError(f"{name}() does not take this; {said}") from error


def _count(value: Argument, what: str) -> int:
    if isinstance(value, Value) and value.is_number and value.factor == int(value.factor) >= 1:
        return int(value.factor)
    raise FormulaError(f"a whole number of {what} is needed")


def _text(value: Argument, pattern: str, what: str) -> str:
    if isinstance(value, str) and re.fullmatch(pattern, value):
        return value
    raise FormulaError(f"{what} is needed, between quotes")


def _level(value: Argument) -> str:
    return _text(value, r"[a-z_0-9]+", "a level such as 'departement'")


def _at(value: Value, level: Argument) -> Value:
    """The same of the territory of a level which this one lies in."""
    wider = _level(level)
    return value.reading(lambda r: replace(r, at=wider))


def _before(value: Value, months: int) -> Value:
    return value.reading(lambda r: replace(r, lag=r.lag + months))


def _window(value: Value, window: Window) -> Value:
    reads = list(value.above[0].above) if len(value.above) == 1 else []
    if value != of({Read(reads[0].variable): 1.0} if reads else {}):
        raise FormulaError(f"write {window}(variable), of one variable")
    return of({Read(reads[0].variable, window): 1.0})


@function
def lag(value: Value, years: Value) -> Value:
    """lag(x, years): a sum of variables or a rate, some years before."""
    if not value.is_sum:
        raise FormulaError("lag() takes variables or a rate")
    return _before(value, YEAR * _count(years, "years"))


@function
def change(value: Value, years: Value) -> Value:
    """change(x, years): a difference over years; of a rate in per cent, in points."""
    return plus(value, lag(value, years), -1)


def _growth(value: Value, name: str, months: int) -> tuple[Linear, Linear]:
    now = linear(value, f"{name}()")
    return now, {replace(r, lag=r.lag + months): c for r, c in now.items()}


@function
def growth(value: Value, years: Value) -> Value:
    """growth(x, years): the whole change over years, in per cent."""
    now, before = _growth(value, "growth", YEAR * _count(years, "years"))
    return of(added(now, before, -1), 100.0, before)


@function
def annual_growth(value: Value, years: Value) -> Value:
    """annual_growth(x, years): the mean annual change over years, in per cent."""
    if _count(years, "years") == 1:
        return growth(value, years)
    now, before = _growth(value, "annual_growth", YEAR * _count(years, "years"))
    return of(now, 100.0, before, root=float(_count(years, "years")))


@function
def annualised_growth(value: Value, months: Value) -> Value:
    """annualised_growth(x, months): what a year would make of a change over months, in per cent."""
    step = _count(months, "months")
    now, before = _growth(value, "annualised_growth", step)
    return of(now, 100.0, before, root=step / YEAR)


@function
def year_total(value: Value) -> Value:
    """year_total(variable): a monthly flow over the twelve months of a calendar year, dated December."""
    return _window(value, "year_total")


@function
def twelve_months(value: Value) -> Value:
    """twelve_months(variable): a monthly flow over the twelve months that end with this one."""
    return _window(value, "twelve_months")


@function
def twelve_month_mean(value: Value) -> Value:
    """twelve_month_mean(variable): the mean of the twelve months that end with this one."""
    return replace(_window(value, "twelve_months"), factor=1 / YEAR)


@function
def pooled(value: Value, years: Value) -> Value:
    """pooled(x, years): the sum of the figures of so many years, the last one's first."""
    total: Linear = {}
    for year in range(_count(years, "years")):
        before = _before(value, YEAR * year) if year else value
        total = added(total, linear(before, "pooled()"))
    return of(total)


@function
def relative_to(level: str, value: Value) -> Value:
    """relative_to('level', x): 100 times x over the same of a reference territory."""
    return times(of_number(100), over(value, _at(value, level)))


@function
def base_100(value: Value, month: str) -> Value:
    """base_100(x, 'YYYY-MM'): 100 times x over what it was in that month."""
    fixed = _text(month, r"\d{4}-(0[1-9]|1[0-2])", "a month such as '2015-12'")
    then = value.reading(lambda r: replace(r, month=fixed))
    return times(of_number(100), over(value, then))


@function
def weighted_mean(*pairs: Value) -> Value:
    """weighted_mean(x, weight, y, weight, …): a mean of figures weighed by others that are delivered."""
    if len(pairs) < 4 or len(pairs) % 2:
        raise FormulaError("weighted_mean() takes at least two figures, each with its weight")
    weights = [linear(w, "weighted_mean()") for w in pairs[1::2]]
    figures = [linear(x, "weighted_mean()") for x in pairs[::2]]
    above = tuple(Factors(1.0, x, w, {}) for x, w in zip(figures, weights, strict=True))
    return Value(above, (Factors(1.0, _sum(weights), {}, {}),))


def _sum(sums: Sequence[Linear]) -> Linear:
    total: Linear = {}
    for one in sums:
        total = added(total, one)
    return total


@function
def expected(level: str, *rates: Value) -> Value:
    """expected('level', rate, rate, …): events there would be at the reference's rates by age: the
    denominators of the territory, each times the reference's rate."""
    own = [rate(r, "expected()") for r in rates]
    theirs = [rate(_at(r, level), "expected()") for r in rates]
    return Value(
        tuple(
            Factors(there.factor, there.above, here.below, there.below)
            for here, there in zip(own, theirs, strict=True)
        )
    )


@function
def standardised(level: str, *rates: Value) -> Value:
    """standardised('level', rate, rate, …): the rate there would be with the ages of the reference."""
    own = [rate(r, "standardised()") for r in rates]
    ages = [rate(_at(r, level), "standardised()").below for r in rates]
    above = tuple(replace(r, times=age) for r, age in zip(own, ages, strict=True))
    return Value(above, (Factors(1.0, _sum(ages), {}, {}),))


@function
def percentile_rank(value: Value) -> Value:
    """percentile_rank(x): of 100 other territories of its level, how many have a lower value."""
    return replace(value, over=_over(value, "percentile_rank"))


@function
def dissimilarity(level: str, one: Value, other: Value) -> Value:
    """dissimilarity('level', x, y): the share of x that would move to be spread over parts as y is."""
    pair = tuple(Factors(1.0, linear(v, "dissimilarity()"), {}, {}) for v in (one, other))
    return Value(pair[:1], pair[1:], 100.0, _over(one, "dissimilarity"), _level(level))


@function
def concentration(level: str, one: Value, other: Value) -> Value:
    """concentration('level', x, y): Gini's index of x over parts beside y, 0 where x goes with y."""
    return replace(dissimilarity(level, one, other), over=_over(one, "concentration"))


@function
def share_in_class(level: str, one: Value, measure: Value, low: Value, high: Value) -> Value:
    """share_in_class('level', x, y, low, high): the share of x in parts where low <= y < high."""
    if not (low.is_number and high.is_number and low.factor < high.factor):
        raise FormulaError("share_in_class() takes two numbers, the lower one first")
    if not measure.is_sum or len(measure.above) != 1:
        raise FormulaError("share_in_class() takes a variable or a rate as y")
    of_parts = (Factors(1.0, linear(one, "share_in_class()"), {}, {}),)
    bounds = (low.factor, high.factor)
    over = _over(one, "share_in_class")
    return Value(of_parts, measure.products, 100.0, over, _level(level), bounds)


def _over(value: Value, name: str) -> Over:
    if value.is_number or value.over:
        raise FormulaError(f"{name}() takes variables or a rate")
    return cast(Over, name)


def of_number(number: float) -> Value:
    """A number."""
    return Value((), factor=number)
