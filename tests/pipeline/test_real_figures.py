"""Published values, each read by hand in the producer's file, against the release made from the files."""

import csv
from pathlib import Path

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.read_publications import load_publications
from odds_pipeline.indicators.explain import explain
from odds_pipeline.publications.studies.study import refusal, run_study
from odds_pipeline.reception.receipt import Receipt
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

pytestmark = pytest.mark.slow

PLAINE_COMMUNE = "200057867"

# indicator, territory, month, geography, value, and the file and cells that give it.
BY_HAND = [
    ("niveau_vie_median", "93001", "2014-12", 13061.0),  # FILO2014_DISP_COM: Q214
    ("niveau_vie_median", "93005", "2018-12", 17720.0),  # FILO2018_DISP_COM: Q218
    ("niveau_vie_median", "93", "2017-12", 17310.0),  # FILO2017_DISP_DEP: Q217
    ("niveau_vie_median", "FM", "2016-12", 20809.0),  # FILO2016_DISP_METROPOLE: Q216
    ("niveau_vie_median", "93066", "2020-12", 16200.0),  # cc_filosofi_2020: MED20
    ("taux_pauvrete", "93014", "2020-12", 42.0),  # cc_filosofi_2020: TP6020
    ("population_municipale", "93001", "2019-01", 88948.0),  # donnees_communes_pop2019: PMUN
    ("population_municipale", PLAINE_COMMUNE, "2021-01", 451934.0),  # nine PMUN of pop2021, added
    ("population_municipale", "93", "2021-01", 1668670.0),  # forty PMUN of pop2021, added
    ("logements_sociaux", "93066", "2024-01", 21796.0),  # RPLS_parc_social_jan_2024: nb_ls
    ("part_logements_sociaux_vacants", "93066", "2024-01", 100 * 430 / (19585 + 430)),  # SDES: tx_vac
    ("part_population_qpv", "93066", "2017-12", 100 * 78839 / 109343),  # DEMO_2019: POP_COM_QP / POP_COM
    ("part_population_qpv", "93072", "2017-12", 100 * 21012 / 36365),  # the same, Stains
    ("defm_abc_quartiers", "93031", "2018-12", 3573.0),  # IPRO_2019: ABC, 877 + 1,473 + 1,223
    ("part_rsa_defm_quartiers", "93", "2018-12", 100 * 17664 / 76933),  # IPRO_2019: 63 lines, added
    ("cambriolages_pour_1000_logements", "93", "2022-12", 9.17585511216997496),  # SSMSI: its own rate
    ("violences_sexuelles_pour_1000", "93", "2022-12", 1.47636071044120465),  # SSMSI: its own rate
    ("ips_moyen_ecoles", "93066", "2021-09", 82.1),  # mean of 37 lines: no number of pupils that year
    ("ips_moyen_colleges", "93", "2021-09", 91.81265822784812),  # mean of 158 lines
    ("part_ecoles_privees", "93", "2021-09", 100 * 35 / 482),  # counted in the same lines by Secteur
    ("part_ecoles_privees", "93014", "2021-09", 0.0),  # 13 schools, all public: none, and not unknown
    ("part_colleges_prives", "93", "2021-09", 100 * 28 / 158),
    ("ecoles", "93", "2021-09", 482.0),  # fr-en-ips_ecoles_2021-2022_93: lines
    ("logements_vacants_2_ans", "93001", "2025-01", 1501.0),  # LOVAC_2025: pp_vacant_plus_2ans_25
    ("logements_autorises", "93001", "2023-12", 1562.0),  # sitadel: 2023, Tous, log_aut
    ("part_collectif_autorise", "93048", "2022-12", 100 * 298 / 558),  # sitadel: Collectif / Tous
    ("cambriolages", "93", "2019-12", 7175.0),  # SSMSI: Cambriolages de logement, 19, faits
    ("part_rsa_decembre", "93046", "2019-12", 100 * 1750 / 9342),  # CAF IRIS 2019, IRIS of 93046 added
    ("ips_moyen_colleges", "93008", "2021-09", 82.72),  # mean of 100.8, 76.1, 76.1, 82.2, 78.4
    ("beneficiaires_cmuc_qpv", "93", "2018-12", 112332.0),  # REVN_2019: 63 neighbourhoods added
    ("beneficiaires_cmuc_qpv", "93031", "2018-12", 4628.0),  # REVN_2019: 1,137 + 1,878 + 1,613
    ("vols_vehicules_pour_1000", "93", "2019-12", 3.92059592571720),  # SSMSI: its own rate, for 2019
    ("violences_intrafamiliales_pour_1000", "93", "2019-12", 3.16432032770321),  # SSMSI: its own rate
    ("part_ouvriers_actifs_2018", "93001", "2018-01", 27.50104551044556),  # rp2018_questionr: ouvr
    ("part_jeunes_non_inseres", "93070", "2018-01", 16.7),  # neet_communes: 2018, part_non_inseres
    ("part_sociaux_loues", "93001", "2024-01", 100 * 12435 / 14144),  # RPLS: nb_loues / nb_ls
    ("part_prime_activite_decembre", "93046", "2019-12", 100 * 2861 / 9342),  # CAF IRIS 2019, 18 IRIS
    ("part_enfants_6_10_decembre", "93046", "2019-12", 100 * 3405 / 12619),  # CAF IRIS 2019: ENF_6_10
    ("part_aide_logement_decembre", "93048", "2019-12", 100 * 13242 / 26330),  # 41 IRIS: AAL / A
    ("foyers_allocataires_qpv", "93", "2017-12", 157891.0),  # DEMO_2019: A of 63 neighbourhoods, added
    ("part_monoparents_qpv", "93", "2017-12", 100 * 33461 / 157891),  # DEMO_2019: AM / A
    ("part_ecoles_privees", "93066", "2021-09", 100 * 2 / 37),  # IPS 2021-22: 2 privé of 37 lines
    # Public files that deliver the variables of another contract.
    ("part_sans_diplome", "93001", "2018-01", 100 * 23533.3607068501 / 58408.3168159847),  # questionr
    (
        "part_locataires_hlm",
        "93",
        "2018-01",
        31.928742210708158,
    ),  # questionr: log_hlm / log_rp, 40 added
    ("part_moins_25_ans_defm", "93001", "2019-12", 100 * 1070 / 9810),  # DEFM2019: ABC_25, ABC 9,809
    ("part_femmes_longue_duree_dec", "93008", "2019-12", 100 * 701 / 1520),  # DEFM2019: ABC_Dur4_F
]


