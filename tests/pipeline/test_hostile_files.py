"""Files made to harm, or made carelessly, end in a clear message; they take little memory and write nothing."""

import csv
import io
import sys
import zipfile
import zlib
from pathlib import Path

import duckdb
import hypothesis
import openpyxl
import pytest
from hypothesis import strategies as st

from odds_pipeline.declarations.project import Project
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.reception import bounds, texts
from odds_pipeline.reception.receive import receive
from odds_pipeline.reception.tables import Unreadable, open_tables
from odds_pipeline.storage.home import Home

from .test_gate import populations

SMALL = 2**20


def zipped(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def workbook(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def lying(content: bytes, name: str, size: int, told: int) -> bytes:
    """The archive with its directory and headers saying ``told`` bytes instead of ``size``."""
    assert size.to_bytes(4, "little") in content, name
    return content.replace(size.to_bytes(4, "little"), told.to_bytes(4, "little"))


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_BYTES", SMALL)


@pytest.mark.usefixtures("little")
def test_an_archive_that_swells_is_told_by_its_headers() -> None:
    with pytest.raises(Unreadable, match="une fois décompressé"):
        open_tables("a.zip", zipped({"a.csv": b" " * (SMALL + 1)}))


@pytest.mark.usefixtures("little")
def test_an_archive_that_lies_about_its_size_is_read_no_further(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    size, read = 64 * SMALL + 12345, 0
    make = zlib.decompressobj

    def counted(*arguments: int) -> object:
        inner = make(*arguments)

        class Counting:
            eof = property(lambda _: inner.eof)
            unconsumed_tail = property(lambda _: inner.unconsumed_tail)

            def decompress(self, data: bytes, most: int = 0) -> bytes:
                nonlocal read
                out = inner.decompress(data, most)
                read += len(out)
                return out

            def flush(self, *most: int) -> bytes:
                return inner.flush(*most)

        return Counting()

    content = lying(zipped({"a.csv": b" " * size}), "a.csv", size, 100)
    monkeypatch.setattr(zlib, "decompressobj", counted)
    with pytest.raises(Unreadable, match=r"a\.zip"):
        open_tables("a.zip", content)
    assert read <= 4 * SMALL


@pytest.mark.usefixtures("little")
def test_a_workbook_that_swells_is_refused() -> None:
    content = workbook([["a", "b"], [1, 2]])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["xl/worksheets/sheet1.xml"] += b" " * SMALL
    with pytest.raises(Unreadable, match="une fois décompressé"):
        open_tables("a.xlsx", zipped(members))


def test_an_archive_of_archives_is_told_in_a_few_sentences() -> None:
    inner = zipped({"a.csv": b"a;b\n1;2\n"})
    with pytest.raises(Unreadable, match="Et 897 autres fichiers") as told:
        open_tables("a.zip", zipped({f"{n}.zip": inner for n in range(900)}))
    assert len(str(told.value)) < 500


def test_names_that_climb_out_of_the_archive_write_nothing(
    project: Project, home: Home, tmp_path: Path
) -> None:
    csv = populations(tmp_path / "made", 2019)
    folder = tmp_path / "in" / "deep"
    folder.mkdir(parents=True)
    path = folder / "envoi.zip"
    path.write_bytes(zipped({f"../../../{csv.name}": csv.read_bytes()}))
    csv.unlink()
    (receipt,) = receive(project, home, [path])
    assert receipt.feed == "insee/populations_legales"
    judge_pending(project, home, receipt.feed)
    assert list(tmp_path.rglob(csv.name)) == []
    assert not (tmp_path.parent / csv.name).exists()


def test_an_absolute_name_in_an_archive_is_only_a_name() -> None:
    (table,) = open_tables("a.zip", zipped({"/etc/passwd.csv": b"a;b\n1;2\n"}))
    assert table.member == "passwd.csv"


def test_a_formula_never_calculated_is_refused_with_its_cell() -> None:
    with pytest.raises(Unreadable, match=r"Sheet.*B2.*formule.*enregistrer"):
        open_tables("a.xlsx", workbook([["code", "total"], ["93001", "=1+1"]]))


def test_nul_bytes_are_refused() -> None:
    with pytest.raises(Unreadable, match="n'est pas un fichier texte"):
        open_tables("a.csv", b"a;b\n1;\x00\n")


@pytest.mark.parametrize("limit", [131_072, sys.maxsize])
def test_one_endless_line_is_refused(limit: int) -> None:
    """Whatever the process allowed before: libraries lift the limit of the csv module (frictionless does)."""
    csv.field_size_limit(limit)
    with pytest.raises(Unreadable, match="CSV illisible"):
        open_tables("a.csv", b"a;b\n" + b"9" * 300_000 + b"\n")


def test_one_endless_header_is_refused() -> None:
    with pytest.raises(Unreadable, match="CSV illisible"):
        open_tables("a.csv", b"9" * 300_000)


@pytest.mark.usefixtures("little")
def test_a_file_too_large_is_refused() -> None:
    with pytest.raises(Unreadable, match="plus de 1 Mo"):
        open_tables("a.csv", b" " * (SMALL + 1))


def test_decimals_of_a_parquet_are_numbers(tmp_path: Path) -> None:
    """Typed columns: as text, 12.50 would be no number where the contract asks for a comma."""
    path = tmp_path / "a.parquet"
    duckdb.execute(
        "COPY (SELECT '93001' AS code, 4328.00::DECIMAL(12, 2) AS n, 12.5::DECIMAL(4, 1) AS p, NULL AS x) "
        f"TO '{path}' (FORMAT parquet)"
    )
    (table,) = open_tables(path.name, path.read_bytes())
    assert table.rows == [["code", "n", "p", "x"], ["93001", 4328, 12.5, ""]]


def test_a_text_that_takes_too_much_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows and its cells do, those that come again but once: many cells, or a great many rows."""
    monkeypatch.setattr(texts, "_ALIKE", 100)
    monkeypatch.setattr(bounds, "MAX_MEMORY", 200_000)
    alike = "a;b\n" + "\n".join(f"{93000 + n % 40};{n % 7}" for n in range(1000))
    (table,) = open_tables("a.csv", alike.encode())
    assert table.rows[-1] == ["93039", "5"] and table.lines[-1] == 1001
    apart = "a;b\n" + "\n".join(f"{93000 + n};x{n}" for n in range(1000))
    for large in (apart, alike + alike[4:]):
        with pytest.raises(Unreadable, match=r"trop grand pour être lu.* lignes du département"):
            open_tables("a.csv", large.encode())


@hypothesis.given(st.text(alphabet="a;\r\n\x0b\x85\u2028", max_size=12))
def test_lines_are_cut_as_text_files_are(text: str) -> None:
    whole = list(io.StringIO(text, newline=""))
    assert list(texts._physical(text)) == whole
    assert texts._last_line(text) == (whole[-1] if whole else "")


def test_content_tells_the_format_not_the_extension() -> None:
    (book,) = open_tables("a.csv", workbook([["a", "b"], [1, 2]]))
    (text,) = open_tables("a.xlsx", b"a;b\n1;2\n")
    assert book.rows == [["a", "b"], [1, 2]]
    assert text.rows == [["a", "b"], ["1", "2"]]
