"""Matches a table with one format of a contract: where its header is, which column holds what.

Where it does not fit, what differs is said in the words of whoever sent it.
"""

import re
from dataclasses import dataclass, replace
from functools import cached_property

from odds_pipeline.declarations.feed import Column, Feed, Format, Level, TerritoryKey
from odds_pipeline.declarations.problems import nearest
from odds_pipeline.declarations.project import FeedEntry
from odds_pipeline.geography.territories import Territories, plain
from odds_pipeline.reception.codes import code_of, is_code
from odds_pipeline.reception.periods import groups_of, with_year, year_of
from odds_pipeline.reception.tables import Cell, Table

HEADER_DEPTH = 30
"""Rows among which the header is looked for, and among which a row of mere words may be one."""
FAR_HEADER_DEPTH = 300
HEADER_ONLY = "le tableau n'a que son en-tête"
NO_PLACE = "aucun territoire du périmètre"
OTHER_NAME = "le nom du fichier n'est pas de la forme"
SHEET = "l'onglet ne s'appelle pas comme"
SHORTEST = 4
"""Characters of the shortest code of a commune, its zero lost: fewer tell no other place."""
SIMULATED = plain("DONNEES_SIMULEES")
Headers = list[tuple[int, dict[str, int]]]
VINTAGE = r"^(?P<year>(?:19|20)\d\d)(?:-(?P<month>\d\d))?$"


def text(cell: Cell) -> str:
    """A cell as text; a whole float from Excel is a whole number."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


@dataclass(frozen=True)
class Match:
    """A table read as one format: where its header is and which column holds what."""

    entry: FeedEntry
    format: Format
    table: Table
    header_row: int
    index: dict[str, int]
    groups: dict[str, str]

    @property
    def level(self) -> Level:
        """The level of the rows: the format's, or what the file's name says in whatever case."""
        declared = self.format.territory.level
        if not isinstance(declared, dict):
            return declared
        return declared.get(self.groups.get("level", "").upper(), "commune")

    @cached_property
    def header(self) -> list[str]:
        return [text(cell) for cell in self.table.rows[self.header_row]]

    def position(self, name: str) -> int | None:
        """Index of the column called ``name``, year filled in; ``#2`` is the second one."""
        if name not in self._positions:
            called = plain(with_year(name, year_of(self.groups)))
            self._positions[name] = int(name[1:]) - 1 if name.startswith("#") else self.index.get(called)
        return self._positions[name]

    @cached_property
    def _positions(self) -> dict[str, int | None]:
        """Those asked for before: each is asked for again at each row."""
        return {}

    def column_position(self, column: Column) -> int | None:
        for name in column.names:
            position = self.position(name)
            if position is not None:
                return position
        return None

    def cell(self, row: list[Cell], position: int | None) -> str:
        """The text of a cell, a number written as the format writes them; empty beyond the row's end."""
        if position is None or position >= len(row):
            return ""
        value = row[position]
        if isinstance(value, float):
            return text(value).replace(".", self.format.decimal)
        return text(value)

    def meets(self, row: list[Cell], conditions: dict[str, str | list[str]]) -> bool:
        """Whether each named column holds what is wanted of it, or one of what is."""
        for name, wanted in conditions.items():
            found = plain(self.cell(row, self.position(name)))
            if found not in map(plain, [wanted] if isinstance(wanted, str) else wanted):
                return False
        return True

    @property
    def simulated(self) -> bool:
        return SIMULATED in self.index


@dataclass(frozen=True)
class Nearest:
    """A format that does not fit, and in what; ``found`` is the share of its columns that are there.

    ``shared`` is how many they are.
    """

    feed: str
    format: str
    differences: tuple[str, ...]
    found: float
    outside: bool = False
    shared: int = 0

    def __str__(self) -> str:
        return f"{self.feed} ({self.format}) : {' ; '.join(self.differences)}"


def required_names(feed: Feed, fmt: Format) -> list[list[str]]:
    """Names that the header must hold: one of each list, each list once."""
    required = [[name] for name in fmt.requires]
    if fmt.period.column:
        required.append([fmt.period.column])
    required += [[name] for name in (*fmt.where, *fmt.ignore, *fmt.status)]
    for key in (fmt.territory, *fmt.wider):
        required += [[name] for name in (*key.columns, *key.where)]
    for column in feed.columns_of(fmt).values():
        if not column.optional:
            required.append(column.names)
            required += [[name] for name in column.plus]
            required += [[name] for name in column.where]
    return [list(names) for names in dict.fromkeys(map(tuple, required))]


def _index(row: list[Cell]) -> dict[str, int]:
    """Columns by plain name; the first of two that look alike counts."""
    found: dict[str, int] = {}
    for position, cell in enumerate(row):
        name = plain(text(cell))
        if name:
            found.setdefault(name, position)
    return found


def header_indexes(table: Table) -> Headers:
    """The rows that may be the header, and the columns of each by name."""
    rows = enumerate(table.rows[:FAR_HEADER_DEPTH])
    return [(n, _index(row)) for n, row in rows if n < HEADER_DEPTH or _of_words(row)]


