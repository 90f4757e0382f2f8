"""A small XLSX writer: plain cells, row by row, in a twentieth of openpyxl's time.

The whole recueil can be had as a workbook without keeping the server busy for minutes.
"""

import zipfile
from collections.abc import Iterator
from typing import IO, Any
from xml.sax.saxutils import escape

SHEET_ROWS = 1_048_576
"""Rows of an XLSX sheet; a longer table goes on on the next sheet."""


def _cell(value: Any) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f"<c><v>{value!r}</v></c>"
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(str(value))}</t></is></c>'


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def write_xlsx(file: IO[bytes], chunks: Iterator[list[Any]]) -> None:
    """A workbook of plain cells; the first row of the first chunk is the header of each sheet."""
    sheets = 0
    header: str | None = None
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        sheet: Any = None
        count = 0

        def finish() -> None:
            sheet.write(b"</sheetData></worksheet>")
            sheet.close()

        for chunk in chunks:
            for start in range(0, len(chunk), 1000):
                piece = chunk[start : start + 1000]
                if sheet is None or count + len(piece) > SHEET_ROWS:
                    if sheet is not None:
                        finish()
                    sheets += 1
                    sheet = archive.open(f"xl/worksheets/sheet{sheets}.xml", "w", force_zip64=True)
                    sheet.write(f'<worksheet xmlns="{_MAIN}"><sheetData>{header or ""}'.encode())
                    count = 1 if header else 0
                lines = ["<row>" + "".join(map(_cell, row)) + "</row>" for row in piece]
                header = header or lines[0]
                sheet.write("".join(lines).encode())
                count += len(piece)
        finish()
        _workbook(archive, sheets)


def _workbook(archive: zipfile.ZipFile, sheets: int) -> None:
    numbers = range(1, sheets + 1)
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{types}.worksheet+xml"/>'
        for n in numbers
    )
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    named = "".join(f'<sheet name="Valeurs {n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
        f"{overrides}</Types>",
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><sheets>{named}</sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{relations}'
        "</Relationships>",
    }
    for name, content in parts.items():
        archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{content}')
