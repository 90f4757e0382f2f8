"""The rows of a recognised table that hold figures; titles, notes and what a contract ignores do not."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from odds_pipeline.reception.clock import check
from odds_pipeline.reception.matching import Match, text
from odds_pipeline.reception.places import Places
from odds_pipeline.reception.tables import Cell

_FIGURE = re.compile(r"[-−]?\d[\d\s.,'’]*%?")


class Row(NamedTuple):
    """``place`` is its territory as written; ``aside``, whether that is none: a total's, or a note's."""

    line: int
    cells: list[Cell]
    place: str
    aside: bool


class Rows:
    """``problems`` are facts about rows that no cell holds, each with its line, in French."""

    def __init__(self, match: Match, places: Places) -> None:
        self.match, self.places = match, places
        self.problems: list[tuple[int, str]] = []
        self.rows = match.table.rows[match.header_row + 1 :]
        self.lines = match.table.lines[match.header_row + 1 :]
        self.end = len(self.rows)
        if (second := self._second_table()) is not None:
            self.end = second
            twice = "l'en-tête y revient, pour les mêmes territoires : ce sont deux tableaux"
            self.problems.append((self.lines[second], twice))

    def _second_table(self) -> int | None:
        """Where the header comes again over places that were there once: a table of what else?

        Over other places, it is the header of another printed page.
        """
        header = [cell for cell in self.match.header if cell]
        places = self.places.shown
        for number, row in enumerate(self.rows):
            if [text(cell) for cell in row if text(cell)] == header:
                before = [place for place in places[:number] if place]
                again = set(before) & set(places[number + 1 :])
                return number if again and len(before) == len(set(before)) else None
        return None

    def of_figures(self, positions: list[int]) -> Iterator[Row]:
        """Each row that may hold a figure; ``positions`` are the columns of figures."""
        fmt, width = self.match.format, self._width()
        given = zip(self.lines, self.rows, self.places.shown, strict=True)
        for number, (line, row, place) in enumerate(islice(given, self.end)):
            if number % 10_000 == 0:
                check()
            filled = [cell for cell in row if text(cell)]
            if len(filled) == 1 and text(row[0]) and width > 2:
                continue  # a note under the table: one cell of text
            if self._ignored(row):
                if not place and (named := self.places.commune_named(row)):
                    self.problems.append((line, f"la ligne nomme {named} et n'a pas de code"))
                continue
            if not self.match.meets(row, fmt.where):
                continue
            aside = self.places.is_aside(place)
            if aside and not self._holds_number(row, positions):
                continue  # a note: no territory, no figure
            if (len(row) < width and not fmt.short_lines) or any(
                text(cell) for cell in row[len(self.match.header) :]
            ):
                self.problems.append((line, f"la ligne a {len(row)} cellules, l'en-tête {width}"))
            yield Row(line, row, place, aside)

    def _width(self) -> int:
        """Columns of the header, without the empty ones at its end."""
        named = [number for number, name in enumerate(self.match.header, start=1) if name]
        return max(named, default=0)

    def _ignored(self, row: list[Cell]) -> bool:
        ignore = self.match.format.ignore.items()
        cell, position = self.match.cell, self.match.position
        return any(cell(row, position(name)) in values for name, values in ignore)

    def _holds_number(self, row: list[Cell], positions: list[int]) -> bool:
        """Whether a cell of figures is a number: a row of no territory without any is a note."""
        return any(_FIGURE.fullmatch(self.match.cell(row, p)) for p in positions)
