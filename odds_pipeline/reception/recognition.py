"""Tells which contract and format a table belongs to, from its name, header and content.

Nothing is guessed: exactly one format fits, or the table is set aside with the nearest contracts
and what differs; a table whose name belongs to one contract but whose header does not fit is that
contract's delivery, to be refused with what its header lacks.
"""

import re
from dataclasses import dataclass, field, replace
from functools import cached_property

from odds_pipeline.declarations.feed import Column, Feed, Format, Level, TerritoryKey
from odds_pipeline.declarations.problems import nearest
from odds_pipeline.declarations.project import FeedEntry, Project
from odds_pipeline.geography.territories import Territories, plain
from odds_pipeline.reception.codes import code_of, is_code
from odds_pipeline.reception.periods import groups_of, in_any_name, with_year, year_of
from odds_pipeline.reception.tables import Cell, Table

HEADER_DEPTH = 30
"""Rows among which the header is looked for, and among which a row of mere words may be one."""
FAR_HEADER_DEPTH = 300
NEAR = 0.5
"""Share of its columns from which a contract is near to a table: named to whom sent it."""

HEADER_ONLY = "le tableau n'a que son en-tête"
NO_PLACE = "aucun territoire du périmètre"
OTHER_NAME = "le nom du fichier n'est pas de la forme"
SHEET = "l'onglet ne s'appelle pas comme"
SHORTEST = 4
"""Characters of the shortest code of a commune, its zero lost: fewer tell no other place."""

SIMULATED = plain("DONNEES_SIMULEES")


def text(cell: Cell) -> str:
    """A cell as text; a whole float from Excel is a whole number."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _texts(wanted: str | list[str]) -> set[str]:
    return {plain(wanted)} if isinstance(wanted, str) else {plain(w) for w in wanted}


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
        if name.startswith("#"):
            return int(name[1:]) - 1
        return self.index.get(plain(with_year(name, year_of(self.groups))))

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
        return all(
            plain(self.cell(row, self.position(name))) in _texts(wanted)
            for name, wanted in conditions.items()
        )

    @property
    def simulated(self) -> bool:
        return SIMULATED in self.index


@dataclass(frozen=True)
class Nearest:
    """A format that does not fit, and in what; ``found`` is the share of its columns that are there."""

    feed: str
    format: str
    differences: tuple[str, ...]
    found: float
    outside: bool = False

    def __str__(self) -> str:
        return f"{self.feed} ({self.format}) : {' ; '.join(self.differences)}"


@dataclass(frozen=True)
class Unrecognised:
    """No format, or several, fit. ``named`` is the contract that the file's name belongs to."""

    table: Table
    nearest: tuple[Nearest, ...] = ()
    ambiguous: tuple[str, ...] = ()
    named: FeedEntry | None = None
    missing: tuple[str, ...] = field(default=())

    @property
    def share(self) -> float:
        """How much of a contract's columns the table holds; little when it is of other territories."""
        return max((near.found for near in self.nearest if not near.outside), default=0.0)


def _required(feed: Feed, fmt: Format) -> list[list[str]]:
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


Headers = list[tuple[int, dict[str, int]]]


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


