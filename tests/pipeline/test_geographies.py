"""The merged Saint-Denis in both geographies, from the producers' files; figures added by hand."""

from pathlib import Path

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.quality.notice import as_text, notice_of
from odds_pipeline.quality.quarantine import one_case
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.conversion import gaps_of
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store
from tests.judged import received_and_judged

SAINT_DENIS, PIERREFITTE = "93066", "93059"
FILES = [
    "population/insee_pop_municipale_2013_2021_93.csv",
    "population/donnees_communes_pop2019_format-reduit_93.csv",
    "population/donnees_communes_pop2021_93.csv",
    "emploi/data_DEFM2019_com_93.csv",
    "logement/RPLS_parc_social_jan_2024_93.csv",
    "logement/LOVAC_2025_communes_93.csv",
    "filosofi/FILO2018_DISP_COM_93.csv",
    "population/rp2018_questionr_93.csv",
    "logement/RPLS_2024_densite_tx_vac_93.csv",
    "logement/sitadel_communes_93.csv",
]
CENSUS_2022 = "insee_rp/comparateur/base_cc_comparateur.csv"  # in the geography of 2025


@pytest.fixture(scope="module")
def home(
    project: Project, realdata: Path, producers: Path, tmp_path_factory: pytest.TempPathFactory
) -> Home:
    made = Home(tmp_path_factory.mktemp("geographies"))
    received_and_judged(project, made, [*(realdata / name for name in FILES), producers / CENSUS_2022])
    publish(project, made)
    return made


def series(home: Home, indicator: str, territory: str, geography: int) -> dict[str, float | None]:
    with open_release(home) as release:
        return dict(
            release.execute(
                "SELECT month, value FROM in_geography(?) WHERE indicator = ? AND territory = ?",
                [geography, indicator, territory],
            ).fetchall()
        )


@pytest.mark.parametrize(
    ("indicator", "month", "saint_denis", "pierrefitte", "merged"),
    [
        ("population_municipale", "2019-01", 112852, 30861, 143713),  # PMUN
        ("population_municipale", "2021-01", 113942, 32379, 146321),
        # Job seekers of two years and more, the women among them: ABC_Dur4_F over ABC_Dur4, added.
        ("part_femmes_longue_duree_dec", "2019-12", 100 * 1530 / 3493, 100 * 391 / 824, 100 * 1921 / 4317),
        ("logements_sociaux", "2024-01", 21796, 4441, 26237),  # nb_ls
        # nb_vacants over nb_loues and nb_vacants, as tx_vac is: the share of the sums, not a mean of the shares.
        ("part_logements_sociaux_vacants", "2024-01", 100 * 430 / 20015, 100 * 75 / 3889, 100 * 505 / 23904),
    ],
)  # fmt: skip
def test_by_hand(
    home: Home, indicator: str, month: str, saint_denis: float, pierrefitte: float, merged: float
) -> None:
    assert series(home, indicator, SAINT_DENIS, 2024)[month] == pytest.approx(saint_denis)
    assert series(home, indicator, PIERREFITTE, 2024)[month] == pytest.approx(pierrefitte)
    assert series(home, indicator, SAINT_DENIS, 2025)[month] == pytest.approx(merged)
    assert series(home, indicator, PIERREFITTE, 2025) == {}


def test_communes_that_are_ranked_together_are_divided_by_figures_of_one_date(home: Home) -> None:
    """Dwellings allowed in 2023, in the geography of 2024: the population of 2022 is in that of 2025, where
    Saint-Denis holds Pierrefitte, so that of 2021 serves for all; in the geography of 2025 that of 2022 does."""
    allowed = "logements_autorises_pour_1000"
    with open_release(home) as release:
        dates = release.execute(
            "SELECT DISTINCT oldest_input FROM indicator_values WHERE value IS NOT NULL "
            "AND indicator = $1 AND month = '2023-12' AND geography = 2024",
            [allowed],
        ).fetchall()
    assert dates == [("2021-01",)]
    rates = [
        series(home, allowed, place, geography)["2023-12"]
        for place, geography in (("93001", 2024), (SAINT_DENIS, 2025))
    ]
    # log_aut of all dwellings over PMUN21, and the two communes' over P22_POP.
    assert rates == pytest.approx([1000 * 1562 / 90071, 1000 * (226 + 423) / 148907])


