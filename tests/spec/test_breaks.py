"""A break belongs to the variable: whatever reads it has it, and nothing is computed across it."""

import shutil
from pathlib import Path

import pytest

from odds_pipeline.declarations.checks.unused import unused_variables
from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.compute import tables_of
from odds_pipeline.indicators.crossings import crossings
from odds_pipeline.release.definitions import definitions_table
from tests.spec.given import computed

WHERE_IT_IS = "SELECT month, value FROM computed WHERE territory = '93008'"


def months(project: Project, indicator: str) -> list[str]:
    return [b.month for b in project.breaks_of(project.indicators[indicator].indicator)]


@pytest.mark.parametrize(
    ("twins", "month"),
    [
        # Two readings of one variable, or of two columns of one file, share its breaks.
        (("evolution_impayes_1_an", "part_impayes"), "2016-09"),
        (("part_apl", "foyers_aide_logement", "part_al_parc_prive", "part_effort_39"), "2018-02"),
        (("part_etudiants_decembre", "allocataires_decembre", "part_rsa_decembre"), "2016-12"),
        (("foyers_ars", "foyers_allocations_familiales", "foyers_paje"), "2014-12"),
        (("evolution_demandes_5_ans", "demandes_logement", "part_demandes_3_ans"), "2015-05"),
        (("evolution_assignations_1_an", "expulsions_effectives"), "2020-03"),
        (("part_minima_sociaux", "evolution_part_minima_sociaux_5_ans"), "2016-12"),
        (("part_foyers_imposes", "evolution_foyers_imposes_5_ans"), "2020-12"),
        (("aah_pour_1000", "foyers_aah"), "2023-10"),
        # The State pays for the RSA in Seine-Saint-Denis from 1 January 2022 (LF 2022, art. 43).
        (("depense_rsa_par_habitant", "depense_aide_sociale_par_habitant"), "2022-01"),
        # Session 2020 of the brevet was marked on the year's work.
        (("taux_reussite_dnb", "taux_mention_dnb", "taux_reussite_bac"), "2020-09"),
        (("foyers_cmg_assmat", "cmg_pour_100_enfants"), "2025-09"),
        (("part_cadres_15_plus", "part_menages_cadres"), "2022-01"),
        (("vaccination_ror",), "2020-12"),
        (("logements_vacants_2_ans",), "2025-01"),
    ],
)
def test_all_that_reads_a_variable_has_its_breaks(
    project: Project, twins: tuple[str, ...], month: str
) -> None:
    assert [name for name in twins if month not in months(project, name)] == []


def test_every_break_of_a_contract_says_who_tells_it(project: Project) -> None:
    declared = [b for entry in project.feeds.values() for b in entry.feed.breaks]
    assert len(declared) >= 50
    assert [b for b in declared if not b.source] == []


def test_the_release_has_the_inherited_breaks(project: Project) -> None:
    sheet = definitions_table(project).set_index("indicator").loc["part_impayes"]
    assert '"2016-09"' in sheet["breaks"]
    assert "Décret" in sheet["breaks"]


def test_a_change_over_years_has_no_value_across_a_break(project: Project) -> None:
    """Housing arrears: one definition until August 2016, another from September 2016 on."""
    name, variable = "evolution_impayes_1_an", "caf.foyers_impayes"
    indicator = project.indicators[name].indicator
    assert ("2016-09", "2017-09") in crossings(project, indicator)
    figures = {"2015-08": 100, "2015-09": 100, "2016-08": 110, "2016-09": 300, "2017-09": 330}
    rows = [
        (variable, month, "93008", "commune", 2024, value, "A", "F", "d", None)
        for month, value in figures.items()
    ]
    with computed(project, rows, tables_of(project, [name])) as connection:
        found = dict(connection.execute(WHERE_IT_IS).fetchall())
    known = {month: round(v, 6) for month, v in found.items() if v is not None}
    assert known == {"2016-08": 10, "2017-09": 10}
    assert "2016-09" in found  # it says that there is none, rather than 200 %


def test_a_break_declared_twice_or_of_no_variable_is_told(tmp_path: Path, project: Project) -> None:
    root = tmp_path / "project"
    for part in ("assets", "expectations", "resources"):
        shutil.copytree(project.root / part, root / part)
    family = root / "assets/indicators/logement/aides_logement.yaml"
    text = family.read_text()
    at = "  evolution_impayes_1_an:\n"
    assert at in text
    own = f"{at}    breaks:\n    - {{month: 2016-09, reason: Deux fois la même}}\n"
    family.write_text(text.replace(at, own))
    contract = root / "assets/partners/caf/logement.yaml"
    contract.write_text(
        contract.read_text().replace("  variables: [foyers_impayes]", "  variables: [impaye]")
    )
    told = [str(p) for p in Project.read(root).problems]
    assert any("no variable 'impaye' here" in t for t in told)
    contract.write_text(
        contract.read_text().replace("  variables: [impaye]", "  variables: [foyers_impayes]")
    )
    (told_once,) = (str(p) for p in Project.read(root).problems)
    assert "break 2016-09: the contract of what it reads declares it already" in told_once


def test_the_sheet_has_what_the_contracts_say(project: Project) -> None:
    sheets = definitions_table(project).set_index("indicator")
    assert "POP_COM_QP et POP_COM sont de la même date" in sheets.loc["part_population_qpv", "notes"]
    assert sheets.loc["part_population_prime_activite", "since"] == "2016-01"
    assert (
        sheets.loc["apl_generalistes", "weights"] == "Population standardisée pour la médecine générale"
    )
    assert sheets.loc["niveau_vie_median", "kind"] == "level"
    assert sheets.loc["population_municipale", "kind"] == "count"


def test_a_variable_that_nothing_reads_is_told(project: Project) -> None:
    unused = unused_variables(project)
    assert "prefecture.vols_personnes" in unused
    read = {"prefecture.taux_cambriolages", "cpam.population_std_dentistes", "caf.foyers_rsa"}
    assert not read & set(unused)
