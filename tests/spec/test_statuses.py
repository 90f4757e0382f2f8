"""How statuses travel: missing, secret and zero never collapse into one another."""

from typing import Any

import duckdb
import pandas as pd
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.compute import DEFINITION, TERM, Tables, compute, frame, tables_of
from odds_pipeline.storage.schema import SCHEMA

from . import given

PLAINE = "200057867"
PLAINE_COMMUNES = ["93001", "93027", "93031", "93039", "93059", "93066", "93070", "93072", "93079"]


def computed(
    project: Project,
    figures: list[tuple[Any, ...]],
    aggregation: str = "sum",
) -> pd.DataFrame:
    """Values of 100 * p.a / p.b; figures are variable, month, territory, value[, status, conf, geography]."""
    rows = []
    for variable, month, territory, value, *more in figures:
        status, conf, geography = (*more, *(["A", "F", 2024][len(more) :]))
        level = {"93": "departement", "FR": "france"}.get(territory, "commune")
        rows.append((variable, month, territory, level, geography, value, status, conf, "d", None))
    definitions = frame([("i", 100.0, None, "numerator", None, 1.0, "", 0.0, 0.0, "p.a")], DEFINITION)
    terms = frame(
        [
            ("i", "numerator", "p.a", 0, 1.0, True, "", None),
            ("i", "denominator", "p.b", 0, 1.0, False, "", None),
        ],
        TERM,
    )
    levels = pd.DataFrame({"indicator": "i", "level": ["commune", "ept", "departement", "france"]})
    inputs = pd.DataFrame(
        {
            "variable": ["p.a", "p.b"],
            "aggregation": [aggregation, "sum"],
            "total_of": None,
            "over_window": None,
        }
    )
    tables = Tables(definitions, terms, levels, inputs)
    with given.computed(project, rows, tables) as connection:
        return (
            connection.execute("FROM computed WHERE NOT converted")
            .df()
            .set_index(["month", "territory"])
        )


@pytest.mark.parametrize(
    ("numerator", "denominator", "value", "status", "conf"),
    [
        ((5, "A", "F"), (50, "A", "F"), 10.0, "A", "F"),
        ((0, "A", "F"), (50, "A", "F"), 0.0, "A", "F"),
        ((5, "P", "F"), (50, "A", "F"), 10.0, "P", "F"),
        ((None, "Q", "C"), (50, "A", "F"), None, "Q", "C"),
        ((None, "L", "F"), (50, "A", "F"), None, "L", "F"),
        ((None, "O", "F"), (50, "A", "F"), None, "O", "F"),
        ((5, "A", "F"), (None, "Q", "C"), None, "Q", "C"),
        ((5, "A", "F"), (0, "A", "F"), None, "M", "F"),
    ],
)
def test_status_of_a_ratio(
    project: Project, numerator: Any, denominator: Any, value: float | None, status: str, conf: str
) -> None:
    found = computed(
        project,
        [("p.a", "2020-12", "93008", *numerator), ("p.b", "2020-12", "93008", *denominator)],
    ).loc["2020-12", "93008"]
    assert (None if pd.isna(found["value"]) else found["value"]) == value
    assert (found["obs_status"], found["conf_status"]) == (status, conf)


def test_the_denominator_is_the_latest_not_after(project: Project) -> None:
    found = computed(
        project,
        [
            ("p.a", "2020-06", "93008", 5),
            ("p.b", "2019-01", "93008", 50),
            ("p.b", "2021-01", "93008", 500),
        ],
    ).loc["2020-06", "93008"]
    assert found["value"] == 10
    assert found["oldest_input"] == "2019-01"


def test_what_is_delivered_for_france_alone_has_its_value(project: Project) -> None:
    found = computed(project, [("p.a", "2020-12", "FR", 5), ("p.b", "2020-12", "FR", 50)])
    assert found["value"].to_dict() == {("2020-12", "FR"): 10.0}


def test_a_missing_denominator_is_missing(project: Project) -> None:
    found = computed(project, [("p.a", "2020-06", "93008", 5), ("p.b", "2021-01", "93008", 50)])
    assert found.loc["2020-06", "93008"]["obs_status"] == "O"


