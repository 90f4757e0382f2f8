"""The cells of figures of a recognised table: variable, territory, month and the text that is there."""

from collections import Counter
from collections.abc import Iterator

from odds_pipeline.declarations.feed import Column
from odds_pipeline.declarations.project import Project
from odds_pipeline.french import LEVELS
from odds_pipeline.geography.territories import plain
from odds_pipeline.reception import bounds
from odds_pipeline.reception.astride import ASTRIDE, BETWEEN
from odds_pipeline.reception.matching import Match
from odds_pipeline.reception.national import National
from odds_pipeline.reception.periods import groups_of, month_of
from odds_pipeline.reception.places import Places
from odds_pipeline.reception.rows import Row, Rows
from odds_pipeline.reception.table import Cell, TooLarge

RawCell = tuple[str, str, str, str | None, str | None, int, str, str | None]
"""Variable, territory, level, month, how rows are reduced, line, text and weight."""

Figure = tuple[str, Column, str]
"""Variable, column and text of what a row says."""

ABSENT = "\x00"
"""The text of a cell that is not there; followed by the kind of mark, that of one its row marks."""

Spread = list[tuple[int, dict[str, str]]]
"""Columns that are named by their period or variable, with what their name says."""


def _added(column: Column) -> list[Column]:
    """The column alone, or with those that are added to it: figures of one row, then summed."""
    if not column.plus:
        return [column]
    names: list[str | list[str]] = [column.name, *column.plus]
    return [column.model_copy(update={"name": n, "reduce": "sum", "plus": []}) for n in names]


