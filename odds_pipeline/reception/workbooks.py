"""Opens workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods), each in a process that may not last or swell."""

import io
import pickle
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from odds_pipeline.reception import bounds
from odds_pipeline.reception.archives import DAMAGED
from odds_pipeline.reception.table import Table, Unreadable, cut, without_empty_columns

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""First bytes of .xls, and of any workbook that a password protects."""

FAR = 100_000
"""A row of a workbook below that, where the rest is too large to be read, is no table's."""

_REFERENCE = re.compile(rb'\br="([A-Z]+)(\d+)"')
_SCRIPT = Path(__file__).parent / "sheets.py"


def is_workbook(archive: zipfile.ZipFile) -> bool:
    """Whether a zip is a workbook: told by what it holds, as a partner may name it either way."""
    names = set(archive.namelist())
    if {"xl/workbook.xml", "xl/workbook.bin"} & names:
        return True
    return "content.xml" in names and b"spreadsheet" in (
        archive.read("mimetype")[:200] if "mimetype" in names else b""
    )


def read_workbook(content: bytes, name: str) -> list[Table]:
    """The sheets that hold something. Raises :class:`Unreadable`."""
    if content[:8] == OLE and "EncryptedPackage".encode("utf-16-le") in content:
        raise Unreadable(_locked(name))
    tables = [_table(name, *sheet) for sheet in _sheets(content, name)]
    tables = [table for table in tables if table.rows or table.flaw]
    if not tables:
        raise Unreadable(f"{name} : le classeur est vide.")
    if all(table.hidden for table in tables):
        raise Unreadable(f"{name} : toutes les feuilles du classeur sont masquées.")
    return tables


def _sheets(content: bytes, name: str) -> list[tuple[Any, ...]]:
    command = [sys.executable, "-I", str(_SCRIPT), str(bounds.WORKBOOK_MEMORY), str(bounds.MAX_CELLS)]
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, timeout=bounds.WORKBOOK_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unreadable(
            f"{name} : le classeur n'a pas pu être lu en {bounds.WORKBOOK_SECONDS} secondes."
        ) from None
    if done.returncode < 0 or not done.stdout:
        # Python's own errors end with 1 and a traceback: a fault of ours, not of the file.
        if done.returncode == 1 and b"PanicException" not in done.stderr:
            raise RuntimeError(done.stderr.decode(errors="replace")[-2000:])
        raise Unreadable(_too_large(name, content))
    sheets, failure = pickle.loads(done.stdout)
    if failure == "memory":
        raise Unreadable(_too_large(name, content))
    if failure == "password":
        raise Unreadable(_locked(name))
    if failure:
        raise Unreadable(f"{name} : classeur illisible, son contenu est abîmé.")
    return list(sheets)


def _locked(name: str) -> str:
    return f"{name} : le classeur est protégé par un mot de passe ; l'enregistrer sans mot de passe."


def _too_large(name: str, content: bytes) -> str:
    if cell := _far_cell(content):
        return (
            f"{name} : la cellule {cell} est remplie, très loin du tableau ; effacer ce qui y est et "
            "enregistrer le classeur."
        )
    return f"{name} : le classeur est abîmé, ou une cellule y est remplie très loin du tableau."


def _far_cell(content: bytes) -> str | None:
    """The last cell of the longest sheet of an Open XML workbook, when it is far below any table."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = [archive.read(n) for n in archive.namelist() if n.startswith("xl/worksheets/")]
    except DAMAGED:
        return None
    last = [found[-1] for part in parts if (found := _REFERENCE.findall(part))]
    column, row = max(last, key=lambda cell: int(cell[1]), default=(b"", b"0"))
    return f"{column.decode()}{row.decode()}" if int(row) > FAR else None


def _table(
    name: str,
    sheet: str,
    hidden: bool,
    rows: list[list[Any]],
    lines: list[int],
    wrong: tuple[str, Any] | None,
    masked: tuple[set[int], set[int]],
) -> Table:
    flaw = cut(lines[-1] if lines else 0)
    if wrong and wrong[0] == "formula":
        flaw = (
            f"feuille {sheet}, cellule {wrong[1]} : la formule n'a pas de résultat ; ouvrir le classeur "
            "dans Excel, l'enregistrer et le renvoyer"
        )
    elif wrong:
        flaw = f"feuille {sheet} : {wrong[1]} cellules, jusqu'à la dernière remplie"
    whole = without_empty_columns(rows)
    return Table(name, None, sheet, whole, lines, flaw, hidden=hidden, masked=masked)
