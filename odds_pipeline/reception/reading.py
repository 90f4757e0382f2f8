"""Reads a recognised table into observations: one row per variable, territory and month.

Numbers, secret marks and blanks stay apart; what cannot be read keeps its text in ``unreadable``
and is left to the gate to refuse. Rows finer than a commune (IRIS, schools, neighbourhoods) are
reduced here, and kept besides where the contract says of which level they are; a sum over a secret
row is not a figure: it is secret, with a lower bound.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from os.path import commonprefix
from typing import get_args

import pandas as pd

from odds_pipeline.declarations.feed import NEIGHBOURHOODS, Column, Format, Level, Mark, TerritoryKey
from odds_pipeline.declarations.project import Project
from odds_pipeline.french import LEVELS
from odds_pipeline.geography.territories import Territories, plain
from odds_pipeline.months import year_of
from odds_pipeline.reception.clock import check
from odds_pipeline.reception.codes import full_length, is_code
from odds_pipeline.reception.national import National
from odds_pipeline.reception.nomenclatures import nomenclature
from odds_pipeline.reception.notations import common_cause
from odds_pipeline.reception.periods import groups_of, month_of
from odds_pipeline.reception.recognition import Match, territory_text, text
from odds_pipeline.reception.tables import Cell
from odds_pipeline.reception.totals import TOTAL, says_total, unlike_their_sum, wholes
from odds_pipeline.storage.scratch import scratch

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

RawCell = tuple[str, str, str, str | None, str | None, int, str, str | None]

_EXACT = 2**53
"""Whole numbers from here on are not all doubles: a longer one is a code, or lost its last digits."""

_NUMBER = r"-?(\d{1,3}([ \x{00A0}\x{202F}]\d{3})+|\d+)(DECIMAL\d+)?([eE][-+]\d+)?[ \x{00A0}]?%?"

_PARSE = r"""
WITH cells AS (
    SELECT *, trim(replace(replace(raw, chr(160), ' '), chr(8239), ' ')) AS shown FROM raw_cells
), marked AS (
    SELECT c.*, m.obs_status AS mark_obs, m.conf_status AS mark_conf,
        CASE WHEN mark_obs IS NULL AND regexp_full_match(shown, $number)
                  AND (NOT suffix(shown, '%') OR list_contains($percents, variable))
             THEN TRY_CAST(replace(regexp_replace(shown, '[ %]', '', 'g'), $decimal, '.') AS DOUBLE)
        END AS number,
        -- A spreadsheet shows 123 457 as 1,23E+05: digits are lost. Programs write e, and all digits.
        TRY_CAST(regexp_extract(shown, 'E\+?(\d+)', 1) AS INTEGER)
            > length(regexp_extract(shown, '[.,](\d+)E', 1)) AS cut
    FROM cells c LEFT JOIN marks m ON lower(c.shown) = m.mark
), numbers AS (
    SELECT *, abs(number) < $exact AND coalesce(NOT cut, true) AS whole FROM marked
)
SELECT variable, territory, level, month, reduce, line, raw, weight IS NOT NULL AS weighted,
    CASE WHEN regexp_full_match(trim(weight), $number) THEN TRY_CAST(replace(regexp_replace(
             weight, '[ %\x{00A0}\x{202F}]', '', 'g'), $decimal, '.') AS DOUBLE) END AS weight,
    CASE WHEN whole THEN number END AS value,
    coalesce(mark_obs, 'A') AS obs_status,
    coalesce(mark_conf, 'F') AS conf_status,
    CASE WHEN mark_obs IS NULL AND whole IS NOT TRUE THEN raw END AS unreadable
