"""Other years of the same producers' files, made from a real one as the producer would have changed it."""

import csv
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.reception.receipt import Receipt
from odds_pipeline.reception.receive import receive
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

from .test_producers import figures_of


def _received(project: Project, home: Home, path: Path) -> Receipt:
    (receipt,) = receive(project, home, [path])
    return receipt


# Source, what is replaced in its text, the name of the other year's file → feed, format, months.
VARIANTS = [
    ("filosofi/FILO2018_DISP_COM_93.csv", [("18", "19")], "FILO2019_DISP_COM.csv", "insee/filosofi", "disp", ("2019-12",)),
    ("filosofi/FILO2018_DISP_COM_93.csv", [], "filo2018_disp_com (1).csv", "insee/filosofi", "disp", ("2018-12",)),
    ("filosofi/FILO2014_DISP_COM_93.csv", [("14;", "12;"), ("2014", "2012"), ("MPOT14", "MPOT12")], "FILO2012_DISP_COM.csv", "insee/filosofi", "disp", ("2012-12",)),
    ("filosofi/cc_filosofi_2020_COM_93.csv", [("20;", "18;"), ("RD20", "RD18")], "cc_filosofi_2018_COM-geo2019.CSV", "insee/filosofi", "base_cc", ("2018-12",)),
    ("population/donnees_communes_pop2021_93.csv", [], "donnees_communes_2022.csv", "insee/populations_legales", "code_complet", ("2022-01",)),
    ("caf/data_CAF_2019_IRIS_93.csv", [], "data_CAF_2020_IRIS.csv", "caf/iris", "iris", ("2020-12",)),
    ("qpv/DEMO_2019_QPV93.csv", [], "DEMO_2020_QPV.csv", "caf/qpv", "demographie", ("2018-12",)),
    ("qpv/REVN_2019_QPV93.csv", [("CCMUC", "CC2S")], "REVN_2021_QPV.csv", "cpam/qpv", "revenus", ("2020-12",)),
    ("emploi/data_DEFM2019_com_93.csv", [], "data_DEFM2021_com.csv", "pole_emploi/defm_communes", "communes", ("2021-12",)),
    ("logement/LOVAC_2025_communes_93.csv", [("_25", "_24")], "LOVAC_2024_communes.csv", "drihl/lovac", "communes", ("2024-01",)),
    ("logement/RPLS_parc_social_jan_2024_93.csv", [], "RPLS_parc_social_jan_2022.csv", "drihl/rpls", "parc", ("2022-01",)),
    ("logement/indicateurs-loyers-appartements_2018_93.csv", [("INSEE;", "INSEE_C;")], "pred-app-mef-dhup_2022.csv", "drihl/loyers", "appartements_insee_c", ("2022-09",)),
    ("education/fr-en-ips_colleges_2021-2022_93.csv",
     [("Rentrée scolaire", "rentree_scolaire"), ("Nom de l'établissment", "nom_de_l_etablissment"), ("Code INSEE de la commune", "code_insee_de_la_commune"),
      ("Secteur;IPS", "secteur;ips"), ("2021-2022", "2022-2023")],
     "fr-en-ips-colleges-ap2022.csv", "inspection_academique/ips_colleges", "ips", ("2022-09",)),
    ("securite/donnee-dep-2022_geographie2022_produit2023-02-09_93.csv", [], "donnee-dep-data.gouv-2023-geographie2023.csv", "prefecture/delinquance", "departement", ("2016-12", "2017-12", "2018-12", "2019-12", "2020-12", "2021-12", "2022-12")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "changes", "name", "feed", "fmt", "months"), VARIANTS, ids=[v[2] for v in VARIANTS]
)
def test_another_year_is_recognised(
    project: Project,
    home: Home,
    realdata: Path,
    tmp_path: Path,
    source: str,
    changes: list[tuple[str, str]],
    name: str,
    feed: str,
    fmt: str,
    months: tuple[str, ...],
) -> None:
    header, _, rest = (realdata / source).read_text(encoding="utf-8").partition("\n")
    for old, new in changes:
        assert old in header + rest, f"{old!r} is not in {source}"
        header = header.replace(old, new)
        rest = rest.replace(old, new) if "-" in old else rest
    path = tmp_path / name
    path.write_text(f"{header}\n{rest}", encoding="utf-8")
    receipt = _received(project, home, path)
    assert (receipt.feed, receipt.format, receipt.months) == (feed, fmt, months), receipt.reason


