"""Opens a delivered file as tables of cells: CSV of any separator and encoding, xlsx, zip.

Nothing is interpreted here; a file that cannot be opened ends in :class:`Unreadable`, in French,
ready for the partner.
"""

import csv
import io
import zipfile
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from pathlib import PurePath

MAX_BYTES = 512 * 1024 * 1024
"""Largest file opened, compressed or not: the largest real delivery known is some 60 MB."""

MAX_CELL = 128 * 1024
"""Longest cell of a CSV, in characters: longer, a quote was left open or the file is not a table."""

SEPARATORS = ";,\t|"
Cell = str | int | float


class Unreadable(ValueError):
    """The file cannot be opened as a table; the text says why, in French."""


@dataclass(frozen=True)
class Table:
    """``rows`` of cells; ``lines`` gives the line in the file of each row, from 1.

    ``file_name`` is the file as received, ``member`` the file inside it when it is an archive.
    """

    file_name: str
    member: str | None
    sheet: str | None
    rows: list[list[Cell]]
    lines: list[int]

    @property
    def names(self) -> tuple[str, ...]:
        """The names that may tell contract and period, the nearest to the table first."""
        return (self.file_name,) if self.member is None else (self.member, self.file_name)

    @property
    def part(self) -> str | None:
        """Where in the file the table is: member of an archive, sheet of a workbook."""
        return " / ".join(filter(None, (self.member, self.sheet))) or None


def decode(content: bytes, name: str) -> str:
    """UTF-8 (BOM or not), UTF-16 with BOM, else cp1252, each strictly."""
    marked = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    encodings = ["utf-16"] if marked else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return text
    raise Unreadable(f"{name} : ce n'est pas un fichier texte UTF-8 ni Windows (cp1252).")


def _width(line: str, separator: str) -> int:
    """Cells of a line; 0 when it cannot be cut, which the reading of the table then tells."""
    try:
        return len(next(csv.reader([line], delimiter=separator), []))
    except csv.Error:
        return 0


def _separator(text: str) -> str:
    """The separator that cuts most lines of the beginning into the same number of cells."""
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    best, best_score = ";", (0, 0)
    for separator in SEPARATORS:
        widths = Counter(_width(line, separator) for line in lines)
        cut = {width: count for width, count in widths.items() if width > 1}
        if cut:
            width, count = max(cut.items(), key=lambda item: (item[1], item[0]))
            if (count, width) > best_score:
                best, best_score = separator, (count, width)
    return best


def _read_csv(content: bytes, name: str) -> Table:
    text = decode(content, name)
    if not text.strip():
        raise Unreadable(f"{name} : le fichier est vide.")
    # Of the process, not of the reader: once a library lifts it (frictionless does), verdicts differ.
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
    rows: list[list[Cell]] = []
    lines: list[int] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(list(row))
                lines.append(reader.line_num)
    except csv.Error as error:
        raise Unreadable(f"{name}, ligne {reader.line_num} : CSV illisible ({error}).") from error
    return Table(name, None, None, rows, lines)


def _xlsx_cell(value: object) -> Cell:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "VRAI" if value else "FAUX"
    if isinstance(value, int | float):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _check_sizes(archive: zipfile.ZipFile, name: str) -> None:
    """Raise :class:`Unreadable` for an archive that is too large unpacked, by what its headers say."""
    if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
        raise Unreadable(f"{name} : plus de {MAX_BYTES // 2**20} Mo une fois décompressé.")


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bytes:
    """The content of a member. Raises :class:`Unreadable` when it is damaged or not of its stated size.

    Read by pieces: asked for all of it, zipfile unpacks two gigabytes before it sees that the header
    said less.
    """
    try:
        with archive.open(member) as file:
            return b"".join(iter(lambda: file.read(2**20), b""))
    except Exception as error:
        raise Unreadable(f"{name} : {member.filename} est abîmé ({error}).") from error


def _check_formulas(content: bytes, name: str) -> None:
    """Raise :class:`Unreadable` for a formula without a result: its cell would be read as blank."""
    import openpyxl

    written = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    shown = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    for sheet, values in zip(written.worksheets, shown.worksheets, strict=True):
        for row, cells in zip(sheet.iter_rows(), values.iter_rows(values_only=True), strict=False):
            for cell, value in zip(row, cells, strict=False):
                if cell.data_type == "f" and value is None:
                    raise Unreadable(
                        f"{name}, feuille {sheet.title}, cellule {cell.coordinate} : la formule n'a pas "
                        "de résultat ; ouvrir le classeur dans Excel, l'enregistrer et le renvoyer."
                    )
    written.close()
    shown.close()


def _read_xlsx(content: bytes, name: str) -> list[Table]:
    # openpyxl (read-only mode) is the maintained reader of xlsx; imported here: it costs 0.3 s.
    import openpyxl

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _check_sizes(archive, name)
        # Every member is unpacked once: one that lies about its size is found before openpyxl reads it.
        sheets = [
            inner
            for member in archive.infolist()
            for inner in [_unpack(archive, member, name)]
            if member.filename.startswith("xl/worksheets/")
        ]
    # Looking for formulas without a result takes as long again: only in a workbook that has formulas.
    formulas = any(b"<f>" in sheet or b"<f " in sheet for sheet in sheets)
    del sheets
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except Exception as error:
        raise Unreadable(f"{name} : classeur Excel illisible ({error}).") from error
    tables = []
    for sheet in book.worksheets:
        rows: list[list[Cell]] = []
        lines: list[int] = []
        for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
            cells = [_xlsx_cell(value) for value in row]
            if any(str(cell).strip() for cell in cells):
                rows.append(cells)
                lines.append(number)
        if rows:
            tables.append(Table(name, None, sheet.title, rows, lines))
    book.close()
    if formulas:
        _check_formulas(content, name)
    if not tables:
        raise Unreadable(f"{name} : le classeur est vide.")
    return tables


def _is_workbook(content: bytes) -> bool:
    """Whether a zip is an xlsx: told by what it holds, as a partner may name either either way."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except zipfile.BadZipFile:
        return False


def _read_zip(content: bytes, name: str, depth: int) -> list[Table]:
    if depth > 0:
        raise Unreadable(f"{name} : une archive dans une archive n'est pas ouverte.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise Unreadable(f"{name} : archive zip abîmée ({error}).") from error
    tables: list[Table] = []
    with archive:
        members = [m for m in archive.infolist() if not m.is_dir()]
        _check_sizes(archive, name)
        for member in members:
            if member.flag_bits & 1:
                raise Unreadable(f"{name} : l'archive est protégée par un mot de passe.")
            inner = _unpack(archive, member, name)
            own = PurePath(member.filename).name
            tables += [
                replace(t, file_name=name, member=own) for t in open_tables(own, inner, depth + 1)
            ]
    if not tables:
        raise Unreadable(f"{name} : l'archive est vide.")
    return tables


def open_tables(name: str, content: bytes, depth: int = 0) -> list[Table]:
    """Every table in the file. Raises :class:`Unreadable`."""
    if not content:
        raise Unreadable(f"{name} : le fichier est vide (0 octet).")
    if len(content) > MAX_BYTES:
        raise Unreadable(f"{name} : plus de {MAX_BYTES // 2**20} Mo.")
    if content[:4] == b"PK\x03\x04" or content[:4] == b"PK\x05\x06":
        return _read_xlsx(content, name) if _is_workbook(content) else _read_zip(content, name, depth)
    if content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise Unreadable(f"{name} : ancien format Excel (.xls) ; enregistrer en .xlsx ou en CSV.")
    return [_read_csv(content, name)]