VINTAGE = r"^(?P<year>(?:19|20)\d\d)(?:-(?P<month>\d\d))?$"


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
    feed = entry.feed
    if fmt.headless:
        table, indexes = _numbered(table)
    if indexes is None:
        indexes = header_indexes(table)
    differences: list[str] = []
    if not _named_like(fmt, table):
        differences.append(f"{OTHER_NAME} « {fmt.example.file} »")
    if not _sheet_like(fmt, table):
        differences.append(f"{SHEET} « {fmt.example.sheet} »")
    best: Match | None = None
    best_missing: list[str] = []
    required, named = _required(feed, fmt), _named_groups(fmt, table)
    sure = _of_any_year(required)
    plain_table = table
    for number, index in indexes:
        if fmt.grouped:
            table = _under_groups(plain_table, number)
            index = _index(table.rows[number])
        # Most rows are figures: to look for a period in each of their cells was 2 of a month's 37 s.
        if best and sum(names.isdisjoint(index) for names in sure) >= len(best_missing):
            continue
        match = Match(entry, fmt, table, number, index, _groups(fmt, table, number, named))
        missing = [names[0] for names in required if all(match.position(n) is None for n in names)]
        if best and len(missing) >= len(best_missing):
            continue
        if fmt.unpivot and not _filled(fmt.unpivot.columns, table.rows[number]):
            missing.append(f"une colonne comme « {fmt.example.column} »")
        if best is None or len(missing) < len(best_missing):
            best, best_missing = match, missing
        if not missing:
            break
    if best is None:
        return Nearest(entry.id, fmt.id, ("le tableau n'a aucune ligne",), 0.0)
    if best_missing:
        year = year_of(best.groups)
        # A column that the contract reads under its own name is no other one renamed.
        own = [*required, *(column.names for column in feed.columns_of(fmt).values())]
        taken = {plain(with_year(name, year)) for names in own for name in names}
        header = [name for name in best.header if plain(name) not in taken]
        shown = [
            f"{with_year(name, year)}{_like(with_year(name, year), header)}" for name in best_missing[:6]
        ]
        more = f" et {len(best_missing) - 6} autres" if len(best_missing) > 6 else ""
        differences.append(f"colonnes absentes : {', '.join(shown)}{more}")
    outside = False
    if not best_missing and _sheet_like(fmt, table) and not _holds_perimeter(best, territories):
        difference, outside = _outside(best, territories.departements)
        differences.append(difference)
    if not differences and fmt.period.header and year_of(best.groups) is None:
        differences.append(f"aucune année dans l'en-tête (attendu : « {fmt.example.column} »)")
    if not differences:
        return best
    # Another sheet of a contract's workbook is not its delivery, whatever its columns.
    found = _found(required, best_missing) if _sheet_like(fmt, table) else 0.0
    return Nearest(entry.id, fmt.id, tuple(differences), found, outside)


def _found(required: list[list[str]], missing: list[str]) -> float:
    """The share of the names asked for that are there. A column known by its place is in any table."""
    named = [names for names in required if not names[0].startswith("#")]
    lacking = [name for name in missing if not name.startswith("#")]
    return max(1 - len(lacking) / len(named), 0.0) if named else 0.0


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


def _most_specific(matches: list[Match]) -> list[Match]:
    """Of formats of one feed that all fit, the one that asks for the most columns, then for a name.

    A format that names the table's own file goes before one that names its archive, or none.
    """
    if len({m.entry.id for m in matches}) > 1 or len(matches) < 2:
        return matches
    asked = [
        (len({n[0] for n in _required(m.entry.feed, m.format)}), _named(m.format, m.table))
        for m in matches
    ]
    return [m for m, count in zip(matches, asked, strict=True) if count == max(asked)]


def _sheet_like(fmt: Format, table: Table) -> bool:
    if not fmt.sheet or not table.sheet:
        return True
    return re.search(fmt.sheet, table.sheet, re.IGNORECASE) is not None


def _named(fmt: Format, table: Table) -> int:
    """How near to the table the name is that the format's pattern finds; 0 when it has no pattern."""
    if not fmt.file:
        return 0
    found = [bool(re.search(fmt.file, name, re.IGNORECASE)) for name in table.names]
    return len(found) - found.index(True) if any(found) else 0


def _named_like(fmt: Format, table: Table) -> bool:
    return not fmt.file or any(re.search(fmt.file, name, re.IGNORECASE) for name in table.names)


def _beside(match: Match, others: list[Match]) -> bool:
    """Whether a contract says that its files are also those of all the others."""
    mine = {match.entry.id, *(f"{match.entry.partner.id}/{name}" for name in match.entry.feed.beside)}
    return mine == {other.entry.id for other in others}


def _half_lost(
    matches: list[Match], found: list[tuple[FeedEntry, Match | Nearest]]
) -> tuple[FeedEntry, Nearest] | None:
    """The contract that shares the file and nearly fits it: its figures would be lost without a word."""
    known = {match.entry.id for match in matches}
    for entry, one in found:
        shared = {f"{entry.partner.id}/{name}" for name in entry.feed.beside}
        if isinstance(one, Nearest) and known and known <= shared and one.found >= CERTAIN:
            return entry, one
    return None


