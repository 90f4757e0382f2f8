"""From the producers' own files to the release: values read by hand in the bytes, then worked out by hand."""

from pathlib import Path

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home

from .test_producers import (
    AIDE,
    APA,
    HONORAIRES,
    LEGALES,
    LOCALES,
    LYCEES,
    MINIMA,
    NEET,
    RPLS,
    TCRD,
)

BPE = "bpe/bpe18_ensemble.csv"
FILES = (
    AIDE,
    APA,
    BPE,
    HONORAIRES,
    LYCEES,
    MINIMA,
    RPLS,
    TCRD,
    LOCALES,
    NEET,
    LEGALES.format(2021),
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
    ("personnes_par_foyer_rsa", "93", "2019-12", 177550 / 85825),
    ("foyers_rsa", "93", "2019-12", 85825),
    ("part_parc_social_qpv", "93", "2016-01", 100 * 139205 / 220849),
    ("part_social_t5", "93", "2016-01", 100 * 15355 / 220849),
    ("part_social_t1_t2", "93", "2016-01", 100 * 61019 / 220849),
    ("loyer_moyen_social", "93", "2016-01", 78384203 / 11779216),
    ("logements_sociaux", "FM", "2016-01", 4776535),
    ("taux_pauvrete_moins_30", "93", "2014-12", 31.1),
    ("taux_pauvrete_moins_30", "FM", "2014-12", 22.8),
    ("taux_pauvrete_30_39", "11", "2014-12", 16.8),
    ("esperance_vie_hommes", "93", "2024-12", 80.5),
    ("part_jeunes_non_inseres", "93", "2018-01", 20.1),
    ("population_municipale", "93001", "2021-01", 90071),
    # BPE: 109 centres de santé (D108) in the 93, 6 in Aubervilliers, NB_EQUIP added up with awk.
    ("centres_sante", "93", "2018-01", 109),
    ("centres_sante", "93001", "2018-01", 6),
    ("lyceens", "93001", "2022-09", 692 + 1052 + 442 + 826),
    ("part_lyceens_pro", "93", "2022-09", 100 * 17865 / 60189),
]


@pytest.fixture(scope="module")
def published(
    project: Project, producers: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str, str], float]:
    home = Home(tmp_path_factory.mktemp("producers"))
    feeds = {r.feed for r in receive(project, home, [producers / name for name in FILES]) if r.feed}
    for feed in sorted(feeds):
        judge_pending(project, home, feed)
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