FROM numbers
"""

_REDUCE = """
SELECT variable, territory, level, month,
    CASE WHEN bool_or(conf_status <> 'F') OR (reduce = 'sum' AND bool_or(obs_status <> 'A')) THEN NULL
         WHEN reduce = 'sum' THEN sum(value)
         WHEN reduce = 'mean' AND NOT bool_or(weighted) THEN avg(value)
         WHEN reduce = 'mean' AND NOT UNWEIGHED THEN sum(value * weight) / nullif(sum(weight), 0)
         WHEN reduce = 'same' AND count(DISTINCT value) = 1 THEN any_value(value)
         WHEN reduce = 'count' THEN count(value) END AS value,
    CASE WHEN bool_or(conf_status <> 'F') THEN 'Q'
         WHEN reduce IN ('sum', 'same') AND bool_or(obs_status <> 'A') THEN max(obs_status)
         WHEN reduce = 'mean' AND count(value) = 0 THEN max(obs_status)
         WHEN reduce = 'mean' AND bool_or(weighted) AND UNWEIGHED THEN 'L'
         ELSE 'A' END AS obs_status,
    CASE WHEN bool_or(conf_status <> 'F') THEN 'C' ELSE 'F' END AS conf_status,
    CASE WHEN reduce = 'sum' AND bool_or(obs_status <> 'A' OR conf_status <> 'F') AND min(value) >= 0
         THEN sum(value) END AS lower_bound,
    min(line) AS line, count(*) AS lines, any_value(raw) AS raw,
    coalesce(max(unreadable),
        CASE WHEN min(value) < 0 AND NOT list_contains($signed, variable)
             THEN 'une ligne a ' || min(value) END,
        CASE WHEN reduce = 'same' AND count(DISTINCT value) > 1
             THEN 'selon la ligne : ' || min(value) || ' ou ' || max(value) END) AS unreadable
FROM parsed WHERE reduce IS NOT NULL GROUP BY variable, territory, level, month, reduce
UNION ALL
SELECT variable, territory, level, month, value, obs_status, conf_status, NULL, line, 1, raw, unreadable
FROM parsed WHERE reduce IS NULL
""".replace("UNWEIGHED", "bool_or(value IS NOT NULL AND weight IS NULL)")


@dataclass(frozen=True)
class Reading:
    """``frame`` has the columns :data:`COLUMNS`; ``ignored`` counts rows outside the perimeter.

    ``problems`` are facts about rows that no cell holds (a line too short, a month unreadable),
    each with its line, in French. ``columns`` gives each variable's column as the file names it.
    ``doubt`` says what the contract leaves untold, which is ours to mend. ``notation`` says why nearly
    all the unreadable cells are so, when they are many; ``decimal`` is the mark of the format.
    ``idle`` are corrections meant for this delivery that found nothing in it. ``oddities`` are lines
    that look damaged, or are of no territory of ours: line, kind (caractère, répétée, quartier), what
    is seen.
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


def _texts(wanted: str | list[str]) -> set[str]:
    return {plain(wanted)} if isinstance(wanted, str) else {plain(w) for w in wanted}


def _added(column: Column) -> list[Column]:
    """The column alone, or with those that are added to it: figures of one row, then summed."""
    if not column.plus:
        return [column]
    names: list[str | list[str]] = [column.name, *column.plus]
    return [column.model_copy(update={"name": n, "reduce": "sum", "plus": []}) for n in names]


