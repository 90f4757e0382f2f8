"""Sets beside each published value what a reader compares it with, in one statement for all indicators.

It reads protected values only, so that no rank, difference or interval tells a hidden figure.

=================== ===========================================================================
departement_value   value of the département the territory lies in, same month
france_value        value for France, same month, where a producer delivers it; for the widest
                    France delivered, ``france_territory`` (whole, else metropolitan)
difference          value minus ``departement_value``, in the unit; none for what adds up
rank, ranked        place among the département's communes of the same month and geography that have
                    a value, and how many they are; 1 is the best, or the highest where neither is
quartile            1 to 4, of that ranking; from four ranked communes on
change_1y, _5y      since the same month one and five years before, in the unit that
                    ``definitions.change_unit`` names: per cent of the earlier value for what adds
                    up, points for percentages, else the unit; none from zero or less, across a
                    series break or a change of the territory itself or of the source of a figure
                    (:mod:`.sources`), nor over fewer years than the surveys behind it
age_months          months from the oldest figure the value rests on to the release's latest month
ci_low, ci_high     95 % confidence interval in the unit, where ``definitions.interval`` names one
=================== ===========================================================================
"""

from typing import Literal

import duckdb
import pandas as pd

from odds_pipeline.declarations.indicator import Indicator
from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.compute import MONTH_INDEX
from odds_pipeline.indicators.sources import NO_SOURCES
from odds_pipeline.months import month_index

Interval = Literal["wilson", "byar"]

RATE_SCALE = 1000
"""From here on a ratio is a rate, "so many for a thousand": Byar's interval applies to its numerator."""

# Exact Poisson limits of a count: 0.025 and 0.975 quantiles of chi-square, halved, with 2n and 2n + 2
# degrees of freedom. Byar's approximation serves from 10 on, as public-health observatories do.
_FEW = """(VALUES (0, 0.0, 3.688879454), (1, 0.025317808, 5.571643391), (2, 0.242209279, 7.224687668),
    (3, 0.618672123, 8.767273070), (4, 1.089865374, 10.241588675), (5, 1.623486390, 11.668332079),
    (6, 2.201894253, 13.059474023), (7, 2.814363052, 14.422675362), (8, 3.453832177, 15.763189220),
    (9, 4.115373097, 17.084803451)) AS few(events, low, high)"""


def _limit(sign: str, events: str, few: str) -> str:
    """One limit of the 95 % interval as SQL; ``events`` is the count that Byar's formula raises."""
    z = "1.959963984540054"
    return f"""CASE
        WHEN value IS NULL OR obs_status = 'E' OR NOT (numerator >= 0 AND denominator > 0) THEN NULL
        WHEN _interval = 'wilson' AND numerator <= denominator THEN _scale
            * (2 * numerator + {z} * {z}
               {sign} {z} * sqrt({z} * {z} + 4 * numerator * (1 - numerator / denominator)))
            / 2 / (denominator + {z} * {z})
        WHEN _interval = 'byar' AND numerator >= 10 THEN _scale
            * {events} * pow(1 - 1 / (9 * {events}) {sign} {z} / (3 * sqrt({events})), 3) / denominator
        WHEN _interval = 'byar' THEN _scale * {few} / denominator END"""