@pytest.fixture
def received(real_release: tuple[Home, list[Receipt]]) -> tuple[Home, list[Receipt]]:
    return real_release


@pytest.mark.parametrize(("indicator", "territory", "month", "value"), BY_HAND)
def test_value_traced_by_hand(
    received: tuple[Home, list[Receipt]], indicator: str, territory: str, month: str, value: float
) -> None:
    with open_release(received[0]) as release:
        row = release.execute(
            "SELECT value FROM indicator_values WHERE indicator = ? AND territory = ? AND month = ?",
            [indicator, territory, month],
        ).fetchone()
    assert row is not None
    assert row[0] == pytest.approx(value)


def test_computed_rates_are_checked_against_those_of_their_producers(
    received: tuple[Home, list[Receipt]],
) -> None:
    with Store(received[0].warehouse).connect() as connection:
        rows = connection.execute(
            "SELECT indicator, failing FROM indicator_verdicts WHERE rule = 'taux_du_producteur' "
            "AND indicator IN ('part_logements_sociaux_vacants', 'cambriolages_pour_1000_logements')"
        ).fetchall()
    assert sorted(rows) == [
        ("cambriolages_pour_1000_logements", 0),
        ("part_logements_sociaux_vacants", 0),
    ]


def _rows(file: Path, separator: str = ";") -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        return list(csv.DictReader(text, delimiter=separator))


