"""Writes simulated deliveries as partners would: their formats, encodings and some of their faults."""

import csv
import io
import re
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from operator import ne
from pathlib import Path

import numpy as np

from odds_pipeline.declarations.feed import Column, Format, Level
from odds_pipeline.declarations.project import FeedEntry, Project
from odds_pipeline.declarations.read_simulations import load_simulations
from odds_pipeline.demo.faults import FAULTS, Rows
from odds_pipeline.demo.simulation import Figures, Simulator, split
from odds_pipeline.french import MONTHS
from odds_pipeline.geography.territories import plain
from odds_pipeline.months import months_between, shifted, year_of
from odds_pipeline.reception.nomenclatures import nomenclature
from odds_pipeline.reception.periods import groups_of, with_year

MARKER = "DONNEES_SIMULEES"
MAX_ROWS = 5000
"""Largest simulated file; a feed of one row per establishment would otherwise be larger."""


@dataclass(frozen=True)
class Planted:
    """A file with a fault that the gate must find."""

    path: Path
    description: str


@dataclass(frozen=True)
class Deliveries:
    """Files written, and those of them that are wrong on purpose."""

    paths: list[Path]
    planted: list[Planted]


def groups(month: str) -> dict[str, str]:
    """What stands for a reference month in the named groups of a contract's patterns."""
    year, number = month.split("-")
    quarter = str((int(number) + 2) // 3)
    return {
        "year": year,
        "yy": year[2:],
        "month": number,
        "quarter": quarter,
        "mois": MONTHS[int(number) - 1],
    }


def filled(pattern: str, example: str | None, said: dict[str, str]) -> str:
    """The contract's example of what ``pattern`` finds, its named groups holding ``said``."""
    found = re.search(pattern, example or "", re.IGNORECASE)
    if found is None or example is None:
        raise ValueError(f"{example!r} is no example of {pattern!r}")
    spans = {found.span(name): said[name] for name in found.groupdict() if name in said and found[name]}
    for start, end in sorted(spans, reverse=True):
        example = example[:start] + spans[start, end] + example[end:]
    return example


def _condition(wanted: str | list[str]) -> str:
    return wanted if isinstance(wanted, str) else wanted[0]


@dataclass(frozen=True)
class _Place:
    """A territory of a file: its code, its label and the rows of the simulator it sums."""

    code: str
    label: str
    index: tuple[int, ...]


@dataclass
class _Sheet:
    """One delivery being written."""

    simulator: Simulator
    entry: FeedEntry
    fmt: Format
    month: str
    level: Level
    style: int

    @property
    def project(self) -> Project:
        return self.simulator.project

    def name(self, column: str) -> str:
        return with_year(column, year_of(self.month))

    def places(self) -> list[_Place]:
        territories = self.project.territories
        geography = territories.geography_of(year_of(self.month))
        communes = self.simulator.communes
        if self.level != "commune":
            whole = next(t for t in territories.all if t.level == self.level)
            return [_Place(whole.code, whole.label, tuple(range(len(communes))))]
        sources: dict[str, list[str]] = {}
        for part in territories.parts:
            if part.whole_geography == geography > part.part_geography:
                sources.setdefault(part.whole, []).append(part.part)
        places = []
        for t in territories.communes(geography):
            own = sources.get(t.code, [t.code])
            # The commune of the same code comes first: what cannot be added is taken from it.
            own = sorted(own, key=partial(ne, t.code))
            places.append(_Place(t.code, t.label, tuple(communes.index(c) for c in own)))
        return places

    def figure(self, variable: str, place: _Place) -> float:
        figures: Figures = self.simulator.figures(self.entry.variable_id(variable))
        column = figures[list(place.index), self.simulator.months.index(self.month)]
        declared = self.entry.feed.variables[variable]
        if self.project.units[declared.unit].kind in ("count", "amount"):
            return float(column.sum())
        return float(column[0]) if self.level == "commune" else float(np.round(np.median(column), 2))

    def text(self, variable: str, value: float) -> str:
        """The value as the partner writes it: rounded, secret, with its decimal mark."""
        declared = self.entry.feed.variables[variable]
        unit = self.project.units[declared.unit]
        secrecy = self.entry.secrecy
        if unit.kind == "count":
            if 0 < value < secrecy.threshold and not self.simulator.simulations[self.entry.id].exact:
                secret = next((m for m, kind in self.fmt.marks.items() if kind == "secret"), None)
                if secret is not None or self.fmt.blank == "secret":
                    return secret or ""
            step = declared.rounded_to or secrecy.rounding
            if step:
                value = float(round(value / step) * step)
        if value == int(value):
            shown = f"{int(value):,}" if self.style % 3 == 1 else f"{int(value)}"
            return shown.replace(",", "\u202f")
        return f"{value:.3f}".rstrip("0").replace(".", self.fmt.decimal)

    def columns(self) -> dict[str, Column]:
        """The columns of the contract's own variables: what is lent to it is drawn by its owner."""
        columns = self.entry.feed.columns_of(self.fmt)
        return {name: column for name, column in columns.items() if name not in self.entry.lent}

    def header(self) -> list[str]:
        fmt = self.fmt
        names = [self.name(c) for c in fmt.territory.columns]
        extra = [*fmt.requires, *fmt.where, *fmt.ignore]
        if fmt.period.column:
            extra.append(fmt.period.column)
        for column in self.columns().values():
            extra += list(column.where)
        extra += [column.names[0] for column in self.columns().values()]
        for name in map(self.name, extra):
            if plain(name) not in {plain(n) for n in names}:
                names.append(name)
        if fmt.period.header and not any(groups_of(fmt.period.header, n) for n in names):
            names.append(filled(fmt.period.header, fmt.example.column, groups(self.month)))
        return [*names, MARKER]

    def _codes(self, place: _Place) -> list[str]:
        """The codes a place is written under: finer ones when the format is finer."""
        key = self.fmt.territory
        if key.nomenclature:
            table = nomenclature(self.project.root, key.nomenclature)
            return [code for code, owners in table.items() if owners == [place.code]]
        if key.by == "label":
            return [place.label.upper()]
        if key.rows and (own := self._neighbourhoods(key.rows, place.code)):
            return own[:2]
        if key.prefix and self.level == "commune":
            return [f"{place.code}{i:04d}" for i in (101, 102)]
        return [place.code]

    def _neighbourhoods(self, level: Level, commune: str) -> list[str]:
        """The neighbourhoods of a commune, in any geography: codes of both fall in the same commune."""
        everywhere = self.project.territories.all
        codes = (t.code for t in everywhere if t.level == level and t.communes == (commune,))
        return list(dict.fromkeys(codes))

    def rows(self) -> Iterator[dict[str, str]]:
        """Rows as column → text, in the order of the territories."""
        columns = self.columns()
        conditions: dict[tuple[tuple[str, str], ...], list[str]] = {}
        for variable, column in columns.items():
            key = tuple((self.name(n), _condition(w)) for n, w in column.where.items())
            conditions.setdefault(key, []).append(variable)
        everywhere = conditions.pop((), [])
        groups = [(dict(key), own) for key, own in conditions.items()] or [({}, [])]
        counted = {v for v, c in columns.items() if c.reduce == "count"}
        whole = [v for v in everywhere if v in counted and conditions]
        for place in self.places():
            codes = self._codes(place)
            written = 0
            for n, (fixed, own) in enumerate(groups):
                variables = [*own, *(everywhere if n == 0 or counted else [])]
                repeats = [v for v in own if v in counted] or [v for v in variables if v in counted]
                count = int(self.figure(repeats[0], place)) if repeats else len(codes)
                cells = [self._cells(variables, place, count, i) for i in range(count)]
                for i, cell in enumerate(cells):
                    yield {**fixed, **cell, "": codes[i % len(codes)] if codes else ""}
                written += count
            # Establishments counted in all and in no category have a row too.
            rest = int(self.figure(whole[0], place)) - written if whole else 0
            for i in range(written, written + rest):
                yield {
                    **self._cells(everywhere, place, 1, i),
                    "": codes[i % len(codes)] if codes else "",
                }

    def _cells(self, variables: list[str], place: _Place, count: int, i: int) -> dict[str, str]:
        cells = {}
        for variable in variables:
            column = self.columns()[variable]
            value = self.figure(variable, place)
            if column.reduce == "sum" and count > 1:
                value = float(split(np.array([value]), [1.0] * count)[i][0])
            name = self.name(column.names[0])
            cells[name] = (
                f"{place.code}{i:04d}X" if column.reduce == "count" else self.text(variable, value)
            )
        return cells

    def table(self) -> Rows:
        """Header and rows, ready to be written."""
        fmt = self.fmt
        header = self.header()
        index = {plain(name): i for i, name in enumerate(header)}
        constants = {self.name(n): _condition(w) for n, w in fmt.where.items()}
        for name in fmt.ignore:
            constants.setdefault(self.name(name), "1")
        if fmt.period.column and fmt.period.pattern:
            constants[fmt.period.column] = filled(
                fmt.period.pattern, fmt.example.cell, groups(self.month)
            )
        keys = [index[plain(self.name(c))] for c in fmt.territory.columns]
        table: Rows = [header]
        for cells in self.rows():
            code = cells.pop("")
            if not code:
                continue
            row = [""] * len(header)
            for name, text in {**constants, **cells}.items():
                row[index[plain(name)]] = text
            pieces = [code] if len(keys) == 1 else [code[:2], code[2:]]
            for key, piece in zip(keys, pieces, strict=False):
                row[key] = piece
            row[-1] = "oui"
            table.append(row)
        return table

    def file_name(self) -> str:
        """A name that the format recognises, with the reference month in it."""
        fmt = self.fmt
        said = groups(self.month)
        if isinstance(fmt.territory.level, dict):
            said["level"] = next(k for k, v in fmt.territory.level.items() if v == self.level)
        shift = fmt.period.year_shift
        if shift:
            said["year"] = str(int(said["year"]) - shift)
            said["yy"] = said["year"][2:]
        stem = fmt.example.file or f"{self.entry.partner.id}_{self.entry.feed.id}_"
        for pattern in filter(None, (fmt.file, fmt.period.file)):
            stem = filled(pattern, stem, said)
        stem = stem.split(".")[0]
        if self.month not in stem and not fmt.period.file:
            stem += f"_{self.month}"
        return stem


def sheet_of(simulator: Simulator, feed: str, month: str) -> _Sheet:
    """The feed's simulated file of one month, at its first level, to be written by the caller."""
    entry = simulator.project.feeds[feed]
    wanted = simulator.simulations[feed].format
    fmt = next(f for f in entry.feed.formats if f.id == wanted)
    return _Sheet(simulator, entry, fmt, month, _levels(entry, fmt)[0], 0)


def _write(folder: Path, name: str, table: Rows, style: int) -> Path:
    """Write in one of the ways partners do: encodings, line ends, workbook, archive."""
    text = io.StringIO(newline="")
    crlf = style % 2 == 0
    csv.writer(text, delimiter=";", lineterminator="\r\n" if crlf else "\n").writerows(table)
    encoding = ("utf-8", "utf-8-sig", "cp1252")[style % 3]
    if encoding == "cp1252" and "\u202f" in text.getvalue():
        encoding = "utf-8"
    content = text.getvalue().encode(encoding)
    if style % 11 == 5:
        path = folder / f"{name}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            # A fixed date: the same bytes each time.
            archive.writestr(zipfile.ZipInfo(f"{name}.csv", (2020, 1, 1, 0, 0, 0)), content)
        return path
    path = folder / f"{name}.csv"
    path.write_bytes(content)
    return path


def _months(entry: FeedEntry, first: str, last: str) -> list[str]:
    """Months to deliver: those of the calendar in the window, and the one before it."""
    calendar = entry.feed.calendar
    inside = [m for m in months_between(first, last) if calendar.has(m)]
    before = (shifted(first, -back) for back in range(1, 13))
    if calendar.cadence != "monthly":
        inside = [*(m for m in [next((m for m in before if calendar.has(m)), "")] if m), *inside]
    return inside


def write_deliveries(
    project: Project,
    folder: Path,
    first: str,
    last: str,
    faults: bool = True,
    feeds: Collection[str] | None = None,
) -> Deliveries:
    """Write one file per feed, all of them or some, and month between two months into ``folder``.

    The same arguments write the same bytes. With ``faults``, each kind of fault is planted once, in
    the last month of a complete monthly feed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    simulations = load_simulations(project)
    start = f"{year_of(first) - 2:04d}-01"
    simulator = Simulator(project, simulations, months_between(start, last))
    waiting = list(FAULTS) if faults else []
    paths: list[Path] = []
    planted: list[Planted] = []
    for style, (feed, simulation) in enumerate(simulations.items()):
        if feeds is not None and feed not in feeds:
            continue
        entry = project.feeds[feed]
        fmt = next(f for f in entry.feed.formats if f.id == simulation.format)
        months = _months(entry, first, last)
        for month in months:
            for level in _levels(entry, fmt):
                sheet = _Sheet(simulator, entry, fmt, month, level, style)
                table = sheet.table()
                if len(table) == 1 or len(table) > MAX_ROWS:
                    continue
                name = sheet.file_name()
                fault = None
                monthly = entry.feed.calendar.cadence == "monthly" and entry.feed.complete
                if waiting and monthly and month == months[-1] and len(table) > 30:
                    fault = waiting.pop(0)
                    value = table[0].index(sheet.name(next(iter(sheet.columns().values())).names[0]))
                    FAULTS[fault](table, 0, value)
                path = _write(folder, name, table, style)
                paths.append(path)
                if fault:
                    planted.append(Planted(path, fault))
    if faults:
        stray = folder / "tableau_divers.csv"
        stray.write_text(f"thème;nombre;{MARKER}\ndivers;3;oui\nautres;4;oui\n", encoding="utf-8")
        paths.append(stray)
        planted.append(Planted(stray, "aucun contrat ne le connaît"))
    return Deliveries(paths, planted)


def _levels(entry: FeedEntry, fmt: Format) -> list[Level]:
    """Levels to write a file for: the format's own, and the département's when it has its file."""
    level = fmt.territory.level
    if not isinstance(level, dict):
        return [level]
    wanted: tuple[Level, ...] = ("commune", "departement")
    return [one for one in wanted if one in level.values() and one in entry.feed.levels]