def _plaine(values: dict[str, tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    figures: list[tuple[Any, ...]] = []
    for code in PLAINE_COMMUNES:
        figures.append(("p.a", "2020-12", code, *values.get(code, (10,))))
        figures.append(("p.b", "2020-12", code, 100))
    return figures


def test_a_ratio_above_is_the_ratio_of_the_sums(project: Project) -> None:
    found = computed(project, _plaine({"93001": (100,)})).loc["2020-12", PLAINE]
    assert found["value"] == pytest.approx(100 * 180 / 900)


@pytest.mark.parametrize(
    ("commune", "status", "conf"),
    [((None, "Q", "C"), "Q", "C"), ((None, "L", "F"), "L", "F")],
    ids=["secret", "not available"],
)
def test_an_incomplete_sum_is_not_a_figure(
    project: Project, commune: tuple[Any, ...], status: str, conf: str
) -> None:
    found = computed(project, _plaine({"93001": commune})).loc["2020-12", PLAINE]
    assert pd.isna(found["value"])
    assert (found["obs_status"], found["conf_status"]) == (status, conf)


def test_a_total_delivered_wins_over_the_sum(project: Project) -> None:
    figures = [("p.a", "2020-12", "93", 77), ("p.b", "2020-12", "93", 100), *_plaine({})]
    assert computed(project, figures).loc["2020-12", "93"]["value"] == 77


def test_what_does_not_add_up_is_not_added(project: Project) -> None:
    found = computed(project, _plaine({}), aggregation="none")
    assert ("2020-12", PLAINE) not in found.index


def test_a_weighted_mean(project: Project) -> None:
    figures = _plaine({"93001": (30,)})
    figures = [f if f[:3] != ("p.b", "2020-12", "93001") else (*f[:3], 300) for f in figures]
    found = computed(project, figures, aggregation="p.b").loc["2020-12", PLAINE]
    assert found["numerator"] == pytest.approx((30 * 300 + 8 * 10 * 100) / 1100)
    assert found["obs_status"] == "E"


def test_the_denominator_follows_the_numerator_across_the_merger(project: Project) -> None:
    """The new 93066 is compared with the population of both communes, not with the old 93066's."""
    figures = [
        ("p.a", "2025-06", "93066", 30, "A", "F", 2025),
        ("p.b", "2021-01", "93066", 113, "A", "F", 2024),
        ("p.b", "2021-01", "93059", 37, "A", "F", 2024),
    ]
    assert computed(project, figures).loc["2025-06", "93066"]["value"] == pytest.approx(20)


def test_the_new_commune_is_missing_when_a_part_is(project: Project) -> None:
    figures = [
        ("p.a", "2025-06", "93066", 30, "A", "F", 2025),
        ("p.b", "2021-01", "93066", 113, "A", "F", 2024),
    ]
    assert pd.isna(computed(project, figures).loc["2025-06", "93066"]["value"])


def test_a_reserve_travels_with_the_figures(project: Project) -> None:
    """What was overruled for one commune's figure is told of every value that rests on it."""
    entry = project.indicators["population_municipale"]
    with duckdb.connect() as connection:
        connection.execute(SCHEMA)
        for code, delivery in [
            (c.code, "a" if c.code == "93001" else "b") for c in project.territories.communes(2024)
        ]:
            connection.execute(
                "INSERT INTO observations VALUES ('insee.population_municipale', '2020-01', ?, 'commune', 2024, "
                "10, 'A', 'F', NULL, ?, 1, 1, 1, NULL, NULL)", [code, delivery],
            )  # fmt: skip
        connection.execute(
            "INSERT INTO delivered_months SELECT unnest(['a', 'b']), 'insee/populations_legales', '2020-01', 'accepted', 1, NULL"
        )
        connection.execute(
            "INSERT INTO verdicts SELECT d, '2020-01', 'r', 'critical', d = 'b', 'm', 'x', 0, '[]' FROM (SELECT unnest(['a', 'b']) AS d)"
        )
        connection.execute(
            "INSERT INTO overrulings VALUES ('a', '2020-01', 'r', 'Confirmé', 'A. Martin', '2024-05-06')"
        )
        compute(project, connection, [entry.id])
        rows = dict(connection.execute("SELECT territory, reserve FROM indicator_values").fetchall())
    text = "Publié malgré une règle non respectée. Motif : Confirmé (A. Martin, 06/05/2024)."
    assert {t for t, reserve in rows.items() if reserve == text} == {"93001", PLAINE, "933", "93"}
    assert set(rows.values()) == {text, None}


@pytest.mark.parametrize("lacking", [0, 1])
def test_what_is_delivered_for_a_whole_stands_in_each_geography(project: Project, lacking: int) -> None:
    """An EPT that no merger changes: 28.6 in its producer's file of 2025, 30 from its communes in one of 2024.

    Where one of its communes lacks, what was delivered is not masked by what cannot be summed.
    """
    rate, people = "insee.taux_pauvrete", "insee.personnes_menages_fiscaux"
    rows = [
        (variable, "2020-12", code, "commune", 2024, value, "A", "F", "d", None)
        for code in given.PARTS[lacking:]
        for variable, value in ((rate, 30.0), (people, 1000.0))
    ]
    tables = tables_of(project, ["taux_pauvrete"])
    delivered = (rate, "2020-12", given.EPT, "ept", 2025, 28.6, "A", "F", "d", None)
    found = {}
    for name, more in (("summed", []), ("delivered", [delivered])):
        with given.computed(project, [*rows, *more], tables) as connection:
            found[name] = connection.execute(
                "SELECT geography, value, obs_status FROM computed WHERE territory = ? AND NOT converted "
                "ORDER BY geography",
                [given.EPT],
            ).fetchall()
    assert found["delivered"] == [(2024, 28.6, "A"), (2025, 28.6, "A")]
    assert found["summed"] == [(2024, None, "O") if lacking else (2024, 30.0, "E")]
