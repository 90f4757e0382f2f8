"""A study's gate: what is missing is said, and nothing incomplete is published."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.read_publications import load_publications
from odds_pipeline.declarations.study import Study
from odds_pipeline.publications.studies.profile import profile
from odds_pipeline.publications.studies.study import StudyRefused, StudyResult, refusal, run_study

pytestmark = pytest.mark.slow


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
        connection.execute(
            "CREATE TABLE indicator_values AS SELECT *, NULL::VARCHAR AS reserve, "
            "NULL::DOUBLE AS ci_low, NULL::DOUBLE AS ci_high FROM given"
        )
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
    assert result.months["part_impayes"] == "2024-12" and result.simulated and result.release == 7


def test_a_missing_dimension_forbids_publication_and_is_named(project: Project, study: Study) -> None:
    values = figures(project, study)
    gone = list(study.dimensions["occupation"].indicators)
    result = run(project, study, values[~values["indicator"].isin(gone)])
    assert "Conditions d'occupation : 0 indicateur disponible sur 2" in refusal(result)
    assert result.absent == dict.fromkeys(gone, "aucune valeur dans cette édition")
    assert "occupation" not in result.scores


@pytest.mark.parametrize(
    ("lacking", "month"),
    [
        (0, "2024-12"),
        (4, "2024-12"),  # nearly complete: no reason to go a month back
        (14, "2024-11"),  # a third lack it, and the month before is complete
    ],
)
def test_the_last_month_that_is_nearly_complete_is_taken(
    project: Project, study: Study, lacking: int, month: str
) -> None:
    values = figures(project, study)
    name = "demandes_pour_100_menages"
    few = sorted(values["territory"].unique())[:lacking]
    gone = (values["indicator"] == name) & (values["month"] == "2024-12") & values["territory"].isin(few)
    result = run(project, study, values[~gone])
    assert result.months[name] == month
    assert refusal(result) == ""


def test_classes_are_described_in_the_units_of_their_indicators(project: Project, study: Study) -> None:
    """Incomes are turned and extreme values drawn in for the computation, not for the reader."""
    values = figures(project, study)
    result = run(project, study, values)
    table = profile(project, result)
    last = values[values["month"] == "2024-12"].set_index("territory")
    for row in table.to_dict("records"):
        own = last[last["indicator"] == row["indicateur"]]["value"]
        inside = own[[c for c, k in result.typology.classes.items() if k == row["classe"]]]
        assert row["moyenne_simple_de_la_classe"] == pytest.approx(inside.mean())
        assert row["moyenne_simple_des_communes"] == pytest.approx(own.mean())
        gap = row["moyenne_simple_de_la_classe"] - row["moyenne_simple_des_communes"]
        assert np.sign(row["v_test"]) == np.sign(gap)
        assert row["periode"] == "2024-12" and row["unite"]
    fragile = table[(table["classe"] == 1) & (table["indicateur"] == "niveau_vie_d1")]
    assert (fragile["v_test"] < 0).all() and (fragile["moyenne_simple_de_la_classe"] > 0).all()


def test_dimensions_that_say_the_same_are_told(project: Project, study: Study) -> None:
    """The four groups of communes are the same in every dimension of this table."""
    result = run(project, study, figures(project, study))
    (told,) = [f for f in result.findings if f.rule == "dimensions_distinctes"]
    assert not told.passed and not told.refuses
    assert result.correlations["correlation"].iloc[0] > 0.92


def test_the_uncertainty_of_the_data_widens_the_intervals_of_ranks(
    project: Project, study: Study
) -> None:
    values = figures(project, study)
    sure = run(project, study, values)
    half = 15 * 1.959964
    unsure = run(
        project, study, values.assign(ci_low=values["value"] - half, ci_high=values["value"] + half)
    )
    widths = [
        float((r.sensitivity.intervals["high"] - r.sensitivity.intervals["low"]).mean())
        for r in (sure, unsure)
    ]
    assert widths[1] > 1.3 * widths[0]
    assert sure.sensitivity.effects["data"] == 0 and unsure.sensitivity.effects["data"] > 0
    assert (sure.ranks == unsure.ranks).all()  # the ranks are those of the published values


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
