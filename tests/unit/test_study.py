"""A study's gate: what is missing is said, and nothing incomplete is published."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.read_publications import load_publications
from odds_pipeline.declarations.study import Study
from odds_pipeline.publications.studies.study import StudyRefused, StudyResult, refusal, run_study


@pytest.fixture(scope="module")
def study(project: Project) -> Study:
    return load_publications(project).studies["logement_fragile"]


def figures(project: Project, study: Study) -> pd.DataFrame:
    """Four groups of communes, far apart; twelve months of each indicator, the last ones 1 higher."""
    random = np.random.default_rng(5)
    codes = [t.code for t in project.territories.communes(2024)]
    rows = []
    for name, declared in study.indicators.items():
        sign = -1 if declared.fragile == "low" else 1
        for i, code in enumerate(codes):
            value = 200 + sign * (i // 10) * 20 + random.normal(0, 2)
            rows += [
                (name, f"2024-{m:02d}", code, "commune", 2024, value + (m == 12), "A", "F")
                for m in range(1, 13)
            ]
    columns = [
        "indicator",
        "month",
        "territory",
        "level",
        "geography",
        "value",
        "obs_status",
        "conf_status",
    ]
    return pd.DataFrame(rows, columns=columns)


def run(project: Project, study: Study, values: pd.DataFrame) -> StudyResult:
    with duckdb.connect() as connection:
        connection.register("given", values)
        connection.execute("CREATE TABLE indicator_values AS FROM given")
        connection.execute(
            "CREATE TABLE about AS SELECT 7 AS number, '2025-01-08' AS published_at, true AS simulated"
        )
        return run_study(project, study, connection)


def test_a_complete_study_passes_its_gate(project: Project, study: Study) -> None:
    result = run(project, study, figures(project, study))
    assert refusal(result) == "" and not result.absent and not result.unranked
    assert set(result.scores.columns) == {*study.dimensions, "index"}
    groups = [set(result.typology.classes.iloc[i * 10 : (i + 1) * 10]) for i in range(4)]
    assert groups == [{4}, {3}, {2}, {1}]
    assert set(result.ranks.iloc[30:]) == set(range(1, 11))
    assert result.months["aides_fsl_pour_1000"] == "2024-01 à 2024-12"
    # The mean of twelve months, of which the last is 1 higher.
    assert result.months["part_impayes"] == "2024-12" and result.simulated and result.release == 7


def test_a_missing_dimension_forbids_publication_and_is_named(project: Project, study: Study) -> None:
    values = figures(project, study)
    gone = list(study.dimensions["occupation"].indicators)
    result = run(project, study, values[~values["indicator"].isin(gone)])
    assert "Conditions d'occupation : 0 indicateur(s) disponible(s) sur 2" in refusal(result)
    assert result.absent == dict.fromkeys(gone, "aucune valeur dans cette édition")
    assert "occupation" not in result.scores


def test_half_of_a_dimension_is_not_enough_when_a_month_is_missing(
    project: Project, study: Study
) -> None:
    values = figures(project, study)
    short = values["indicator"].isin(["recours_dalo_pour_1000"]) & (values["month"] == "2024-05")
    result = run(project, study, values[~short])
    assert result.absent == {"recours_dalo_pour_1000": "11 mois disponibles sur 12"}
    assert refusal(result) == ""


def test_too_many_estimated_values_forbid_publication(project: Project, study: Study) -> None:
    values = figures(project, study)
    holes = (values["indicator"] == "part_sans_sdb") & values["territory"].isin(
        sorted(values["territory"].unique())[:12]
    )
    result = run(project, study, values[~holes])
    assert result.imputed["part_sans_sdb"].sum() == 12
    assert "Plus du quart" in refusal(result) and "30.0 %" in refusal(result)


def test_secret_values_are_not_read(project: Project, study: Study) -> None:
    values = figures(project, study)
    values.loc[values["indicator"] == "taux_pauvrete", "conf_status"] = "C"
    assert "taux_pauvrete" in run(project, study, values).absent


def test_an_unstable_typology_forbids_publication(project: Project, study: Study) -> None:
    values = figures(project, study)
    values["value"] = np.random.default_rng(2).normal(50, 5, len(values))
    assert "typologie est instable" in refusal(run(project, study, values))


def test_a_commune_with_too_little_is_not_ranked(project: Project, study: Study) -> None:
    values = figures(project, study)
    keep = (values["territory"] != "93015") | values["indicator"].isin(["taux_pauvrete"])
    result = run(project, study, values[keep])
    assert result.unranked == ["93015"] and "93015" not in result.ranks
    assert refusal(result) == ""


def test_nothing_at_all_is_refused(project: Project, study: Study) -> None:
    values = figures(project, study)
    with pytest.raises(StudyRefused, match="pas deux indicateurs"):
        run(project, study, values[values["indicator"] == "taux_pauvrete"])


def test_values_that_rest_on_an_overruled_rule_are_counted(project: Project, study: Study) -> None:
    values = figures(project, study)
    told = (values["indicator"] == "taux_pauvrete") & values["territory"].isin(["93008", "93010"])
    values["reserve"] = pd.Series(np.where(told, "Publié malgré une règle.", None), dtype="string")
    # Two communes at the last month; the eleven months before are not read.
    assert run(project, study, values).reserves == {"taux_pauvrete": 2}
