"""Computes indicators: definitions become rows, and a handful of statements compute them all.

Statuses travel with the figures: a secret input makes a secret value, a missing one a missing
value. Sums over territories need every part; a ratio at a higher level comes from the sums of its
parts. A change over years that crosses a break of its series has no value. A variable of another
feed than the driving one is its latest figure not after the month.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import duckdb
import pandas as pd

from odds_pipeline.declarations.formula import Formula, Product, Term, Window, input_name
from odds_pipeline.declarations.indicator import Indicator
from odds_pipeline.declarations.project import IndicatorEntry, Project
from odds_pipeline.geography.references import reference
from odds_pipeline.geography.territories import GROUPS
from odds_pipeline.indicators.crossings import crossings
from odds_pipeline.indicators.staleness import ALL, record, spans_of_feeds, stale, within
from odds_pipeline.months import month_index
from odds_pipeline.storage.sql import read_sql

FIGURES = 1_000_000
"""Figures that one statement computes; more go in several, so that a country fits in memory."""

_MACROS = read_sql(__file__, "macros")
_PLACES, _TERMS = read_sql(__file__, "places"), read_sql(__file__, "terms")
_CURRENT = read_sql(__file__, "available")
_WANTED, _INSIDE = read_sql(__file__, "wanted"), read_sql(__file__, "inside")
_WHOLES = read_sql(__file__, "wholes")
_YEARS, _SIDES = read_sql(__file__, "years"), read_sql(__file__, "sides")
_MONTHS, _PRODUCTS = read_sql(__file__, "months"), read_sql(__file__, "products")
_COMPOSED, _COMPUTED = read_sql(__file__, "composed"), read_sql(__file__, "computed")


@dataclass(frozen=True)
class Tables:
    """The definitions of some indicators as tables for the statements above.

    ``definitions`` has a row for each product of a formula: named as the indicator that it is, or one of
    several of the indicator ``whole``.
    """

    definitions: pd.DataFrame
    terms: pd.DataFrame
    levels: pd.DataFrame
    inputs: pd.DataFrame
    crossings: pd.DataFrame = field(default_factory=lambda: _crossings_frame([]))


def tables_of(project: Project, indicators: Sequence[str]) -> Tables:
    """Rows that say how to compute ``indicators``."""
    entries = [project.indicators[name] for name in indicators]
    definitions, terms, levels = [], [], []
    # A région is, too, where all its communes are here; one that goes beyond is known as France is.
    whole = any(t.region for t in project.territories.all)
    wider = ["arrondissement", "region"] if whole else ["arrondissement"]
    beyond = sorted({t.level for t in project.territories.beyond})
    needed: set[str] = set()
    for entry in entries:
        indicator, formula = entry.indicator, entry.indicator.parsed
        feed = project.feed_of(indicator).id
        # All are made of communes: what exists for a group of them exists for an arrondissement.
        also = wider if set(GROUPS) & set(indicator.levels) else []
        also = also + beyond if also and "france" in indicator.levels else also
        own_levels = list(dict.fromkeys([*indicator.levels, *also]))
        levels += [(entry.id, level) for level in own_levels]
        for name, product in products_of(entry):
            definitions.append((name, *_definition(entry, product), _driving(indicator)))
            if name != entry.id:
                levels += [(name, level) for level in ([formula.parts] if formula.parts else own_levels)]
            added = _added_to(project, product, feed)
            for term in product.terms:
                exact = project.variables[term.variable][0].id == feed or term in added
                fixed = month_index(term.month) if term.month else None
                terms.append(
                    (name, term.side, term.input, term.lag, term.coefficient, exact, term.at, fixed)
                )
        levels += [("", term.at) for term in formula.terms if term.at]
        needed |= {indicator.driving_variable, *formula.variables}
    needed |= {project.variables[v][1].aggregation for v in needed} - {"sum", "none"}
    return Tables(
        frame(definitions, DEFINITION),
        frame(terms, TERM),
        pd.DataFrame(levels, columns=["indicator", "level"]).drop_duplicates(),
        inputs_table(project, needed, _totals(entries)),
        _crossings_table(project, entries),
    )


def _added_to(project: Project, product: Product, feed: str) -> set[Term]:
    """The terms that are added to figures of ``feed`` or taken from them: such a sum is of one month."""
    sides = [product.of(place) for place in ("numerator", "multiplier", "denominator")]
    return {
        t
        for side in sides
        if any(project.variables[o.variable][0].id == feed for o in side)
        for t in side
    }


DEFINITION = {
    "indicator": "string",
    "factor": "float64",
    "root": "float64",
    "side": "string",
    "whole": "string",
    "whole_factor": "float64",
    "over": "string",
    "low": "float64",
    "high": "float64",
    "driving": "string",
}
TERM = {
    "indicator": "string",
    "side": "string",
    "variable": "string",
    "lag": "int64",
    "coefficient": "float64",
    "exact": "bool",
    "at": "string",
    "fixed": "Int64",
}


def frame(rows: Sequence[tuple[object, ...]], types: dict[str, str]) -> pd.DataFrame:
    """Rows with the names and types of their columns."""
    return pd.DataFrame(rows, columns=list(types)).astype(types)


def products_of(entry: IndicatorEntry) -> list[tuple[str, Product]]:
    """The products of the indicator's formula with their names: its own where there is one alone."""
    formula = entry.indicator.parsed
    if formula.simple:
        return [(entry.id, formula.products[0])]
    return [(f"{entry.id}/{number}", product) for number, product in enumerate(formula.products)]


