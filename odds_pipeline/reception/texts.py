"""Reads delimited text, whatever its encoding, separator and quotes, and tells what damaged it."""

import csv
import re
from collections import Counter
from collections.abc import Iterator

from odds_pipeline.reception import bounds
from odds_pipeline.reception.clock import check
from odds_pipeline.reception.table import (
    Cell,
    NoTable,
    Table,
    TooLarge,
    Unreadable,
    cut,
    without_empty_columns,
)

SEPARATORS = ";,\t|"

NO_SEPARATOR = "rien n'y sépare les cellules : ni point-virgule, ni virgule, ni tabulation, ni barre"

_COMMON = dict.fromkeys("éèêàâîïôùûçëü’°", 2) | dict.fromkeys("ÉÈÀÊÇÎÔŒœ«»€\u00a0–", 1)
"""Letters and signs of French beyond ASCII, and how much each tells of an encoding."""

_OTHERS = {"cp850": "CP850 (MS-DOS)", "mac_roman": "Mac Roman"}

_MARKUP = (
    ("urn:schemas-microsoft-com:office:spreadsheet", "un classeur XML 2003"),
    ("<!doctype html", "une page HTML"),
    ("<html", "une page HTML"),
    ("<table", "une page HTML"),
    ("<?xml", "du XML"),
)


def decode(content: bytes, name: str) -> tuple[str, str | None]:
    """The text, and the hint that it was written in an encoding which loses its accents."""
    marked = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = content.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError:
        if marked or b"\x00" in content:
            raise _no_text(content, name) from None
        return _eight_bits(content)
    if "\x00" in text:
        raise _no_text(content, name)
    return text, _twice_encoded(text) or _seven_bits(text)


