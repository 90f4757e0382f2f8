"""Opens a delivered file as tables of cells: text, workbook or Parquet, in an archive or not.

Content tells the format, never the extension. Nothing is interpreted here; a file that cannot be
opened ends in :class:`Unreadable`, in French, ready for the partner.
"""

import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from odds_pipeline.reception import bounds
from odds_pipeline.reception.archives import GZIP, gunzip, members_of, opened, unpack
from odds_pipeline.reception.clock import check
from odds_pipeline.reception.sheets import cell_of
from odds_pipeline.reception.table import Cell as Cell
from odds_pipeline.reception.table import NoTable as NoTable
from odds_pipeline.reception.table import Table as Table
from odds_pipeline.reception.table import TooLarge
from odds_pipeline.reception.table import Unreadable as Unreadable
from odds_pipeline.reception.texts import read_text
from odds_pipeline.reception.workbooks import OLE, is_workbook, read_workbook
from odds_pipeline.storage.scratch import scratch

_SIGNATURES = (
    (b"%PDF", "un PDF"),
    (b"7z\xbc\xaf", "une archive 7z"),
    (b"Rar!", "une archive RAR"),
    (b"BZh", "une archive bzip2"),
    (b"\xfd7zXZ", "une archive xz"),
    (b"\x28\xb5\x2f\xfd", "une archive zstd"),
    (b"\x89PNG", "une image"),
    (b"\xff\xd8\xff", "une image"),
    (b"GIF8", "une image"),
    (b"{\\rtf", "un document RTF"),
    (b"SQLite format 3", "une base SQLite"),
    (b"\x00\x01\x00\x00Standard", "une base Access"),
    (b"\x1f\x9d", "une archive compress (.Z)"),
    (b"\x04\x22\x4d\x18", "une archive lz4"),
    (b"]\x00\x00", "une archive lzma"),
    (b"MSCF", "une archive cab"),
    (b"MZ\x90\x00", "un programme Windows"),
    (b"%!PS", "un document PostScript"),
    (b"-----BEGIN PGP", "un message chiffré"),
    (b"ID;P", "un fichier SYLK"),
    (b"II*\x00", "une image"),
    (b"MM\x00*", "une image"),
)
"""First bytes of files that are no tables, and what each is."""

_PROGRAMS = (
    (bytes(12) + b"\xc2\xea\x81\x60", "une table SAS"),
    (b"HEADER RECORD*******LIB", "une table SAS de transport"),
    (b"$FL2", "un fichier SPSS"),
    (b"$FL3", "un fichier SPSS"),
    (b"<stata_dta>", "un fichier Stata"),
    (b"RDX", "un fichier R"),
    (b"X\n\x00\x00\x00", "un fichier R"),
    (b"ARROW1", "un fichier Arrow"),
    (b"Obj\x01", "un fichier Avro"),
    (b"ORC", "un fichier ORC"),
)
"""First bytes of tables as statistical programs keep them, and what each is."""

_DBASE = re.compile(rb"[\x03\x83\x8b].[\x01-\x0c][\x01-\x1f]", re.DOTALL)
"""A dBase table: its version, and the day when it was written."""

_INSIDE = (
    ("word/document.xml", "un document Word"),
    ("ppt/presentation.xml", "un diaporama"),
    ("Index/Document.iwa", "un document d'Apple (Pages, Numbers, Keynote)"),
    ("mimetype", "un document OpenDocument ou un livre"),
)
"""Members of zips that are no archives and no workbooks, and what each is."""

_DOCUMENTS = (
    ("WordDocument", "un document Word"),
    ("PowerPoint Document", "un diaporama"),
    ("__substg1.0_", "un message Outlook"),
)
"""Streams of Office files that are no workbooks, and what each is."""


@dataclass(frozen=True)
class Opened:
    """What a file holds: tables, ``rest`` that is none (name and what it is), files that are damaged."""

    tables: tuple[Table, ...]
    rest: tuple[str, ...] = ()
    damaged: tuple[tuple[str, str], ...] = ()


