"""Checks the indicators: formula, units, levels, access and worked example agree."""

from collections.abc import Iterator

from odds_pipeline.declarations.checks.names import variable_missing
from odds_pipeline.declarations.declared import Declared, IndicatorEntry
from odds_pipeline.declarations.formula import FormulaError, unit_mismatch
from odds_pipeline.declarations.indicator import Indicator
from odds_pipeline.declarations.problems import Problem, nearest
from odds_pipeline.geography.territories import GROUPS


def indicator_problems(declared: Declared) -> Iterator[Problem]:
    """Every mistake of every indicator."""
    labels: dict[str, str] = {}
    formulas: dict[str, str] = {}
    for entry in declared.indicators.values():
        for message in _messages(declared, entry):
            yield Problem(entry.file, entry.line, f"{entry.id}: {message}")
        yield from _unique(entry, labels, entry.indicator.label.casefold(), "label")
        yield from _unique(entry, formulas, entry.indicator.parsed.canonical, "formula")


def _unique(entry: IndicatorEntry, seen: dict[str, str], key: str, what: str) -> Iterator[Problem]:
    if key in seen:
        message = f"indicator {entry.id!r} has the same {what} as {seen[key]!r}"
        yield Problem(entry.file, entry.line, message)
    seen.setdefault(key, entry.id)


def _messages(declared: Declared, entry: IndicatorEntry) -> Iterator[str]:
    indicator, formula = entry.indicator, entry.indicator.parsed
    unknown = [v for v in formula.variables if v not in declared.variables]
    for variable in unknown:
        message = variable_missing(declared, variable)
        if message and variable.split(".")[1] in declared.indicators:
            message = f"{variable}: a formula is over variables, not over other indicators"
        yield from filter(None, [message])
    if indicator.unit not in declared.units:
        yield f"unknown unit {indicator.unit!r}{nearest(indicator.unit, declared.units)}"
    elif not unknown:
        yield from _unit(declared, indicator)
    if indicator.published_as:
        yield from filter(None, [variable_missing(declared, indicator.published_as)])
    unit = declared.units.get(indicator.unit)
    if unit and unit.adds_up and indicator.direction != "neutral":
        yield f"direction {indicator.direction}: a number of {unit.label} ranks by size, it is neutral"
    if unit and unit.adds_up and indicator.denominator and not formula.denominator:
        yield f"a number of {unit.label} is divided by nothing: `denominator: null`"
    if indicator.driving and indicator.driving not in formula.variables:
        yield f"driving variable {indicator.driving!r} is not in the formula"
    if formula.denominator and indicator.denominator is None:
        yield "the formula divides: say the denominator in words"
    if not unknown:
        access = declared.access_of(indicator)
        if indicator.access not in (None, access):
            yield f"access {indicator.access}: what it reads is for {access} only"
        yield from _levels(declared, indicator)
        yield from _breaks(declared, indicator)
        yield from _surveys(declared, indicator)
        yield from _totals(declared, indicator)
    yield from _example(indicator)


def _unit(declared: Declared, indicator: Indicator) -> Iterator[str]:
    units = {v: declared.units.get(declared.variables[v][1].unit) for v in indicator.parsed.variables}
    known = {v: (unit.id, unit.kind) for v, unit in units.items() if unit}
    unit = declared.units[indicator.unit]
    if len(known) < len(units):
        return
    if told := unit_mismatch(indicator.parsed, unit.kind, unit.id, unit.scale, known.__getitem__):
        yield told


def _levels(declared: Declared, indicator: Indicator) -> Iterator[str]:
    parts = indicator.parsed.parts
    own: list[str] = [parts] if parts else list(indicator.levels)
    asked = {(t.variable, level) for t in indicator.parsed.terms for level in ([t.at] if t.at else own)}
    for variable in indicator.parsed.variables:
        _, of = declared.variables[variable]
        delivered: set[str] = {level for s in declared.sources_of(variable) for level in s.feed.levels}
        if of.aggregation != "none" and "commune" in delivered:
            delivered |= {*GROUPS, "arrondissement", "departement"}
        missing = sorted(level for name, level in asked if name == variable and level not in delivered)
        if missing:
            yield f"{variable} does not exist at level {', '.join(missing)}"
    if parts in indicator.levels:
        yield f"{indicator.parsed.over} over {parts}: a {parts} is not made of others"


def _surveys(declared: Declared, indicator: Indicator) -> Iterator[str]:
    """A change over years of survey figures sets two vintages side by side that share no survey."""
    for term in indicator.parsed.numerator:
        apart = max(declared.variables[term.variable][0].feed.years_apart.values())
        if 0 < term.lag < 12 * apart:
            yield f"{term.key}: vintages {term.lag // 12} years apart share a survey, {apart} are needed"


def _breaks(declared: Declared, indicator: Indicator) -> Iterator[str]:
    inherited = {b.month for b in declared.inherited_breaks(indicator)}
    for own in indicator.breaks:
        if own.month in inherited:
            yield f"break {own.month}: the contract of what it reads declares it already"


def _totals(declared: Declared, indicator: Indicator) -> Iterator[str]:
    for name, variable in sorted({(t.input, t.variable) for t in indicator.parsed.terms if t.window}):
        entry, of = declared.variables[variable]
        if entry.feed.calendar.cadence != "monthly" or of.aggregation != "sum":
            yield f"{name}: a total is of a figure of each month that adds up"


def _example(indicator: Indicator) -> Iterator[str]:
    wanted = {t.key for t in indicator.parsed.terms}
    given = set(indicator.example.inputs)
    for name in sorted(wanted - given):
        yield f"the example lacks {name}"
    for name in sorted(given - wanted):
        yield f"the example has {name}, which is not in the formula{nearest(name, wanted)}"
    if wanted != given:
        return
    try:
        value = indicator.parsed.evaluate(indicator.example.inputs)
    except FormulaError as error:
        yield f"the example: {error}"
        return
    if value is None or abs(value - indicator.example.value) > 0.51 * 10**-indicator.decimals:
        yield f"the example's value is {indicator.example.value}, the formula gives {value}"