def _no_text(content: bytes, name: str) -> Unreadable:
    if content[:4] in (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff"):
        return Unreadable(f"{name} : ce n'est pas un fichier texte UTF-8 : il est en UTF-32.")
    start = content[:2000]
    wide = min(start[0::2].count(0), start[1::2].count(0)) == 0 and start.count(0) > len(start) / 3
    if wide:
        return Unreadable(
            f"{name} : ce n'est pas un fichier texte UTF-8 : il semble en UTF-16 sans marque."
        )
    return Unreadable(f"{name} : ce n'est pas un fichier texte UTF-8 ni Windows (cp1252).")


_ACCENT = re.compile(r"\+A[K-P][A-Za-z0-9+/]-")
"""A letter of Latin-1 as UTF-7 writes it."""


def _seven_bits(text: str) -> str | None:
    seen = text.isascii() and _ACCENT.search(text)
    return "le fichier semble écrit en UTF-7 : ses lettres accentuées sont illisibles" if seen else None


def _is_ebcdic(content: bytes) -> bool:
    """Whether digits are where EBCDIC has them, and nowhere else."""
    start = content[:20_000]
    ours, theirs = (sum(start.count(zero + n) for n in range(10)) for zero in (0x30, 0xF0))
    return theirs > max(100, 10 * ours)


def _eight_bits(content: bytes) -> tuple[str, str | None]:
    if _is_ebcdic(content):
        return content.decode("cp500"), "le fichier semble écrit en EBCDIC, comme par un grand système"

    high = content.translate(None, _ASCII)  # all that differs from one to the other

    def weight(encoding: str) -> int:
        shown = high.decode(encoding, errors="replace")
        return sum(_COMMON.get(c, 0) * n for c, n in Counter(shown).items())

    text = content.decode("cp1252", errors="replace")
    weights = {encoding: weight(encoding) for encoding in ("cp1252", *_OTHERS)}
    best = max(weights, key=lambda encoding: weights[encoding])
    if best == "cp1252":
        return text, None
    return text, f"le fichier semble écrit en {_OTHERS[best]} : ses lettres accentuées sont illisibles"


def _twice_encoded(text: str) -> str | None:
    if "Ã" not in text and "â€" not in text:
        return None
    try:
        for letters in set(_LETTERS.findall(text)):
            written = [c.encode("latin-1" if c in _HOLES else "cp1252") for c in letters]
            b"".join(written).decode("utf-8")
    except UnicodeError:
        return None
    return "le fichier semble encodé deux fois en UTF-8 : ses lettres accentuées sont illisibles"


_ASCII = bytes(range(128))

_LETTERS = re.compile(r"[^\x00-\x7f]+")
"""Characters beyond ASCII that follow each other: whole ones, in whatever encoding."""

_HOLES = set("\x81\x8d\x8f\x90\x9d")
"""Bytes that cp1252 has no letter for."""


def _width(line: str, separator: str) -> int:
    """Cells of a line; 0 when it cannot be cut, which the reading of the table then tells."""
    try:
        return len(next(csv.reader([line], delimiter=separator), []))
    except csv.Error:
        return 0


def _separator(text: str) -> str:
    """The separator that cuts most lines of the beginning into the same number of cells."""
    lines = [line for line in text[: 50 * bounds.MAX_CELL].splitlines()[:50] if line.strip()]
    best, best_score = ";", (0, 0)
    for separator in SEPARATORS:
        widths = Counter(_width(line, separator) for line in lines)
        cut_in = {width: count for width, count in widths.items() if width > 1}
        if cut_in:
            width, count = max(cut_in.items(), key=lambda item: (item[1], item[0]))
            if (count, width) > best_score:
                best, best_score = separator, (count, width)
    return best


def read_text(content: bytes, name: str) -> Table:
    """The table that the text is. Raises :class:`Unreadable`."""
    text, hint = decode(content, name)
    if not text.strip():
        raise Unreadable(f"{name} : le fichier est vide.")
    _refuse_markup(text, name)
    separator = _separator(text)
    rows, lines, flaw = _rows(text, separator, name)
    if sum(len(row) == 1 and any(s in str(row[0]) for s in SEPARATORS) for row in rows) > len(rows) / 2:
        hint = hint or "chaque ligne est une seule cellule, prise tout entière entre guillemets"
    if len(rows) > 1 and all(len(row) == 1 for row in rows):
        hint = hint or NO_SEPARATOR
    flaw = flaw or cut(lines[-1] if lines else 0)
    ended = text.rstrip("\x1a").endswith(("\n", "\r"))
    whole = without_empty_columns(rows)
    return Table(name, None, None, whole, lines, flaw, hint, open_ended=not ended)


def _refuse_markup(text: str, name: str) -> None:
    start = text[:2000].lstrip("\ufeff \r\n\t").lower()
    if start.startswith("mime-version:") or "\nmime-version:" in start:
        raise NoTable(f"{name} : c'est une page HTML archivée ou un message (MIME), non un tableau.")
    for beginning, what in _MARKUP:
        if start.startswith("<") and beginning in start:
            raise NoTable(f"{name} : c'est {what}, non un tableau.")
    if re.match(r"<[a-z!?]", start):
        raise NoTable(f"{name} : c'est du HTML ou du XML, non un tableau.")
    if start.startswith(("{", "[{", "[[")):
        raise NoTable(f"{name} : c'est du JSON, non un tableau.")


_LINE = re.compile(r"[^\r\n]*+(?:\r\n|[\r\n])|[^\r\n]+")

_ROW, _PLACE, _TEXT = 116, 8, 56
"""Bytes in memory of a row with its number, of a cell's place in it, of a text besides its letters."""

_ALIKE = 200_000
"""Texts that are looked for again, to be kept once: codes and names come back, line after line."""


def _physical(text: str) -> Iterator[str]:
    """The lines of the text with their ends. Some io keeps four bytes a character, a list every line."""
    return (found[0] for found in _LINE.finditer(text))


def _last_line(text: str) -> str:
    end = len(text) - (2 if text.endswith("\r\n") else 1 if text.endswith(("\n", "\r")) else 0)
    return text[max(text.rfind("\n", 0, end), text.rfind("\r", 0, end)) + 1 :]


def _rows(text: str, separator: str, name: str) -> tuple[list[list[Cell]], list[int], str | None]:
    """Rows that are not blank, the line where each ends, and the flaw of quotes that swallow lines."""
    # Of the process, not of the reader: once a library lifts it (frictionless does), verdicts differ.
    csv.field_size_limit(bounds.MAX_CELL)
    reader = csv.reader(_physical(text), delimiter=separator)
    rows: list[list[Cell]] = []
    lines: list[int] = []
    flaw, before, cells, texts = None, 0, 0, 0
    alike: dict[str, str] = {}
    try:
        for row in reader:
            if reader.line_num > before + 1 and flaw is None:
                flaw = _swallowed(row, separator, before, reader.line_num)
            before = reader.line_num
            cells += len(row)
            if cells > bounds.MAX_CELLS:
                raise TooLarge(f"{name} : plus de {bounds.MAX_CELLS // 10**6} millions de cellules.")
            if not any(cell.strip() for cell in row):
                continue
            known = len(alike)
            rows.append(list(map(alike.setdefault, row, row)))
            lines.append(before)
            texts += len(alike) - known
            if len(alike) > _ALIKE or len(rows) % _ALIKE == 0:
                check()
                if len(alike) > _ALIKE:
                    alike.clear()
                # The characters are in the file's bytes, in the text and in the cells.
                size = 3 * len(text) + _ROW * len(rows) + _PLACE * cells + _TEXT * texts
                if size > bounds.MAX_MEMORY:
                    raise TooLarge(_too_large(name, len(rows)))
    except csv.Error as error:
        why = "CSV illisible, une cellule y est sans fin, comme si un guillemet n'était pas refermé"
        raise Unreadable(f"{name}, ligne {reader.line_num} : {why}.") from error
    return rows, lines, flaw or _left_open(_last_line(text), reader.line_num, separator)


def _too_large(name: str, rows: int) -> str:
    return (
        f"{name} : trop grand pour être lu, {rows} lignes en tiennent déjà "
        f"{bounds.MAX_MEMORY // 2**30} Go de mémoire ; n'y laisser que les lignes du département."
    )


def _swallowed(row: list[str], separator: str, before: int, last: int) -> str | None:
    """The flaw of a row whose quoted cell holds line ends and separators: other rows are in it."""
    for position, cell in enumerate(row):
        if separator in cell and ("\n" in cell or "\r" in cell):
            line = before + 1 + sum(inner.count("\n") for inner in row[:position])
            return (
                f"ligne {line} : un guillemet y est ouvert et n'est pas refermé, les lignes "
                f"{line} à {last} sont prises dans une seule cellule"
            )
    return None


def _left_open(last: str, number: int, separator: str) -> str | None:
    """The flaw of a quote that the last line opens and nothing closes."""
    try:
        list(csv.reader([last], delimiter=separator, strict=True))
    except csv.Error as error:
        if "unexpected end" in str(error):
            return f"ligne {number} : un guillemet y est ouvert et n'est pas refermé"
    return None