def _of_words(row: list[Cell]) -> bool:
    """Whether a row has several cells and no number: under long notes, a header."""
    filled = [shown for cell in row if (shown := text(cell))]
    return len(filled) > 1 and not any(shown[0].isdigit() for shown in filled)


def _of_any_year(required: list[list[str]]) -> list[set[str]]:
    """The names of each list, as an index has them, where neither a year nor a place makes them."""
    return [set(map(plain, names)) for names in required if not any("{" in n or "#" in n for n in names)]


def _in_names(pattern: str | None, table: Table) -> dict[str, str]:
    """What a pattern finds in the name of the table's file, else in that of its archive."""
    return next(filter(None, (groups_of(pattern, name) for name in table.names)), {})


def _in_origin(fmt: Format, table: Table) -> dict[str, str]:
    """The period that the table's origin tells, for a file whose own name does not."""
    if not fmt.period.file:
        return {}
    patterns = (fmt.period.file, VINTAGE)
    return next(filter(None, (groups_of(p, told) for told in table.told for p in patterns)), {})


def _named_groups(fmt: Format, table: Table) -> dict[str, str]:
    """What a format's patterns find around the table, whichever row is its header."""
    groups = _in_names(fmt.file, table) | _in_names(fmt.period.file, table)
    if year_of(groups) is None:
        groups |= _in_origin(fmt, table)
    return groups


def _groups(fmt: Format, table: Table, number: int, named: dict[str, str]) -> dict[str, str]:
    header, groups = table.rows[number], dict(named)
    if fmt.period.title:
        above = [text(cell) for row in table.rows[:number] for cell in row]
        groups |= next(filter(None, (groups_of(fmt.period.title, cell) for cell in above)), {})
    if fmt.sheet and table.sheet:
        groups |= groups_of(fmt.sheet, table.sheet)
    return groups | _filled(fmt.period.header, header)


def _filled(pattern: str | None, row: list[Cell]) -> dict[str, str]:
    """What the first cell that a pattern fits tells; most cells of a sheet's widest rows are blank."""
    cells = (groups_of(pattern, text(cell)) for cell in row if cell != "") if pattern else ()
    return next(filter(None, cells), {})


def territory_text(match: Match, row: list[Cell], key: TerritoryKey) -> str:
    """The territory cell or cells of a row, put end to end."""
    positions = [match.position(name) for name in key.columns]
    parts = [text(row[p]) if p is not None and p < len(row) else "" for p in positions]
    if key.by == "label":
        return "".join(parts)
    codes = [code_of(part) for part in parts]
    if key.widths and all(codes):
        codes = [c.rjust(width, "0")[:width] for c, width in zip(codes, key.widths, strict=True)]
    return "".join(codes)


def _holds_perimeter(match: Match, territories: Territories) -> bool:
    """Whether some row speaks of the perimeter: the content's say in the recognition."""
    key = match.format.territory
    if key.fixed or key.nomenclature:
        return True
    rows = (territory_text(match, row, key) for row in match.table.rows[match.header_row + 1 :])
    if key.by == "label":
        return any(plain(name) in territories.by_label for name in rows)
    level = match.level
    if level == "france":
        return any(code.upper() in territories.france_codes for code in rows)
    codes = {t.code for t in territories.all if t.level == level}
    if level == "commune":
        return any((code[: key.prefix] if key.prefix else code) in codes for code in rows)
    known = {code.lstrip("0") for code in codes}
    return any(code.lstrip("0") in known for code in rows)


def _numbered(table: Table) -> tuple[Table, Headers]:
    """A table without header, under the header #1, #2 and on, and that header's index."""
    header: list[Cell] = [f"#{i}" for i in range(1, max(map(len, table.rows), default=0) + 1)]
    titled = replace(table, rows=[header, *table.rows], lines=[0, *table.lines])
    return titled, [(0, _index(header))]


def _under_groups(table: Table, number: int) -> Table:
    """A table whose row of that number says, before each name, the group that the row above gives it."""
    above, names = table.rows[max(number - 1, 0)], table.rows[number]
    group, header = "", list[Cell]()
    for position, name in enumerate(names):
        group = text(above[position]) if position < len(above) and text(above[position]) else group
        header.append(f"{group} / {text(name)}" if text(name) else "")
    return replace(table, rows=[*table.rows[:number], header, *table.rows[number + 1 :]])


def match_as(
    entry: FeedEntry,
    fmt: Format,
    table: Table,
    territories: Territories,
    indexes: Headers | None = None,
) -> Match | Nearest:
    """The table read as this very format, or what differs."""
    required = required_names(entry.feed, fmt)
    best, missing = _best_header(entry, fmt, table, indexes, required)
    if best is None:
        return Nearest(entry.id, fmt.id, ("le tableau n'a aucune ligne",), 0.0)
    differences: list[str] = []
    if not named_like(fmt, table):
        differences.append(f"{OTHER_NAME} « {fmt.example.file} »")
    if not sheet_like(fmt, table):
        differences.append(f"{SHEET} « {fmt.example.sheet} »")
    outside = False
    if missing:
        differences.append(_absent(best, required, missing) + _lying(best, territories.departements))
    elif sheet_like(fmt, table) and not _holds_perimeter(best, territories):
        difference, outside = _outside(best, territories.departements)
        differences.append(difference)
    if not differences and fmt.period.header and year_of(best.groups) is None:
        differences.append(f"aucune année dans l'en-tête (attendu : « {fmt.example.column} »)")
    if not differences:
        return best
    # Another sheet of a contract's workbook is not its delivery, whatever its columns.
    found, shared = _found(required, missing) if sheet_like(fmt, table) else (0.0, 0)
    return Nearest(entry.id, fmt.id, tuple(differences), found, outside, shared)