def test_density_of_social_housing_is_that_of_the_ministry(home: Home) -> None:
    """Divided by the census of 2018, the last in the geography of 2024, Aubervilliers had 43.0 for 40.5."""
    density = [
        series(home, "logements_sociaux_pour_100_rp", place, 2024).get("2024-01")
        for place in ("93001", SAINT_DENIS, "93")
    ]
    assert density == [40.52, 46.99, None]  # column densite; the département's is in another file


def test_other_communes_are_the_same_in_both(home: Home) -> None:
    both = [series(home, "population_municipale", "93008", g) for g in (2024, 2025)]
    assert both[0] == both[1] != {}


def test_forty_communes_or_thirty_nine(home: Home) -> None:
    with open_release(home) as release:
        counts = [
            release.execute(
                "SELECT count(*), count(DISTINCT territory) FROM in_geography(?) "
                "WHERE indicator = 'population_municipale' AND level = 'commune' AND month = '2021-01'",
                [geography],
            ).fetchone()
            for geography in (2024, 2025)
        ]
    assert counts == [(40, 40), (39, 39)]


def test_a_median_of_the_merged_commune_does_not_exist(project: Project, home: Home) -> None:
    assert series(home, "niveau_vie_median", SAINT_DENIS, 2025) == {}
    with open_release(home) as release:
        gaps = gaps_of(project, release, "niveau_vie_median", SAINT_DENIS, 2025)
    assert [month for month, _ in gaps] == ["2018-12", "2021-12"]
    assert "médiane" in gaps[0][1]


def test_the_merged_commune_is_not_split_back(project: Project, home: Home) -> None:
    assert series(home, "logements_vacants_2_ans", SAINT_DENIS, 2024) == {}
    with open_release(home) as release:
        for territory in (SAINT_DENIS, PIERREFITTE):
            (gap,) = gaps_of(project, release, "logements_vacants_2_ans", territory, 2024)
            assert gap[0] == "2025-01"
            assert "ne se partage pas" in gap[1]
        (gone, *_) = gaps_of(project, release, "population_municipale", PIERREFITTE, 2025)
    assert "voir 93066" in gone[1]


def test_an_ambiguous_file_is_refused_until_its_geography_is_said(
    project: Project, realdata: Path, tmp_path: Path
) -> None:
    """Saint-Denis without Pierrefitte in 2019: merged, or Pierrefitte forgotten? Not for us to guess."""
    source = realdata / "emploi" / "data_DEFM2019_com_93.csv"
    lines = [x for x in source.read_bytes().splitlines(True) if not x.startswith(b"93059")]
    (tmp_path / source.name).write_bytes(b"".join(lines))
    own = Home(tmp_path / "odds")
    list(receive(project, own, [tmp_path / source.name]))
    (judgement,) = judge_pending(project, own, "pole_emploi/defm_communes")
    assert judgement.accepted == ()
    said = [f"{f.message} {f.rows}" for f in judgement.findings if not f.passed]
    assert any("geography: 2025" in text for text in said)
    with Store(own.warehouse).connect() as connection:
        letter = notice_of(project, connection, one_case(connection, source.name, judgement.refused[0]))
    text = as_text(letter)
    # The contract is ours to mend: nothing is asked of the partner, the subject included.
    assert "Objet : fichier non intégré" in text and "Rien n'est à renvoyer" in text
    assert "corrigé" not in text and "fichier à renvoyer" not in text.lower()


def test_arrondissements_are_sums_of_their_communes(home: Home) -> None:
    """Bobigny holds Est Ensemble, Saint-Denis Plaine Commune, Le Raincy the two other EPT."""
    with open_release(home) as release:
        rows = dict(
            release.execute(
                "SELECT territory, value FROM indicator_values WHERE indicator = 'population_municipale' "
                "AND month = '2021-01' AND level IN ('ept', 'arrondissement')"
            ).fetchall()
        )
    assert rows["933"] == rows["200057867"] == 451934
    assert rows["931"] == rows["200057875"]
    assert rows["932"] == rows["200058097"] + rows["200058790"]
