"""Writes workbooks as Excel's binary format keeps them (.xlsb, MS-XLSB), which no library writes."""

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence

_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_LINKS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

_BEGIN_BOOK, _END_BOOK, _BEGIN_SHEETS, _END_SHEETS, _SHEET_OF = 131, 132, 143, 144, 156
_BEGIN_SHEET, _END_SHEET, _BEGIN_DATA, _END_DATA, _DIMENSION = 129, 130, 145, 146, 148
_ROW, _NUMBER, _TEXT = 0, 5, 6


def _varying(number: int) -> bytes:
    """A number as records say their kind and their size: seven bits a byte, the lowest first."""
    found = b""
    while number > 0x7F:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


def _record(kind: int, data: bytes = b"") -> bytes:
    return _varying(kind) + _varying(len(data)) + data


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def _sheet(rows: Sequence[Sequence[str | float]]) -> bytes:
    ends = struct.pack("<4I", 0, len(rows) - 1, 0, max(map(len, rows)) - 1)
    found = _record(_BEGIN_SHEET) + _record(_DIMENSION, ends) + _record(_BEGIN_DATA)
    for number, row in enumerate(rows):
        found += _record(_ROW, struct.pack("<I", number) + bytes(13))
        for column, cell in enumerate(row):
            at = struct.pack("<II", column, 0)
            if isinstance(cell, str):
                found += _record(_TEXT, at + _wide(cell))
            else:
                found += _record(_NUMBER, at + struct.pack("<d", cell))
    return found + _record(_END_DATA) + _record(_END_SHEET)


def binary_workbook(
    sheets: Mapping[str, Sequence[Sequence[str | float]]], hidden: Sequence[str] = ()
) -> bytes:
    """The bytes of a workbook of those sheets, ``hidden`` ones not shown."""
    names = list(sheets)
    book = _record(_BEGIN_BOOK) + _record(_BEGIN_SHEETS)
    for number, name in enumerate(names, 1):
        seen = struct.pack("<II", name in hidden, number)
        book += _record(_SHEET_OF, seen + _wide(f"rId{number}") + _wide(name))
    book += _record(_END_SHEETS) + _record(_END_BOOK)
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.bin"/>'
        for n in range(1, len(names) + 1)
    )
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{_TYPES}"><Default Extension="bin" '
        'ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_LINKS}"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.bin"/></Relationships>',
        "xl/workbook.bin": book,
        "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{_LINKS}">{links}</Relationships>',
    } | {f"xl/worksheets/sheet{n}.bin": _sheet(sheets[name]) for n, name in enumerate(names, 1)}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    return target.getvalue()
