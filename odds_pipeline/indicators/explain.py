"""Where a published value comes from: formula, figures, deliveries, files, lines."""

from dataclasses import dataclass, field

import duckdb

from odds_pipeline.declarations.formula import Term
from odds_pipeline.declarations.project import Project
from odds_pipeline.geography.references import reference
from odds_pipeline.months import shifted
from odds_pipeline.storage.sql import first, read_sql

_FIGURES = read_sql(__file__, "figures")


@dataclass(frozen=True)
class RawFigure:
    """One raw figure that a value rests on, and where it stands in which file.

    ``delivery`` is its name in the release, which tells the ``sha256`` of public files only.
    """

    variable: str
    territory: str
    month: str
    value: float | None
    obs_status: str
    conf_status: str
    file: str
    line: int
    lines: int
    delivery: str
    sha256: str | None
    simulated: bool
    received_at: str
    correction: str | None
    feed: str
    origin: str | None


@dataclass(frozen=True)
class Explanation:
    """A value with its inputs; ``inputs`` maps each term of the formula to its figures.

    The weights of a mean stand beside it, under ``weight: `` and the name of what weighs.
    """

    indicator: str
    label: str
    formula: str
    territory: str
    month: str
    geography: int
    value: float | None
    obs_status: str
    conf_status: str
    numerator: float | None
    denominator: float | None
    inputs: dict[str, list[RawFigure]] = field(default_factory=dict)


def _sources(
    project: Project, territory: str, geography: int, level: str
) -> list[tuple[str, list[str], int]]:
    """Where to look for a territory's figure, in order: itself, its communes, other geographies."""
    parts = project.territories.parts
    places = [(level, [territory], geography)]
    for own in project.territories.geographies:
        codes = [
            p.part
            for p in parts
            if p.whole == territory
            and p.whole_geography == geography
            and p.part_geography == own
            and p.part_geography != p.whole_geography
        ]
        if codes:
            places.append((level, codes, own))
    for own in (geography, *project.territories.geographies):
        codes = [
            p.part
            for p in parts
            if p.whole == territory
            and p.whole_geography == own == p.part_geography
            and level != "commune"
        ]
        if codes:
            places.append(("commune", codes, own))
    return places


Place = tuple[str, list[str], int]


def _where(
    project: Project, territory: str, geography: int, level: str, at: str
) -> tuple[str, int, str]:
    """The territory, geography and level that a term is read at."""
    if not at:
        return territory, geography, level
    of = project.territories.by_key[territory, geography]
    return reference(project.territories, of, at) or "", geography, at


def _figures(
    connection: duckdb.DuckDBPyConnection, term: Term, places: list[Place], month: str, exact: bool
) -> tuple[Place | None, list[RawFigure]]:
    """The figures of one term, from the first place that has some: a month's, or those of twelve."""
    for level, codes, geography in places:
        found = connection.execute(
            _FIGURES,
            {
                "variable": term.variable,
                "level": level,
                "wanted": month,
                "before": shifted(month, years=-1),
                "of_twelve": bool(term.window),
                "territories": codes,
                "geography": geography,
                "exact": exact,
            },
        ).fetchall()
        if found:
            own = [(*r[:11], str(r[11]), *r[12:]) for r in found]
            return (level, codes, geography), [RawFigure(term.variable, *r) for r in own]
    return None, []


def explain(
    project: Project,
    connection: duckdb.DuckDBPyConnection,
    indicator: str,
    territory: str,
    month: str,
) -> Explanation:
    """Explain a value of the release open in ``connection``. :class:`LookupError` if it has none."""
    entry = project.indicators.get(indicator)
    if entry is None:
        raise LookupError(f"no indicator {indicator!r}")
    row = first(
        connection,
        "SELECT level, geography, value, obs_status, conf_status, numerator, denominator "
        "FROM indicator_values WHERE indicator = ? AND territory = ? AND month = ? "
        "ORDER BY geography DESC LIMIT 1",
        [indicator, territory, month],
    )
    if row is None:
        raise LookupError(f"the release has no {indicator} for {territory} in {month}")
    level, geography = str(row[0]), int(row[1])
    declared = entry.indicator
    driving = project.feed_of(declared).id
    inputs: dict[str, list[RawFigure]] = {}
    for term in declared.parsed.terms:
        entry_of, variable = project.variables[term.variable]
        exact, month_of = entry_of.id == driving, term.month or shifted(month, -term.lag)
        places = _sources(project, *_where(project, territory, geography, level, term.at))
        where, figures = _figures(connection, term, places, month_of, exact)
        inputs[term.key] = figures
        weighed = variable.aggregation not in ("sum", "none") and len(figures) > 1
        if where is not None and weighed:
            weight = Term(variable.aggregation, lag=term.lag, month=term.month)
            _, inputs[f"weight: {weight.key}"] = _figures(connection, weight, [where], month_of, exact)
    return Explanation(
        indicator,
        declared.label,
        declared.formula,
        territory,
        month,
        geography,
        row[2],
        row[3],
        row[4],
        row[5],
        row[6],
        inputs,
    )
