"""Reads a workbook of any kind in a process of its own: bytes on its input, sheets on its output.

Run as a script, by path: it imports nothing of the project, and what a damaged workbook does to its
reader (memory without end, an abort) ends with this process. A pickle of ``(sheets, failure)`` is
written: each sheet is a name, whether it is hidden, its rows, the line of each, what is wrong, and the
lines and the columns that it does not show.
"""

import io
import pickle
import re
import sys
import zipfile
from datetime import date
from decimal import Decimal

Row = list[str | int | float]
Wrong = tuple[str, str | int] | None
Masked = tuple[set[int], set[int]]
Sheet = tuple[str, bool, list[Row], list[int], Wrong, Masked]

_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.S)
_FORMULA = re.compile(rb"<(?:\w+:)?f\b")
_RESULT = re.compile(rb"<(?:\w+:)?v\b[^>]*>([^<]*)</")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\b[^>]*>")
_REL = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")
_MASKED = re.compile(rb"<(?:\w+:)?(row|col)\b[^>]*\bhidden\s*=\s*[\"'](?:1|true)[\"'][^>]*>")
_FAR = 2**20
_ODS_TABLE = re.compile(rb"<table:table\b.*?</table:table>", re.S)
_ODS_PART = re.compile(rb"<table:table-(row|column)\b[^>]*>")


def cell_of(value: object) -> str | int | float:
    """A cell as text or number."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "VRAI" if value else "FAUX"
    if isinstance(value, int | float):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value).replace("\x00", "\ufffd")


def _attribute(tag: bytes, name: str) -> bytes:
    found = re.search(rb"\b%s\s*=\s*(\"([^\"]*)\"|'([^']*)')" % name.encode(), tag)
    return (found[2] or found[3] or b"") if found else b""


def _parts(archive: zipfile.ZipFile) -> list[str]:
    """The part of each sheet of an Open XML workbook, in the order of its sheets."""
    relations = {
        _attribute(tag, "Id"): _attribute(tag, "Target").decode()
        for tag in _REL.findall(archive.read("xl/_rels/workbook.xml.rels"))
    }
    found = []
    for tag in _SHEET.findall(archive.read("xl/workbook.xml")):
        target = relations.get(_attribute(tag, "id"), "")
        found.append(target.lstrip("/") if target.startswith("/") else f"xl/{target}")
    return found


def _position(reference: str) -> tuple[int, int]:
    letters = reference.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return int(reference[len(letters) :] or 0) - 1, column - 1


def _unread(xml: bytes, rows: list[Row]) -> str | None:
    """Put errors (#REF!), which the reader takes for blanks, in ``rows``.

    Returns the cell of a formula without a result, which is no blank either.
    """
    if b't="e"' not in xml and not _FORMULA.search(xml):
        return None
    missing = None
    for match in _CELL.finditer(xml):
        attributes, body = match[1], match[2] or b""
        kind, reference = _attribute(attributes, "t"), _attribute(attributes, "r").decode()
        result = _RESULT.search(body)
        if kind == b"e" and reference:
            row, column = _position(reference)
            shown = result[1].decode("utf-8", "replace") if result else "#ERREUR"
            rows += [[] for _ in range(row + 1 - len(rows))]
            while len(rows[row]) <= column:
                rows[row].append("")
            rows[row][column] = shown
        elif kind in (b"", b"n") and _FORMULA.search(body) and not (result and result[1].strip()):
            missing = missing or reference or "?"
    return missing


def _masked(xml: bytes) -> Masked:
    """Lines and columns of an Open XML sheet that a filter or a person hid."""
    lines, columns = set[int](), set[int]()
    for tag in _MASKED.finditer(xml):
        if tag[1] == b"row":
            lines.add(int(_attribute(tag[0], "r") or 0))
        else:
            last = min(int(_attribute(tag[0], "max")), _FAR)
            columns |= {*range(int(_attribute(tag[0], "min")), last + 1)}
    return lines, columns


def _masked_in_ods(table: bytes) -> Masked:
    """The same of an OpenDocument table, where a row or a column is said once for many alike."""
    found, at = {b"row": set[int](), b"column": set[int]()}, {b"row": 0, b"column": 0}
    for tag in _ODS_PART.finditer(table):
        times = min(int(_attribute(tag[0], f"number-{tag[1].decode()}s-repeated") or 1), _FAR)
        if _attribute(tag[0], "visibility") in (b"collapse", b"filter"):
            found[tag[1]] |= {*range(at[tag[1]] + 1, at[tag[1]] + times + 1)}
        at[tag[1]] += times
    return found[b"row"], found[b"column"]


_UNUSED = re.compile(
    rb"<(?:\w+:)?dimension\b[^>]*/>|<(?:\w+:)?mergeCells\b.*?</(?:\w+:)?mergeCells>", re.S
)


def _without_ranges(content: bytes) -> bytes:
    """The workbook without the ranges that it states: none is used, and some are no ranges (A:XFD)."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            inner = source.read(name)
            copy.writestr(name, _UNUSED.sub(b"", inner) if name.startswith("xl/worksheets/") else inner)
    return target.getvalue()


def _bounded() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    limit = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _sheets(content: bytes, most: int) -> list[Sheet]:
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    parts, archive, tables = [], None, list[bytes]()
    if content[:2] == b"PK":
        archive = zipfile.ZipFile(io.BytesIO(content))
        if "xl/workbook.xml" in archive.namelist():
            parts = _parts(archive)
        elif "content.xml" in archive.namelist():
            tables = _ODS_TABLE.findall(archive.read("content.xml"))
    found: list[Sheet] = []
    for number, metadata in enumerate(book.sheets_metadata):
        if metadata.typ not in (SheetTypeEnum.WorkSheet, SheetTypeEnum.MacroSheet):
            continue
        sheet = book.get_sheet_by_index(number)
        hidden = metadata.visible != SheetVisibleEnum.Visible
        cells = sheet.total_height * sheet.total_width
        if cells > most:
            found.append((metadata.name, hidden, [], [], ("cells", cells), (set(), set())))
            continue
        raw = [[cell_of(v) for v in row] for row in sheet.to_python(skip_empty_area=False)]
        missing, masked = None, (set[int](), set[int]())
        if archive is not None and number < len(parts):
            xml = archive.read(parts[number])
            missing, masked = _unread(xml, raw), _masked(xml)
        elif number < len(tables):
            masked = _masked_in_ods(tables[number])
        kept = [(n, row) for n, row in enumerate(raw, 1) if any(str(c).strip() for c in row)]
        flaw: Wrong = ("formula", missing) if missing else None
        found.append((metadata.name, hidden, [r for _, r in kept], [n for n, _ in kept], flaw, masked))
    return found


def main() -> None:
    """Read standard input, write standard output."""
    _bounded()
    content = sys.stdin.buffer.read()
    answer: tuple[list[Sheet], str | None]
    most = int(sys.argv[2])
    try:
        try:
            answer = (_sheets(content, most), None)
        except Exception:
            if b"xl/workbook.xml" not in content:
                raise
            answer = (_sheets(_without_ranges(content), most), None)
    except MemoryError:
        answer = ([], "memory")
    except Exception as error:
        answer = ([], "password" if type(error).__name__ == "PasswordError" else "damaged")
    pickle.dump(answer, sys.stdout.buffer, protocol=5)


if __name__ == "__main__":
    main()
