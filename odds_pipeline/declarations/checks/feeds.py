"""Checks the contracts: what they name exists, what adds up is a count, each variable has a column."""

from collections.abc import Iterator

from odds_pipeline.declarations.checks.names import variable_missing
from odds_pipeline.declarations.checks.origins import origin_problems
from odds_pipeline.declarations.checks.sources import may_be_lent, source_problems
from odds_pipeline.declarations.declared import Declared, FeedEntry
from odds_pipeline.declarations.feed import Variable
from odds_pipeline.declarations.problems import Problem, nearest
from odds_pipeline.declarations.yaml_file import Loc


def feed_problems(declared: Declared) -> Iterator[Problem]:
    """Every mistake of every contract."""
    owners: dict[str, str] = {}
    for entry in declared.feeds.values():
        for name, variable in entry.own.items():
            key = entry.variable_id(name)
            if owners.setdefault(key, entry.id) != entry.id:
                message = f"variable {key} is already delivered by {owners[key]}"
                yield entry.file.problem(("variables", name), message)
            yield from _variable(declared, entry, name, variable)
        yield from _secrecy(declared, entry)
        yield from source_problems(declared, entry)
        yield from origin_problems(declared, entry)
        yield from _columns(declared, entry)
        yield from _sums(declared, entry)
        yield from _breaks(entry)


def _variable(declared: Declared, entry: FeedEntry, name: str, variable: Variable) -> Iterator[Problem]:
    at: Loc = ("variables", name)
    yield from _unit(declared, entry, (*at, "unit"), variable.unit)
    if variable.part_of is not None:
        yield from _named(entry, (*at, "part_of"), variable.part_of)
    yield from _aggregation(declared, entry, at, variable)
    for other in (variable.counted_by, *variable.largest):
        if other is not None:
            yield from _named(entry, at, other)


def _named(entry: FeedEntry, at: Loc, name: str) -> Iterator[Problem]:
    known = entry.feed.variables
    if name not in known:
        yield entry.file.problem(at, f"no variable {name!r} here{nearest(name, known)}")


def _unit(declared: Declared, entry: FeedEntry, at: Loc, unit: str) -> Iterator[Problem]:
    if unit not in declared.units:
        yield entry.file.problem(at, f"unknown unit {unit!r}{nearest(unit, declared.units)}")


def _aggregation(declared: Declared, entry: FeedEntry, at: Loc, variable: Variable) -> Iterator[Problem]:
    if variable.aggregation == "none":
        return
    if variable.aggregation == "sum":
        unit = declared.units.get(variable.unit)
        if unit and not unit.adds_up:
            message = f"{variable.unit} does not add up: aggregation must be none or a weight"
            yield entry.file.problem((*at, "aggregation"), message)
    elif variable_missing(declared, variable.aggregation):
        hint = nearest(variable.aggregation, declared.variables)
        message = f"aggregation: sum, none, or the variable that weighs the mean{hint}"
        yield entry.file.problem((*at, "aggregation"), message)


def _secrecy(declared: Declared, entry: FeedEntry) -> Iterator[Problem]:
    rule = entry.feed.secrecy
    if rule is None:
        return
    for unit in rule.units or []:
        yield from _unit(declared, entry, ("secrecy", "units"), unit)
    if rule.population and (message := variable_missing(declared, rule.population.variable)):
        yield entry.file.problem(("secrecy", "population"), message)


def _columns(declared: Declared, entry: FeedEntry) -> Iterator[Problem]:
    feed, file = entry.feed, entry.file
    seen: set[str] = set()
    for i, fmt in enumerate(feed.formats):
        if fmt.id in seen:
            yield file.problem(("formats", i, "id"), f"format {fmt.id!r} is given twice")
        seen.add(fmt.id)
        columns = set(fmt.unpivot.variables) if fmt.unpivot else set(feed.columns_of(fmt))
        unknown = set() if may_be_lent(declared, entry) else columns - feed.names
        for name in sorted(unknown):
            at: Loc = ("formats", i, "columns", name)
            yield file.problem(at, f"no variable {name!r} is declared{nearest(name, feed.names)}")
    for name in sorted(entry.own.keys() - feed.delivered):
        if len(declared.sources_of(entry.variable_id(name))) == 1:
            yield file.problem(("variables", name), f"no format has a column for variable {name!r}")


def _sums(declared: Declared, entry: FeedEntry) -> Iterator[Problem]:
    feed, file = entry.feed, entry.file
    for total, parts in feed.partitions:
        at: Loc = ("sums", total)
        for name in (total, *parts):
            yield from _named(entry, at, name)
            unit = declared.units.get(feed.variables[name].unit) if name in feed.variables else None
            if unit and not unit.adds_up:
                yield file.problem(at, f"{name} is not a count: it does not add up")
        if len(set(parts)) < 2 or total in parts or len(set(parts)) < len(parts):
            yield file.problem(at, f"{total}: give two different parts or more")


def _breaks(entry: FeedEntry) -> Iterator[Problem]:
    for i, declared in enumerate(entry.feed.breaks):
        at: Loc = ("breaks", i)
        for name in declared.variables:
            yield from _named(entry, at, name)
        if declared in entry.feed.breaks[:i]:
            yield entry.file.problem(at, "this break is given twice")
