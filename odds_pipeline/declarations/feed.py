"""A feed contract: how one kind of file from one partner becomes variables.

A contract holds several *formats*, one per vintage of the partner's file. A format names columns;
``{yyyy}`` and ``{yy}`` in a column name stand for the reference year (``{yy-1}`` for the one before),
so that one format covers a column renamed each year. A column that has had several names lists them all.
"""

import re
from typing import Literal, get_args

from pydantic import ConfigDict, Field, field_validator, model_validator

from odds_pipeline.declarations.access import Access
from odds_pipeline.declarations.base import Declaration, Month, Name, Sentence
from odds_pipeline.declarations.calendar import Calendar
from odds_pipeline.declarations.portal import Origin
from odds_pipeline.declarations.secrecy import Secrecy

Level = Literal[
    "commune",
    "ept",
    "epci",
    "arrondissement",
    "departement",
    "region",
    "metropole",
    "zone_emploi",
    "france",
    "iris",
    "qpv_2015",
    "qpv_2024",
]
LEVELS: tuple[Level, ...] = get_args(Level)
NEIGHBOURHOODS: tuple[Level, ...] = ("iris", "qpv_2015", "qpv_2024")
"""Levels under the commune: their rows are kept besides being added up (``rows``)."""
Reduction = Literal["sum", "mean", "count", "same"]
Mark = Literal["secret", "not_available", "not_concerned", "absent"]


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


def _check_example(what: str, example: str | None, patterns: list[str]) -> None:
    if patterns and example is None:
        raise ValueError(f"a pattern looks for the {what}: say what it finds, `example: {{{what}: …}}`")
    for pattern in patterns:
        if not re.search(pattern, example or "", re.IGNORECASE):
            raise ValueError(f"`example`: the {what} {example!r} is not found by {pattern!r}")


class Break(Declaration):
    """From ``month`` on, values do not compare with earlier ones; ``source`` says who tells it."""

    month: Month
    reason: Sentence
    source: Sentence | None = None


class FeedBreak(Break):
    """A break of some variables of the feed, or of all of them when none is named.

    Every indicator that reads one of them has the break too.
    """

    source: Sentence
    variables: list[Name] = []


class Independence(Declaration):
    """From the reference year ``since`` on, ``years`` lie between two vintages that share no survey."""

    since: int = Field(ge=1968, le=2100)
    years: int = Field(ge=1)


class Variable(Declaration):
    """A raw figure as delivered.

    ``aggregation``: ``sum`` adds up over territories; ``none`` (median, decile, Gini) is taken as
    delivered for each level; a variable name means the mean weighted by that variable.
    ``part_of``: a total of the same feed that this figure can never exceed. ``counted_by``: the count
    of the units an amount, a mean or a median is about, which makes it secret when it is itself.
    ``largest``: the variables that hold the largest contributions to this figure, in order.
    ``signed``: it may be below zero (a balance, a tax net of what is given back); no other may.
    """

    label: Sentence
    unit: Name
    aggregation: str = "sum"
    part_of: Name | None = None
    counted_by: Name | None = None
    largest: list[Name] = []
    rounded_to: int | None = Field(default=None, ge=2)
    signed: bool = False
    note: str | None = None


class Column(Declaration):
    """Where a variable is found in a row: names in order of preference, rows that count.

    ``where`` keeps the rows whose column holds the given text. ``reduce`` says how several rows of
    one territory make one figure (IRIS of a commune, schools of a commune); ``same`` is a figure of
    the territory itself, written on each of its rows, which a row of several territories does not
    tell. ``weight`` names the column that weighs a mean; a file without it gives a plain mean.
    """

    name: str | list[str]
    plus: list[str] = Field(default=[], description="further columns whose figures are added")
    where: dict[str, str | list[str]] = {}
    optional: bool = False
    reduce: Reduction | None = None
    weight: str | None = None

    @property
    def names(self) -> list[str]:
        return [self.name] if isinstance(self.name, str) else self.name


class TerritoryKey(Declaration):
    """The columns whose text, put end to end, is the territory code.

    ``level`` is stated, never guessed (code 93 is a département and another region). ``by: label``
    reads a commune's name instead of its code. ``nomenclature`` names a table of
    ``resources/reference/nomenclatures`` that gives the territory of a finer code.
    """

    columns: list[str] = Field(min_length=1)
    level: Level | dict[str, Level] = "commune"
    by: Literal["code", "label"] = "code"
    prefix: int | None = Field(default=None, ge=2, description="keep the first characters only")
    nomenclature: Name | None = None
    widths: list[int] = Field(
        default=[], description="characters of each column's text: zeros put back before, cut after"
    )
    fixed: str | None = Field(default=None, description="code of the one territory of the file")
    also: list[Level] = Field(
        default=[],
        description="levels to sum the rows to, besides level; france, with the région and the "
        "métropole that go beyond the perimeter, when every commune of theirs has its row",
    )
    where: dict[str, str | list[str]] = Field(
        default={}, description="rows that the key is for, in a file that holds several levels"
    )
    rows: Level | None = Field(
        default=None,
        description="level of the rows themselves, which are kept besides what they add up to",
    )
    perimeter_only: bool = Field(
        default=True, description="rows of other départements are left out and counted"
    )