# Indicators, places and months are joined as numbers: as text they cost three times as much. ``_p`` is
# the same for a territory that is the same in two geographies.
_COMPARE = f"""
CREATE TABLE TARGET AS
WITH given AS MATERIALIZED (
    SELECT v.*, c.i AS _i, p.p AS _p, {MONTH_INDEX.format("v.month")} AS _t,
           p.departement AS _departement, p.position AS _position, c.adds_up AS _adds_up,
           c.scale AS _scale, c.interval AS _interval, c.sign AS _sign,
           (SELECT arg_max(a.months, a.t) FROM compared_distances a
            WHERE a.i = c.i AND a.t <= {MONTH_INDEX.format("v.month")}) AS _apart,
           CASE WHEN v.level <> 'france' THEN c.i END AS _below_france
    FROM SOURCE v
    JOIN compared_indicators c ON c.indicator = v.indicator
    LEFT JOIN compared_territories p
      ON p.territory = v.territory AND p.level = v.level AND p.geography = v.geography
), known AS MATERIALIZED (
    SELECT g._i, g._p, g._t, any_value(g._apart) AS _apart, any_value(o.source) AS _source,
           arg_max(g.value, g.geography) AS value
    FROM given g LEFT JOIN compared_sources o ON o.i = g._i AND o.t = g._t AND o.level = g.level
    WHERE g.value IS NOT NULL GROUP BY ALL
), countries AS (
    SELECT _i, _t, arg_max(value, _position) AS value, arg_max(territory, _position) AS territory
    FROM given WHERE level = 'france' AND value IS NOT NULL GROUP BY ALL
), ranks AS (
    SELECT _i, _t, _p, geography,
           rank() OVER (PARTITION BY _i, _t, geography, _departement
                        ORDER BY _sign * round(value, 9)) AS rank,
           count(*) OVER (PARTITION BY _i, _t, geography, _departement) AS ranked
    FROM given WHERE level = 'commune' AND value IS NOT NULL
), bases AS (
    SELECT g._i, g._p, g._t, any_value(s.value) FILTER (WHERE s.months = 12) AS year,
           any_value(s.value) FILTER (WHERE s.months = 60) AS five
    FROM known g
    JOIN (SELECT _i, _p, value, months, _source, _t + months AS later
          FROM known CROSS JOIN (VALUES (12), (60)) AS spans(months)) s
      ON s._i = g._i AND s._p = g._p AND s.later = g._t AND s.months >= g._apart
     AND s._source IS NOT DISTINCT FROM g._source
    LEFT JOIN compared_breaks b ON b.i = g._i AND b.t > g._t - s.months AND b.t <= g._t
    WHERE b.t IS NULL
    GROUP BY ALL
), joined AS (
    SELECT g.*, few.low AS _low, few.high AS _high, bases.year AS _year, bases.five AS _five,
           d.value AS departement_value, f.value AS france_value, f.territory AS france_territory,
           CAST(r.rank AS INTEGER) AS rank, CAST(r.ranked AS INTEGER) AS ranked
    FROM given g
    LEFT JOIN known d ON d._i = g._i AND d._t = g._t AND d._p = g._departement
    LEFT JOIN countries f ON f._i = g._below_france AND f._t = g._t
    LEFT JOIN ranks r ON r._i = g._i AND r._t = g._t AND r._p = g._p AND r.geography = g.geography
    LEFT JOIN bases ON bases._i = g._i AND bases._p = g._p AND bases._t = g._t
    LEFT JOIN {_FEW} ON few.events = g.numerator
)
SELECT COLUMNS('^[^_]'),
       CASE WHEN NOT _adds_up THEN value - departement_value END AS difference,
       CASE WHEN ranked >= 4 THEN CAST(1 + 4 * (rank - 1) // ranked AS INTEGER) END AS quartile,
       CASE WHEN _adds_up THEN 100 * (value - _year) / nullif(greatest(_year, 0), 0)
            ELSE value - _year END AS change_1y,
       CASE WHEN _adds_up THEN 100 * (value - _five) / nullif(greatest(_five, 0), 0)
            ELSE value - _five END AS change_5y,
       CAST($latest - ({MONTH_INDEX.format("oldest_input")}) AS INTEGER) AS age_months,
       {_limit("-", "numerator", "_low")} AS ci_low,
       {_limit("+", "(numerator + 1)", "_high")} AS ci_high
FROM joined ORDER BY territory, indicator, month
"""


def compare(
    project: Project,
    connection: duckdb.DuckDBPyConnection,
    source: str,
    target: str,
    latest: str | None,
    sources: pd.DataFrame = NO_SOURCES,
) -> None:
    """Make table ``target`` of ``source``, protected indicator values, with the columns above.

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
    statement = _COMPARE.replace("SOURCE", source).replace("TARGET", target)
    connection.execute(statement, {"latest": month_index(latest) if latest else None})
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
    counted for a thousand or more of others. Neither for figures rounded or estimated from a survey,
    nor for changes over years.
    """
    formula = indicator.parsed
    unit = project.units[indicator.unit]
    if not formula.denominator or formula.root or any(t.lag for t in formula.terms):
        return None
    if any(abs(t.coefficient) != 1 for t in formula.terms) or unit.minimum != 0:
        return None
    counted = {project.units[project.variables[t.variable][1].unit].counts for t in formula.numerator}
    if "" in counted or not all(_counted_one_by_one(project, t.variable) for t in formula.numerator):
        return None
    whole = {t.variable for t in formula.denominator}
    if all(_wholes_of(project, t.variable) & whole for t in formula.numerator):
        exact = all(_counted_one_by_one(project, v) for v in whole)
        return "wilson" if counted == {"people"} and exact and unit.scale >= 100 else None
    return "byar" if unit.kind == "ratio" and unit.scale >= RATE_SCALE else None


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
