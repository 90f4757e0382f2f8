"""Iris and priority neighbourhoods: read as they are delivered, added up, protected, and shown on the site."""

import csv
import random
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from odds_pipeline.declarations.project import Project
from odds_pipeline.geography.territories import Territories
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store
from tests.extranet.conftest import open_site
from tests.judged import received_and_judged
from tests.reader import Reader, Told, Truth

BANDS = ["ENF_2", "ENF_3_5", "ENF_6_10", "ENF_11_14", "ENF_15_17", "ENF_18_24"]
PARTS = "AI AM ACSSENF AAL AAAH APPA ARSAS A_ETUD A_NETUD_24".split()
CUT = ("93030", "93079")
"""Communes of four and of five Iris."""


def iris_file(path: Path, codes: list[str], seed: int, revised: dict[str, int] | None = None) -> Path:
    """A file of the CAF's that hides nothing, in which one figure in six is from 1 to 4."""
    draw = random.Random(seed)

    def some(most: int) -> int:
        return draw.randint(1, 4) if draw.random() < 1 / 6 else draw.randint(5, max(6, most))

    header = ["CODGEO", "NOTE", "A", "PERCOU", *PARTS, "ACAVENF", "AC3ENF", "AAPL", "ENF", *BANDS]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, delimiter=";")
        writer.writeheader()
        for code in codes:
            row = {name: some(200) for name in PARTS} | {band: some(90) for band in BANDS}
            row |= {"A": 900, "PERCOU": 2100, "ACAVENF": 300, "ENF": sum(row[band] for band in BANDS)}
            row |= {"AC3ENF": 300 - some(200), "AAPL": max(0, row["AAL"] - some(100))}
            writer.writerow({**row, **(revised or {}), "CODGEO": code, "NOTE": 0})
    return path


def quarter_file(path: Path, iris: Path, commune: str, quarter: str) -> Path:
    """The one neighbourhood of a commune, outside which there live 5 households: 3 of one person, 2 with a child."""
    with iris.open(encoding="utf-8", newline="") as file:
        own = [row for row in csv.DictReader(file, delimiter=";") if row["CODGEO"].startswith(commune)]
    outside = {"A": 5, "AI": 3, "AM": 2, "PERCOU": 12, "ENF": 4, "ENF_2": 0}
    row = {name: sum(int(one[name]) for one in own) - less for name, less in outside.items()}
    row |= {"CODGEO": quarter, "NOTE_CNAF": "", "POP_MUN": 9000, "POP_COM_QP": 9000, "POP_COM": 9100}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row), delimiter=";")
        writer.writeheader()
        writer.writerow(row)
    return path


def codes_of(territories: Territories, communes: tuple[str, ...]) -> list[str]:
    iris = (t for t in territories.all if t.level == "iris" and t.geography == 2024)
    return [t.code for t in iris if t.communes[0] in communes]


@pytest.fixture(scope="module")
def told(project: Project, tmp_path_factory: pytest.TempPathFactory) -> list[Told]:
    """What a reader of two releases derives of each small figure of the Iris of two communes."""
    folder = tmp_path_factory.mktemp("small")
    home, reader = Home(folder / "odds"), Reader(project)
    codes = codes_of(project.territories, CUT)
    for number, rows in enumerate((codes, codes[:-1]), start=1):
        path = folder / f"data_CAF_2019_IRIS_{number}.csv"
        paths = [iris_file(path, rows, seed=7)]
        if number == 1:
            paths.append(quarter_file(folder / "DEMO_2021.csv", path, "93079", "QP093049"))
        received_and_judged(project, home, paths)
        publish(project, home)
        reader.read_class_file(home, number, "partenaires", Truth(reader.rules, home))
    return reader.attack()


def test_no_reader_tells_a_small_figure_of_an_iris(told: list[Told]) -> None:
    """The attacker's sums are his own: Iris of their commune, ages of the children, what remains of a total."""
    assert len(told) > 30
    assert not [one for one in told if one.narrow or one.exact or one.wrong]


def test_no_reader_tells_those_who_live_outside_the_neighbourhoods(told: list[Told]) -> None:
    """All but a few are told by the commune less its neighbourhood, and by what the share of these leaves out."""
    left = [one for one in told if one.other == "what is left" and one.cell[0].endswith("_iris")]
    assert sorted({one.truth for one in left}) == [2, 3]


@pytest.fixture(scope="module")
def real(
    project: Project, realdata: Path, producers: Path, tmp_path_factory: pytest.TempPathFactory
) -> Home:
    home = Home(tmp_path_factory.mktemp("real"))
    files = [
        realdata / "caf" / "data_CAF_2019_IRIS_93.csv",
        realdata / "qpv" / "DEMO_2019_QPV93.csv",
        producers / "filosofi" / "iris" / "BASE_TD_FILO_DISP_IRIS_2019.csv",
        producers / "qpv" / "data_filo17_qp_revdis.csv",
    ]
    received_and_judged(project, home, files)
    publish(project, home)
    return home


@pytest.mark.parametrize(
    ("indicator", "territory", "value"),
    [
        # Read by eye in the lines 930010101, QP093001 and 930060113 of the producers' files.
        ("allocataires_decembre", "930010101", 771),
        ("part_rsa_decembre", "930010101", 100 * 207 / 771),
        ("foyers_allocataires_qpv", "QP093001", 397),
        ("part_isoles_qpv", "QP093001", 100 * 138 / 397),
        ("niveau_vie_median", "930060113", 14590),
        ("rapport_interdecile", "930060113", 2.9),
        # Neither the blank line of an Iris under the secret, nor a rate that Insee left blank.
        ("allocataires_decembre", "930010301", None),
        ("taux_pauvrete", "930060113", None),
    ],
)
def test_a_neighbourhood_has_the_figures_of_its_line(
    real: Home, indicator: str, territory: str, value: float | None
) -> None:
    with open_release(real, access="public") as release:
        found = release.execute(
            "SELECT value FROM indicator_values WHERE indicator = ? AND territory = ?",
            [indicator, territory],
        ).fetchall()
    assert found == [(value if value is None else pytest.approx(value),)]