class Period(Declaration):
    """Where the reference month is read: groups ``year``/``yy``, ``month``, ``quarter``, ``mois``.

    Each pattern is a regular expression searched in the file name (or, when it tells nothing, in the
    vintage of its origin and the name of its folder), in the lines above the header, in the header or
    in a column.
    What no pattern gives comes from the calendar's ``month``.
    """

    model_config = ConfigDict(
        json_schema_extra={"dependentRequired": {"column": ["pattern"], "pattern": ["column"]}}
    )

    file: str | None = None
    title: str | None = None
    header: str | None = None
    column: str | None = None
    pattern: str | None = None
    fixed: Month | None = None
    year_shift: int = Field(default=0, ge=-3, le=3)

    _compiles = field_validator("file", "title", "header", "pattern")(
        lambda value: value if value is None else _compiles(value)
    )

    @model_validator(mode="after")
    def _column_with_pattern(self) -> "Period":
        if (self.column is None) != (self.pattern is None):
            raise ValueError("`column` and `pattern` go together")
        return self


class Unpivot(Declaration):
    """Columns that are months or years: one figure per row and matching column.

    ``variable``: what the figures are; a list when several contracts define it, a mapping by the text
    of the pattern's group ``variable`` when the columns are of several. ``times``: what a figure is
    multiplied by, 1000 for a table in thousands.
    """

    columns: str
    variable: Name | list[Name] | dict[str, Name]
    times: int = Field(default=1, ge=1)

    _compiles = field_validator("columns")(_compiles)

    def variables_of(self, groups: dict[str, str]) -> list[Name]:
        """The variables that a column is for, by what the pattern finds in its name."""
        if isinstance(self.variable, dict):
            return [v for k, v in self.variable.items() if k.casefold() == groups["variable"].casefold()]
        return [self.variable] if isinstance(self.variable, str) else self.variable

    @property
    def variables(self) -> list[Name]:
        if isinstance(self.variable, dict):
            return list(self.variable.values())
        return [self.variable] if isinstance(self.variable, str) else self.variable


_EXAMPLES = (
    ("file", "", "file"),
    ("sheet", "", "sheet"),
    ("unpivot", "", "column"),
    ("period", "file", "file"),
    ("period", "header", "column"),
    ("period", "pattern", "cell"),
)
"""Keys of a format whose pattern needs an example, and of what."""


class Example(Declaration):
    """What the partner writes where a format's patterns look: for a person, who reads no pattern."""

    file: str | None = None
    sheet: str | None = None
    column: str | None = None
    cell: str | None = None


