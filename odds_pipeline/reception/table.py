"""A table of cells as found in a delivered file, and the words for a file that holds none."""

from collections.abc import Set
from dataclasses import dataclass, replace

from odds_pipeline.reception import bounds

Cell = str | int | float


class Unreadable(ValueError):
    """The file cannot be opened as a table; the text says why, in French."""


class TooLarge(Unreadable):
    """The file is larger than may be, once unpacked: no further part of it is opened."""


class NoTable(Unreadable):
    """The file is whole and is something else than a table: a PDF, a web page, an image."""


@dataclass(frozen=True)
class Table:
    """``rows`` of cells; ``lines`` gives the line in the file of each row, from 1.

    ``file_name`` is the file as received, ``member`` the file inside it when it is an archive, and
    ``folder`` where it is there.
    ``flaw`` says in French what shows that the table is not whole: no figure of it may be used.
    ``hint`` says what may keep it from being recognised. A ``hidden`` sheet is no delivery; ``masked``
    are the lines and the columns, from 1, that a sheet does not show, which are read as the others.
    ``open_ended``: its text ends without a line end, maybe inside its last cell.
    ``told`` are texts besides its names that may tell the period: the vintage of its origin, its folder.
    """

    file_name: str
    member: str | None
    sheet: str | None
    rows: list[list[Cell]]
    lines: list[int]
    flaw: str | None = None
    hint: str | None = None
    hidden: bool = False
    folder: str | None = None
    told: tuple[str, ...] = ()
    masked: tuple[Set[int], Set[int]] = (frozenset(), frozenset())
    open_ended: bool = False

    def beside(self, told: tuple[str, ...]) -> "Table":
        """The same with what its origin tells."""
        return replace(self, told=told)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that may tell contract and period, the nearest to the table first."""
        return (self.file_name,) if self.member is None else (self.member, self.file_name)

    @property
    def part(self) -> str | None:
        """Where in the file the table is: member of an archive, sheet of a workbook."""
        return " / ".join(filter(None, (self.folder, self.member, self.sheet))) or None


def without_empty_columns(rows: list[list[Cell]]) -> list[list[Cell]]:
    """Rows without the last columns that no row fills, as a sheet formatted to its end has."""
    width = max((_filled(row) for row in rows), default=0)
    return [row[:width] if len(row) > width else row for row in rows]


def _filled(row: list[Cell]) -> int:
    """Cells of a row up to its last one that is not blank."""
    for position in range(len(row), 0, -1):
        if str(row[position - 1]).strip():
            return position
    return 0


def cut(last_line: int) -> str | None:
    """The flaw of a table that ends where a spreadsheet does."""
    if last_line not in bounds.CUT_AT:
        return None
    lines = f"{last_line:,}".replace(",", "\u202f")
    return f"le tableau a exactement {lines} lignes, la limite d'un tableur : il est sans doute coupé"
