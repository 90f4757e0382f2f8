"""Reads a recognised table into observations: one row per variable, territory and month.

Numbers, secret marks and blanks stay apart; what cannot be read keeps its text in ``unreadable``
and is left to the gate to refuse. Rows finer than a commune (IRIS, schools, neighbourhoods) are
reduced, and kept besides where the contract says of which level they are; a sum over a secret row is
not a figure: it is secret, with a lower bound.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import duckdb
import pandas as pd

from odds_pipeline.declarations.feed import Format, Mark
from odds_pipeline.declarations.project import Project
from odds_pipeline.reception.astride import by_difference
from odds_pipeline.reception.cells import ABSENT, Cells
from odds_pipeline.reception.geographies import ambiguous, geography_of
from odds_pipeline.reception.headers import (
    columns_read,
    other_scale,
    repeated_columns,
    unknown_columns,
    unread_periods,
)
from odds_pipeline.reception.matching import Match
from odds_pipeline.reception.notations import MANY, common_cause
from odds_pipeline.reception.totals import TOTAL, unlike_their_sum
from odds_pipeline.storage.scratch import scratch
from odds_pipeline.storage.sql import first, read_sql

COLUMNS = (
    "variable territory level geography month value obs_status conf_status lower_bound line lines "
    "raw unreadable"
).split()

STATUS = {
    "secret": ("Q", "C"),
    "not_available": ("L", "F"),
    "not_concerned": ("M", "F"),
    "absent": ("O", "F"),
}
"""SDMX OBS_STATUS and CONF_STATUS of each kind of cell without a figure."""

_EXACT = 2**53
"""Whole numbers from here on are not all doubles: a longer one is a code, or lost its last digits."""

_NUMBER = r"[-+]?(\d{1,3}([ \x{00A0}\x{202F}]\d{3})+|\d+)(DECIMAL\d+)?([eE][-+]\d+)?[ \x{00A0}]?%?"

_RAW = ["variable", "territory", "level", "month", "reduce", "line", "raw", "weight"]

_PARSE, _REDUCE = read_sql(__file__, "parse"), read_sql(__file__, "reduce")

_OTHER_MARK = read_sql(__file__, "mark")

_PATTERN = {",": ",", ".": r"\."}


@dataclass(frozen=True)
class Reading:
    """``frame`` has the columns :data:`COLUMNS`; ``ignored`` counts rows outside the perimeter.

    ``problems`` are facts about rows that no cell holds (a line too short, a month unreadable),
    each with its line, in French. ``columns`` gives each variable's column as the file names it.
    ``doubt`` says what the contract leaves untold, which is ours to mend. ``notation`` says why nearly
    all the unreadable cells are so, when they are many; ``decimal`` is the mark of the format.
    ``idle`` are corrections meant for this delivery that found nothing in it. ``oddities`` are lines
    that look damaged, are of no territory of ours, are not shown, or not read: line, kind (caractère,
    répétée, quartier, masquée, coupée, modalité, période), what is seen.
    """

    frame: pd.DataFrame
    months: tuple[str, ...]
    geography: int
    ignored: int
    problems: tuple[tuple[int, str], ...]
    unknown_columns: tuple[str, ...]
    columns: dict[str, str]
    oddities: tuple[tuple[int, str, str], ...] = ()
    idle: tuple[str, ...] = ()
    notation: str | None = None
    doubt: str | None = None
    decimal: str = ","


def read(project: Project, match: Match) -> Reading:
    """Read the table into a frame; raises nothing on bad content, which the gate will refuse."""
    fmt, cells = match.format, Cells(project, match)
    frame = by_difference(_of_delivered_months(fmt, _observations(project, match, list(cells))))
    territories, columns = cells.places.territories, columns_read(match)
    if cells.national:
        complete = cells.national.complete(max(frame["month"].dropna(), default=None))
        frame = frame[~frame["territory"].isin(cells.national.levels.keys() - complete)]
    unlike = unlike_their_sum(match.entry, territories, frame, columns, partial=cells.ignored > 0)
    frame = frame[frame["level"] != TOTAL].copy()
    months = tuple(sorted(m for m in frame["month"].dropna().unique()))
    communes = {str(c) for c in frame.loc[frame["level"] == "commune", "territory"]}
    last = months[-1] if months else "2024-01"
    geography = geography_of(communes, last, fmt, territories)
    frame["geography"] = geography
    if fmt.provisional_after and not frame.empty:
        late = (frame["month"] > fmt.provisional_after) & (frame["obs_status"] == "A")
        frame.loc[late, "obs_status"] = "P"
    unknown = unknown_columns(match)
    return Reading(
        frame[COLUMNS].reset_index(drop=True),
        months,
        geography,
        cells.ignored,
        (*other_scale(match), *repeated_columns(match), *cells.rows.problems, *unlike),
        unknown,
        columns,
        (*cells.oddities, *cells.repeated(), *unread_periods(match, unknown)),
        notation=common_cause(list(frame["unreadable"].dropna()), fmt.decimal),
        decimal=fmt.decimal,
        doubt=ambiguous(communes, last, fmt, project.territories),
    )


def _observations(project: Project, match: Match, cells: list[tuple[object, ...]]) -> pd.DataFrame:
    """What the cells say, reduced to one row per variable, territory and month."""
    if not cells:
        return pd.DataFrame(columns=COLUMNS)
    raw = pd.DataFrame(cells, columns=_RAW, dtype=object).astype({"line": "int64", "weight": "string"})
    with scratch() as connection:
        connection.register("raw_cells", raw)
        connection.register("marks", _marks(match.format))
        decimal = _decimal(connection, match.format.decimal)
        given = {
            "number": _NUMBER.replace("DECIMAL", _PATTERN[decimal]),
            "decimal": decimal,
            "exact": _EXACT,
            "percents": _percents(project, match),
        }
        connection.execute(_PARSE, given)
        return connection.execute(_REDUCE, {"signed": _signed(match)}).df()


def _decimal(connection: duckdb.DuckDBPyConnection, declared: Literal[",", "."]) -> str:
    """The decimal mark of the cells: the format's, or the other one where no cell leaves a doubt."""
    other = "." if declared == "," else ","
    given = {"own": _PATTERN[declared], "other": _PATTERN[other], "many": MANY}
    found = first(connection, _OTHER_MARK, given)
    return other if found and found[0] else declared