class Format(Declaration):
    """One layout of the file. ``file`` is a pattern that the file name must match, if given."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                {
                    "if": {
                        "required": [key],
                        **({"properties": {key: {"required": [of]}}} if of else {}),
                    },
                    "then": {"required": ["example"], "properties": {"example": {"required": [what]}}},
                }
                for key, of, what in _EXAMPLES
            ]
        }
    )

    id: Name
    file: str | None = None
    sheet: str | None = None
    example: Example = Field(
        default=Example(),
        description="a name of the file, a sheet, a column, a cell of the period: one for each pattern",
    )
    territory: TerritoryKey
    wider: list[TerritoryKey] = Field(
        default=[], description="keys of the rows that are for other levels, each with its `where`"
    )
    period: Period
    geography: int | None = Field(default=None, ge=1968, le=2100)
    decimal: Literal[",", "."] = ","
    blank: Mark = "absent"
    marks: dict[str, Mark] = {}
    where: dict[str, str | list[str]] = {}
    ignore: dict[str, list[str]] = {}
    requires: list[str] = Field(default=[], description="further columns the header must hold")
    columns: dict[Name, Column] = {}
    unpivot: Unpivot | None = None
    short_lines: bool = Field(
        default=False, description="lines may stop before the last columns, which are then blank"
    )
    inherits_columns: bool = Field(default=True, description="start from the contract's columns")
    provisional_after: str | None = Field(
        default=None, description="months after this one are provisional (last year incomplete)"
    )
    headless: bool = Field(
        default=False, description="the file has no header: its columns are called #1, #2 and on"
    )
    grouped: bool = Field(
        default=False,
        description="the row above the header names groups: a column is called `group / name`",
    )
    status: dict[str, dict[str, Mark]] = Field(
        default={}, description="columns that say of some rows why they have no figure, by their text"
    )

    _compiles = field_validator("file", "sheet")(
        lambda value: value if value is None else _compiles(value)
    )

    @field_validator("columns", mode="before")
    @classmethod
    def _short_columns(cls, value: object) -> object:
        return short_columns(value)

    @model_validator(mode="after")
    def _examples_are_found(self) -> "Format":
        patterns = {
            "file": (self.file, self.period.file),
            "sheet": (self.sheet,),
            "column": (self.unpivot.columns if self.unpivot else self.period.header,),
            "cell": (self.period.pattern,),
        }
        for what, given in patterns.items():
            _check_example(what, getattr(self.example, what), [one for one in given if one])
        return self

    @model_validator(mode="after")
    def _headless_by_name(self) -> "Format":
        if self.headless and self.file is None:
            raise ValueError("`headless` needs `file`: without titles, only its name tells the file")
        return self


def short_columns(value: object) -> object:
    """A column may be written as its name, or as the list of its names."""
    if not isinstance(value, dict):
        return value
    return {k: {"name": v} if isinstance(v, str | list) else v for k, v in value.items()}


class Feed(Declaration):
    """``assets/partners/<partner>/<id>.yaml``.

    ``kind: template`` is a layout of the observatory's own, for files that are not public;
    ``documented`` a public file known by its documentation, whose bytes have not been met yet.
    """

    id: Name
    label: Sentence
    description: Sentence
    kind: Literal["public", "documented", "template"]
    source: Sentence
    owner: Sentence
    calendar: Calendar
    levels: list[Level] = Field(min_length=1)
    complete: bool = Field(
        default=True, description="every commune is expected; false: some are legitimately absent"
    )
    exhaustive: bool = Field(
        default=False,
        description="every case has its row: a territory of the file that has no row of a kind has none",
    )
    survey_years: int | None = Field(
        default=None,
        ge=1,
        description="figures are estimates from surveys of that many years: counts bear no "
        "confidence interval, and two months compare only when they share none of them",
    )
    independent_after: list[Independence] = Field(
        default=[], description="reference years from which that is not survey_years"
    )
    beside: list[Name] = Field(
        default=[], description="contracts of the same partner that read other columns of its files"
    )
    origins: list[Origin] = Field(default=[], description="where its files are published")
    access: Access | None = Field(default=None, description="who may read; the partner's by default")
    secrecy: Secrecy | None = None
    variables: dict[Name, Variable] = {}
    sources: list[Name] = Field(
        default=[],
        description="contracts of the same partner that also deliver some of these variables, in order "
        "of preference after this one",
    )
    breaks: list[FeedBreak] = []
    sums: dict[Name, list[Name] | list[list[Name]]] = Field(
        default={},
        description="parts that add up to a total, but for rounding; a list of lists for several ways",
    )
    columns: dict[Name, Column] = {}
    formats: list[Format] = Field(min_length=1)
    notes: list[str] = []

    @field_validator("columns", mode="before")
    @classmethod
    def _short_columns(cls, value: object) -> object:
        return short_columns(value)

    def columns_of(self, fmt: Format) -> dict[str, Column]:
        """The format's columns over the contract's common ones."""
        if fmt.unpivot is not None:
            return {}
        inherited = self.columns if fmt.inherits_columns else {}
        return {**inherited, **fmt.columns}

    @property
    def years_apart(self) -> dict[int, int]:
        """From a reference year on, fewest years between two months that compare."""
        return {0: self.survey_years or 1} | {i.since: i.years for i in self.independent_after}

    def breaks_of(self, variable: str) -> list[FeedBreak]:
        return [b for b in self.breaks if not b.variables or variable in b.variables]

    @property
    def delivered(self) -> set[str]:
        """Names of the variables that some format has a column for."""
        spread = {v for fmt in self.formats if fmt.unpivot for v in fmt.unpivot.variables}
        return spread.union(*(self.columns_of(fmt) for fmt in self.formats))

    @property
    def names(self) -> set[str]:
        return set(self.variables)

    @property
    def partitions(self) -> list[tuple[str, tuple[str, ...]]]:
        """Each total of ``sums`` with the parts that add up to it, once for each way."""
        found = []
        for total, ways in self.sums.items():
            flat = tuple(name for name in ways if isinstance(name, str))
            several = [tuple(way) for way in ways if isinstance(way, list)]
            found += [(total, way) for way in ([flat] if flat else several)]
        return found
