"""Workbooks that open ready to read: header that stays in sight, filter, widths, numbers as numbers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

SHEET_ROWS = 1_048_576
"""Rows of an XLSX sheet; a longer table goes on on the next sheet."""
Rows = Iterable[Sequence[Any]]


def write_xlsx(
    path: Path, header: Sequence[str], rows: Rows, others: Mapping[str, tuple[Sequence[str], Rows]]
) -> None:
    """A workbook whose first sheets are the table; ``others`` are sheets by name, header and rows."""
    options = {
        "constant_memory": True,
        "strings_to_urls": False,
        "strings_to_formulas": False,
        "in_memory": False,
    }
    with Workbook(str(path), options) as book:
        bold = book.add_format({"bold": True, "bg_color": "#E1E6E8", "bottom": 1})
        number = book.add_format({"num_format": "# ##0.##########"})
        remaining, part = iter(rows), 0
        first = next(remaining, None)
        while first is not None or part == 0:
            part += 1
            sheet = _sheet(book, "Valeurs" if part == 1 else f"Valeurs {part}", header, bold)
            first = _fill(sheet, first, remaining, number)
        for name, (columns, lines) in others.items():
            more = iter(lines)
            _fill(_sheet(book, name, columns, bold), next(more, None), more, number)


def _sheet(book: Workbook, name: str, header: Sequence[str], bold: Any) -> Worksheet:
    sheet: Worksheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, len(header) - 1, 16)
    for column, title in enumerate(header):
        if title.endswith("label") or title in ("definition", "colonne", "sens"):
            sheet.set_column(column, column, 44)
        sheet.write_string(0, column, title, bold)
    return sheet


def _fill(
    sheet: Worksheet, first: Sequence[Any] | None, rows: Iterator[Sequence[Any]], number: Any
) -> Sequence[Any] | None:
    """Write rows until the sheet is full; the row that did not fit."""
    row, line, width = first, 0, 0
    while row is not None and line < SHEET_ROWS - 1:
        line += 1
        width = len(row)
        for column, value in enumerate(row):
            if isinstance(value, bool):
                sheet.write_boolean(line, column, value)
            elif isinstance(value, int | float):
                sheet.write_number(line, column, value, number)
            elif value is not None:
                sheet.write_string(line, column, str(value))
        row = next(rows, None)
    if width:
        sheet.autofilter(0, 0, line, width - 1)
    return row
