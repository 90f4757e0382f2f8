"""Tables that fit what they are shown on: a terminal's width, or a file's, which has none."""

from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

FOLDED = 24
"""Least width of the one column that may fold; narrower, it is a column of syllables."""


def print_table(
    console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Print rows as a table, ``None`` as an empty cell.

    Where a terminal is too narrow, the widest column folds; where that is not enough, each row is a
    list of its cells by name. Into a pipe or a file nothing is folded or cut.
    """
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
    full, widest = sum(widths) + 3 * len(widths) + 1, max(range(len(widths)), key=widths.__getitem__)
    if not console.is_terminal or full <= console.width:
        width = max(full, cell_len(title)) if not console.is_terminal else None
        _wide(console, width).print(_grid(title, columns, cells))
    elif full - widths[widest] + FOLDED <= console.width:
        console.print(_grid(title, columns, cells, folding=widest))
    else:
        _print_records(console, title, columns, cells)


def _wide(console: Console, width: int | None) -> Console:
    return console if width is None else Console(file=console.file, width=width)


def _grid(
    title: str, columns: Sequence[str], cells: list[list[str]], folding: int | None = None
) -> Table:
    grid = Table(title=title, title_justify="left", title_style="bold")
    for i, column in enumerate(columns):
        grid.add_column(column, no_wrap=i != folding, overflow="fold")
    for row in cells:
        grid.add_row(*map(Text, row))
    return grid


def _print_records(console: Console, title: str, columns: Sequence[str], cells: list[list[str]]) -> None:
    """Each row as its first cell, then the others that hold something, a line each."""
    console.print(title, style="bold", highlight=False, markup=False)
    for first, *others in cells:
        record = Table.grid(padding=(0, 2))
        record.add_column(no_wrap=True, style="dim")
        record.add_column(overflow="fold")
        for name, cell in zip(columns[1:], others, strict=True):
            if cell:
                record.add_row(f"  {name}", Text(cell))
        console.print(Text(first, style="bold"))
        console.print(record)