def _definition(entry: IndicatorEntry, product: Product) -> tuple[object, ...]:
    formula: Formula = entry.indicator.parsed
    if formula.simple:
        return (formula.factor * product.factor, product.root, product.side, None, 1.0, "", 0.0, 0.0)
    whole = (entry.id, formula.factor, formula.over, *formula.bounds)
    return (product.factor, product.root, product.side, *whole)


def _crossings_table(project: Project, entries: Iterable[IndicatorEntry]) -> pd.DataFrame:
    """Months in which a change over years would set figures of both sides of a break side by side."""
    rows = [
        (name, month_index(month), month_index(until))
        for entry in entries
        for month, until in crossings(project, entry.indicator)
        for name, _ in products_of(entry)
    ]
    return _crossings_frame(rows)


def _crossings_frame(rows: list[tuple[str, int, int]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["indicator", "t", "until"])
    return frame.astype({"indicator": "string", "t": "int64", "until": "int64"})


def _driving(indicator: Indicator) -> str:
    """The input that the indicator follows: its driving variable, or that variable's total of a year."""
    driving = indicator.driving_variable
    return next((t.input for t in indicator.parsed.terms if t.variable == driving), driving)


def _totals(entries: Iterable[IndicatorEntry]) -> set[tuple[str, Window]]:
    """The variables whose total over twelve months is read, with the window."""
    terms = (t for entry in entries for t in entry.indicator.parsed.terms)
    return {(t.variable, t.window) for t in terms if t.window}


def inputs_table(
    project: Project, variables: Iterable[str], totals: Iterable[tuple[str, Window]]
) -> pd.DataFrame:
    """How each variable adds up over territories; ``total_of``: over a window, made of that variable."""
    own = [(name, project.variables[name][1].aggregation, None, None) for name in sorted(variables)]
    over = [(input_name(*total), "sum", *total) for total in sorted(totals)]
    return pd.DataFrame([*own, *over], columns=["variable", "aggregation", "total_of", "over_window"])


def all_inputs(project: Project) -> pd.DataFrame:
    """Every variable, with the totals that the indicators read."""
    return inputs_table(project, project.variables, _totals(project.indicators.values()))


def parts_table(project: Project) -> pd.DataFrame:
    """Parts of every whole with the number of them, so that an incomplete sum is told."""
    territories = project.territories
    frame = pd.DataFrame(
        [
            (
                p.part,
                territories.by_key[p.part, p.part_geography].level,
                p.part_geography,
                p.whole,
                p.whole_level,
                p.whole_geography,
            )
            for p in territories.parts
        ],
        columns=["part", "part_level", "part_geography", "whole", "whole_level", "whole_geography"],
    )
    groups = ["whole", "whole_level", "whole_geography", "part_geography"]
    frame["parts"] = frame.groupby(groups)["part"].transform("size")
    return frame


def neighbourhoods_table(project: Project) -> pd.DataFrame:
    """The neighbourhoods that make all that their level covers of a commune, with the number of them."""
    territories = project.territories
    rows = [
        (code, territories.by_key[code, geography].level, geography, whole, len(codes))
        for (whole, geography), sets in territories.sums_of_neighbourhoods.items()
        if territories.by_key[whole, geography].level == "commune"
        for codes in sets
        for code in sorted(codes)
    ]
    columns = ["part", "part_level", "geography", "whole", "parts"]
    return pd.DataFrame(rows, columns=columns).astype(
        {
            "part": "string",
            "part_level": "string",
            "geography": "int64",
            "whole": "string",
            "parts": "int64",
        }
    )


def changed_table(project: Project) -> pd.DataFrame:
    """Territories that a merger changed: their figures differ from one geography to the other."""
    places = project.territories.places
    meanings = Counter(code for code, _ in {(code, place) for (code, _), place in places.items()})
    changed = [key for key in places if meanings[key[0]] > 1]
    return pd.DataFrame(changed, columns=["territory", "geography"])


def references_table(project: Project, levels: Iterable[str]) -> pd.DataFrame:
    """The territory of each of ``levels`` that every territory lies in, itself included."""
    rows = [
        (t.code, t.level, t.geography, level, code)
        for level in sorted(set(levels) - {""})
        for t in project.territories.all
        if (code := reference(project.territories, t, level))
    ]
    return pd.DataFrame(rows, columns=["territory", "level", "geography", "at", "reference"])


def gather(
    connection: duckdb.DuckDBPyConnection,
    project: Project,
    tables: Tables,
    span: tuple[str, str] = ("0000-00", "9999-99"),
    everything: bool = False,
) -> None:
    """Fill the temporary table ``available``: the trusted figures of ``tables.inputs``, and wholes.

    The wholes are those that the indicators of ``tables`` ask for between two months, or all.
    """
    views = {
        "definitions": tables.definitions,
        "terms": tables.terms,
        "levels": tables.levels,
        "inputs": tables.inputs,
        "crossings": tables.crossings,
        "parts": parts_table(project),
        "changed": changed_table(project),
        "neighbourhoods": neighbourhoods_table(project),
        "reference_territories": references_table(project, tables.terms["at"]),
    }
    for name, frame in views.items():
        connection.register(name, frame)
    months = {"first": month_index(span[0]), "last": month_index(span[1])}
    connection.execute(_MACROS)
    connection.execute(_PLACES)
    connection.execute(_TERMS)
    connection.execute(_CURRENT)
    connection.execute(_WANTED, {**months, "everything": everything})
    connection.execute(_INSIDE)
    # Within a geography first: what is added up there is then converted.
    steps = connection.execute("SELECT DISTINCT across FROM wanted ORDER BY across").fetchall()
    for (across,) in steps:
        connection.execute(_WHOLES, {"across": across})
    for name in views:
        connection.unregister(name)


def evaluate(
    connection: duckdb.DuckDBPyConnection, span: tuple[str, str] = ("0000-00", "9999-99")
) -> None:
    """Make the temporary view ``computed`` from ``available``, as it was gathered.

    Totals of years are added to it first: of figures that are protected when those are.
    """
    connection.execute(_YEARS)
    connection.execute(_SIDES, {"first": month_index(span[0]), "last": month_index(span[1])})
    for statement in (_MONTHS, _PRODUCTS, _COMPOSED, _COMPUTED):
        connection.execute(statement)


_SIZES = """
SELECT variable, count(*) FROM observations
WHERE known_to IS NULL AND month BETWEEN ? AND ? AND variable IN (SELECT unnest(?)) GROUP BY variable
"""


def _portions(
    project: Project,
    connection: duckdb.DuckDBPyConnection,
    names: Sequence[str],
    first: str,
    last: str,
) -> Iterator[list[str]]:
    """``names`` in portions of some :data:`FIGURES` figures, those of one feed side by side."""
    driving = {name: project.indicators[name].indicator.driving_variable for name in names}
    variables = sorted(set(driving.values()))
    sizes = dict(connection.execute(_SIZES, [first, last, variables]).fetchall())
    portion: list[str] = []
    figures = 0
    for name in sorted(names, key=driving.__getitem__):
        size = sizes.get(driving[name], 0)
        if portion and figures + size > FIGURES:
            yield portion
            portion, figures = [], 0
        portion.append(name)
        figures += size
    yield portion


def compute(
    project: Project,
    connection: duckdb.DuckDBPyConnection,
    indicators: Sequence[str],
    first: str = "0000-00",
    last: str = "9999-99",
) -> dict[tuple[str, str], tuple[int, int]]:
    """Replace the values of ``indicators`` between two months.

    Returns, by indicator and month, how many territories there are and how many have a value. To
    be called inside a transaction.
    """
    names = list(indicators)
    changed = stale(project, connection, names)
    spans = spans_of_feeds(project, connection)
    followed = []
    for name in names:
        entry = project.indicators[name].indicator
        own = spans.get(project.feed_of(entry).id, ALL)
        months = within(changed.get(name, own), own)
        # A history with nothing outside the span is replaced whole, months no longer trusted with it.
        if first <= months[0] and months[1] <= last:
            followed.append(name)
    whole = [n for n in followed if changed.get(n) == ALL]
    connection.execute(
        "DELETE FROM indicator_values WHERE (month BETWEEN ? AND ? AND indicator IN (SELECT unnest(?))) "
        "OR indicator IN (SELECT unnest(?))",
        [first, last, names, whole],
    )
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for portion in _portions(project, connection, names, first, last):
        tables = tables_of(project, portion)
        gather(connection, project, tables, (first, last))
        evaluate(connection, (first, last))
        connection.execute(
            "INSERT INTO indicator_values BY NAME "
            "SELECT * EXCLUDE (hidden_by, converted) FROM computed WHERE NOT converted"
        )
        rows = connection.execute(
            "SELECT indicator, month, count(*), count(value) FROM computed WHERE NOT converted "
            "GROUP BY ALL"
        ).fetchall()
        counts |= {(name, month): (every, filled) for name, month, every, filled in rows}
    record(project, connection, followed)
    return counts