def test_a_neighbourhood_astride_counts_in_the_departement_alone(real: Home) -> None:
    """Stains has one of its own, and is in two others with its neighbours."""
    with open_release(real) as release:
        found = dict(
            release.execute(
                "SELECT territory, value FROM observations WHERE variable = 'caf.foyers_allocataires_qpv' "
                "AND territory IN ('93', '93072', 'QP093048', 'QP093035')"
            ).fetchall()
        )
        parts = release.execute(
            "SELECT sum(value), count(*) FROM observations WHERE variable = 'caf.foyers_allocataires_qpv' "
            "AND level = 'qpv_2015'"
        ).fetchone()
    assert (found["93072"], found["QP093048"], found["QP093035"]) == (None, 5123, 2848)
    assert parts == (found["93"], 63)


def test_an_iris_that_is_not_known_is_told_and_counts_in_its_commune(
    project: Project, tmp_path: Path
) -> None:
    home = Home(tmp_path / "odds")
    codes = [*codes_of(project.territories, ("93030",)), "930309999"]
    received_and_judged(project, home, [iris_file(tmp_path / "data_CAF_2019_IRIS.csv", codes, 3)])
    with Store(home.warehouse).connect() as connection:
        told = connection.execute(
            "SELECT severity, failing, rows FROM verdicts WHERE rule = 'quartiers_inconnus'"
        ).fetchall()
        figures = connection.execute(
            "SELECT level, count(*), sum(value) FROM observations "
            "WHERE variable = 'caf.allocataires_iris' GROUP BY level ORDER BY level"
        ).fetchall()
    assert [(severity, failing) for severity, failing, _ in told] == [("warning", 1)]
    assert "Iris 930309999" in told[0][2]
    assert figures == [("commune", 1, 5 * 900), ("iris", 4, 4 * 900)]


def test_neighbourhoods_of_2024_are_others_than_those_of_2015(project: Project, tmp_path: Path) -> None:
    """A file made as its publisher documents it: all three of Gagny, one astride two towns, one of Paris."""
    home, path = Home(tmp_path / "odds"), tmp_path / "pop_QPV24.csv"
    rows = ["QN09357M;2500", "QN09358I;1500", "QN09374N;3000", "QN09305I;4000", "QN07501N;9000"]
    path.write_text("\n".join(["codeQPV;popMuniQPV", *rows]) + "\n", encoding="utf-8")
    received_and_judged(project, home, [path])
    with Store(home.warehouse).connect() as connection:
        found = dict(
            connection.execute(
                "SELECT territory, value FROM observations "
                "WHERE variable = 'insee.population_quartier_2024' AND known_to IS NULL"
            ).fetchall()
        )
    assert (found["QN09374N"], found["QN09305I"], found["93032"], found["93"]) == (
        3000,
        4000,
        7000,
        11_000,
    )
    assert found["93008"] is None and found["93029"] is None
    assert "QN07501N" not in found and not [code for code in found if code.startswith("QP")]


@pytest.fixture(scope="module")
def visitor(project: Project, real: Home, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return open_site(project, real, tmp_path_factory.mktemp("site") / "odds").client()


def test_a_commune_leads_to_its_neighbourhoods_and_they_to_it(visitor: TestClient) -> None:
    page = visitor.get("/territoires/93001").text
    assert "Quartiers et Iris de la commune" in page
    assert '<a href="/territoires/930010101">Robespierre</a>' in page
    assert '<a href="/territoires/QP093028">' in page and "(en partie)" in page
    own = visitor.get("/territoires/930010101")
    assert own.status_code == 200
    assert '<a href="/territoires/93001">Aubervilliers</a>' in own.text
    assert "/territoires/930010101/social" in own.text
    assert "26,8" in visitor.get("/territoires/930010101/social").text


def test_the_neighbourhoods_of_a_commune_are_side_by_side(visitor: TestClient) -> None:
    page = visitor.get("/territoires/93001/quartiers?i=part_rsa_decembre").text
    own = page[page.index("Robespierre") :]
    assert "26,8" in own[: own.index("</tr>")]
    assert ">Gendarmerie<" not in page and "ne sont pas dans cette liste" in page  # all of it is secret
    assert "Absent où un IRIS est sous le secret" in page
    assert "Franc Moisin" in visitor.get("/territoires/93001/quartiers?i=part_isoles_qpv").text


def test_lists_offer_no_neighbourhood(visitor: TestClient) -> None:
    for address in ("/territoires", "/comparer"):
        assert "930010101" not in visitor.get(address).text


def test_neighbourhoods_of_former_years_say_that_they_are_no_more(visitor: TestClient) -> None:
    page = visitor.get("/territoires/QP093001").text
    assert "Ce découpage n’a plus cours" in page and "commune nouvelle" not in page


def test_an_export_holds_the_neighbourhoods_with_their_level(visitor: TestClient) -> None:
    text = visitor.get("/telecharger/indicateur/allocataires_decembre.machine.csv").text
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["level"] for row in rows} >= {"commune", "iris"}
    assert [row["value"] for row in rows if row["territory"] == "930010101"] == ["771.0"]