def _number(cell: str) -> float:
    return float(cell.replace("\u202f", "").replace(",", "."))


def _published(home: Home, indicator: str) -> dict[tuple[str, str], float]:
    with open_release(home) as release:
        rows = release.execute(
            "SELECT territory, month, value FROM indicator_values "
            "WHERE indicator = ? AND value IS NOT NULL AND level IN ('commune', 'departement')",
            [indicator],
        ).fetchall()
    return {(territory, month): value for territory, month, value in rows}


def test_social_vacancy_is_the_rate_that_the_ministry_publishes(
    received: tuple[Home, list[Receipt]], realdata: Path
) -> None:
    """40 of 40 communes, and so their ranks: 20 differed when all social dwellings were divided by."""
    found = _published(received[0], "part_logements_sociaux_vacants")
    rows = _rows(realdata / "logement/RPLS_2024_densite_tx_vac_93.csv", ",")
    told = {row["DEPCOM_ARM"]: float(row["tx_vac"]) for row in rows}
    own = {code: found[code, "2024-01"] for code in told}
    assert len(told) == 40
    assert own == pytest.approx(told, abs=0.6e-4)


@pytest.mark.parametrize(
    ("indicator", "category"),
    [
        ("violences_intrafamiliales_pour_1000", "Coups et blessures volontaires intrafamiliaux"),
        ("violences_sexuelles_pour_1000", "Violences sexuelles"),
        ("vols_violents_pour_1000", "Vols violents sans arme"),
        ("vols_armes_pour_1000", "Vols avec armes"),
        ("vols_vehicules_pour_1000", "Vols de véhicules"),
        ("destructions_pour_1000", "Destructions et dégradations volontaires"),
        ("cambriolages_pour_1000_logements", "Cambriolages de logement"),
    ],
)
def test_recorded_crime_is_the_rate_that_its_producer_publishes(
    received: tuple[Home, list[Receipt]], realdata: Path, indicator: str, category: str
) -> None:
    found = _published(received[0], indicator)
    (file,) = (realdata / "securite").glob("donnee-dep-2022*.csv")
    told = {
        f"20{row['annee']}-12": _number(row["tauxpourmille"])
        for row in _rows(file)
        if row["classe"] == category and row["Code.département"] == "93"
    }
    assert len(told) == 7
    assert {month: found["93", month] for month in told} == pytest.approx(told, rel=1e-9)


def test_neighbourhoods_have_the_share_that_their_file_gives(
    received: tuple[Home, list[Receipt]], realdata: Path
) -> None:
    """POP_COM_QP over POP_COM, for the 23 communes that have a neighbourhood of their own."""
    names = {t.label.casefold(): t.code for t in Project.load().territories.communes(2024)}
    names["saint-ouen"] = names["saint-ouen-sur-seine"]  # its name until 2018
    told = {
        names[row["LIB_COM"].casefold()]: 100 * _number(row["POP_COM_QP"]) / _number(row["POP_COM"])
        for row in _rows(realdata / "qpv/DEMO_2019_QPV93.csv")
        if row["LIB_COM"] and "," not in row["LIB_COM"]
    }
    found = _published(received[0], "part_population_qpv")
    own = {code: value for (code, month), value in found.items() if month == "2017-12"}
    assert len(told) == 23
    assert {code: own[code] for code in told} == pytest.approx(told)


def test_communes_whose_neighbourhoods_all_go_beyond_them_are_known_by_difference(
    received: tuple[Home, list[Receipt]],
) -> None:
    """Lines of DEMO_2019: Bobigny and Drancy 44,221 of 118,043, Drancy 11,056 of 68,241; Bondy and Villemomble
    23,780 of 82,030, Bondy 21,284 of 52,865; Aubervilliers, Bobigny and Pantin 119,294 of 180,725."""
    found = _published(received[0], "part_population_qpv")
    own = {code: value for (code, month), value in found.items() if month == "2017-12"}
    assert len(own) == 30 and not {"93014", "93047"} & own.keys()  # these two are known together alone
    assert own["93008"] == pytest.approx(100 * 33165 / 49802)
    assert own["93077"] == pytest.approx(100 * 2496 / 29165)
    assert own["93001"] == pytest.approx(100 * 68296 / 77452)