@dataclass
class _Reader:
    """The state of one reading: which rows count, and what they say."""

    project: Project
    match: Match

    def __post_init__(self) -> None:
        fmt = self.match.format
        self.level: Level = self.match.level
        self.finer = (
            nomenclature(self.project.root, fmt.territory.nomenclature)
            if fmt.territory.nomenclature
            else None
        )
        self.problems: list[tuple[int, str]] = []
        self.oddities: list[tuple[int, str, str]] = []
        self.lines: dict[tuple[Cell, ...], list[int]] = {}
        self.ignored = 0
        self.wholes = wholes(self.territories)
        self.wholes_read: set[str] = set()
        self.communes = {plain(t.label) for t in self.territories.all if t.level == "commune"}
        columns = self.match.entry.feed.columns_of(fmt).values()
        # A territory has a row for each period or kind of figure, and not one row.
        self.long = fmt.period.column is not None or any(column.where for column in columns)
        self.national = National(self.project.root) if "france" in fmt.territory.also else None
        self.codes: dict[str, dict[str, str]] = {}
        rows = self.match.table.rows[self.match.header_row + 1 :]
        self.places = [territory_text(self.match, row, fmt.territory) for row in rows]
        self.end = len(rows)
        if (second := self._second_table(rows)) is not None:
            self.end = second
            line = self.match.table.lines[self.match.header_row + 1 + second]
            twice = "l'en-tête y revient, pour les mêmes territoires : ce sont deux tableaux"
            self.problems.append((line, twice))
        by_code = fmt.territory.by == "code" and not fmt.territory.fixed
        self.length = full_length(self.places, self.territories.departements) if by_code else None
        self.figure = re.compile(r"[-−]?\d[\d\s.,'’]*%?")

    def _second_table(self, rows: list[list[Cell]]) -> int | None:
        """Where the header comes again over places that were there once: a table of what else?

        Over other places, it is the header of another printed page.
        """
        header = [cell for cell in self.match.header if cell]
        for number, row in enumerate(rows):
            if [text(cell) for cell in row if text(cell)] == header:
                before = [place for place in self.places[:number] if place]
                again = set(before) & set(self.places[number + 1 :])
                return number if again and len(before) == len(set(before)) else None
        return None

    @property
    def territories(self) -> Territories:
        return self.project.territories_of(self.match.entry)

    def cell(self, row: list[Cell], position: int | None) -> str:
        if position is None or position >= len(row):
            return ""
        value = row[position]
        if isinstance(value, float):
            return text(value).replace(".", self.match.format.decimal)
        return text(value)

    def _kept(self, row: list[Cell], conditions: dict[str, str | list[str]]) -> bool:
        return all(
            plain(self.cell(row, self.match.position(name))) in _texts(wanted)
            for name, wanted in conditions.items()
        )

    def rows(self, figures: list[int]) -> Iterator[tuple[int, list[Cell], str, bool]]:
        """Data rows with their line, their place as written, and whether that is no territory.

        Titles, notes and rows the contract ignores are left out.
        """
        fmt = self.match.format
        width = len(self.match.header)
        while width and not self.match.header[width - 1]:
            width -= 1
        table = self.match.table
        start = self.match.header_row + 1
        given = zip(table.lines[start:], table.rows[start:], self.places, strict=True)
        for number, (line, row, place) in enumerate(islice(given, self.end)):
            if number % 10_000 == 0:
                check()
            filled = [cell for cell in row if text(cell)]
            if len(filled) == 1 and text(row[0]) and width > 2:
                continue  # a note under the table: one cell of text
            if self._ignored(row):
                if not place and (named := self._commune_in(row)):
                    self.problems.append((line, f"la ligne nomme {named} et n'a pas de code"))
                continue
            if not self._kept(row, fmt.where):
                continue
            aside = self.aside(place)
            if aside and not self.holds_number(row, figures):
                continue  # a note: no territory, no figure
            if (len(row) < width and not fmt.short_lines) or any(
                text(cell) for cell in row[len(self.match.header) :]
            ):
                self.problems.append((line, f"la ligne a {len(row)} cellules, l'en-tête {width}"))
            yield line, row, place, aside

    def _ignored(self, row: list[Cell]) -> bool:
        ignore = self.match.format.ignore.items()
        return any(self.cell(row, self.match.position(name)) in values for name, values in ignore)

    def _commune_in(self, row: list[Cell]) -> str | None:
        """The cell that is the name of a commune: a row that the contract ignores is not one's own."""
        return next((shown for cell in row if plain(shown := text(cell)) in self.communes), None)

    def key_of(self, row: list[Cell]) -> TerritoryKey | None:
        """The territory key that a row is read by; ``None`` for a row that no key is for."""
        fmt = self.match.format
        wider = next((key for key in fmt.wider if self._kept(row, key.where)), None)
        if wider is None:
            return fmt.territory if self._kept(row, fmt.territory.where) else None
        if wider.fixed in self.wholes_read:
            return None  # the same total again, under another table of the sheet
        if not self.long:
            self.wholes_read.add(wider.fixed or "")
        return wider

    def territory(self, shown: str, key: TerritoryKey, level: str) -> list[str]:
        """Territory codes of a place as written; none when it is outside the perimeter."""
        if key.fixed:
            return [key.fixed]
        if level == self.level and self.length == len(shown) + 1:
            shown = f"0{shown}"
        if self.finer is not None:
            # A code that starts like those of the table but is not in it is a fault, not an outsider.
            prefix = commonprefix(list(self.finer))  # noqa: RUF071  # characters are what is meant
            outside = not shown.startswith(prefix or " ")
            return [] if outside else self.finer.get(shown, [shown])
        if key.by == "label":
            return [self.territories.by_label.get(plain(shown), shown)]
        if level == "france":
            return [self.territories.france_codes.get(shown.upper(), shown)]
        if level != "commune":
            code = self._known(level).get(shown.lstrip("0"))
            return [code] if code else [] if key.perimeter_only else [shown]
        code = shown[: key.prefix] if key.prefix else shown
        inside = code.startswith(self.territories.departements)
        return [] if key.perimeter_only and len(code) == 5 and not inside and is_code(code) else [code]

    def _known(self, level: str) -> dict[str, str]:
        """Codes of a level by what a spreadsheet leaves of them, without the zeros they begin with."""
        if level not in self.codes:
            own = (t.code for t in self.territories.all if t.level == level)
            self.codes[level] = {code.lstrip("0"): code for code in own}
        return self.codes[level]

    def _is_near(self, place: str, level: str) -> bool:
        """Whether it begins as a neighbourhood of ours: by the same commune, or the same département."""
        return level in NEIGHBOURHOODS and any(place.startswith(code[:5]) for code in self._known(level))

    def _tell(self, place: str, level: str, line: int) -> None:
        """A neighbourhood that is not in the table of territories."""
        self.oddities.append((line, "quartier", f"{LEVELS[level]} {place}"))

    def _read_by(
        self, key: TerritoryKey | None, row: list[Cell], place: str, aside: bool
    ) -> tuple[str, list[str]]:
        """The level and the territory codes of a row."""
        if key is None:
            return self.level, []
        if key is not self.match.format.territory:
            level = str(key.level)
            return level, self.territory(territory_text(self.match, row, key), key, level)
        if aside:
            return TOTAL, [place]
        return self.level, self.territory(place, key, self.level)

    def aside(self, shown: str) -> bool:
        """Whether a place is no territory's: of a note, or of a total to be compared with the sum."""
        key = self.match.format.territory
        if self.level != "commune" or self.finer is not None or key.fixed:
            return False
        if key.by == "label":
            return plain(shown) not in self.territories.by_label and (
                not shown or says_total(shown) or plain(shown) in self.wholes
            )
        return not is_code(shown) or plain(shown) in self.wholes

    def holds_number(self, row: list[Cell], positions: list[int]) -> bool:
        """Whether a cell of figures is a number: a row of no territory without any is a note."""
        return any(self.figure.fullmatch(self.cell(row, p)) for p in positions)

    def month(self, row: list[Cell], line: int) -> str | None:
        fmt, calendar = self.match.format, self.match.entry.feed.calendar
        groups = dict(self.match.groups)
        if fmt.period.fixed:
            return fmt.period.fixed
        if fmt.period.column:
            shown = self.cell(row, self.match.position(fmt.period.column))
            found = groups_of(fmt.period.pattern, shown)
            if not found:
                self.problems.append((line, f"période illisible dans {fmt.period.column} : « {shown} »"))
                return None
            groups |= found
        return month_of(groups, calendar.month, fmt.period.year_shift)

    def cells(self) -> Iterator[RawCell]:
        """Variable, territory, level, month, reduce, line, raw text and weight of every figure."""
        feed, fmt = self.match.entry.feed, self.match.format
        prefix = self.match.entry.partner.id
        columns = [
            (f"{prefix}.{name}", own, self.match.column_position(own))
            for name, column in feed.columns_of(fmt).items()
            for own in _added(column)
        ]
        present = [(v, c, p) for v, c, p in columns if p is not None]
        spread = self._unpivoted()
        finer = any(column.reduce for _, column, _ in present)
        figures = [p for _, _, p in present] if spread is None else [p for p, _ in spread]
        for line, row, place, aside in self.rows(figures):
            key = self.key_of(row)
            level, codes = self._read_by(key, row, place, aside)
            if self.national and not aside:
                self.national.add(place)
                yield from self._nation(row, line, present)
            if not codes:
                if self._is_near(place, level):
                    self._tell(place, level, line)
                self.ignored += 1
                continue
            damaged = [cell for cell in row if isinstance(cell, str) and "\ufffd" in cell]
            if damaged:
                self.oddities.append((line, "caractère", f"caractère perdu : « {damaged[0]} »"))
            if finer:
                self.lines.setdefault(tuple(row), []).append(line)
            month = self.month(row, line) if spread is None else None
            for code in codes:
                if spread is not None and fmt.unpivot is not None:
                    for position, groups in spread:
                        own = self._unpivot_month(row, groups)
                        raw = self._said(row) or self.cell(row, position)
                        for name in fmt.unpivot.variables_of(groups):
                            yield f"{prefix}.{name}", code, level, own, None, line, raw, None
                    continue
                for variable, column, position in present:
                    shown = self._raw(row, column, position)
                    if shown is None or (len(codes) > 1 and column.reduce == "same"):
                        continue
                    if len(codes) > 1 and column.reduce:
                        shown = "\x00"  # astride several communes: a share of none is known
                    weight = self._weight(row, column)
                    yield variable, code, level, month, column.reduce, line, shown, weight
            if fmt.territory.rows and not aside:
                yield from self._own(row, line, place, month, present)
            for wider in (lv for lv in fmt.territory.also if lv != "france") if not aside else ():
                for whole in self._wholes(wider, codes):
                    yield from self._whole(row, line, wider, whole, month, present)

    def _own(
        self,
        row: list[Cell],
        line: int,
        place: str,
        month: str | None,
        present: list[tuple],  # type: ignore[type-arg]
    ) -> Iterator[RawCell]:
        """The figures of the row's own territory; what is said there of its commune is not one."""
        level = str(self.match.format.territory.rows)
        if place not in self._known(level):
            self._tell(place, level, line)
            return
        added = Counter(variable for variable, _, _ in present)
        for variable, column, position in present:
            raw = self._raw(row, column, position)
            if raw is not None and column.reduce != "same":
                reduce = column.reduce if added[variable] > 1 else None
                yield variable, place, level, month, reduce, line, raw, None

    def _raw(self, row: list[Cell], column: Column, position: int) -> str | None:
        """The text of a figure; ``None`` when the row is not one of those that the column reads.

        In an exhaustive file such a row says that its territory is spoken of: none is counted in it.
        """
        if column.where and not self._kept(row, column.where):
            if not self.match.entry.feed.exhaustive or column.reduce not in ("sum", "count"):
                return None
            return "0" if column.reduce == "sum" else ""
        raw = self._said(row) or self.cell(row, position)
        return ("1" if raw else "") if column.reduce == "count" else raw

    def _said(self, row: list[Cell]) -> str:
        """The mark of a row whose status column says that it has no figure; empty for the others."""
        for name, kinds in self.match.format.status.items():
            kind = kinds.get(self.cell(row, self.match.position(name)))
            if kind is not None:
                return f"\x00{kind}"
        return ""

    def _weight(self, row: list[Cell], column: Column) -> str | None:
        """The text of what weighs a mean, when the file has the column."""
        position = self.match.position(column.weight) if column.weight else None
        return None if position is None else self.cell(row, position)

    def _wholes(self, level: str, codes: list[str]) -> list[str]:
        """The territories of that level that a row of ``codes`` counts in."""
        known = [t for t in self.territories.all if t.level == level]
        if level in ("region", "france"):
            return [known[0].code]
        parents = {p for t in self.territories.all if t.code in codes for p in t.parents}
        return [code for code in dict.fromkeys(t.code for t in known) if code in parents]

    def repeated(self) -> list[tuple[int, str, str]]:
        """Rows of establishments or small areas that are there twice, when few are.

        Many are a file's nature: rows that tell nothing but a kind of equipment.
        """
        twice = [(lines[0], line) for lines in self.lines.values() for line in lines[1:]]
        if len(twice) > max(3, len(self.lines) // 100):
            return []
        return [(line, "répétée", f"identique à la ligne {first}") for first, line in twice]

    def _whole(
        self,
        row: list[Cell],
        line: int,
        level: str,
        whole: str,
        month: str | None,
        present: list[tuple],  # type: ignore[type-arg]
    ) -> Iterator[RawCell]:
        for variable, column, position in present:
            raw = self._raw(row, column, position)
            if raw is not None and column.reduce != "same":
                weight = self._weight(row, column)
                yield variable, whole, level, month, column.reduce, line, raw, weight

    def _nation(
        self,
        row: list[Cell],
        line: int,
        present: list[tuple],  # type: ignore[type-arg]
    ) -> Iterator[RawCell]:
        """What a commune, wherever it is, brings to the figures of France: counts alone add up."""
        nation = self.territories.france_codes["FRANCE"]
        month = self.month(row, line)
        for variable, column, position in present:
            raw = self._raw(row, column, position)
            counted = self.project.variables[variable][1].aggregation == "sum"
            if raw is not None and counted and column.reduce in (None, "sum", "count"):
                yield variable, nation, "france", month, column.reduce or "sum", line, raw, None

    def _unpivoted(self) -> list[tuple[int, dict[str, str]]] | None:
        unpivot = self.match.format.unpivot
        if unpivot is None:
            return None
        found = [(i, groups_of(unpivot.columns, name)) for i, name in enumerate(self.match.header)]
        return [(i, groups) for i, groups in found if groups]

    def _unpivot_month(self, row: list[Cell], groups: dict[str, str]) -> str | None:
        fmt = self.match.format
        own = self.match.groups | groups
        if fmt.period.column:
            own |= groups_of(fmt.period.pattern, self.cell(row, self.match.position(fmt.period.column)))
        return month_of(own, self.match.entry.feed.calendar.month, fmt.period.year_shift)


def _marks(fmt: Format) -> pd.DataFrame:
    marks = {mark.casefold().strip(): kind for mark, kind in fmt.marks.items()}
    marks.setdefault("", fmt.blank)
    marks["\x00"] = "absent"
    marks |= {f"\x00{kind}": kind for kind in get_args(Mark)}
    rows = [(mark, *STATUS[kind]) for mark, kind in marks.items()]
    return pd.DataFrame(rows, columns=["mark", "obs_status", "conf_status"])


def geography_of(codes: set[str], month: str, fmt: Format, territories: Territories) -> int:
    """The geography a file is written in.

    The format's own word first. Then its codes: a commune that has since merged away tells the
    older geography. Its absence tells the newer geography after the merger, and nothing before it:
    see :func:`ambiguous`.
    """
    if fmt.geography is not None:
        return territories.geography_of(fmt.geography)
    if codes & territories.merged_away():
        return territories.geographies[0]
    return territories.geography_of(year_of(month))


def ambiguous(codes: set[str], geography: int, fmt: Format, territories: Territories) -> str | None:
    """Why the geography of a file cannot be told from its codes, in French, or ``None`` when it can.

    A file of before a merger that has the commune that kept its code and lacks the one that joined it
    either was written in the communes of after it, or is of a producer that has nothing for the other.
    Guessing would take the commune of before for that of after.
    """
    if fmt.geography is not None or codes & territories.merged_away():
        return None
    for year, source, target in territories.mergers:
        if source != target and geography < year and target in codes:
            return (
                f"{target} est là et {source} n'y est pas : le fichier est-il dans les communes de "
                f"{year}, où {source} est dans {target} ? Le contrat doit dire `geography: {year}` ou "
                f"`geography: {geography}` pour ce format"
            )
    return None


def read(project: Project, match: Match) -> Reading:
    """Read the table into a frame; raises nothing on bad content, which the gate will refuse."""
    reader = _Reader(project, match)
    fmt = match.format
    raw = pd.DataFrame(
        list(reader.cells()),
        columns=["variable", "territory", "level", "month", "reduce", "line", "raw", "weight"],
        dtype=object,
    ).astype({"line": "int64", "weight": "string"})
    marks = _marks(fmt)
    number = _NUMBER.replace("DECIMAL", "," if fmt.decimal == "," else r"\.")
    with scratch() as connection:
        connection.register("raw_cells", raw)
        connection.register("marks", marks)
        if raw.empty:
            frame = pd.DataFrame(columns=COLUMNS)
        else:
            given = {"number": number, "decimal": fmt.decimal, "exact": _EXACT}
            given["percents"] = _percents(project, match)
            connection.execute(f"CREATE TEMP TABLE parsed AS {_PARSE}", given)
            frame = connection.execute(
                f"SELECT * FROM ({_REDUCE}) ORDER BY variable, level, territory, month, line",
                {"signed": _signed(match)},
            ).df()
    if fmt.unpivot is not None and not frame.empty:
        frame[["value", "lower_bound"]] = frame[["value", "lower_bound"]] * fmt.unpivot.times
        # Columns of months to come are blank: a month without any cell is not delivered.
        frame = frame[frame.groupby("month")["raw"].transform(lambda raw: raw.str.strip().ne("").any())]
    last = max(frame["month"].dropna(), default=None)
    if reader.national and not reader.national.complete(last):
        frame = frame[frame["level"] != "france"]
    added = unlike_their_sum(
        match.entry, reader.territories, frame, _columns(match), partial=reader.ignored > 0
    )
    reader.problems += added
    frame = frame[frame["level"] != TOTAL]
    months = tuple(sorted(m for m in frame["month"].dropna().unique()))
    communes = {str(c) for c in frame.loc[frame["level"] == "commune", "territory"]}
    geography = geography_of(communes, months[-1] if months else "2024-01", fmt, reader.territories)
    frame["geography"] = geography
    doubt = ambiguous(communes, geography, fmt, project.territories)
    if fmt.provisional_after and not frame.empty:
        late = (frame["month"] > fmt.provisional_after) & (frame["obs_status"] == "A")
        frame.loc[late, "obs_status"] = "P"
    return Reading(
        frame[COLUMNS].reset_index(drop=True),
        months,
        geography,
        reader.ignored,
        (
            *_repeated(match),
            *reader.problems,
        ),
        _unknown_columns(match),
        _columns(match),
        (*reader.oddities, *reader.repeated()),
        notation=common_cause(list(frame["unreadable"].dropna()), fmt.decimal),
        decimal=fmt.decimal,
        doubt=doubt,
    )


def _percents(project: Project, match: Match) -> list[str]:
    """Variables that may be written with %: of others, 12 % is not twelve."""
    entry = match.entry
    variables = entry.feed.variables.items()
    return [entry.variable_id(name) for name, v in variables if project.units[v.unit].scale == 100]


def _signed(match: Match) -> list[str]:
    """Variables that may be below zero: of others, a negative row is not hidden in a sum."""
    entry = match.entry
    return [entry.variable_id(name) for name, v in entry.feed.variables.items() if v.signed]


def _repeated(match: Match) -> list[tuple[int, str]]:
    """Columns that the contract reads and the header holds more than once: which one is meant?"""
    fmt = match.format
    used = {match.header[p] for p in (match.position(n) for n in fmt.territory.columns) if p is not None}
    by_place = {
        f"{match.entry.partner.id}.{name}"
        for name, column in match.entry.feed.columns_of(fmt).items()
        if column.names[0].startswith("#")
    }
    used |= {header for name, header in _columns(match).items() if name not in by_place}
    names = Counter(plain(name) for name in match.header)
    line = match.table.lines[match.header_row]
    return [
        (line, f"la colonne {name} figure {names[plain(name)]} fois dans l'en-tête")
        for name in sorted(used)
        if plain(name) and names[plain(name)] > 1
    ]


def _columns(match: Match) -> dict[str, str]:
    """The header cell that each variable is read from."""
    feed, prefix = match.entry.feed, match.entry.partner.id
    found = {name: match.column_position(c) for name, c in feed.columns_of(match.format).items()}
    return {f"{prefix}.{name}": match.header[p] for name, p in found.items() if p is not None}


def _unknown_columns(match: Match) -> tuple[str, ...]:
    """Header cells that the contract does not speak of."""
    feed, fmt = match.entry.feed, match.format
    known = {match.position(n) for n in (*fmt.territory.columns, *fmt.requires, *fmt.where)}
    for column in feed.columns_of(fmt).values():
        weight = [column.weight] if column.weight else []
        known |= {match.position(name) for name in (*column.names, *column.where, *weight)}
    return tuple(name for position, name in enumerate(match.header) if name and position not in known)
