"""Sets beside each published value what a reader compares it with, in one statement for all indicators.

It reads protected values only, so that no rank, difference or interval tells a hidden figure.

=================== ===========================================================================
departement_value   value of the département the territory lies in, same month
france_value        value for France, same month, where a producer delivers it; for the widest
                    France delivered, ``france_territory`` (whole, else metropolitan)
difference          value minus ``departement_value``, in the unit; none for what adds up
rank, ranked        place among the département's communes of the same month and geography that have
                    a value, and how many they are; 1 is the best, or the highest where neither is
quartile            1 to 4, of that ranking; from eight ranked communes on, two to a quarter
change_1y, _5y      since the same month one and five years before, in the unit that
                    ``definitions.change_unit`` names: per cent of the earlier value for what adds
                    up, points for percentages, else the unit; none from zero or less, across a
                    series break or a change of the territory itself or of the source of a figure
                    (:mod:`.sources`), nor over fewer years than the surveys behind it
from_converted      whether such a change is from a figure converted to the territory's geography
age_months          months from the oldest figure the value rests on to the release's latest month
ci_low, ci_high     95 % confidence interval in the unit, where ``definitions.interval`` names one
=================== ===========================================================================
"""

from typing import Literal

import duckdb
import pandas as pd

from odds_pipeline.declarations.formula import Formula, Term
from odds_pipeline.declarations.indicator import Indicator
from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.sources import NO_SOURCES
from odds_pipeline.months import month_index
from odds_pipeline.storage.sql import read_sql

Interval = Literal["wilson", "byar"]

RATE_SCALE = 1000
"""From here on a ratio is a rate, "so many for a thousand": Byar's interval applies to its numerator."""

_MACROS = read_sql(__file__, "macros") + read_sql(__file__, "intervals")
_COMPARE = read_sql(__file__, "compare")

ADDED = (
    *(
        "departement_value",
        "france_value",
        "france_territory",
        "rank",
        "ranked",
        "difference",
        "quartile",
    ),
    *("change_1y", "change_5y", "from_converted", "age_months", "ci_low", "ci_high"),
)
"""The columns that comparing adds."""


def compare(
    project: Project,
    connection: duckdb.DuckDBPyConnection,
    source: str,
    latest: str | None,
    sources: pd.DataFrame = NO_SOURCES,
) -> None:
    """Make the temporary table ``compared`` of ``source``, protected values, with the columns above.

    ``latest`` is the latest month of the whole release, ``None`` when it holds nothing; ``sources``
    is what :func:`.sources.tell_sources` says of the release.
    """
    tables = {
        "compared_indicators": _indicators(project),
        "compared_breaks": _breaks(project),
        "compared_distances": _distances(project),
        "compared_territories": _territories(project),
        "compared_sources": sources,
    }
    for name, frame in tables.items():
        connection.register(name, frame)
    connection.execute(_MACROS)
    connection.execute(f"CREATE OR REPLACE TEMP VIEW to_compare AS FROM {source}")
    connection.execute(_COMPARE, {"latest": month_index(latest) if latest else None})
    connection.execute("DROP VIEW to_compare")
    for name in tables:
        connection.unregister(name)


def years_apart(project: Project, indicator: Indicator) -> dict[int, int]:
    """From a reference year on, fewest years between two months that may be compared.

    One, or more where the numerator comes from surveys: two vintages compare when they share none.
    """
    feeds = [project.variables[t.variable][0].feed.years_apart for t in indicator.parsed.numerator]
    starts = sorted({year for known in feeds for year in known})
    return {year: max(_at(known, year) for known in feeds) for year in starts}


def _at(known: dict[int, int], year: int) -> int:
    return known[max(start for start in known if start <= year)]