def test_every_value_can_be_explained_to_a_line(
    project: Project, received: tuple[Home, list[Receipt]]
) -> None:
    with open_release(received[0]) as release:
        found = explain(project, release, "niveau_vie_median", "93001", "2014-12")
        summed = explain(project, release, "population_municipale", PLAINE_COMMUNE, "2021-01")
    (figure,) = found.inputs["insee.niveau_vie_median"]
    assert (figure.file, figure.line, figure.value) == ("FILO2014_DISP_COM_93.csv", 2, 13061.0)
    assert len(figure.sha256) == 64
    assert sum(f.value or 0 for f in summed.inputs["insee.population_municipale"]) == 451934


def test_an_explanation_gives_the_weights_of_a_mean(
    project: Project, received: tuple[Home, list[Receipt]]
) -> None:
    """The mobility of the département's social dwellings, from the 40 rates and the 40 numbers told."""
    with open_release(received[0]) as release:
        found = explain(project, release, "taux_mobilite_social", "93", "2024-01")
    rates = {f.territory: f.value or 0 for f in found.inputs["drihl.taux_mobilite_social"]}
    weights = {f.territory: f.value or 0 for f in found.inputs["weight: drihl.logements_sociaux"]}
    assert len(rates) == len(weights) == 40
    mean = sum(rates[c] * weights[c] for c in rates) / sum(weights.values())
    assert found.value == pytest.approx(mean)


def test_median_income_is_one_series(received: tuple[Home, list[Receipt]]) -> None:
    """2014 to 2020 without 2019, for which there is no file; 2017 does not exist for communes."""
    with open_release(received[0]) as release:
        series = {
            level: release.execute(
                "SELECT list(DISTINCT month ORDER BY month) FROM indicator_values "
                "WHERE indicator = 'niveau_vie_median' AND level = ? AND value IS NOT NULL",
                [level],
            ).fetchone()
            for level in ("commune", "departement")
        }
        complete = release.execute(
            "SELECT min(n), max(n) FROM (SELECT count(value) AS n FROM indicator_values "
            "WHERE indicator = 'niveau_vie_median' AND level = 'commune' GROUP BY month)"
        ).fetchone()
    assert series["commune"] == (["2014-12", "2015-12", "2016-12", "2018-12", "2020-12"],)
    assert series["departement"] == (["2014-12", "2015-12", "2016-12", "2017-12", "2018-12"],)
    assert complete == (40, 40)


def test_secret_is_neither_zero_nor_blank(received: tuple[Home, list[Receipt]]) -> None:
    with open_release(received[0]) as release:
        row = release.execute(
            "SELECT value, obs_status, conf_status FROM observations WHERE territory = '93015' "
            "AND variable = 'insee.taux_pauvrete_moins_30' AND month = '2020-12'"
        ).fetchone()
    assert row == (None, "Q", "C")


def test_a_sum_over_a_secret_iris_is_secret_with_a_lower_bound(
    received: tuple[Home, list[Receipt]],
) -> None:
    with Store(received[0].warehouse).connect() as connection:
        row = connection.execute(
            "SELECT value, conf_status, lower_bound > 0 FROM observations WHERE territory = '93066' "
            "AND variable = 'caf.etudiants_iris' AND month = '2019-12'"
        ).fetchone()
    assert row == (None, "C", True)


def test_vacancy_is_in_the_new_geography(received: tuple[Home, list[Receipt]]) -> None:
    with open_release(received[0]) as release:
        rows = release.execute(
            "SELECT DISTINCT geography, count(DISTINCT territory) FROM observations "
            "WHERE variable = 'drihl.logements_vacants_2_ans' GROUP BY geography"
        ).fetchall()
    assert rows == [(2025, 39)]