REAL = [
    ("filosofi/FILO2018_DISP_COM_93.csv", "FILO2018_DISP_COM.csv"),
    ("filosofi/cc_filosofi_2020_COM_93.csv", "cc_filosofi_2020_COM.csv"),
    ("population/donnees_communes_pop2021_93.csv", "donnees_communes_2021.csv"),
    ("qpv/DEMO_2019_QPV93.csv", "DEMO_2019_QPV.csv"),
    ("emploi/data_DEFM2019_com_93.csv", "data_DEFM2019_com.csv"),
    ("logement/LOVAC_2025_communes_93.csv", "lovac-opendata-communes.csv"),
    ("logement/RPLS_parc_social_jan_2024_93.csv", "RPLS_parc_social_jan_2024.csv"),
    ("logement/indicateurs-loyers-appartements_2018_93.csv", "indicateurs-loyers-appartements_2018.csv"),
    ("education/fr-en-ips_colleges_2021-2022_93.csv", "fr-en-ips_colleges.csv"),
    (
        "securite/donnee-dep-2022_geographie2022_produit2023-02-09_93.csv",
        "donnee-dep-data.gouv-2022.csv",
    ),
]
"""Ten real files under the producers' names."""

Rows = list[list[str]]
NOTES = [[], ["Source : producteur, 2026"], ["s : secret statistique"]]
CHANGES: dict[str, Callable[[Rows], Rows]] = {
    "a column added": lambda rows: [[*row[:1], cell, *row[1:]] for row, cell in zip(rows, ["NOUVELLE"] + ["7"] * (len(rows) - 1), strict=True)],
    "another order": lambda rows: [row[::-1] for row in rows],
    "rows backwards": lambda rows: [rows[0], *rows[:0:-1]],
    "a moved header": lambda rows: [["Tableau 1. Données diffusées en 2026"], [], *rows],
    "notes at the foot": lambda rows: [*rows, *NOTES],
    "names in capitals": lambda rows: [[name.upper() for name in rows[0]], *rows[1:]],
    "names with blanks": lambda rows: [[f" {name}  " for name in rows[0]], *rows[1:]],
}  # fmt: skip
WRITINGS: dict[str, dict[str, Any]] = {
    "a tab": {"sep": "\t"},
    "all quoted": {"quoting": csv.QUOTE_ALL},
    "UTF-16": {"encoding": "utf-16"},
    "a mark of order": {"encoding": "utf-8-sig"},
}


def _rows(path: Path) -> tuple[Rows, str]:
    text = path.read_text(encoding="utf-8-sig")
    separator = max(";,", key=text.partition("\n")[0].count)
    rows = list(csv.reader(io.StringIO(text), delimiter=separator))
    width = len(rows[0])
    return [row + [""] * (width - len(row)) for row in rows if row], separator