def _sheet_renamed(others: list[tuple[FeedEntry, Nearest]]) -> list[Nearest]:
    """The formats that a table fits in all but the name of its sheet, in a file of their name."""
    return [
        near
        for _, near in others
        if len(near.differences) == 1 and near.differences[0].startswith(SHEET)
    ]


FEW = 3
"""Figures below which columns tell no contract without the name of the file."""

CERTAIN = 0.75
"""Share of its columns from which a table is a contract's, when no other contract has as many."""


def _alone_near(found: list[tuple[FeedEntry, Match | Nearest]]) -> dict[str, FeedEntry]:
    """The contract that nearly fits a table of no one's name, when no other comes as near."""
    near = [(one.found, e) for e, one in found if isinstance(one, Nearest) and one.found >= CERTAIN]
    best = max((share for share, _ in near), default=0.0)
    nearest_ones = {e.id: e for share, e in near if share == best}
    return nearest_ones if len(nearest_ones) == 1 else {}


def _called_otherwise(
    table: Table, found: list[tuple[FeedEntry, Match | Nearest]]
) -> dict[str, FeedEntry]:
    """The one contract that a table fits in all but the name of its file, which tells a period."""
    if not any(in_any_name(name) for name in table.names):
        return {}
    fit = {
        entry.id: entry
        for entry, one in found
        if isinstance(one, Nearest)
        and len(one.differences) == 1
        and one.differences[0].startswith(OTHER_NAME)
        and len(entry.feed.variables) >= FEW
    }
    return fit if len(fit) == 1 else {}


def recognise(project: Project, table: Table) -> Match | Unrecognised:
    """The one format that the table is, or why there is none."""
    found = recognise_all(project, table)
    return found[0] if isinstance(found, list) else found


def recognise_all(project: Project, table: Table) -> list[Match] | Unrecognised:
    """The format that the table is, one for each contract of a file that several say they share."""
    indexes = header_indexes(table)
    formats = [(entry, fmt) for entry in project.feeds.values() for fmt in entry.feed.formats]
    likely = [pair for pair in formats if _named_like(pair[1], table)]
    found = [(e, match_as(e, fmt, table, project.territories_of(e), indexes)) for e, fmt in likely]
    matches = _most_specific([m for _, m in found if isinstance(m, Match)])
    if lost := _half_lost(matches, found):
        entry, near = lost
        return Unrecognised(table, (near,), named=entry, missing=near.differences)
    if len(matches) == 1 or any(_beside(match, matches) for match in matches):
        return matches
    if matches:
        names = tuple(f"{m.entry.id} ({m.format.id})" for m in matches)
        return Unrecognised(table, ambiguous=names)
    # Another sheet of a contract's workbook is not its delivery.
    own_name = {e.id: e for e, fmt in likely if fmt.file and _sheet_like(fmt, table)}
    named = own_name or _alone_near(found)
    # Only now the formats whose file is called otherwise, to say which came nearest.
    unlikely = [pair for pair in formats if not _named_like(pair[1], table)]
    found += [(e, match_as(e, fmt, table, project.territories_of(e), indexes)) for e, fmt in unlikely]
    named = named or _called_otherwise(table, found)
    others = [(e, near) for e, near in found if isinstance(near, Nearest)]
    others.sort(key=lambda pair: (-pair[1].found, len(pair[1].differences)))
    if len(named) == 1:
        entry = next(iter(named.values()))
        own = [near for other, near in others if other.id == entry.id]
        if not own[0].outside:
            return Unrecognised(table, (own[0],), named=entry, missing=own[0].differences)
    if renamed := _sheet_renamed([pair for pair in others if pair[0].id in {e.id for e, _ in likely}]):
        return Unrecognised(table, tuple(renamed[:1]))
    return Unrecognised(table, tuple(near for _, near in others[:1] if near.found >= NEAR))
