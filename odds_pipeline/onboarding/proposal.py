"""Proposes how a sample is read: header, territory, period, decimal mark, marks and figures.

What a careful reader could not tell from the file alone is not guessed: the column is left out, with
the reason, or the whole sample is refused with :class:`~odds_pipeline.onboarding.period.CannotPropose`.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import cached_property

from odds_pipeline.declarations.feed import Level, Mark
from odds_pipeline.declarations.units import Unit
from odds_pipeline.geography.territories import Territories, plain
from odds_pipeline.onboarding.period import CannotPropose, PeriodFound, find_period
from odds_pipeline.reception.matching import HEADER_DEPTH, SIMULATED, text
from odds_pipeline.reception.tables import Table

NUMBER = re.compile(r"-?(\d{1,3}([ \u00a0\u202f]\d{3})+|\d+)([.,]\d+)?([eE][-+]\d+)?[ \u00a0]?%?")
DECIMALS = re.compile(r"-?\d+[.,]\d+")
MEASURED = set(
    "age delai densite distance duree indice loyer median mediane moyen moyenne prix temps".split()
)
"""Words of a title that names what is measured, and not how many there are."""
THOUSANDS = re.compile(r"-?[1-9]\d{0,2}[.,]\d{3}")
MARKS: dict[str, Mark] = {
    **dict.fromkeys(("s", "ss", "c", "secret", "ns", "<5", "<10", "<11", "< 5"), "secret"),
    **dict.fromkeys(("nd", "n.d.", "na", "n/a"), "not_available"),
    **dict.fromkeys(("nc", "///"), "not_concerned"),
}
TOTALS = ("total", "tous", "toutes", "ensemble")
CODES = re.compile(
    r"^(cod|code|id|objectid|reg|dep|arr|can|cv|epci|uu|uu\d*|siren|siret|iris|(\w+_)?note\d*|zone|an|annee|year"
    r"|mois|month|trimestre|date|dept|depcom|insee|typ\w*|cod\w{2,5}|codgeo|id\w*)$"
)
IRIS_LENGTH = 9


@dataclass(frozen=True)
class FigureColumn:
    """A column of figures: its variable, and what is guessed of it."""

    column: str
    name: str
    label: str
    unit: str
    aggregation: str
    reduce: str | None
    typical: float
    total: float
    signed: bool = False


@dataclass(frozen=True)
class Proposal:
    """How the sample is read. ``left_out`` gives the columns that are not, each with the reason.

    ``told`` is what the gate would say of the sample: the partner's own doing, or a rule to adapt.
    """

    header_line: int
    territory: tuple[str, ...]
    level: Level
    by: str
    prefix: int | None
    communes: frozenset[str]
    cadence: str
    month: str
    file: str
    example: dict[str, str]
    period: dict[str, str]
    decimal: str
    decimal_seen: bool
    blanks: bool
    marks: dict[str, Mark]
    unknown_marks: frozenset[str]
    where: dict[str, str]
    figures: tuple[FigureColumn, ...]
    left_out: dict[str, str]
    told: tuple[str, ...] = ()


def propose(table: Table, territories: Territories, units: dict[str, Unit]) -> Proposal:
    """The contract that the sample suggests; raises :class:`CannotPropose`."""
    return _Sample(table, territories, units).proposal()


@dataclass
class _Sample:
    table: Table
    territories: Territories
    units: dict[str, Unit]

    @cached_property
    def header_row(self) -> int:
        """The first row nearly all of text, different cells, nearly as wide as the widest."""
        rows = [[text(c) for c in row] for row in self.table.rows[:HEADER_DEPTH]]
        width = max((sum(map(bool, row)) for row in rows), default=0)
        for number, row in enumerate(rows[:-1]):
            filled = [cell for cell in row if cell]
            words = [cell for cell in filled if not NUMBER.fullmatch(cell)]
            wide = len(filled) >= max(2, 0.8 * width)
            if wide and len(set(filled)) == len(filled) and len(words) >= 0.8 * len(filled):
                return number
        raise CannotPropose(
            f"{self.table.file_name}: no header row in its first {HEADER_DEPTH} lines (a row of column "
            "names, all different, as wide as the table)"
        )

    @cached_property
    def header(self) -> list[str]:
        return [text(cell) for cell in self.table.rows[self.header_row]]

    @cached_property
    def rows(self) -> list[tuple[int, list[str]]]:
        """Data rows with their line, padded to the header; notes of one cell are left out."""
        start, width = self.header_row + 1, len(self.header)
        found = []
        for line, row in zip(self.table.lines[start:], self.table.rows[start:], strict=True):
            cells = [text(cell) for cell in row][:width]
            if sum(map(bool, cells)) > 1:
                found.append((line, cells + [""] * (width - len(cells))))
        return found

    def cells(self, position: int) -> list[str]:
        return [row[position] for _, row in self.rows]

    def filled(self, position: int) -> list[str]:
        return [cell for cell in self.cells(position) if cell]

    def codes(self, level: str) -> set[str]:
        return {t.code for t in self.territories.all if t.level == level}

    # ── which territory ──────────────────────────────────────────────────────────────────────

    @cached_property
    def territory(self) -> tuple[tuple[int, ...], Level, str, int | None]:
        """Positions of the columns, level, ``code`` or ``label``, characters to keep."""
        communes, width = self.codes("commune"), range(len(self.header))
        shapes = (("code", r"\d[\dAB]\d{3}", None), ("code", rf"\d[\dAB]\d{{{IRIS_LENGTH - 2}}}", 5))
        for by, shape, prefix in shapes:
            best = [
                (len({c[:prefix] for c in cells} & communes), -p)
                for p in width
                if (cells := self.filled(p))
                and sum(bool(re.fullmatch(shape, c)) for c in cells) >= 0.9 * len(cells)
            ]
            if best and max(best)[0]:
                return (-max(best)[1],), "commune", by, prefix
        for first in width:
            if set(self.filled(first)) and all(re.fullmatch(r"\d[\dAB]", c) for c in self.filled(first)):
                for second in width:
                    parts = self.filled(second)
                    pairs = {a + b for a, b in zip(self.cells(first), self.cells(second), strict=True)}
                    named = plain(self.header[first]).startswith(("dep", "coddep", "codedep"))
                    three = parts and all(re.fullmatch(r"\d{3}", c) for c in parts)
                    if named and three and pairs & communes:
                        return (first, second), "commune", "code", None
        labels = [
            (len({plain(c) for c in self.filled(p)} & set(self.territories.by_label)), -p) for p in width
        ]
        if labels and max(labels)[0] >= 3:
            return (-max(labels)[1],), "commune", "label", None
        for p in width:
            if set(self.filled(p)) & self.codes("ept"):
                return (p,), "ept", "code", None
            if self.header[p].lower().startswith("dep") and set(self.filled(p)) & self.codes(
                "departement"
            ):
                others = {plain(self.header[q]) for q in width if q != p}
                if len(self.rows) == len(set(self.cells(p))) and not others & {"commune", "com"}:
                    return (p,), "departement", "code", None
        raise CannotPropose(
            f"{self.table.file_name}: no column holds codes or names of the communes, territories or "
            "départements of the perimeter; a file of the region or of France alone cannot be told "
            "from its codes: write its contract by hand (docs/how-to/add-a-partner.md)"
        )

    def place(self, row: list[str]) -> str:
        positions, _, _, prefix = self.territory
        return "".join(row[p] for p in positions)[:prefix]

    # ── which month ──────────────────────────────────────────────────────────────────────────

    @cached_property
    def period(self) -> PeriodFound:
        columns = {title: self.cells(p) for p, title in enumerate(self.header) if title}
        return find_period(self.table.names[0], columns)

    # ── which rows ───────────────────────────────────────────────────────────────────────────

    @cached_property
    def finer(self) -> bool:
        """Whether rows are smaller than a commune (IRIS), to be summed."""
        if self.territory[3]:
            return True
        communes = self.codes("commune")
        return any(
            cells
            and all(len(c) == IRIS_LENGTH for c in cells)
            and {c[:5] for c in cells} & communes
            and len(set(cells)) == len(self.rows)
            for cells in map(self.filled, range(len(self.header)))
        )

    @cached_property
    def where(self) -> dict[str, str]:
        """The total of each column that cuts a territory into several rows."""
        if self.finer or not self._repeated(self.rows):
            return {}
        found = {}
        for p, title in enumerate(self.header):
            totals = [c for c in dict.fromkeys(self.filled(p)) if plain(c) in TOTALS]
            if totals and p not in self.territory[0]:
                found[title] = totals[0]
        kept = [(n, r) for n, r in self.rows if self._kept(r, found)]
        twice = self._repeated(kept)
        if twice or not kept:
            raise CannotPropose(
                f"{self.table.file_name}: several rows of one territory and period "
                f"(lines {', '.join(map(str, twice[:2]))}), and no row says Total or Ensemble: which "
                "rows count, or whether they add up, must be said by `where` or `reduce`: write the "
                "contract by hand (docs/how-to/add-a-partner.md)"
            )
        return found

    def _kept(self, row: list[str], where: dict[str, str]) -> bool:
        return all(row[self.header.index(title)] == wanted for title, wanted in where.items())

    def _repeated(self, rows: list[tuple[int, list[str]]]) -> list[int]:
        seen: dict[tuple[str, str], list[int]] = defaultdict(list)
        column = self.period.column
        position = self.header.index(column) if column else None
        for line, row in rows:
            month = row[position] if position is not None else ""
            if self._inside(row):
                seen[self.place(row), month].append(line)
        return next((lines for lines in seen.values() if len(lines) > 1), [])

    def _inside(self, row: list[str]) -> bool:
        _, level, by, _ = self.territory
        place = self.place(row)
        return plain(place) in self.territories.by_label if by == "label" else place in self.codes(level)

    # ── which figures ────────────────────────────────────────────────────────────────────────

    def _years_as_columns(self) -> None:
        families: dict[tuple[str, str, bool], set[int]] = defaultdict(set)
        for title in self.header:
            # A year ends a name whatever is before it: RFUCQ201 is RFUCQ2 of 2001.
            for digits in re.finditer(r"(?<!\d)(?:20)?\d\d(?!\d)|(?<=[^\W\d_]\d)\d\d$", title):
                key = title[: digits.start()], title[digits.end() :], len(digits[0]) == 4
                families[key].add(int(digits[0]) % 100)
        found = [
            key for key, years in families.items() if any({y, y + 1, y + 2} <= years for y in years)
        ]
        if not found:
            return
        alike = [key for key in found if key[1:] == found[0][1:]]
        year = r"(?P<year>20\d\d)" if found[0][2] else r"(?P<yy>\d\d)"
        before = re.escape(found[0][0])
        if len(alike) > 1:
            before = f"(?P<variable>{'|'.join(re.escape(key[0]) for key in alike)})"
        shown = ", ".join(f"{start}…{end}" for start, end, _ in alike[:3])
        raise CannotPropose(
            f"{self.table.file_name}: the columns {shown} look like consecutive "
            "years or months. Write the contract by hand (docs/how-to/write-a-contract.md, "
            "“Years in columns”) with `period: {}` and `unpivot: {columns: "
            f"'^{before}{year}{re.escape(found[0][1])}$'`, whose `variable` names what each is"
        )

    def _left_out(self, position: int, cells: list[str]) -> str | None:
        """Why a column is no figure, or may not be; ``None`` for a column of figures."""
        title = self.header[position]
        numbers = [c for c in cells if NUMBER.fullmatch(c)]
        others = {c for c in cells if c and not NUMBER.fullmatch(c)}
        filled = [c for c in cells if c]
        if CODES.match(plain(title).replace(" ", "")) or CODES.match(plain(title).split(" ")[0]):
            return "a code, a date or a note by its name"
        if not numbers or len(others) > 5 or len(numbers) < 0.5 * len(filled):
            return "text, or no figure in the sample"
        if any(re.fullmatch(r"0\d+", c) for c in numbers):
            return "codes with leading zeros"
        if len(set(filled)) == 1 and len(filled) > 4:
            return f"the same value, {filled[0]}, in every row"
        decimals = [c for c in numbers if "." in c or "," in c]
        if decimals and all(THOUSANDS.fullmatch(c) for c in decimals):
            return f"{decimals[0]} may be thousands or decimals: ask the partner"
        return None

    def _unit(self, title: str, values: list[float], whole: bool) -> str:
        words = plain(title).replace("_", " ").split()
        share = {"taux", "tx", "part", "pct", "pourcentage"} & set(words)
        if share and all(-100 <= v <= 100 for v in values):
            return "pct_niveau"
        # Communes go from 1 to 60 in size: what varies less than fourfold is a median or an index.
        sized = len(values) >= 10 and max(values) >= 4 * max(min(values), 0.25)
        if not whole or min(values) < 0 or not sized or MEASURED & set(words):
            return "indice"
        named = [u.id for u in self.units.values() if u.kind == "count" and plain(u.id) in words]
        return named[0] if named else "personnes"

    def proposal(self) -> Proposal:
        """All of it, in an order that refuses what cannot be told as early as can be."""
        positions, level, by, prefix = self.territory
        self._years_as_columns()
        found = self.period
        period, month = found.declared, found.month
        kept = [r for _, r in self.rows if self._kept(r, self.where) and self._inside(r)]
        skipped = {*positions, *(self.header.index(t) for t in (found.column, *self.where) if t)}
        twice = {t for t, n in Counter(map(plain, self.header)).items() if n > 1}
        chosen: dict[int, list[str]] = {}
        left_out: dict[str, str] = {}
        for p, title in enumerate(self.header):
            if p in skipped or not title or plain(title) == SIMULATED:
                continue
            cells = [row[p] for row in kept]
            reason = "twice in the header" if plain(title) in twice else self._left_out(p, cells)
            if reason is None:
                chosen[p] = cells
            else:
                left_out[title] = reason
        marked = Counter(
            mark for cells in chosen.values() for c in cells for mark in ",." if _decimal(c) == mark
        )
        if len(marked) > 1:
            raise CannotPropose(
                f"{self.table.file_name}: decimals are written with a comma in some cells and a point "
                "in others; ask the partner for one of them"
            )
        marks = sorted({c for cells in chosen.values() for c in cells if c and not NUMBER.fullmatch(c)})
        figures: list[FigureColumn] = []
        for p, cells in chosen.items():
            figure = self._figure(self.header[p], cells, figures)
            if self.finer and figure.aggregation == "none":
                left_out[self.header[p]] = "small areas do not add up to the commune's figure"
            else:
                figures.append(figure)
        figures = self._without_year(figures, month) if "file" in period else figures
        if not figures:
            raise CannotPropose(
                f"{self.table.file_name}: no column of figures. "
                + "; ".join(f"{title}: {reason}" for title, reason in list(left_out.items())[:8])
            )
        return Proposal(
            header_line=self.table.lines[self.header_row],
            territory=tuple(self._yearly(self.header[p], month, period) for p in positions),
            level=level,
            by=by,
            prefix=prefix,
            communes=frozenset(self.place(row) for row in kept),
            cadence=found.cadence,
            month=month,
            file=found.file,
            example=found.example,
            period=period,
            decimal=next(iter(marked), ","),
            decimal_seen=bool(marked),
            blanks=any(c == "" for cells in chosen.values() for c in cells),
            marks={m: MARKS.get(m.lower(), "not_available") for m in marks},
            unknown_marks=frozenset(m for m in marks if m.lower() not in MARKS),
            where=self.where,
            figures=tuple(figures),
            left_out=left_out,
        )

    def _yearly(self, title: str, month: str, period: dict[str, str]) -> str:
        """A territory column that bears the year (``CODGEO_25``) bears the next one next year."""
        bears = "file" in period and title.endswith(f"_{month[2:4]}")
        return title[:-2] + "{yy}" if bears else title

    def _without_year(self, figures: list[FigureColumn], month: str) -> list[FigureColumn]:
        """``{yy}`` or ``{yyyy}`` for the year at the end of most columns (``MED20``), renamed each year.

        When few bear it (``ABC_25``, under 25 years old), it is no year.
        """
        yy = month[2:4]
        bearing = [f for f in figures if f.column.endswith(yy)]
        if len(bearing) < 0.6 * len(figures):
            return figures
        names = {f.name for f in figures}

        def without(f: FigureColumn) -> FigureColumn:
            digits, key = (4, "{yyyy}") if f.column.endswith(month[:4]) else (2, "{yy}")
            short = f.name[:-digits].strip("_")
            return replace(
                f,
                column=f.column[:-digits] + key,
                name=short if short and short not in names else f.name,
                label=f.label[:-digits].strip("_ ") if len(f.label) > 5 else f.label,
            )

        return [without(f) if f in bearing else f for f in figures]

    def _figure(self, title: str, cells: list[str], before: list[FigureColumn]) -> FigureColumn:
        values = [_value(c) for c in cells if NUMBER.fullmatch(c)]
        whole = all(v.is_integer() for v in values) and not any(_decimal(c) for c in cells)
        unit = self._unit(title, values, whole)
        adds_up = self.units[unit].adds_up
        title = " ".join(title.split())
        name = re.sub(r"[^a-z0-9]+", "_", plain(title)).strip("_") or "colonne"
        name = name if name[0].isalpha() else f"v_{name}"
        taken = {f.name for f in before}
        name = next(n for n in (name, *(f"{name}_{i}" for i in range(2, 999))) if n not in taken)
        return FigureColumn(
            title,
            name,
            title if len(title) > 2 else f"Colonne {title}",
            unit,
            "sum" if adds_up else "none",
            "sum" if self.finer and adds_up else None,
            sorted(values)[len(values) // 2],
            sum(values),
            min(values) < 0,
        )


def _decimal(cell: str) -> str | None:
    """The decimal mark of a cell, if it has one."""
    return next((m for m in ",." if NUMBER.fullmatch(cell) and m in cell), None)


def _value(cell: str) -> float:
    return float(re.sub(r"[ \u00a0\u202f%]", "", cell).replace(",", "."))
