"""The gate on real files: what is accepted, refused for which rule, kept, revised, set aside."""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.demo.deliveries import write_deliveries
from odds_pipeline.quality.gate import Judgement, judge_pending
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

FEED = "insee/populations_legales"
COMMUNES = [
    "93001", "93005", "93006", "93007", "93008", "93010", "93013", "93014", "93015", "93027", "93029",
    "93030", "93031", "93032", "93033", "93039", "93045", "93046", "93047", "93048", "93049", "93050",
    "93051", "93053", "93055", "93057", "93059", "93061", "93062", "93063", "93064", "93066", "93070",
    "93071", "93072", "93073", "93074", "93077", "93078", "93079",
]  # fmt: skip


def populations(folder: Path, year: int, edit: Callable[[list[list[str]]], None] | None = None) -> Path:
    """A file of legal populations in Insee's layout: 1,000 inhabitants times the commune's rank."""
    rows = [["REG", "DEP", "COM", "PMUN", "PCAP", "PTOT"]]
    for rank, code in enumerate(COMMUNES, start=1):
        rows.append(["11", "93", code, str(1000 * rank + year), "10", str(1000 * rank + year + 10)])
    if edit:
        edit(rows)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"donnees_communes_pop{year}.csv"
    path.write_text("\n".join(";".join(row) for row in rows) + "\n", encoding="utf-8")
    return path


def gate(project: Project, home: Home, *paths: Path) -> list[Judgement]:
    with Store(home.warehouse).kept_open():  # as `odds run` does it
        list(receive(project, home, paths))
        return judge_pending(project, home, FEED)


def refusing(judgement: Judgement) -> set[str]:
    return {f.rule for f in judgement.findings if f.refuses}


def test_a_right_file_is_accepted(project: Project, home: Home, tmp_path: Path) -> None:
    (judgement,) = gate(project, home, populations(tmp_path / "in", 2019))
    assert judgement.accepted == ("2019-01",)
    assert refusing(judgement) == set()


def _set(row: int, column: int, text: str) -> Callable[[list[list[str]]], None]:
    def edit(rows: list[list[str]]) -> None:
        rows[row][column] = text

    return edit


def _corrected(rows: list[list[str]]) -> None:
    rows[5][3], rows[5][5] = "6000", "6010"


@pytest.mark.parametrize(
    ("edit", "rule"),
    [
        (lambda rows: rows.pop(7), "toutes_les_communes"),
        (lambda rows: rows.append(list(rows[3])), "territoires_uniques"),
        (_set(3, 2, "93999"), "territoires_connus"),
        (_set(3, 3, "-12"), "pas_trop_petit"),
        (_set(3, 3, "12.5"), "lisible"),
        (_set(3, 3, "1,234"), "effectif_entier"),
        (_set(3, 3, "à vérifier"), "lisible"),
        (_set(3, 3, "1,234,567"), "lisible"),
        (_set(3, 3, "999999"), "parties_dans_le_tout"),
        (lambda rows: rows[3].pop(), "lignes"),
        (
            lambda rows: [row.__setitem__(slice(3, 6), ["", "", ""]) for row in rows[1:]],
            "au_moins_une_valeur",
        ),
    ],
    ids=[
        "absent",
        "twice",
        "unknown",
        "negative",
        "point",
        "thousand",
        "text",
        "commas",
        "part",
        "short",
        "empty",
    ],
)
def test_a_wrong_file_is_refused_for_its_fault(
    project: Project, home: Home, tmp_path: Path, edit: Callable[[list[list[str]]], None], rule: str
) -> None:
    (judgement,) = gate(project, home, populations(tmp_path / "in", 2019, edit))
    assert judgement.refused == ("2019-01",)
    assert rule in refusing(judgement)
    with Store(home.warehouse).connect() as connection:
        assert connection.execute("SELECT count(*) FROM observations").fetchone() == (0,)


def test_one_bad_month_does_not_stop_the_others(project: Project, home: Home, tmp_path: Path) -> None:
    def ten_times(rows: list[list[str]]) -> None:
        for row in rows[1:]:
            row[3:] = [cell + "0" for cell in row[3:]]

    paths = [
        populations(tmp_path / "in", year, ten_times if year == 2015 else None)
        for year in range(2010, 2022)
    ]
    judgements = gate(project, home, *paths)
    refused = {month: refusing(j) for j in judgements for month in j.refused}
    assert refused == {"2015-01": {"saut_d_unite"}}
    assert sum(len(j.accepted) for j in judgements) == 11


def test_the_same_bytes_twice_change_nothing(project: Project, home: Home, tmp_path: Path) -> None:
    path = populations(tmp_path / "in", 2019)
    gate(project, home, path)
    (receipt,) = receive(project, home, [path])
    assert receipt.known
    assert judge_pending(project, home, FEED) == []


def _standing(home: Home) -> list[tuple[float, str]]:
    with Store(home.warehouse).connect() as connection:
        return connection.execute(
            "SELECT value, delivery FROM observations JOIN trusted_months USING (delivery, month) "
            "WHERE known_to IS NULL AND territory = '93008' AND variable LIKE '%municipale'"
        ).fetchall()


