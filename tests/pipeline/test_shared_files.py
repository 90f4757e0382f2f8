"""A file that several contracts read: a delivery of each, judged apart; two geographies in one file."""

from pathlib import Path

from odds_pipeline.declarations.project import Project
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.reception.kept import table_of
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home

FILE = "insee_rp/comparateur/base_cc_comparateur.csv"

# Read by hand in the file. The 39 rows of 2025 add up to what Insee gives for the département.
VALUES = [
    ("naissances_domiciliees", "93066", "2024-12", 2113),  # NAISD24 of the merged Saint-Denis
    ("naissances_domiciliees", "93", "2024-12", 24946),
    ("deces_domicilies", "93", "2024-12", 9362),
    ("residences_principales", "93001", "2022-01", 34990.0902194347),  # P22_RP
    # Bobigny: 55,270 after 52,337, 5,606 births and 1,886 deaths between.
    ("solde_migratoire_apparent", "93008", "2022-01", 100 * (55270 - 52337 - 5606 + 1886) / 52337),
    ("evolution_annuelle_population_6_ans", "93008", "2022-01", 100 * ((55270 / 52337) ** (1 / 6) - 1)),
    ("densite_population", "93008", "2022-01", 55270 / 6.77),
    ("part_proprietaires", "93001", "2022-01", 100 * 7274.27392958819 / 34990.0902194347),
    # Aubervilliers: 42,620 active, of whom 7,742 unemployed, among 61,281 of 15 to 64 years.
    (
        "taux_emploi_15_64",
        "93001",
        "2022-01",
        100 * (42620.0037197149 - 7742.2900690608) / 61280.5252732361,
    ),
]

# The same file, in the geography of 2024: Saint-Denis alone, and Pierrefitte-sur-Seine on a line of its own.
REVENUS = [
    ("niveau_vie_median", "93066", "2021-12", 16620),
    ("niveau_vie_median", "93059", "2021-12", 16080),
    ("taux_pauvrete", "93001", "2021-12", 42),
    ("taux_pauvrete", "93066", "2021-12", 36),
    ("part_menages_imposes", "93005", "2021-12", 47),
]


def test_a_file_of_several_contracts_is_a_delivery_of_each(
    project: Project, home: Home, producers: Path
) -> None:
    receipts = list(receive(project, home, [producers / FILE]))
    assert {r.feed: r.months for r in receipts} == {
        "insee/etat_civil": ("2024-12",),
        "insee/comparateur": ("2022-01",),
        "insee/comparateur_populations": ("2016-01", "2022-01"),
        "insee/filosofi": ("2021-12",),
    }
    assert len({table_of(r.delivery) for r in receipts}) == 1 < len({r.delivery for r in receipts})
    assert all(r.known for r in receive(project, home, [producers / FILE]))
    for feed in filter(None, {r.feed for r in receipts}):
        assert not [r for j in judge_pending(project, home, feed) for r in j.refused]
    publish(project, home)
    with open_release(home) as release:
        values = [(*one, 2025) for one in VALUES] + [(*one, 2024) for one in REVENUS]
        for indicator, territory, month, value, geography in values:
            (found,) = release.execute(
                "SELECT value, geography FROM indicator_values "
                "WHERE indicator = ? AND territory = ? AND month = ?",
                [indicator, territory, month],
            ).fetchall()
            assert found[1] == geography  # Saint-Denis alone, or with Pierrefitte-sur-Seine
            assert abs(found[0] - value) < 1e-6, (indicator, territory, found)
