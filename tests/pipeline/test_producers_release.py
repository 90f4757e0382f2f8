"""From the producers' own files to the release: values worked out by hand from the bytes, and those that the
producers publish themselves, which docs/chiffres-publies.md sets side by side."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odds_pipeline.declarations.project import Project, project_root
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home
from tests.judged import received_and_judged

from .test_producers import (
    AIDE,
    APA,
    CRIME,
    HONORAIRES,
    IVAL,
    LEGALES,
    LOCALES,
    LYCEES,
    MINIMA,
    NEET,
    RPLS,
    TCRD,
)

pytestmark = pytest.mark.slow

BPE = "bpe/bpe18_ensemble.csv"
COMPARATEUR = "insee_rp/comparateur/base_cc_comparateur.csv"
MENSUELLES = "aide_sociale_drees/Données mensuelles des prestations de solidarité.xlsx"
PUBLISHED = project_root() / "docs" / "chiffres-publies.md"
FILES = (
    AIDE,
    APA,
    BPE,
    CRIME,
    HONORAIRES,
    IVAL,
    LYCEES,
    MINIMA,
    RPLS,
    TCRD,
    LOCALES,
    NEET,
    LEGALES.format(2021),
    COMPARATEUR,
    MENSUELLES,
)
REAL = (
    "population/insee_pop_municipale_2013_2021_93.csv",
    "population/rp2018_questionr_93.csv",
    "filosofi/FILO2014_DISP_DEP_93.csv",
    "filosofi/FILO2014_DISP_METROPOLE_FM.csv",
    "filosofi/FILO2014_DISP_REG_11.csv",
    "filosofi/FILO2018_DISP_METROPOLE_FM.csv",
    "logement/RPLS_parc_social_jan_2024_93.csv",
    "logement/RPLS_2024_densite_tx_vac_93.csv",
    "securite/donnee-dep-2022_geographie2022_produit2023-02-09_93.csv",
)

# indicator, territory, month, value: sheet and line are beside the same figures in test_producers.py.
BY_HAND = [
    ("apa_etablissement", "93", "2018-12", 6698),
    ("part_apa_domicile", "93", "2020-12", 100 * 16348 / (16348 + 6042)),
    ("part_apa_domicile", "FR", "2020-12", 100 * 781921 / (781921 + 536247)),
    ("part_actp", "93", "2020-12", 100 * 1421 / (1421 + 8185)),
    ("part_confies_judiciaire", "93", "2020-12", 100 * 3883 / 5340),
    ("part_confies_judiciaire", "FR", "2020-12", 100 * 140204 / 183915),
    ("part_confies_etablissement", "93", "2020-12", 100 * 1827 / 5340),
    ("part_confies_assistant_familial", "FR", "2020-12", 100 * 75145 / 183915),
    ("part_aemo", "93", "2020-12", 100 * 2931 / 3431),
    ("part_aemo", "FR", "2020-12", 100 * 118243 / 170670),
    ("part_apa_domicile_gir_1_2", "93", "2019-12", 100 * (648 + 3028) / 16763),
    ("part_apa_domicile_85_plus", "93", "2019-12", 100 * (4024 + 2417 + 812) / 16763),
    ("allocataires_ass", "FR", "2019-12", 351500),
    ("evolution_aspa_1_an", "93", "2019-12", 100 * (16050 / 14584 - 1)),
    ("part_placements_directs", "93", "2020-12", 100 * 423 / (423 + 5340)),
    ("part_foyers_vie", "FR", "2020-12", 100 * 45939 / 124815),
    ("solde_migratoire_apparent", "93008", "2022-01", 100 * (55270 - 52337 - 5606 + 1886) / 52337),
    ("personnes_par_foyer_rsa", "93", "2019-12", 177550 / 85825),
    ("foyers_rsa", "93", "2019-12", 85825),
    ("part_parc_social_qpv", "93", "2016-01", 100 * 139205 / 220849),
    ("part_social_t5", "93", "2016-01", 100 * 15355 / 220849),
    ("part_social_t1_t2", "93", "2016-01", 100 * 61019 / 220849),
    ("loyer_moyen_social", "93", "2016-01", 78384203 / 11779216),
    ("taux_pauvrete_moins_30", "93", "2014-12", 31.1),
    ("taux_pauvrete_moins_30", "FM", "2014-12", 22.8),
    ("taux_pauvrete_30_39", "11", "2014-12", 16.8),
    ("esperance_vie_hommes", "93", "2024-12", 80.5),
    ("part_jeunes_non_inseres", "93", "2018-01", 20.1),
    ("population_municipale", "93001", "2021-01", 90071),
    # BPE: 109 centres de santé (D108) in the 93, 6 in Aubervilliers, NB_EQUIP added up with awk.
    ("centres_sante", "93", "2018-01", 109),
    ("centres_sante", "93001", "2018-01", 6),
    # The same lines: 547 dentists (D221), 916 nurses (D232), 750 physiotherapists (D233), 106 homes (D401).
    ("dentistes_bpe_pour_10000", "93", "2018-01", 10000 * 547 / 1632677),
    ("infirmiers_bpe_pour_10000", "93", "2018-01", 10000 * 916 / 1632677),
    ("kinesitherapeutes_bpe_pour_10000", "93", "2018-01", 10000 * 750 / 1632677),
    ("lyceens", "93001", "2022-09", 692 + 1052 + 442 + 826),
    # Each series by the population of its own editions, whichever of the two files came last.
    ("violences_physiques_intrafamiliales_pour_1000", "93", "2022-12", 1000 * 7942 / 1681725),
    ("violences_intrafamiliales_pour_1000", "93", "2022-12", 1000 * 7031 / 1655422),
    ("part_lyceens_pro", "93", "2022-09", 100 * 17865 / 60189),
]


@pytest.fixture(scope="module")
def published(
    project: Project, producers: Path, realdata: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str, str], float]:
    home = Home(tmp_path_factory.mktemp("producers"))
    files = [*(producers / name for name in FILES), *(realdata / name for name in REAL)]
    received_and_judged(project, home, files)
    publish(project, home)
    with open_release(home) as release:
        rows = release.execute(
            "SELECT indicator, territory, month, value FROM indicator_values WHERE value IS NOT NULL"
        ).fetchall()
    return {(indicator, territory, month): value for indicator, territory, month, value in rows}


@pytest.mark.parametrize(("indicator", "territory", "month", "value"), BY_HAND)
def test_a_value_of_the_release(
    published: dict[tuple[str, str, str], float],
    indicator: str,
    territory: str,
    month: str,
    value: float,
) -> None:
    assert published[indicator, territory, month] == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(
    ("indicator", "sheet", "group"),
    [
        ("taux_reussite_bac_gt", "LGT", "Taux de réussite bruts"),
        ("taux_mention_bac_gt", "LGT", "Taux de mentions bruts"),
        ("valeur_ajoutee_bac_gt", "LGT", "Valeur ajoutée du taux de réussite"),
        ("taux_reussite_bac_pro", "LP", "Taux de réussite bruts"),
        ("valeur_ajoutee_bac_pro", "LP", "Valeur ajoutée du taux de réussite"),
    ],
)
def test_lycees_of_each_commune_are_weighed_as_pandas_does(
    published: dict[tuple[str, str, str], float],
    producers: Path,
    indicator: str,
    sheet: str,
    group: str,
) -> None:
    """The same label, TOTAL, stands under each group of the first of two rows of names."""
    table = pd.read_excel(producers / IVAL, sheet_name=sheet, header=None, dtype=str)
    groups, names = table.iloc[0].ffill(), table.iloc[1]

    def column(of: str, name: str) -> pd.Series:
        return table.loc[2:, (groups == of) & (names == name)].squeeze(axis=1)

    frame = pd.DataFrame(
        {
            "commune": column("Informations établissement", "Code commune"),
            "weight": pd.to_numeric(column("Nombre d'élèves présents au Bac", "TOTAL"), errors="coerce"),
            "value": pd.to_numeric(column(group, "TOTAL"), errors="coerce"),
        }
    ).dropna()
    frame = frame[frame["commune"].str.startswith("93")]
    told = {
        str(commune): float(np.average(own["value"], weights=own["weight"]))
        for commune, own in frame.groupby("commune")
    }
    found = {
        territory: value
        for (name, territory, month), value in published.items()
        if (name, month) == (indicator, "2023-09") and territory in told
    }
    assert len(told) >= 30
    assert found == pytest.approx(told)


def rows_of(*columns: str) -> list[dict[str, str]]:
    """The rows of the page's table that has these columns."""
    rows: list[dict[str, str]] = []
    header: list[str] = []
    for line in PUBLISHED.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells or cells[0].startswith("---"):
            header = header if cells else []
        elif not header:
            header = cells
        elif set(columns) <= set(header):
            rows.append(dict(zip(header, cells, strict=True)))
    return rows