def _written(
    rows: Rows, name: str, folder: Path, sep: str, encoding: str = "utf-8", quoting: int = 0
) -> Path:
    path = folder / name
    with path.open("w", encoding=encoding, newline="") as text:
        csv.writer(text, delimiter=sep, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize(("source", "name"), REAL, ids=[name for _, name in REAL])
def test_what_producers_change_between_vintages_changes_no_figure(
    project: Project, realdata: Path, tmp_path: Path, source: str, name: str
) -> None:
    """Columns, order, header, notes, encodings and workbooks: the same figures are read."""
    rows, separator = _rows(realdata / source)
    told = figures_of(project, _written(rows, name, tmp_path, separator))
    assert len(told) >= 39
    for what, change in CHANGES.items():
        found = figures_of(project, _written(change(rows), name, tmp_path, separator))
        assert found == pytest.approx(told, nan_ok=True), what
    for what, how in WRITINGS.items():
        found = figures_of(project, _written(rows, name, tmp_path, **{"sep": separator} | how))
        assert found == pytest.approx(told, nan_ok=True), what
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    path = tmp_path / f"{Path(name).stem}.xlsx"
    book.save(path)
    assert figures_of(project, path) == pytest.approx(told, nan_ok=True)


def test_the_year_may_be_in_the_name_of_the_archive(
    project: Project, home: Home, realdata: Path, tmp_path: Path
) -> None:
    """Insee's file is called the same every year; only its archive says which."""
    content = (realdata / "population" / "donnees_communes_pop2021_93.csv").read_bytes()
    path = tmp_path / "ensemble_2021.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("donnees_communes.csv", content)
    assert _received(project, home, path).months == ("2021-01",)


def test_a_file_without_its_year_is_sent_back_with_the_reason(
    project: Project, home: Home, realdata: Path, tmp_path: Path
) -> None:
    path = tmp_path / "donnees_communes.csv"
    path.write_bytes((realdata / "population" / "donnees_communes_pop2021_93.csv").read_bytes())
    receipt = _received(project, home, path)
    assert receipt.feed == "insee/populations_legales"
    assert "La période n'est pas dans le nom du fichier" in (receipt.reason or "")


def test_a_workbook_in_an_archive_is_read(project: Project, home: Home, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["REG", "DEP", "COM", "PMUN", "PCAP", "PTOT"])
    book.active.append(["11", "93", "93001", 86000, 500, 86500])
    buffer = io.BytesIO()
    book.save(buffer)
    path = tmp_path / "livraison.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("donnees_communes_pop2019.xlsx", buffer.getvalue())
    assert _received(project, home, path).months == ("2019-01",)


def test_region_93_is_not_the_departement(
    project: Project, home: Home, realdata: Path, tmp_path: Path
) -> None:
    """Provence-Alpes-Côte d'Azur has code 93 among the regions: its row is not the Seine-Saint-Denis."""
    text = (realdata / "filosofi" / "FILO2018_DISP_REG_11.csv").read_text(encoding="utf-8-sig")
    header, row, *_ = text.splitlines()
    assert row.startswith("11;")
    path = tmp_path / "FILO2018_DISP_REG.csv"
    path.write_text(f"{header}\n{row}\n93{row[2:]}\n", encoding="utf-8")
    _received(project, home, path)
    judge_pending(project, home, "insee/filosofi")
    with Store(home.warehouse).connect() as connection:
        found = connection.execute("SELECT DISTINCT level, territory FROM observations").fetchall()
        ignored = connection.execute("SELECT ignored_rows FROM deliveries").fetchone()
    assert found == [("region", "11")]
    assert ignored == (1,)


def test_half_of_a_shared_file_is_not_lost_without_a_word(
    project: Project, home: Home, producers: Path, tmp_path: Path
) -> None:
    """Insee's comparator is read by several contracts: a column renamed for one refuses the file."""
    source = producers / "insee_rp/comparateur/base_cc_comparateur.csv"
    path = tmp_path / source.name
    path.write_bytes(source.read_bytes().replace(b"P22_CHOM1564", b"P22_CHOMEURS1564"))
    receipt = _received(project, home, path)
    assert receipt.feed == "insee/comparateur"
    assert "P22_CHOM1564 (renommée en P22_CHOMEURS1564 ?)" in (receipt.reason or "")


def test_another_sheet_of_a_workbook_is_set_aside_not_refused(
    project: Project, home: Home, tmp_path: Path
) -> None:
    """Urban units have codes of five digits, as communes: their sheet has the columns of another format."""
    columns = ["NBMENFISC14", "PIMP14", "MED14", "TP6014", "TP60AGE114"]
    rows: list[list[object]] = [["CODGEO", *columns], ["93001", 27410, 37, 13061, 44, 44]]
    receipt = _received(project, home, _book(tmp_path / "base-cc-filosofi-2014.xlsx", {"UU2010": rows}))
    assert receipt.feed is None and (receipt.reason or "").startswith("Aucun contrat ne convient")


def test_a_renamed_sheet_is_told_of_the_contract_that_the_file_is_named_for(
    project: Project, home: Home, tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = "DEP"
    book.active.append(["Code", "Libellé", "T1_2024", "T2_2024"])
    book.active.append(["93", "SEINE-SAINT-DENIS", 10.6, 10.5])
    path = tmp_path / "sl_etc_2024T2.xlsx"
    book.save(path)
    receipt = _received(project, home, path)
    assert "insee/chomage_localise (departements) : l'onglet ne s'appelle pas comme" in (
        receipt.reason or ""
    )


def _book(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    book = openpyxl.Workbook()
    for number, (title, rows) in enumerate(sheets.items()):
        sheet = book.create_sheet(title, number)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def _told(home: Home) -> dict[str, str]:
    """What the gate has found, whatever its severity: rule and rows."""
    with Store(home.warehouse).connect() as connection:
        return dict(connection.execute("SELECT rule, rows FROM verdicts WHERE failing > 0").fetchall())


def test_a_new_period_in_columns_is_read_and_one_under_a_mark_is_told(
    project: Project, home: Home, tmp_path: Path
) -> None:
    quarters = ["T3_2024", "T4_2024", "T1_2025", "T2_2025 (p)"]
    for last, name in enumerate(["sl_etc_2024T4.xlsx", "sl_etc_2025T1.xlsx"], start=2):
        rows = [
            ["Code", "Libellé", *quarters[:last]],
            ["93", "S-S-D", 10.6, 10.5, 10.4, 10.3][: last + 2],
        ]
        _received(project, home, _book(tmp_path / name, {"Département": rows}))
        judge_pending(project, home, "insee/chomage_localise")
        assert not _told(home), name
    marked = [["Code", "Libellé", *quarters], ["93", "S-S-D", 10.6, 10.5, 10.4, 10.3]]
    _received(project, home, _book(tmp_path / "sl_etc_2025T2.xlsx", {"Département": marked}))
    judge_pending(project, home, "insee/chomage_localise")
    assert "T2_2025 (p)" in _told(home)["periode_non_lue"]


@pytest.mark.parametrize(
    ("unit", "refused"), [("en milliers d'euros", False), ("En millions d’euros", True)]
)
def test_a_table_in_another_unit_than_its_contracts_is_refused(
    project: Project, home: Home, tmp_path: Path, unit: str, refused: bool
) -> None:
    """The Drees writes the unit of each sheet above its header, where no column tells it."""
    rows = [
        ["Dépenses totales brutes d'aide sociale"],
        [unit],
        ["Code région", "Code département", "Département", 2018, 2019],
        [11, "93", "Seine-Saint-Denis", 1377049.9, 1400000.1],
    ]
    name = "Les dépenses d'aide sociale départementale - séries longues (1999 - 2021).xlsx"
    _received(project, home, _book(tmp_path / name, {"Tot-tab2": rows}))
    judge_pending(project, home, "conseil_general/depenses_drees")
    with Store(home.warehouse).connect() as connection:
        told = connection.execute(
            "SELECT DISTINCT message FROM verdicts WHERE rule = 'lignes' AND NOT passed"
        ).fetchall()
    said = "Ligne 2 : « En millions d’euros » au-dessus du tableau, là où le contrat lit des milliers."
    assert told == ([(said,)] if refused else [])


def test_tables_of_one_workbook_that_begin_in_different_years_lose_no_column(
    project: Project, home: Home, tmp_path: Path
) -> None:
    """The column of one was missed in the years in which the other alone exists."""

    def sheet(first: int) -> list[list[object]]:
        years = range(first, 2020)
        return [
            ["N° Dep", "Libelle Dep", *years],
            ["93", "Seine-Saint-Denis", *(9000 + y for y in years)],
        ]

    path = tmp_path / "Minima sociaux - donnees departementales par dispositif.xlsx"
    _book(path, {"Tableau 4": sheet(2015), "Tableau 6": sheet(2011)})
    assert len(list(receive(project, home, [path]))) == 2
    judge_pending(project, home, "caf/autres_minima_drees")
    assert not _told(home)


def test_equipment_whose_code_changed_is_not_counted_as_none(
    project: Project, home: Home, producers: Path, tmp_path: Path
) -> None:
    """Insee gave many equipments another code; to an exhaustive file nothing under the old one was zero."""
    lines = (producers / "bpe/bpe18_ensemble.csv").read_bytes().splitlines(keepends=True)
    # The line of every emergency ward, and some of each other equipment.
    kept = [line for at, line in enumerate(lines) if at % 20 == 0 or b";D106;" in line]
    source, path = tmp_path / "bpe18_ensemble.csv", tmp_path / "bpe21_ensemble.csv"
    source.write_bytes(b"".join(kept))
    path.write_bytes(source.read_bytes().replace(b";2018;", b";2021;").replace(b";D106;", b";D113;"))
    read = figures_of(project, path)
    assert ("insee.urgences_bpe", "93", "2021-01") not in read
    before = figures_of(project, source)
    others = {key: value for key, value in before.items() if key[0] != "insee.urgences_bpe"}
    assert {(v, t, "2018-01"): value for (v, t, _), value in read.items()} == others
    _received(project, home, path)
    judge_pending(project, home, "insee/equipements_sante")
    assert "D106" in _told(home)["modalite_absente"]


def test_lovac_of_2026_calls_its_total_otherwise_and_carries_its_past(
    project: Project, producers: Path, tmp_path: Path
) -> None:
    """As the producer did in 2026: another column for the stock, blanks after names, thin spaces."""
    source = producers / "lovac/2025/lovac-opendata-communes.csv"
    lines = source.read_text("cp1252").splitlines()
    header = re.sub(r"_2(\d)", lambda year: f"_2{int(year[1]) + 1}", lines[0])
    names = header.replace(";pp_total", ";ff_pp_total").split(";")
    rows = [[f"{name} " for name in names]] + [line.split(";") for line in lines[1:]]
    rows = [row[::-1] for row in rows]  # and its columns in another order
    told = {
        (v, t, f"{int(m[:4]) + 1}-01"): value for (v, t, m), value in figures_of(project, source).items()
    }
    path = _written(rows, "lovac-opendata-communes26.csv", tmp_path, ";", "cp1252")
    assert figures_of(project, path) == pytest.approx(told, nan_ok=True)


def test_the_year_of_a_file_is_that_of_its_lines_not_of_its_name(
    project: Project, producers: Path, tmp_path: Path
) -> None:
    path = tmp_path / "bpe20_ensemble.csv"
    path.write_bytes((producers / "bpe/bpe18_ensemble.csv").read_bytes())
    assert {month for _, _, month in figures_of(project, path)} == {"2018-01"}


def test_iris_under_the_name_of_2021(project: Project, producers: Path, tmp_path: Path) -> None:
    lines = (
        (producers / "filosofi/iris/BASE_TD_FILO_DISP_IRIS_2019.csv").read_text("utf-8-sig").split("\n")
    )
    header = lines[0].replace("19;", "21;").replace("NOTE19", "NOTE21")
    line = next(line for line in lines if line.startswith("930010101"))
    path = tmp_path / "BASE_TD_FILO_IRIS_2021_DISP.csv"
    path.write_text(f"{header}\n{line}\n", encoding="utf-8")
    median = line.split(";")[lines[0].split(";").index("DISP_MED19")]
    assert figures_of(project, path)["insee.niveau_vie_median", "930010101", "2021-12"] == float(median)
