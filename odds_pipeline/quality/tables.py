"""The tables that a rule's query may join: the delivery, what is known before it, both compared.

``delivery``: one row per variable, territory and month as read. ``accepted``: what was accepted before
for the same feed. ``series``: both together as they would be, months numbered by ``rank``. ``compared``:
each delivered figure beside its own past and future. ``expected``, ``variables``, ``sums``, ``ratios``:
what the declarations say. ``columns``, ``oddities``: facts about the file itself.
"""

from collections.abc import Sequence

import duckdb
import pandas as pd

from odds_pipeline.declarations.project import FeedEntry, Project
from odds_pipeline.reception.reading import Reading

TEXT = (
    "variable month territory level part_of detail obs_status conf_status total part indicator side "
    "column_name kind"
).split()


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Text columns as text even when they hold nothing, so that queries can join them."""
    return frame.astype({name: "string" for name in TEXT if name in frame.columns})


def delivery_table(project: Project, entry: FeedEntry, readings: Sequence[Reading]) -> pd.DataFrame:
    """The readings with what rules need beside each figure: bounds, part-of, known territory."""
    frame = pd.concat([reading.frame for reading in readings], ignore_index=True)
    variables = entry.feed.variables
    facts = pd.DataFrame(
        [
            (
                entry.variable_id(name),
                project.units[v.unit].minimum,
                project.units[v.unit].maximum,
                entry.variable_id(v.part_of) if v.part_of else None,
            )
            for name, v in variables.items()
        ],
        columns=["variable", "minimum", "maximum", "part_of"],
    ).astype({"minimum": "float64", "maximum": "float64"})
    known = pd.DataFrame(
        [(t.code, t.level, t.geography, True) for t in project.territories_of(entry).all],
        columns=["territory", "level", "geography", "known_territory"],
    )
    frame = frame.astype({"geography": "int64"}).merge(facts, on="variable", how="left")
    frame = frame.merge(known, on=["territory", "level", "geography"], how="left")
    frame["known_territory"] = frame["known_territory"].notna()
    return typed(frame)


def _expected(project: Project, entry: FeedEntry) -> pd.DataFrame:
    """Communes that a complete feed must hold in each geography; none for the other feeds."""
    territories = project.territories_of(entry)
    communes = [
        (t.code, geography, t.departement)
        for geography in territories.geographies
        for t in territories.communes(geography)
        if entry.feed.complete
    ]
    table = pd.DataFrame(communes, columns=["territory", "geography", "departement"])
    return typed(table).astype({"geography": "int64", "departement": "string"})


def _variables(project: Project, entry: FeedEntry) -> pd.DataFrame:
    """Unit kind, scale, aggregation and step of rounding of each variable."""
    return pd.DataFrame(
        [
            (
                entry.variable_id(name),
                project.units[v.unit].kind,
                project.units[v.unit].scale,
                v.aggregation,
                v.rounded_to or entry.secrecy.rounding or 1,
            )
            for name, v in entry.feed.variables.items()
        ],
        columns=["variable", "kind", "scale", "aggregation", "step"],
    )


def _sums(entry: FeedEntry) -> pd.DataFrame:
    """Totals and the parts that add up to them; ``way`` numbers the ways of one contract."""
    rows = [
        (entry.variable_id(total), way, entry.variable_id(part))
        for way, (total, parts) in enumerate(entry.feed.partitions)
        for part in parts
    ]
    return typed(pd.DataFrame(rows, columns=["total", "way", "part"]).astype({"way": "int64"}))


def _ratios(project: Project, entry: FeedEntry) -> pd.DataFrame:
    """Terms of the shares (unit of at most 100 %) whose figures all come from this feed, same month."""
    rows = []
    for one in project.indicators.values():
        unit, formula = project.units[one.indicator.unit], one.indicator.parsed
        own = all(project.variables[v][0].id == entry.id for v in formula.variables)
        share = unit.kind == "proportion" and unit.maximum == unit.scale
        if own and share and formula.denominator and not any(t.lag or t.of_year for t in formula.terms):
            rows += [(one.id, t.side, t.variable, t.coefficient) for t in formula.terms]
    frame = pd.DataFrame(rows, columns=["indicator", "side", "variable", "coefficient"])
    return typed(frame).astype({"coefficient": "float64"})


def _columns(readings: Sequence[Reading], former: set[str]) -> pd.DataFrame:
    """Header cells that the contract does not speak of; ``known`` when an accepted file had them."""
    rows = [
        (month, name, name in former)
        for reading in readings
        for month in reading.months
        for name in reading.unknown_columns
    ]
    return typed(pd.DataFrame(rows, columns=["month", "column_name", "known"]).astype({"known": bool}))


def _oddities(readings: Sequence[Reading]) -> pd.DataFrame:
    rows = [
        (month, line, kind, detail)
        for reading in readings
        for month in reading.months
        for line, kind, detail in reading.oddities
    ]
    return typed(
        pd.DataFrame(rows, columns=["month", "line", "kind", "detail"]).astype({"line": "int64"})
    )


_SERIES = """
CREATE TEMP TABLE series AS
WITH known AS (
    SELECT variable, month, territory, level, geography, value, conf_status, lines FROM delivery
    UNION ALL
    SELECT a.variable, a.month, a.territory, a.level, a.geography, a.value, a.conf_status, a.lines
    FROM accepted a ANTI JOIN delivery d USING (month, level, variable)
)
SELECT *, dense_rank() OVER (PARTITION BY variable, level ORDER BY month) AS rank FROM known
"""

# Neighbours: the median of the three months on each side, which one wrong month does not move.
_COMPARED = """
CREATE TEMP TABLE compared AS
WITH windowed AS (
    SELECT *, median(value) OVER near AS neighbours, lag(value) OVER own AS previous,
           lag(conf_status) OVER own AS previous_conf, lag(month) OVER own AS previous_month,
           lag(lines) OVER own AS previous_lines
    FROM series
    WINDOW own AS (PARTITION BY variable, territory, level, geography ORDER BY month),
           near AS (PARTITION BY variable, territory, level, geography ORDER BY month
                    ROWS BETWEEN 3 PRECEDING AND 3 FOLLOWING EXCLUDE CURRENT ROW)
)
SELECT w.*, v.kind, v.scale, y.value AS year_before
FROM windowed w JOIN variables v USING (variable)
LEFT JOIN series y ON y.variable = w.variable AND y.territory = w.territory AND y.level = w.level
     AND y.geography = w.geography
     AND y.month = (CAST(left(w.month, 4) AS INTEGER) - 1) || right(w.month, 3)
WHERE w.month IN (SELECT month FROM delivery)
"""


def register(
    connection: duckdb.DuckDBPyConnection,
    project: Project,
    entry: FeedEntry,
    readings: Sequence[Reading],
    delivery: pd.DataFrame,
    accepted: pd.DataFrame,
    former: set[str],
) -> None:
    """Make every table known to ``connection``. ``former``: columns of accepted files."""
    frames = {
        "delivery": delivery,
        "accepted": typed(accepted),
        "expected": _expected(project, entry),
        "variables": typed(_variables(project, entry)),
        "sums": _sums(entry),
        "ratios": _ratios(project, entry),
        "columns": _columns(readings, former),
        "oddities": _oddities(readings),
    }
    for name, frame in frames.items():
        # Copied once: scanning a pandas frame costs more than the query on it.
        connection.register("frame", frame)
        connection.execute(f"CREATE TEMP TABLE {name} AS FROM frame")
        connection.unregister("frame")
    connection.execute(_SERIES)
    connection.execute(_COMPARED)