def number(text: str) -> tuple[float, int]:
    """A figure of the page and its decimals."""
    plain = text.replace(" ", "").replace(",", ".")
    return float(plain), len(plain.partition(".")[2])


def ours(published: dict[tuple[str, str, str], float], row: dict[str, str]) -> float:
    place = row["territoire"].rpartition("(`")[2].rstrip("`)")
    return published[row["indicateur"].strip("`"), place, row["mois"]]


def test_figures_are_those_that_their_producers_publish(
    project: Project, published: dict[tuple[str, str, str], float]
) -> None:
    """Thirty-eight indicators, to the rounding of whoever published them, with the words of their sheets."""
    rows = rows_of("définition", "publié")
    assert len({row["indicateur"] for row in rows}) == 38
    for row in rows:
        sheet = project.indicators[row["indicateur"].strip("`")].indicator
        assert (row["définition"], row["dénominateur"]) == (sheet.definition, sheet.denominator or "—")
        for told in (row["observatoire"], row["publié"]):
            figure, decimals = number(told)
            assert ours(published, row) == pytest.approx(figure, abs=0.5 * 10**-decimals + 1e-9), row


def test_a_figure_that_differs_from_the_published_one_says_why(
    published: dict[tuple[str, str, str], float],
) -> None:
    """Each gap is as the page tells it, and one that closes is no gap any more."""
    rows = rows_of("cause", "publié")
    assert {row["indicateur"] for row in rows} >= {"`taux_natalite`", "`part_parc_social_qpv`"}
    for row in rows:
        (figure, decimals), (told, _) = number(row["observatoire"]), number(row["publié"])
        assert ours(published, row) == pytest.approx(figure, abs=0.5 * 10**-decimals + 1e-9), row
        assert row["cause"] and figure != told


def test_dwellings_outside_the_social_stock_are_not_counted_in_it(
    published: dict[tuple[str, str, str], float],
) -> None:
    """The aggregates of 2016 count all that social landlords own: 1,287,954 in Île-de-France, of which
    1,244,785 are social (Observatoire du logement social en Île-de-France, 2016)."""
    assert not [k for k in published if k[0] == "logements_sociaux" and k[2] == "2016-01"]