class Cells:
    """Iterates over the cells of a table, once.

    Afterwards ``ignored`` counts the rows outside the perimeter, ``national`` knows of which wider
    territories the rows are those of all communes, ``rows.problems`` and ``oddities`` say what looks
    damaged, or is not shown: line, kind (caractère, répétée, quartier, masquée, coupée, modalité), what
    is seen. More figures than any such file holds raise :class:`TooLarge`.
    """

    def __init__(self, project: Project, match: Match) -> None:
        self.project, self.match = project, match
        self.places = Places(project, match)
        self.rows = Rows(match, self.places)
        self.oddities: list[tuple[int, str, str]] = []
        self.ignored = 0
        wide = "france" in match.format.territory.also
        self.national = National(project.root, self.places.territories) if wide else None
        self.present, self.spread = self._met(self._present()), self._unpivoted()
        self._added = Counter(variable for variable, _, _ in self.present)
        self._lines: dict[tuple[Cell, ...], list[int]] = {}

    def __iter__(self) -> Iterator[RawCell]:
        for number, cell in enumerate(self._all()):
            if number == bounds.MAX_FIGURES:
                found = f"{number // 10**6} millions de chiffres, jusqu'à la ligne {cell[5]}"
                raise TooLarge(f"{self.match.table.file_name} : plus de {found}.")
            yield cell

    def _all(self) -> Iterator[RawCell]:
        positions = [p for p, _ in self.spread or ()] or [p for _, _, p in self.present]
        finer = any(column.reduce for _, column, _ in self.present)
        lines, columns = self.match.table.masked
        header = self.match.table.lines[self.match.header_row]
        # Where another column ends the line, or another territory's line the file, no figure can be cut.
        open_line = self.match.table.lines[-1] if self.match.table.open_ended else None
        self.oddities += [
            (header, "masquée", f"colonne masquée : {self.match.header[position]}")
            for position in sorted({p for p in positions if p + 1 in columns})
        ]
        for row in self.rows.of_figures(positions):
            level, codes = self.places.read(row.cells, row.place, row.aside)
            if self.national and not row.aside:
                yield from self._wider(row, self.national)
            if not codes:
                if self.places.is_near(row.place, level):
                    self._tell_unknown(row, level)
                self.ignored += 1
                continue
            damaged = [cell for cell in row.cells if isinstance(cell, str) and "\ufffd" in cell]
            if damaged:
                self.oddities.append((row.line, "caractère", f"caractère perdu : « {damaged[0]} »"))
            if row.line in lines:
                self.oddities.append((row.line, "masquée", "ligne masquée"))
            if row.line == open_line and len(row.cells) - 1 in positions:
                self.oddities.append((row.line, "coupée", f"dernière cellule : « {row.cells[-1]} »"))
            if finer:
                self._lines.setdefault(tuple(row.cells), []).append(row.line)
            if self.spread is not None:
                yield from self._spread(row, level, codes, self.spread)
                continue
            month, shown = self._month(row), self._shown(row)
            yield from self._figures(row, shown, level, codes, month)
            if not row.aside:
                yield from self._beside(row, shown, codes, month)

    def repeated(self) -> list[tuple[int, str, str]]:
        """Rows of establishments or small areas that are there twice, when few are.

        Many are a file's nature: rows that tell nothing but a kind of equipment.
        """
        twice = [(lines[0], line) for lines in self._lines.values() for line in lines[1:]]
        if len(twice) > max(3, len(self._lines) // 100):
            return []
        return [(line, "répétée", f"identique à la ligne {first}") for first, line in twice]

    def _present(self) -> list[tuple[str, Column, int]]:
        """The variables whose column the table has, with its position."""
        entry = self.match.entry
        columns = [
            (entry.variable_id(name), own, self.match.column_position(own))
            for name, column in entry.feed.columns_of(self.match.format).items()
            for own in _added(column)
        ]
        return [(variable, column, at) for variable, column, at in columns if at is not None]

    def _met(self, present: list[tuple[str, Column, int]]) -> list[tuple[str, Column, int]]:
        """Without the variables whose rows are nowhere in the table, outside the perimeter included.

        A kind of row that is called otherwise now is not a count of zero: it is told.
        """
        match, met = self.match, list[tuple[str, Column, int]]()
        rows = match.table.rows[match.header_row + 1 :]
        texts: dict[str, set[str]] = {}
        for variable, column, position in present:
            for name, wanted in column.where.items():
                at = match.position(name)
                if name not in texts:
                    cells = {row[at] for row in rows if at is not None and at < len(row)}
                    texts[name] = {plain(match.cell([cell], 0)) for cell in cells}
                asked = [wanted] if isinstance(wanted, str) else wanted
                if texts[name].isdisjoint(map(plain, asked)):
                    seen = f"« {' », « '.join(asked)} » n'est nulle part dans {name} ({variable})"
                    if not column.optional:
                        self.oddities.append((match.table.lines[match.header_row], "modalité", seen))
                    break
            else:
                met.append((variable, column, position))
        return met

    def _shown(self, row: Row) -> list[Figure]:
        """The text of each figure that the row has, read once for all the territories it tells of."""
        texts = (
            (variable, column, self._text(row.cells, column, position))
            for variable, column, position in self.present
        )
        return [(variable, column, text) for variable, column, text in texts if text is not None]

    def _figures(
        self,
        row: Row,
        figures: list[Figure],
        level: str,
        codes: list[str],
        month: str | None,
    ) -> Iterator[RawCell]:
        """The figures of a row, for each of the territories it is read for."""
        for code in codes:
            for variable, column, shown in figures:
                if len(codes) > 1 and column.reduce == "same":
                    if code == codes[0]:
                        among = BETWEEN.join(sorted(codes))
                        yield variable, among, ASTRIDE, month, "same", row.line, shown, None
                    continue
                # Astride several communes: a share of none is known.
                text = ABSENT if len(codes) > 1 and column.reduce else shown
                weight = self._weight(row.cells, column)
                yield variable, code, level, month, column.reduce, row.line, text, weight

    def _beside(
        self, row: Row, figures: list[Figure], codes: list[str], month: str | None
    ) -> Iterator[RawCell]:
        """The same figures at the levels below and above that the contract asks for."""
        key = self.match.format.territory
        if key.rows:
            yield from self._own(row, figures, key.rows, month)
        for level in (level for level in key.also if level != "france"):
            for whole in self.places.wider(level, codes):
                yield from self._whole(row, figures, level, whole, month)

    def _own(self, row: Row, figures: list[Figure], level: str, month: str | None) -> Iterator[RawCell]:
        """The figures of the row's own territory; what is said there of its commune is not one."""
        if row.place not in self.places.known(level):
            self._tell_unknown(row, level)
            return
        for variable, column, shown in figures:
            if column.reduce != "same":
                reduce = column.reduce if self._added[variable] > 1 else None
                yield variable, row.place, level, month, reduce, row.line, shown, None

    def _whole(
        self,
        row: Row,
        figures: list[Figure],
        level: str,
        whole: str,
        month: str | None,
    ) -> Iterator[RawCell]:
        """What a row brings to the figures of a wider territory."""
        for variable, column, shown in figures:
            if column.reduce != "same":
                weight = self._weight(row.cells, column)
                yield variable, whole, level, month, column.reduce, row.line, shown, weight

    def _wider(self, row: Row, national: National) -> Iterator[RawCell]:
        """What a commune, wherever it is, brings to the figures of what goes beyond the perimeter.

        Counts alone add up.
        """
        wholes, month = national.add(row.place), self._month(row)
        for variable, column, shown in self._shown(row):
            counted = self.project.variables[variable][1].aggregation == "sum"
            if counted and column.reduce in (None, "sum", "count"):
                reduce = column.reduce or "sum"
                for whole in wholes:
                    level = national.levels[whole]
                    yield variable, whole, level, month, reduce, row.line, shown, None

    def _tell_unknown(self, row: Row, level: str) -> None:
        """A neighbourhood that is not in the table of territories."""
        self.oddities.append((row.line, "quartier", f"{LEVELS[level]} {row.place}"))

    def _text(self, row: list[Cell], column: Column, position: int) -> str | None:
        """The text of a figure; ``None`` when the row is not one of those that the column reads.

        In an exhaustive file such a row says that its territory is spoken of: none is counted in it.
        """
        if column.where and not self.match.meets(row, column.where):
            if not self.match.entry.feed.exhaustive or column.reduce not in ("sum", "count"):
                return None
            return "0" if column.reduce == "sum" else ""
        shown = self._mark(row) or self.match.cell(row, position)
        return ("1" if shown else "") if column.reduce == "count" else shown

    def _mark(self, row: list[Cell]) -> str:
        """The mark of a row whose status column says that it has no figure; empty for the others."""
        for name, kinds in self.match.format.status.items():
            kind = kinds.get(self.match.cell(row, self.match.position(name)))
            if kind is not None:
                return f"{ABSENT}{kind}"
        return ""

    def _weight(self, row: list[Cell], column: Column) -> str | None:
        """The text of what weighs a mean, when the file has the column."""
        position = self.match.position(column.weight) if column.weight else None
        return None if position is None else self.match.cell(row, position)

    def _month(self, row: Row) -> str | None:
        """The month a row speaks of; a period that cannot be read is a problem of its line."""
        period, calendar = self.match.format.period, self.match.entry.feed.calendar
        if period.fixed:
            return period.fixed
        groups = dict(self.match.groups)
        if period.column:
            shown = self.match.cell(row.cells, self.match.position(period.column))
            found = groups_of(period.pattern, shown)
            if not found:
                unreadable = f"période illisible dans {period.column} : « {shown} »"
                self.rows.problems.append((row.line, unreadable))
                return None
            groups |= found
        return month_of(groups, calendar.month, period.year_shift)

    def _unpivoted(self) -> Spread | None:
        unpivot = self.match.format.unpivot
        if unpivot is None:
            return None
        found = [(i, groups_of(unpivot.columns, name)) for i, name in enumerate(self.match.header)]
        return [(i, groups) for i, groups in found if groups]

    def _spread(self, row: Row, level: str, codes: list[str], spread: Spread) -> Iterator[RawCell]:
        """The figures of a row that has a column for each period or variable."""
        unpivot, entry = self.match.format.unpivot, self.match.entry
        assert unpivot is not None
        for code in codes:
            for position, groups in spread:
                month = self._spread_month(row, groups)
                shown = self._mark(row.cells) or self.match.cell(row.cells, position)
                for name in unpivot.variables_of(groups):
                    yield entry.variable_id(name), code, level, month, None, row.line, shown, None

    def _spread_month(self, row: Row, groups: dict[str, str]) -> str | None:
        fmt = self.match.format
        own = self.match.groups | groups
        if fmt.period.column:
            shown = self.match.cell(row.cells, self.match.position(fmt.period.column))
            own |= groups_of(fmt.period.pattern, shown)
        return month_of(own, self.match.entry.feed.calendar.month, fmt.period.year_shift)