def _of_delivered_months(fmt: Format, frame: pd.DataFrame) -> pd.DataFrame:
    """Figures at their unit; columns of months to come are blank: such a month is not delivered."""
    if fmt.unpivot is None or frame.empty:
        return frame
    frame[["value", "lower_bound"]] = frame[["value", "lower_bound"]] * fmt.unpivot.times
    return frame[frame.groupby("month")["raw"].transform(lambda raw: raw.str.strip().ne("").any())]


def _marks(fmt: Format) -> pd.DataFrame:
    # `< 5` is `<5`, and `n d` is `nd`: spaces in a mark tell nothing.
    marks = {"".join(mark.casefold().split()): kind for mark, kind in fmt.marks.items()}
    marks.setdefault("", fmt.blank)
    marks[ABSENT] = "absent"
    marks |= {f"{ABSENT}{kind}": kind for kind in get_args(Mark)}
    rows = [(mark, *STATUS[kind]) for mark, kind in marks.items()]
    return pd.DataFrame(rows, columns=["mark", "obs_status", "conf_status"])


def _percents(project: Project, match: Match) -> list[str]:
    """Variables that may be written with %: of others, 12 % is not twelve."""
    entry = match.entry
    variables = entry.feed.variables.items()
    return [entry.variable_id(name) for name, v in variables if project.units[v.unit].scale == 100]


def _signed(match: Match) -> list[str]:
    """Variables that may be below zero: of others, a negative row is not hidden in a sum."""
    entry = match.entry
    return [entry.variable_id(name) for name, v in entry.feed.variables.items() if v.signed]
