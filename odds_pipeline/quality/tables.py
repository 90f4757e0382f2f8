"""The tables that a rule's query may join: deliveries, what is known before them, both compared.

They hold the figures of many feeds: each has a column ``feed``. ``delivery``: one row per variable,
territory and month as read. ``accepted``: what was accepted before. ``series``: both together as they
would be, months numbered by ``rank``. ``compared``: each delivered figure beside its past and future, in
whatever geography they are told. ``places``: what is the same territory from one geography to another;
``residents``: the last known population of each.
``expected``, ``variables``, ``sums``, ``ratios``: what the declarations say. ``columns``, ``oddities``:
facts about the files; ``former``: columns of accepted ones that their contracts ignore.
"""

from collections.abc import Iterable, Sequence

import duckdb
import pandas as pd

from odds_pipeline.declarations.feed import Variable
from odds_pipeline.declarations.project import FeedEntry, Project
from odds_pipeline.declarations.units import Unit
from odds_pipeline.quality.waiting import Waiting
from odds_pipeline.storage.sql import read_sql

OF_FEEDS = (
    "delivery accepted former series compared expected variables sums ratios columns oddities".split()
)
TEXT = (
    "feed variable month territory level departement place part_of detail obs_status conf_status total "
    "part indicator side column_name kind counts name"
).split()
_SERIES = read_sql(__file__, "series")


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Text columns as text even when they hold nothing, so that queries can join them."""
    return frame.astype({name: "string" for name in TEXT if name in frame.columns})


def keep(connection: duckdb.DuckDBPyConnection, name: str, frame: pd.DataFrame) -> None:
    """Make a table of a frame, copied once: scanning a pandas frame costs more than the query on it."""
    connection.register("frame", typed(frame))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM frame")
    connection.unregister("frame")


def delivery_table(project: Project, waiting: Sequence[Waiting]) -> pd.DataFrame:
    """What was read, with what rules need beside each figure: bounds, part-of, known territory."""
    frame = pd.concat([one.reading.frame.assign(feed=one.feed) for one in waiting], ignore_index=True)
    entries = [project.feeds[feed] for feed in dict.fromkeys(one.feed for one in waiting)]
    facts = pd.DataFrame(
        [
            (
                entry.variable_id(name),
                _least(project.units[v.unit], v),
                project.units[v.unit].maximum,
                entry.variable_id(v.part_of) if v.part_of else None,
            )
            for entry in entries
            for name, v in entry.feed.variables.items()
        ],
        columns=["variable", "minimum", "maximum", "part_of"],
    ).astype({"minimum": "float64", "maximum": "float64"})
    frame = frame.astype({"geography": "int64"}).merge(facts, on="variable", how="left")
    frame["perimeter"] = frame["feed"].map({e.id: _perimeter(e) for e in entries})
    known = pd.DataFrame(
        [
            (perimeter, t.code, t.level, t.geography, True)
            for perimeter, territories in {
                _perimeter(e): project.territories_of(e) for e in entries
            }.items()
            for t in territories.all
        ],
        columns=["perimeter", "territory", "level", "geography", "known_territory"],
    )
    frame = frame.merge(known, on=["perimeter", "territory", "level", "geography"], how="left")
    frame["known_territory"] = frame["known_territory"].notna()
    return typed(frame.drop(columns="perimeter"))


def _least(unit: Unit, variable: Variable) -> float | None:
    """The least that a figure can be: zero, unless its variable says that it may be below."""
    return unit.minimum if variable.signed else max(unit.minimum or 0.0, 0.0)


def _perimeter(entry: FeedEntry) -> str:
    return "|".join(entry.partner.perimeter)


def _expected(project: Project, entries: Iterable[FeedEntry]) -> pd.DataFrame:
    """Communes that a complete feed must hold in each geography; none for the other feeds."""
    communes = [
        (entry.id, t.code, geography, t.departement)
        for entry in entries
        if entry.feed.complete
        for geography in project.territories_of(entry).geographies
        for t in project.territories_of(entry).communes(geography)
    ]
    table = pd.DataFrame(communes, columns=["feed", "territory", "geography", "departement"])
    return table.astype({"geography": "int64"})


def _variables(project: Project, entries: Iterable[FeedEntry]) -> pd.DataFrame:
    """Unit kind, scale, what it counts, aggregation and step of rounding of each variable."""
    return pd.DataFrame(
        [
            (
                entry.id,
                entry.variable_id(name),
                project.units[v.unit].kind,
                project.units[v.unit].scale,
                project.units[v.unit].counts,
                v.aggregation,
                v.rounded_to or entry.secrecy.rounding or 1,
            )
            for entry in entries
            for name, v in entry.feed.variables.items()
        ],
        columns=["feed", "variable", "kind", "scale", "counts", "aggregation", "step"],
    )


def _sums(entries: Iterable[FeedEntry]) -> pd.DataFrame:
    """Totals and the parts that add up to them; ``way`` numbers the ways of one contract."""
    rows = [
        (entry.id, entry.variable_id(total), way, entry.variable_id(part))
        for entry in entries
        for way, (total, parts) in enumerate(entry.feed.partitions)
        for part in parts
    ]
    return pd.DataFrame(rows, columns=["feed", "total", "way", "part"]).astype({"way": "int64"})


def ratios(project: Project) -> pd.DataFrame:
    """Terms of the shares (unit of at most 100 %) whose figures all come from one feed, same month."""
    rows = []
    for one in project.indicators.values():
        unit, formula = project.units[one.indicator.unit], one.indicator.parsed
        feeds = {project.variables[v][0].id for v in formula.variables}
        share = unit.kind == "proportion" and unit.maximum == unit.scale
        if (
            len(feeds) == 1
            and share
            and formula.simple
            and formula.denominator
            and all(t.key == t.variable for t in formula.terms)
        ):
            rows += [(*feeds, one.id, t.side, t.variable, t.coefficient) for t in formula.terms]
    frame = pd.DataFrame(rows, columns=["feed", "indicator", "side", "variable", "coefficient"])
    return frame.astype({"coefficient": "float64"})


def _columns(waiting: Sequence[Waiting]) -> pd.DataFrame:
    """Header cells that the contract does not speak of."""
    rows = [
        (one.feed, month, name)
        for one in waiting
        for month in one.reading.months
        for name in one.reading.unknown_columns
    ]
    return pd.DataFrame(rows, columns=["feed", "month", "column_name"])


def _oddities(waiting: Sequence[Waiting]) -> pd.DataFrame:
    rows = [
        (one.feed, month, line, kind, detail)
        for one in waiting
        for month in one.reading.months
        for line, kind, detail in one.reading.oddities
    ]
    columns = ["feed", "month", "line", "kind", "detail"]
    return pd.DataFrame(rows, columns=columns).astype({"line": "int64"})


def _place(key: tuple[str, int]) -> str:
    return f"{key[0]}@{key[1]}"


def _places(project: Project) -> pd.DataFrame:
    """The place of each territory: the same in every geography that did not change it."""
    rows = [(*key, _place(place)) for key, place in project.territories.places.items()]
    return pd.DataFrame(rows, columns=["territory", "geography", "place"])


def _mergers(project: Project) -> pd.DataFrame:
    """The communes of each earlier geography that make a merged one, and how many they are."""
    territories = project.territories
    older = dict(zip(territories.geographies[1:], territories.geographies, strict=False))
    into = {(year - 1, source): target for year, source, target in territories.mergers}
    made: dict[tuple[str, int], dict[int, set[str]]] = {}
    for newer, before in older.items():
        for t in territories.communes(before):
            whole, own = (into.get((before, t.code), t.code), newer), made.get((t.code, before), {})
            parts = made.setdefault(whole, {})
            for geography, codes in {before: {t.code}, **own}.items():
                parts.setdefault(geography, set()).update(codes)
    rows = [
        (code, geography, _place(territories.places[whole]), len(codes))
        for whole, parts in made.items()
        for geography, codes in parts.items()
        for code in codes
        if len(codes) > 1 and whole in territories.places
    ]
    return pd.DataFrame(rows, columns=["territory", "geography", "place", "parts"])


NOBODY = pd.DataFrame(columns=["territory", "geography", "population"])


def keep_past(
    connection: duckdb.DuckDBPyConnection,
    accepted: pd.DataFrame,
    former: pd.DataFrame,
    population: pd.DataFrame = NOBODY,
) -> None:
    """What was accepted of the feeds that are going to be audited, and who lives where."""
    keep(connection, "accepted", accepted)
    keep(connection, "former", former)
    numbers = {"geography": "int64", "population": "float64"}
    keep(connection, "population", population.astype(numbers))


def keep_declared(
    connection: duckdb.DuckDBPyConnection, project: Project, entries: Sequence[FeedEntry]
) -> None:
    """What the declarations say of the feeds that are going to be audited."""
    keep(connection, "expected", _expected(project, entries))
    keep(connection, "variables", _variables(project, entries))
    keep(connection, "sums", _sums(entries))
    keep(connection, "ratios", ratios(project))
    keep(connection, "places", _places(project))
    keep(connection, "mergers", _mergers(project))


def keep_delivered(
    connection: duckdb.DuckDBPyConnection, delivery: pd.DataFrame, waiting: Sequence[Waiting]
) -> None:
    """What is audited, and the same beside what was accepted."""
    keep(connection, "read", delivery)
    keep(connection, "delivered_columns", _columns(waiting))
    keep(connection, "oddities", _oddities(waiting))
    connection.execute(_SERIES)