def open_file(name: str, content: bytes, depth: int = 0) -> Opened:
    """Everything in the file. Raises :class:`Unreadable` when there is no table in it."""
    if not content:
        raise Unreadable(f"{name} : le fichier est vide (0 octet).")
    if len(content) > bounds.MAX_BYTES:
        raise Unreadable(f"{name} : plus de {bounds.MAX_BYTES // 2**20} Mo.")
    if content[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _open_zip(name, content, depth)
    if content[:2] == GZIP:
        return _open_gzip(name, content, depth)
    if content[:8] == OLE:
        _refuse_document(content, name)
        return Opened(tuple(read_workbook(content, name)))
    if content[:4] == b"PAR1":
        return Opened((_read_parquet(content, name),))
    if content[257:262] == b"ustar":
        raise NoTable(f"{name} : c'est une archive tar, non un tableau.")
    if _DBASE.match(content):
        raise NoTable(f"{name} : c'est une table dBase, que l'observatoire ne lit pas.")
    for signature, what in _SIGNATURES:
        if content.startswith(signature):
            raise NoTable(f"{name} : c'est {what}, non un tableau.")
    for signature, what in _PROGRAMS:
        if content.startswith(signature):
            raise NoTable(f"{name} : c'est {what}, que l'observatoire ne lit pas.")
    return Opened((read_text(content, name),))


def _refuse_document(content: bytes, name: str) -> None:
    """Raise :class:`NoTable` for what Office keeps in the same container as its workbooks."""
    if any(stream.encode("utf-16-le") in content for stream in ("Workbook", "EncryptedPackage")):
        return
    for stream, what in _DOCUMENTS:
        if stream.encode("utf-16-le") in content:
            raise NoTable(f"{name} : c'est {what}, non un tableau.")


def open_tables(name: str, content: bytes) -> list[Table]:
    """Every table in the file. Raises :class:`Unreadable`, also when none of them is whole."""
    tables = open_file(name, content).tables
    if all(table.flaw for table in tables):
        raise Unreadable(f"{name} : {tables[0].flaw}.")
    return list(tables)


def _open_gzip(name: str, content: bytes, depth: int) -> Opened:
    if depth > 0:
        raise Unreadable(f"{name} : une archive dans une archive n'est pas ouverte.")
    inner = name.removesuffix(".gz")
    found = open_file(inner, gunzip(content, name, bounds.MAX_BYTES), depth + 1)
    return replace(found, tables=tuple(replace(t, file_name=name, member=inner) for t in found.tables))


def _open_zip(name: str, content: bytes, depth: int) -> Opened:
    with opened(content, name) as archive:
        if is_workbook(archive):
            return Opened(tuple(read_workbook(content, name)))
        for inside, what in _INSIDE:
            if inside in archive.namelist():
                raise NoTable(f"{name} : c'est {what}, non un tableau.")
        if depth > 0:
            raise Unreadable(f"{name} : une archive dans une archive n'est pas ouverte.")
        tables: list[Table] = []
        rest: list[str] = []
        damaged: list[tuple[str, str]] = []
        left = bounds.MAX_BYTES
        for own, folder, member in members_of(archive, name):
            check()
            try:
                found = unpack(archive, member)
                if found[:2] == GZIP:  # one file more tightly packed, not an archive of several
                    own, found = own.removesuffix(".gz"), gunzip(found, name, max(left, 0))
                left -= len(found)
                inner = open_file(own, found, depth + 1)
            except TooLarge:
                raise
            except NoTable as error:
                rest.append(str(error))
            except Unreadable as error:
                damaged.append((own, str(error)))
            else:
                tables += [replace(t, file_name=name, member=own, folder=folder) for t in inner.tables]
    if not tables:
        why = _few([reason for _, reason in damaged] + rest)
        raise Unreadable(f"{name} : {why}" if why else f"{name} : l'archive est vide.")
    return Opened(tuple(tables), tuple(rest), tuple(damaged))


def _few(reasons: list[str]) -> str:
    """The first of what is wrong with the members of an archive, and how many more there are."""
    more = f"Et {len(reasons) - 3} autres fichiers ne sont pas des tableaux lisibles."
    return " ".join([*reasons[:3], more] if len(reasons) > 4 else reasons)


def _read_parquet(content: bytes, name: str) -> Table:
    """The table of a Parquet file, its column names as the first row."""
    import duckdb

    with tempfile.TemporaryDirectory() as folder, scratch() as connection:
        path = Path(folder) / "table.parquet"
        path.write_bytes(content)
        try:
            found = connection.execute("FROM read_parquet(?)", [str(path)])
            header: list[Cell] = [column[0] for column in found.description or []]
            rows = [[cell_of(value) for value in row] for row in found.fetchall()]
        except duckdb.Error as error:
            raise Unreadable(f"{name} : fichier Parquet illisible, sans doute incomplet.") from error
    return Table(name, None, None, [header, *rows], list(range(1, len(rows) + 2)))
