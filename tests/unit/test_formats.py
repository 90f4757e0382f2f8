"""Kinds of files: what each is read as, or what it is told to be."""

import gzip
import io
import json
import zipfile

import duckdb
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odds_pipeline.reception import bounds
from odds_pipeline.reception.clock import in_time
from odds_pipeline.reception.files import ignored_name
from odds_pipeline.reception.tables import NoTable, Table, Unreadable, open_file, open_tables

ROWS = [["code", "n"], ["93001", 3], ["93005", 2.5]]
TEXT = "code;libellé;n\n93001;Île;3\n93005;Épinay;2\n"


def workbook(*sheets: tuple[str, list[list[object]], str]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows, state in sheets:
        sheet = book.create_sheet(title)
        sheet.sheet_state = state
        for row in rows:
            sheet.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def edited(content: bytes, old: bytes, new: bytes, member: str = "xl/worksheets/sheet1.xml") -> bytes:
    """The workbook with the XML of one part changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            inner = source.read(name)
            if name == member:
                assert old in inner
                inner = inner.replace(old, new)
            copy.writestr(name, inner)
    return target.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def ods(rows: list[list[object]]) -> bytes:
    def cell(value: object) -> str:
        if isinstance(value, str):
            return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
        return f'<table:table-cell office:value-type="float" office:value="{value}"/>'

    body = "".join(
        f"<table:table-row>{''.join(map(cell, row))}</table:table-row>"
        '<table:table-row table:number-rows-repeated="1"/>'
        for row in rows
    )
    names = " ".join(
        f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0"?><office:document-content {names}><office:body><office:spreadsheet>'
        f'<table:table table:name="F">{body}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = b'<?xml version="1.0"?><m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    return zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": content.encode(),
            "META-INF/manifest.xml": manifest,
            "Thumbnails/thumbnail.png": b"\x89PNG",
        }
    )


def office(stream: str) -> bytes:
    """A file of Office before 2007, of which only the name of a stream is there."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000) + stream.encode("utf-16-le")


def only(name: str, content: bytes) -> Table:
    (table,) = open_tables(name, content)
    return table


def test_an_opendocument_spreadsheet_is_read() -> None:
    assert only("x.ods", ods(ROWS)).rows == ROWS


def test_a_gzip_is_opened_and_bears_the_name_of_what_is_in_it() -> None:
    table = only("caf_2024-11.csv.gz", gzip.compress(TEXT.encode()))
    assert table.names == ("caf_2024-11.csv", "caf_2024-11.csv.gz")
    assert table.rows[1] == ["93001", "Île", "3"]
    with pytest.raises(Unreadable, match="s'arrête avant sa fin"):
        open_tables("x.gz", gzip.compress(TEXT.encode() * 999)[:-8])


def test_a_gzip_of_several_members_is_read_whole() -> None:
    """As bgzip and pigz write them: the first alone would lose rows without a word."""
    lines = TEXT.splitlines(keepends=True)
    parts = [gzip.compress("".join(some).encode()) for some in (lines[:2], lines[2:])]
    (table,) = open_tables("x.csv.gz", b"".join(parts))
    assert table.rows == open_tables("x.csv", TEXT.encode())[0].rows
    with pytest.raises(Unreadable, match="d'autres octets le suivent"):
        open_tables("x.csv.gz", b"".join(parts) + b"reste")


def test_a_gzip_in_an_archive_is_read() -> None:
    content = zipped({"caf_rsa_2024-11.csv.gz": gzip.compress(TEXT.encode())})
    (table,) = open_tables("envoi.zip", content)
    assert table.names == ("caf_rsa_2024-11.csv", "envoi.zip")
    assert table.rows == open_tables("x.csv", TEXT.encode())[0].rows


def test_gzips_in_an_archive_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """One by one each would be small enough: a thousand of them would take hours."""
    monkeypatch.setattr(bounds, "MAX_BYTES", 20_000)
    content = zipped({f"{n}.csv.gz": gzip.compress(TEXT.encode() * 200) for n in range(9)})
    with pytest.raises(Unreadable, match="une fois décompressé"):
        open_tables("envoi.zip", content)


def test_a_file_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand workbooks in an archive, each within its bounds, would take a day."""
    monkeypatch.setattr(bounds, "SECONDS", -1)
    with in_time("envoi.zip"), pytest.raises(Unreadable, match="n'a pas pu être lu en"):
        open_tables("envoi.zip", zipped({"x.csv": TEXT.encode()}))


def test_an_archive_in_an_archive_is_named() -> None:
    with pytest.raises(Unreadable, match="une archive dans une archive"):
        open_tables("envoi.zip", zipped({"x.zip": zipped({"x.csv": TEXT.encode()})}))


def test_lines_that_nothing_separates_are_told() -> None:
    (table,) = open_tables("x.csv", b"code~total\n93001~12\n93008~15\n")
    assert table.hint is not None and "rien n'y sépare les cellules" in table.hint


def test_parquet_is_read(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "x.parquet"
    duckdb.sql(
        "SELECT * FROM (VALUES ('01001', 3, 1.5, NULL), ('93005', 4, 'nan'::DOUBLE, DATE '2024-11-30')) "
        "t(code, n, part, jour)"
    ).write_parquet(str(path))
    table = only("x.parquet", path.read_bytes())
    assert [list(map(str, row)) for row in table.rows] == [
        ["code", "n", "part", "jour"],
        ["01001", "3", "1.5", ""],
        ["93005", "4", "nan", "2024-11-30"],
    ]
    with pytest.raises(Unreadable, match="Parquet illisible"):
        open_tables("x.parquet", path.read_bytes()[:-20])


def test_a_hidden_sheet_is_marked() -> None:
    content = workbook(("RSA", ROWS, "visible"), ("b", ROWS, "hidden"), ("c", ROWS, "veryHidden"))
    assert [(t.sheet, t.hidden) for t in open_tables("x.xlsx", content)] == [
        ("RSA", False),
        ("b", True),
        ("c", True),
    ]
    with pytest.raises(Unreadable, match="masquées"):
        open_tables("x.xlsx", edited(content, b'state="visible"', b'state="hidden"', "xl/workbook.xml"))


@pytest.mark.parametrize("stale", [b"A1", b"A1:A2", b"A1:XFD1048576", b"A:XFD"])
def test_the_dimension_that_a_workbook_states_is_not_believed(stale: bytes) -> None:
    content = workbook(("F", ROWS, "visible"))
    assert only("x.xlsx", edited(content, b'ref="A1:B3"', b'ref="' + stale + b'"')).rows == ROWS


def test_an_error_of_a_spreadsheet_is_no_blank() -> None:
    content = workbook(
        ("F", [["code", "n", "m"], ["93001", 3, "#REF!"], ["93005", "#N/A", 1]], "visible")
    )
    assert only("x.xlsx", content).rows == [
        ["code", "n", "m"],
        ["93001", 3, "#REF!"],
        ["93005", "#N/A", 1],
    ]


def test_a_number_that_is_none_is_text_that_no_rule_takes_for_a_number() -> None:
    content = workbook(("F", ROWS, "visible"))
    (table,) = open_tables("x.xlsx", edited(content, b"<v>3</v>", b"<v>NaN</v>"))
    assert str(table.rows[1][1]) == "nan"


def test_a_control_character_ends_nothing() -> None:
    content = workbook(("F", [["code", "x"], ["93001", "ab"]], "visible"))
    assert only("x.xlsx", edited(content, b"<t>ab</t>", b"<t>a&#2;b</t>", "xl/sharedStrings.xml")).rows


def test_a_sheet_cut_short_is_told() -> None:
    content = workbook(("F", ROWS, "visible"))
    with pytest.raises(Unreadable, match=r"x\.xlsx : classeur illisible"):
        open_tables("x.xlsx", edited(content, b'<c r="B3"', b"<c r="))


def test_a_cell_filled_very_far_away_is_told() -> None:
    content = workbook(("F", ROWS, "visible"))
    with pytest.raises(Unreadable, match=r"très loin du tableau|cellules"):
        open_tables("x.xlsx", edited(content, b'r="B3"', b'r="XFD1048576"'))


def test_columns_that_no_row_fills_are_dropped() -> None:
    rows = [[*row, *[""] * 3000] for row in ROWS]
    assert only("x.xlsx", workbook(("F", rows, "visible"))).rows == ROWS
    assert only("x.csv", b"a;b;;;\n1;;;;\n").rows == [["a", "b"], ["1", ""]]


@pytest.mark.parametrize("lines", [65_536, pytest.param(1_048_576, marks=pytest.mark.slow)])
def test_a_table_that_ends_where_a_sheet_does_is_cut(
    lines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unreadable, match="limite d'un tableur"):
        open_tables("x.csv", b"a;b\n" * lines)
    assert open_tables("x.csv", b"a;b\n" * (lines + 1))


def test_a_workbook_that_ends_where_a_sheet_does_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "CUT_AT", (3,))
    with pytest.raises(Unreadable, match="limite d'un tableur"):
        open_tables("x.xlsx", workbook(("F", ROWS, "visible")))


@given(st.integers(2, 30), st.integers(0, 40), st.sampled_from(";,\t|"), st.booleans())
def test_a_quote_that_is_never_closed_is_told(rows: int, at: int, separator: str, last: bool) -> None:
    """Wherever it opens a cell, with other lines after it."""
    lines = [separator.join([f"9300{i}", f"nom {i}", str(i)]) for i in range(rows)]
    line = at % (rows - 1) if not last else rows - 1
    cells = lines[line].split(separator)
    cells[at % 3] = '"' + cells[at % 3]
    lines[line] = separator.join(cells)
    with pytest.raises(Unreadable, match=rf"ligne {line + 1} : un guillemet"):
        open_tables("x.csv", "\n".join(lines).encode())


def test_a_line_end_in_a_quoted_title_is_no_fault() -> None:
    assert only("x.csv", b'code;"nombre\nde foyers"\n93001;3\n').rows[0] == ["code", "nombre\nde foyers"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"%PDF-1.7 ...", "un PDF"),
        (b"<!DOCTYPE html><html><body><table><tr><td>93001</td></tr></table></body></html>", "page HTML"),
        (b"  <html lang='fr'>", "page HTML"),
        (b'<?xml version="1.0"?><ROOT/>', "du XML"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "classeur XML"),
        (json.dumps({"total": 1}).encode(), "du JSON"),
        (json.dumps([{"code": "93001"}]).encode(), "du JSON"),
        (b"7z\xbc\xaf\x27\x1c", "archive 7z"),
        (b"Rar!\x1a\x07", "archive RAR"),
        (b"\x89PNG\r\n", "une image"),
        (zipped({"word/document.xml": b"<w/>"}), "un document"),
        (b"aides.csv".ljust(257, b"\0") + b"ustar  \0", "archive tar"),
        (b"MIME-Version: 1.0\nX-Document-Type: Workbook\n\n<html><table>", "MIME"),
        (office("WordDocument"), "un document Word"),
        (bytes(12) + b"\xc2\xea\x81\x60" + bytes(300), "une table SAS"),
        (b"$FL2@(#) SPSS DATA FILE", "SPSS"),
        (b"<stata_dta><header><release>118", "Stata"),
        (b"MSCF" + bytes(40), "archive cab"),
        (b"\x1f\x9d\x90" + bytes(40), "archive compress"),
        (zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"}), "OpenDocument"),
        (zipped({"Index/Document.iwa": b"\0"}), "Apple"),
        (b"<div>Erreur 500</div>", "du HTML"),
        (b"ID;PWXL;N;E\r\nC;Y1;X1;K\"code\"\r\n", "SYLK"),
        (b"\x03\x7d\x01\x1f" + bytes(60), "dBase"),
        (office("__substg1.0_0037001F"), "un message Outlook"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_told_for_what_it_is(content: bytes, what: str) -> None:
    with pytest.raises(NoTable, match=what):
        open_tables("caf_rsa_2024-11.xls", content)


def test_the_password_of_an_archive_is_told() -> None:
    content = bytearray(zipped({"caf_rsa_2024-11.csv": b"code;ALL_RSA\n93001;4328\n"}))
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(header) + flags] |= 1
    with pytest.raises(Unreadable, match="la renvoyer sans mot de passe"):
        open_tables("x.zip", bytes(content))


def test_another_width_of_letters_is_told() -> None:
    with pytest.raises(Unreadable, match="UTF-32"):
        open_tables("caf_rsa_2024-11.csv", "code;ALL_RSA\n93001;4328\n".encode("utf-32"))


def test_a_password_is_told() -> None:
    with pytest.raises(Unreadable, match="l'enregistrer sans mot de passe"):
        open_tables("x.xlsx", office("EncryptedPackage"))


def test_what_the_end_of_a_workbook_lacks_is_told_in_its_own_words() -> None:
    """A workbook is no zip to who sends it, and Python's English is nobody's here."""
    with pytest.raises(
        Unreadable, match=r"^x\.xlsx : classeur abîmé, sans doute coupé pendant l'envoi\.$"
    ):
        open_tables("x.xlsx", workbook(("F", ROWS, "visible"))[:-100])
    content = zipped({"a.csv": TEXT.encode() * 99})
    with pytest.raises(Unreadable, match=r"^x\.zip : a\.csv : abîmé, ne peut pas être extrait"):
        open_tables("x.zip", content[:50] + bytes(40) + content[90:])


def test_a_cell_filled_far_from_the_table_is_named() -> None:
    content = edited(
        workbook(("F", ROWS, "visible")),
        b"</sheetData>",
        b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>',
    )
    with pytest.raises(Unreadable, match=r"la cellule XFD1048576 est remplie.*effacer"):
        open_tables("x.xlsx", content)


@pytest.mark.parametrize(
    ("encoding", "hint"),
    [
        ("cp850", "CP850"),
        ("mac_roman", "Mac Roman"),
        ("utf-7", "UTF-7"),
        ("cp1252", None),
        ("utf-8", None),
        ("latin-1", None),
    ],
)
def test_the_encoding_that_loses_accents_is_told(encoding: str, hint: str | None) -> None:
    shown = only(
        "x.csv", "code;Rentrée scolaire;Élèves;Nom\n93001;2024;3;Forêt à côté\n".encode(encoding)
    ).hint
    assert (hint in shown) if hint and shown else shown is None


def test_ebcdic_is_told() -> None:
    table = only("x.csv", ("code;n\n" + "93001;345\n" * 20).encode("cp500"))
    assert "EBCDIC" in (table.hint or "") and table.rows[1] == ["93001", "345"]


def test_lines_and_columns_that_a_sheet_does_not_show_are_read_and_marked() -> None:
    """By a filter, by hand, or as columns of the whole sheet; in .ods said once for many alike."""
    content = workbook(("F", [["code", "n", "p"], ["93001", 3, 4], ["93005", 2, 1]], "visible"))
    content = edited(content, b'<row r="3">', b'<row r="3" hidden="1">')
    hidden = b'<cols><col min="2" max="16384" hidden="true"/></cols><sheetData>'
    table = only("x.xlsx", edited(content, b"<sheetData>", hidden))
    assert table.rows[2] == ["93005", 2, 1]
    assert (table.masked[0], min(table.masked[1])) == ({3}, 2)
    rows = b'<table:table-row table:visibility="filter" table:number-rows-repeated="1"/>'
    said = b'<table:table-row table:number-rows-repeated="1"/>'
    columns = b'<table:table-column table:number-columns-repeated="2"/>'
    columns += b'<table:table-column table:visibility="collapse"/><table:table-row>'
    content = edited(ods([["code", "n", "p"]]), said, rows, "content.xml")
    content = edited(content, b"<table:table-row>", columns, "content.xml")
    assert only("x.ods", content).masked == ({2}, {3})


def test_utf_8_encoded_twice_is_told() -> None:
    content = "code;Rentrée\n93001;À côté – d’où\n".encode().decode("cp1252", errors="ignore").encode()
    assert "deux fois" in (only("x.csv", content).hint or "")


def test_lines_that_are_one_quoted_cell_are_told() -> None:
    assert "entre guillemets" in (only("x.csv", b'"a;b;c"\n"1;2;3"\n').hint or "")


def test_what_goes_with_a_table_in_an_archive_is_listed() -> None:
    """Notices are listed, what other programs put there is not even that."""
    content = zipped(
        {
            "donnees.csv": TEXT.encode(),
            "__MACOSX/._donnees.csv": b"\x00\x05\x16\x07",
            "Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            ".DS_Store": b"\x00",
            "notice.pdf": b"%PDF-1.4",
        }
    )
    found = open_file("x.zip", content)
    assert [table.member for table in found.tables] == ["donnees.csv"]
    assert found.rest == ("notice.pdf : c'est un PDF, non un tableau.",)
    assert found.damaged == ()


def test_a_damaged_member_is_named_and_the_others_are_read() -> None:
    content = zipped({"a.csv": TEXT.encode(), "b.xlsx": b"PK\x03\x04 cut short"})
    found = open_file("x.zip", content)
    assert [table.member for table in found.tables] == ["a.csv"]
    assert found.damaged[0][0] == "b.xlsx"


def test_an_archive_of_very_many_files_is_not_opened() -> None:
    with pytest.raises(Unreadable, match="plus de 1000 fichiers"):
        open_tables("x.zip", zipped({f"{i}.csv": b"a;b\n" for i in range(1001)}))


def test_a_member_that_swells_beyond_any_table_is_not_unpacked() -> None:
    with pytest.raises(Unreadable, match="grossit plus de"):
        open_tables("x.zip", zipped({"a.csv": b"0" * (bounds.SWOLLEN_BYTES + 1)}))


@pytest.mark.parametrize("encoding", ["utf-8", "cp850"])
def test_accents_in_the_names_of_an_archive_of_windows(encoding: str) -> None:
    content = zipped({"rentr##e.csv": TEXT.encode()})
    written = "é".encode(encoding).ljust(2, b"e")
    (table,) = open_tables("x.zip", content.replace(b"##", written))
    assert table.member is not None and table.member.startswith("rentré")


@pytest.mark.parametrize(
    "name",
    [
        "~$caf_rsa_2024-11.xlsx",
        ".~lock.caf.ods#",
        "desktop.ini",
        "Thumbs.db",
        ".DS_Store",
        "x.csv.part",
        "x.tmp",
    ],
)
def test_files_of_other_programs_are_ignored(name: str) -> None:
    assert ignored_name(name)
    assert not ignored_name("caf_rsa_2024-11.csv")


def test_strict_open_xml_is_read() -> None:
    """What Excel writes as « Strict Open XML »: the same parts under other namespaces."""
    content = workbook(("F", ROWS, "visible"))
    for old, new in (
        (b"http://schemas.openxmlformats.org/spreadsheetml/2006/main", b"http://purl.oclc.org/ooxml/spreadsheetml/main"),
        (b"http://schemas.openxmlformats.org/officeDocument/2006/relationships", b"http://purl.oclc.org/ooxml/officeDocument/relationships"),
    ):  # fmt: skip
        for member in ("xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/_rels/workbook.xml.rels"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                if old in archive.read(member):
                    content = edited(content, old, new, member)
    assert only("x.xlsx", content).rows == ROWS