def interval_of(project: Project, indicator: Indicator) -> Interval | None:
    """The method of the 95 % confidence interval that has a meaning for ``indicator``, if any.

    Wilson when people are counted among the people they are part of; Byar when people or events are
    counted for a thousand or more of others, or over those that were expected. Neither for figures
    rounded or estimated from a survey, nor for changes over years.
    """
    formula = indicator.parsed
    unit = project.units[indicator.unit]
    if not formula.denominator or formula.root or any(_other_time(t) for t in formula.terms):
        return None
    observed = is_observed_over_expected(formula)
    if not formula.simple and not observed:
        return None
    if any(abs(t.coefficient) != 1 for t in formula.terms) or unit.minimum != 0:
        return None
    counted = {project.units[project.variables[t.variable][1].unit].counts for t in formula.numerator}
    if "" in counted or not all(_counted_one_by_one(project, t.variable) for t in formula.numerator):
        return None
    if observed:
        return "byar"
    whole = {t.variable for t in formula.denominator}
    if all(_wholes_of(project, t.variable) & whole for t in formula.numerator):
        exact = all(_counted_one_by_one(project, v) for v in whole)
        return "wilson" if counted == {"people"} and exact and unit.scale >= 100 else None
    return "byar" if unit.kind == "ratio" and unit.scale >= RATE_SCALE else None


def _other_time(term: Term) -> bool:
    return bool(term.lag or term.month)


def is_observed_over_expected(formula: Formula) -> bool:
    """Whether events are divided by those that a reference's rates would give."""
    above = [p for p in formula.products if p.side == "numerator"]
    below = [p for p in formula.products if p.side == "denominator"]
    plain = len(above) == 1 and len(above[0].of("numerator")) == len(above[0].terms)
    return not formula.over and plain and bool(below) and all(p.of("multiplier") for p in below)


def _counted_one_by_one(project: Project, variable: str) -> bool:
    entry, declared = project.variables[variable]
    rounded = declared.rounded_to or entry.secrecy.rounding
    return declared.aggregation == "sum" and not rounded and not entry.feed.survey_years


def _wholes_of(project: Project, variable: str) -> set[str]:
    """The variable and every total of its feed that it is declared to be part of."""
    found: set[str] = set()
    while variable not in found:
        found.add(variable)
        entry, declared = project.variables[variable]
        variable = entry.variable_id(declared.part_of) if declared.part_of else variable
    return found


def _indicators(project: Project) -> pd.DataFrame:
    rows = []
    for i, entry in enumerate(project.indicators.values()):
        indicator = entry.indicator
        unit = project.units[indicator.unit]
        sign = 1 if indicator.direction == "lower_is_better" else -1
        rows.append((entry.id, i, sign, unit.adds_up, unit.scale, interval_of(project, indicator)))
    columns = ["indicator", "i", "sign", "adds_up", "scale", "interval"]
    return pd.DataFrame(rows, columns=columns).astype({"interval": "string"})


def _distances(project: Project) -> pd.DataFrame:
    """From a month on, months between two values that may be compared."""
    rows = [
        (i, 12 * year, 12 * years)
        for i, entry in enumerate(project.indicators.values())
        for year, years in years_apart(project, entry.indicator).items()
    ]
    return pd.DataFrame(rows, columns=["i", "t", "months"], dtype="int64")


def _breaks(project: Project) -> pd.DataFrame:
    rows = [
        (i, month_index(b.month))
        for i, entry in enumerate(project.indicators.values())
        for b in project.breaks_of(entry.indicator)
    ]
    return pd.DataFrame(rows, columns=["i", "t"], dtype="int64")


def _territories(project: Project) -> pd.DataFrame:
    """Each territory with the number of its place: a place lasts as long as no merger touches it."""
    territories = project.territories
    sources: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for part in territories.parts:
        if part.part_geography < part.whole_geography:
            whole = (part.whole, part.whole_geography)
            sources.setdefault(whole, []).append((part.part, part.part_geography))
    places: dict[tuple[str, int], int] = {}
    rows: list[tuple[str, str, int, int, str, int]] = []
    for t in sorted(territories.all, key=lambda t: t.geography):
        former = sources.get((t.code, t.geography), [])
        places[t.code, t.geography] = places[former[0]] if len(former) == 1 else len(places)
        rows.append(
            (t.code, t.level, t.geography, places[t.code, t.geography], t.departement, len(rows))
        )
    columns = ["territory", "level", "geography", "p", "departement", "position"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["departement"] = [
        places.get((code, geography))
        for code, geography in zip(frame["departement"], frame["geography"], strict=True)
    ]
    return frame.astype({"departement": "Int64"})