def _best_header(
    entry: FeedEntry, fmt: Format, table: Table, indexes: Headers | None, required: list[list[str]]
) -> tuple[Match | None, list[str]]:
    """The table under the row that lacks the fewest of the names required, and those that it lacks."""
    if fmt.headless:
        table, indexes = _numbered(table)
    if indexes is None:
        indexes = header_indexes(table)
    best: Match | None = None
    best_missing: list[str] = []
    named, sure = _named_groups(fmt, table), _of_any_year(required)
    for number, index in indexes:
        under = _under_groups(table, number) if fmt.grouped else table
        index = _index(under.rows[number]) if fmt.grouped else index
        # Most rows are figures: to look for a period in each of their cells was 2 of a month's 37 s.
        if best and sum(names.isdisjoint(index) for names in sure) >= len(best_missing):
            continue
        match = Match(entry, fmt, under, number, index, _groups(fmt, under, number, named))
        missing = [names[0] for names in required if all(match.position(n) is None for n in names)]
        if best and len(missing) >= len(best_missing):
            continue
        if fmt.unpivot and not _filled(fmt.unpivot.columns, under.rows[number]):
            missing.append(f"une colonne comme « {fmt.example.column} »")
        if best is None or len(missing) < len(best_missing):
            best, best_missing = match, missing
        if not missing:
            break
    return best, best_missing


SHOWN = 6
"""Absent columns that are named; of more, how many."""


def _absent(match: Match, required: list[list[str]], missing: list[str]) -> str:
    """The columns that are absent, each with what it may be called now."""
    year, feed = year_of(match.groups), match.entry.feed
    # A column that the contract reads under its own name is no other one renamed.
    own = [*required, *(column.names for column in feed.columns_of(match.format).values())]
    taken = {plain(with_year(name, year)) for names in own for name in names}
    header = [name for name in match.header if plain(name) not in taken]
    names = [with_year(name, year) for name in missing[:SHOWN]]
    more = f" et {len(missing) - SHOWN} autres" if len(missing) > SHOWN else ""
    return f"colonnes absentes : {', '.join(f'{name}{_like(name, header)}' for name in names)}{more}"


def _lying(match: Match, departements: tuple[str, ...]) -> str:
    """That territories stand in the header, each a column, where they are expected as lines."""
    codes = [name for name in match.header if is_code(name) and name.startswith(departements)]
    return " ; les communes y sont en colonnes, une ligne par commune est attendue" if codes[4:] else ""


def _found(required: list[list[str]], missing: list[str]) -> tuple[float, int]:
    """The share of the names asked for that are there, and how many they are.

    A column known by its place is in any table.
    """
    named = [names for names in required if not names[0].startswith("#")]
    lacking = [name for name in missing if not name.startswith("#")]
    shared = max(len(named) - len(lacking), 0)
    return (shared / len(named) if named else 0.0), shared


def _outside(match: Match, departements: tuple[str, ...]) -> tuple[str, bool]:
    """That no row is of the perimeter, and what is read instead; whether that is another place's."""
    column = " + ".join(match.format.territory.columns)
    rows = match.table.rows[match.header_row + 1 :]
    if not rows:
        return HEADER_ONLY, False
    shown = next(filter(None, (territory_text(match, row, match.format.territory) for row in rows)), "")
    seen = f" (on y lit « {shown} »)" if shown else ""
    ours = shown.lstrip("0").startswith(departements)  # spoiled: 093001, 93OO1
    return f"{NO_PLACE} dans {column}{seen}", is_code(shown) and len(shown) >= SHORTEST and not ours


def _like(name: str, header: list[str]) -> str:
    """What the column may be called now: never the same one of another year, which is another figure."""
    same = re.sub(r"\d+", "#", name)
    hint = nearest(name, [h for h in header if h and re.sub(r"\d+", "#", h) != same])
    return hint.replace("did you mean", "renommée en").replace("?", " ?") if hint else ""


def sheet_like(fmt: Format, table: Table) -> bool:
    """Whether the table's sheet is called as the format wants, if it wants anything."""
    if not fmt.sheet or not table.sheet:
        return True
    return re.search(fmt.sheet, table.sheet, re.IGNORECASE) is not None


def named_like(fmt: Format, table: Table) -> bool:
    """Whether the table's file, or its archive, is called as the format wants, if it wants anything."""
    return not fmt.file or any(re.search(fmt.file, name, re.IGNORECASE) for name in table.names)