def test_a_file_replaced_by_mistake_is_taken_back(project: Project, home: Home, tmp_path: Path) -> None:
    """A, then B, then A again: A's figures stand, as a third delivery of the same bytes."""
    first = populations(tmp_path / "a", 2019)
    second = populations(tmp_path / "b", 2019, _corrected)
    gate(project, home, first)
    (right,) = _standing(home)
    gate(project, home, second)
    (wrong,) = _standing(home)
    assert wrong != right
    (told,) = receive(project, home, [first])
    assert (told.known, told.replaced_by) == (True, second.name)
    assert judge_pending(project, home, FEED) == []  # being told changes nothing
    (receipt,) = receive(project, home, [first], again=True)
    assert (receipt.known, receipt.months) == (False, ("2019-01",))
    assert _standing(home) == [wrong]  # until the gate has judged it
    (judgement,) = judge_pending(project, home, FEED)
    assert judgement.accepted == ("2019-01",)
    assert _standing(home) == [(right[0], f"{right[1]}@2")]
    # It is the one in use: sending it once more is nothing new, and B can be taken back in its turn.
    (receipt,) = receive(project, home, [first], again=True)
    assert (receipt.known, receipt.replaced_by) == (True, None)
    list(receive(project, home, [second], again=True))
    judge_pending(project, home, FEED)
    assert _standing(home) == [(wrong[0], f"{wrong[1]}@2")]


def test_a_corrected_delivery_is_a_revision(project: Project, home: Home, tmp_path: Path) -> None:
    gate(project, home, populations(tmp_path / "a", 2019))
    gate(project, home, populations(tmp_path / "b", 2019, _corrected))
    with Store(home.warehouse).connect() as connection:
        rows = connection.execute(
            "SELECT value, known_from, known_to FROM observations WHERE territory = '93008' "
            "AND variable = 'insee.population_municipale' ORDER BY known_from"
        ).fetchall()
        (changed,) = connection.execute(
            "SELECT count(*) FROM observations WHERE known_from = 2"
        ).fetchone() or (0,)
    assert rows == [(7019.0, 1, 2), (6000.0, 2, None)]
    assert changed == 2


def test_a_revision_of_the_only_month_is_compared_with_what_it_replaces(
    project: Project, home: Home, tmp_path: Path
) -> None:
    """No other month tells that all is ten times too large: what was accepted for it does."""

    def raised(rows: list[list[str]]) -> None:
        for row in rows[1:]:
            row[3:6] = [f"{cell}0" for cell in row[3:6]]

    gate(project, home, populations(tmp_path / "a", 2019))
    (judgement,) = gate(project, home, populations(tmp_path / "b", 2019, raised))
    assert (judgement.accepted, judgement.refused) == ((), ("2019-01",))
    assert "saut_d_unite" in refusing(judgement)


def test_a_refused_redelivery_leaves_the_accepted_figures(
    project: Project, home: Home, tmp_path: Path
) -> None:
    gate(project, home, populations(tmp_path / "a", 2019))
    gate(project, home, populations(tmp_path / "b", 2019, _set(5, 3, "-4")))
    publish(project, home)
    with open_release(home) as release:
        value = release.execute(
            "SELECT value FROM indicator_values WHERE indicator = 'population_municipale' AND territory = '93008'"
        ).fetchone()
    assert value == (7019.0,)


def test_a_broken_header_is_refused_with_the_missing_column(
    project: Project, home: Home, realdata: Path, tmp_path: Path
) -> None:
    source = realdata / "filosofi" / "FILO2018_DISP_COM_93.csv"
    broken = tmp_path / source.name
    broken.write_bytes(source.read_bytes().replace(b"Q218", b"MEDIANE18"))
    (receipt,) = receive(project, home, [broken])
    assert receipt.feed == "insee/filosofi"
    assert "colonnes absentes : Q218" in (receipt.reason or "")
    assert receipt.months == ("2018-12",)


def test_an_unknown_file_is_set_aside_with_the_nearest_contract(
    project: Project, home: Home, tmp_path: Path
) -> None:
    path = tmp_path / "inconnu.csv"
    path.write_text("REG;DEP;COM;PMUN\n11;93;93001;3\n")
    (receipt,) = receive(project, home, [path])
    assert receipt.feed is None
    assert "insee/populations_legales (code_complet) : colonnes absentes : PCAP, PTOT" in (
        receipt.reason or ""
    )


@pytest.mark.parametrize(
    "text",
    [
        "sujet;combien\ndivers;3\nautres;4\n",
        "CODGEO;LIBGEO;valeur\n93001;Aubervilliers;4\n",
        "DEP;COM;structure;etp\n93;001;x;3\n",
        "CODGEO;P21_POP;truc\n93001;4;5\n",
    ],
)
def test_a_file_near_no_contract_is_set_aside_without_naming_one(
    project: Project, home: Home, tmp_path: Path, text: str
) -> None:
    """A code of territory and a usual word are in the files of many."""
    path = tmp_path / "divers.csv"
    path.write_text(text)
    (receipt,) = receive(project, home, [path])
    assert receipt.reason == "Aucun contrat ne convient, et aucun n'est proche de ce fichier."