def test_every_real_file_is_accepted_refused_for_its_reason_or_set_aside_by_name(
    received: tuple[Home, list[Receipt]],
) -> None:
    home, receipts = received
    with Store(home.warehouse).connect() as connection:
        refused = connection.execute(
            "SELECT d.file_name, m.month FROM delivered_months m JOIN deliveries d ON d.id = m.delivery "
            "WHERE m.state <> 'accepted'"
        ).fetchall()
    # The last year of building permits is incomplete and written 0.
    assert refused == [("sitadel_communes_93.csv", "2024-12")]
    aside = {r.file for r in receipts if r.feed is None}
    known = ("COG20", "commune20", "mvtcommune20", "table-appartenance", "meta_base")
    others = {
        name
        for name in aside
        if not name.startswith(known)
        and not name.endswith((".geojson", ".md"))
        and not name[:2].isdigit()
    }
    assert others == {"DARES_defm_communal_brut_echantillon_dep91.csv", "indicateurs_reels.csv"}


def test_the_study_on_real_figures_names_what_it_lacks_and_ranks_as_the_departement_is_known(
    project: Project, received: tuple[Home, list[Receipt]]
) -> None:
    study = load_publications(project).studies["logement_fragile"]
    with open_release(received[0], access="membres") as connection:
        result = run_study(project, study, connection)
    why = refusal(result)
    for dimension in ("Conditions d'occupation", "Qualité du logement", "Rupture"):
        assert f"{dimension} : 0 indicateur disponible" in why
    # Clichy-sous-Bois, La Courneuve, Aubervilliers and Stains are known as the poorest communes of the
    # département; Le Raincy, Coubron, Gournay-sur-Marne and Vaujours as the best off.
    assert result.ranks[["93014", "93027", "93001", "93072"]].max() <= 8
    assert result.ranks[["93062", "93015", "93033", "93074"]].min() >= 35
    assert len(result.ranks) == 40 and not result.simulated


def test_neighbourhoods_are_of_the_date_at_which_iris_have_the_same_families(
    received: tuple[Home, list[Receipt]], realdata: Path, producers: Path
) -> None:
    """The files of neighbourhoods are named for the year they came out. What each year changes in the
    families of allocataires is near what the dated files by Iris say of the same département."""

    def persons(path: Path, codes: str, kept: set[str] | None = None) -> float:
        rows = [r for r in _rows(path) if r["CODGEO"].startswith(codes) and r["A"] and r["PERCOU"]]
        rows = [r for r in rows if kept is None or r["CODGEO"] in kept]
        return sum(_number(r["PERCOU"]) for r in rows) / sum(_number(r["A"]) for r in rows)

    iris = {year: realdata / f"caf/data_CAF_{year}_IRIS_93.csv" for year in range(2016, 2020)}
    known = [{r["CODGEO"] for r in _rows(path) if r["A"] and r["PERCOU"]} for path in iris.values()]
    dated = {year: persons(path, "93", set.intersection(*known)) for year, path in iris.items()}
    named = {
        2018: realdata / "qpv/DEMO_2018_QPV93.csv",
        2019: realdata / "qpv/DEMO_2019_QPV93.csv",
        2020: producers / "qpv/data_DEMO_2020_V1_QP.csv",
        2021: producers / "qpv/DEMO_2021.csv",
    }
    told = {year - 2: persons(path, "QP093") for year, path in named.items()}
    for year in (2017, 2018, 2019):
        assert told[year] - told[year - 1] == pytest.approx(dated[year] - dated[year - 1], abs=0.012)
    months = {month for _, month in _published(received[0], "foyers_allocataires_qpv")}
    assert months == {"2015-12", "2016-12", "2017-12"}  # DEMO_2017 to DEMO_2019
