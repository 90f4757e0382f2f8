"""A choice of indicators and territories as a workbook to work in: French names, formats, sheets."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook

from odds_pipeline.extranet.reading.choice import Choice
from odds_pipeline.extranet.reading.serving import Place, Row, View
from odds_pipeline.extranet.words import DIRECTIONS, licences, of, period, status
from odds_pipeline.french import decimals_of, french_day

_SHEET = {
    "Indicateur": "label",
    "Définition": "definition",
    "Numérateur": "numerator",
    "Dénominateur": "denominator",
    "Population": "population",
    "Limites": "limits",
    "Source": "source",
    "Licence": "licence",
}
FIXED = ("Partie", "Indicateur", "Unité", "Période")
HEADER = 1
"""Row of the column names; what the table is stands above."""


def write_workbook(
    path: Path, view: View, choice: Choice, places: Sequence[Place], rows: dict[str, dict[str, Row]]
) -> None:
    """The table as a page shows it, the definitions of its indicators, what to know before citing."""
    with Workbook(str(path), {"strings_to_urls": False, "strings_to_formulas": False}) as book:
        _table(book, view, choice, places, rows)
        sheets = [view.definitions[name] for name in choice.names if name in rows]
        defined = [
            [
                *({**s, "licence": licences(s["licence"])}[f] for f in _SHEET.values()),
                DIRECTIONS[s["direction"]].capitalize(),
            ]
            for s in sheets
        ]
        _text(book, "Définitions", (*_SHEET, "Lecture"), defined)
        cautions = [(s["label"], caution) for s in sheets for caution in s["cautions"]]
        for one in sheets:
            reserves = {row["reserve"] for row in rows[one["indicator"]].values() if row["reserve"]}
            cautions += [(one["label"], reserve) for reserve in sorted(reserves)]
        _text(book, "À savoir avant de citer", ("Indicateur", "Précaution"), cautions)


def _table(
    book: Workbook, view: View, choice: Choice, places: Sequence[Place], rows: dict[str, dict[str, Row]]
) -> None:
    sheet, bold = book.add_worksheet("Tableau"), _bold(book)
    formats = _formats(book, view, choice)
    sheet.write_string(0, 0, _citation(view), book.add_format({"bold": view.simulated}))
    columns, at = list(FIXED), dict[str, tuple[int, int | None]]()
    for place in places:
        said = any(_said(own.get(place.code)) for own in rows.values())
        at[place.code] = len(columns), len(columns) + 1 if said else None
        columns += [place.label, f"Situation {of(place, view.observatory)}"][: 1 + said]
    sheet.write_row(HEADER, 0, columns, bold)
    line = HEADER
    for label, names in choice.sections.items():
        for name in (n for n in names if n in rows):
            line, told = line + 1, view.definitions[name]
            month = next(iter(rows[name].values()))["month"]
            sheet.write_row(line, 0, [label, told["label"], told["unit_label"], period(month, told)])
            for place in places:
                row, (value, beside) = rows[name].get(place.code), at[place.code]
                if row is None or row["value"] is None:
                    sheet.write_string(line, value, status(row) or "non disponible" if row else "—")
                else:
                    shown = decimals_of(row["value"], told["decimals"], told["to_the_unit"])
                    sheet.write_number(line, value, row["value"], formats[shown])
                if beside is not None:
                    sheet.write_string(line, beside, _said(row))
    sheet.freeze_panes(HEADER + 1, 2)
    sheet.autofilter(HEADER, 0, line, len(columns) - 1)
    for column, width in enumerate((26, 52, 16, 16)):
        sheet.set_column(column, column, width)
    sheet.set_column(len(FIXED), len(columns) - 1, 20)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEADER)


def _said(row: Row | None) -> str:
    """What stands beside a value: its status, a reserve, its place among the communes."""
    if row is None or row["value"] is None:
        return ""
    reserve = "sous réserve" if row["reserve"] else ""
    return ", ".join(filter(None, (status(row), reserve, row["situation"].text)))


def _citation(view: View) -> str:
    """What stands above the table, where nobody misses it."""
    words = "DONNÉES SIMULÉES, à ne pas citer. " if view.simulated else ""
    day = french_day(view.about["published_at"])
    return f"{words}{view.observatory.label}, recueil des indicateurs, édition {view.number}, {day}."


def _formats(book: Workbook, view: View, choice: Choice) -> dict[int, Any]:
    """Number formats by decimals, thousands apart as French spreadsheets write them."""
    wanted = {0, *(view.definitions[name]["decimals"] for name in choice.names)}
    return {n: book.add_format({"num_format": "#,##0" + ("." + "0" * n if n else "")}) for n in wanted}


def _bold(book: Workbook) -> Any:
    return book.add_format(
        {"bold": True, "bg_color": "#E1E6E8", "bottom": 1, "text_wrap": True, "valign": "top"}
    )


def _text(book: Workbook, name: str, columns: Sequence[str], lines: Iterable[Sequence[Any]]) -> None:
    """A sheet of words, wrapped in columns wide enough to read."""
    sheet, wrapped = book.add_worksheet(name), book.add_format({"text_wrap": True, "valign": "top"})
    sheet.write_row(0, 0, columns, _bold(book))
    for number, line in enumerate(lines, 1):
        sheet.write_row(number, 0, [value or "" for value in line], wrapped)
    sheet.set_column(0, len(columns) - 1, 44)
    sheet.freeze_panes(1, 1)
