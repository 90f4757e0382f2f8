"""Opening files: separators, encodings, workbooks, archives, and what cannot be opened."""

import io
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odds_pipeline.quality.findings import Finding
from odds_pipeline.reception.periods import month_number, month_of
from odds_pipeline.reception.tables import Unreadable, open_tables

TEXT = "code;libellé;valeur\n93001;Île;1,5\n93005;Épinay;2\n"
CELLS = st.text(
    st.characters(
        codec="utf-8",
        exclude_characters="\r\n\x00\x1c\x1d\x1e\x85\u2028\u2029",
        exclude_categories=("Cs", "Cc"),
    ),
    min_size=1,
    max_size=12,
).filter(str.strip)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_csv(encoding: str, separator: str) -> None:
    content = TEXT.replace(",", ".").replace(";", separator).encode(encoding)
    (table,) = open_tables("x.csv", content)
    assert table.rows[0] == ["code", "libellé", "valeur"]
    assert table.rows[2][1] == "Épinay"
    assert table.lines == [1, 2, 3]


@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=3, max_size=8))
def test_quoted_cells_come_back(rows: list[tuple[str, ...]]) -> None:
    lines = ["a;b;c", *(";".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)]
    (table,) = open_tables("x.csv", "\n".join(lines).encode())
    assert [tuple(row) for row in table.rows[1:]] == rows


def test_lines_count_blank_lines_and_quoted_line_ends() -> None:
    (table,) = open_tables("x.csv", b'a;b\n\n"x\ny";1\nz;2\n')
    assert table.lines == [1, 4, 5]


def test_workbook_and_archive() -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (["code", "n"], ["93001", 3], ["93005", 2.5]):
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    (table,) = open_tables("x.xlsx", buffer.getvalue())
    assert table.rows == [["code", "n"], ["93001", 3], ["93005", 2.5]]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("dossier/y.csv", TEXT)
    (inner,) = open_tables("x.zip", archive.getvalue())
    assert (inner.file_name, inner.member) == ("x.zip", "y.csv")
    nested = io.BytesIO()
    with zipfile.ZipFile(nested, "w") as file:
        file.writestr("x.zip", archive.getvalue())
    with pytest.raises(Unreadable, match="archive dans une archive"):
        open_tables("z.zip", nested.getvalue())


@pytest.mark.parametrize(
    "content",
    [b"", b"  \n \n", b"\xff\x00\x01\x02", b"PK\x03\x04rubbish", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1xx"],
)
def test_unreadable_says_why(content: bytes) -> None:
    with pytest.raises(Unreadable, match=r"x\.csv"):
        open_tables("x.csv", content)


@pytest.mark.parametrize(
    ("label", "month"),
    [
        ("janv", 1),
        ("févr", 2),
        ("août", 8),
        ("Décembre", 12),
        ("juil", 7),
        ("juin", 6),
        ("jui", None),
        ("x", None),
    ],
)
def test_french_months(label: str, month: int | None) -> None:
    assert month_number(label) == month


def test_month_from_groups() -> None:
    assert month_of({"yy": "14"}, 12) == "2014-12"
    assert month_of({"year": "2015", "quarter": "4"}, 1) == "2015-12"
    assert month_of({"year": "2021", "mois": "févr"}, 1) == "2021-02"
    assert month_of({"month": "3"}, 1) is None


@pytest.mark.parametrize("severity", ["critical", "bloquant", ""])
def test_a_severity_that_is_not_known_refuses(severity: str) -> None:
    """A rule of another version, read from a warehouse, is no lesser one."""
    assert Finding(rule="r", severity=severity, passed=False, message="", remedy="").refuses
    assert not Finding(rule="r", severity="info", passed=False, message="", remedy="").refuses