def test_the_verdict_in_the_warehouse_decides(project: Project, home: Home, tmp_path: Path) -> None:
    """Whatever wrote it, a month whose verdict is not favourable leaves the next release."""
    statements = {
        "2016-01": "DELETE FROM verdicts WHERE true",
        "2017-01": "UPDATE verdicts SET passed = false WHERE rule = 'lisible'",
        "2018-01": "UPDATE verdicts SET passed = false, severity = 'note' WHERE rule = 'lisible'",
        "2019-01": "UPDATE delivered_months SET state = 'refused' WHERE true",
    }
    gate(project, home, *(populations(tmp_path / "a", year) for year in range(2016, 2021)))
    assert publish(project, home).number == 1
    with open_release(home) as release:
        for table in ("indicator_values", "observations"):
            assert _months(release, table) == [*statements, "2020-01"]
    with Store(home.warehouse).connect() as connection:
        for month, statement in statements.items():
            connection.execute(f"{statement} AND month = '{month}'")
    assert publish(project, home).number == 2
    with open_release(home) as release:
        for table in ("indicator_values", "observations"):
            assert _months(release, table) == ["2020-01"]


def _months(release: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    rows = release.execute(f"SELECT DISTINCT month FROM {table} ORDER BY month").fetchall()
    return [month for (month,) in rows]


def test_another_departement_is_set_aside(project: Project, home: Home, realdata: Path) -> None:
    (receipt,) = receive(
        project, home, [realdata / "emploi" / "DARES_defm_communal_brut_echantillon_dep91.csv"]
    )
    assert receipt.feed is None
    assert "aucun territoire du périmètre" in (receipt.reason or "")


def test_a_release_is_not_made_again_when_nothing_changed(
    project: Project, home: Home, tmp_path: Path
) -> None:
    gate(project, home, populations(tmp_path / "a", 2019))
    first, again = publish(project, home), publish(project, home)
    assert (first.number, first.new, again.number, again.new) == (1, True, 1, False)
    gate(project, home, populations(tmp_path / "b", 2019, _corrected))
    assert publish(project, home).number == 2
    with open_release(home, 1) as release, pytest.raises(duckdb.Error):
        release.execute("DELETE FROM indicator_values")


def test_the_archive_keeps_the_bytes(project: Project, home: Home, tmp_path: Path) -> None:
    path = populations(tmp_path / "in", 2019)
    content = path.read_bytes()
    (receipt,) = receive(project, home, [path])
    shutil.rmtree(tmp_path / "in")
    assert (home.archive / receipt.delivery[:2] / receipt.delivery).read_bytes() == content


def test_half_a_person_is_no_thousand_badly_written(
    project: Project, home: Home, tmp_path: Path
) -> None:
    """Of children who live in two homes Insee gives each one a half: 1 444 272,5 people of the Yvelines."""
    (judgement,) = gate(project, home, populations(tmp_path / "in", 2019, _set(3, 3, "5018,5")))
    assert judgement.accepted == ("2019-01",)


SIRET = "21930008500017"


@pytest.mark.parametrize(
    ("cell", "rule"),
    [(SIRET, "effectif_possible"), ("9" * 400, "nombre_fini"), ("9007199254740993", "nombre_fini")],
)
def test_an_impossible_number_is_refused_on_a_first_delivery(
    project: Project, home: Home, tmp_path: Path, cell: str, rule: str
) -> None:
    (judgement,) = gate(project, home, populations(tmp_path / "in", 2019, _set(5, 5, cell)))
    # Reception tells what no number can hold; what it lets through, the gate does not.
    assert refusing(judgement) & {rule, "lisible"}
    assert judgement.accepted == ()


def test_a_count_is_set_against_the_population_it_is_counted_in(
    project: Project, home: Home, tmp_path: Path
) -> None:
    """Of the commune, also the one that two have become since the population was counted."""
    gate(project, home, populations(tmp_path / "in", 2019))
    for month, codes in {"2024-12": ("93008", "93059"), "2025-01": ("93008", "93066")}.items():
        written = write_deliveries(
            project, tmp_path / month, month, month, faults=False, feeds={"caf/rsa"}
        ).paths
        (path,) = written
        lines = path.read_text(encoding="utf-8").splitlines()
        place = lines[0].split(";").index("ALL_RSA")
        for number, line in enumerate(lines):
            cells = line.split(";")
            if cells[0] in codes:
                cells[place] = "900000"  # more than five times their people, fewer than the département
                lines[number] = ";".join(cells)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        list(receive(project, home, [path]))
        (judgement,) = judge_pending(project, home, "caf/rsa")
        (finding,) = (f for f in judgement.findings if f.rule == "effectif_possible")
        # The populations of the test are small: the first communes of the list have more recipients.
        told = {row["territory"] for row in finding.rows}
        assert set(codes) <= told and "93079" not in told
