"""What protection hides of figures written by hand, one month of one variable and its wholes."""

from dataclasses import dataclass

import duckdb
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.secrecy.protect import protect

FOYERS, PARTS = "caf.foyers_rsa", "caf.foyers_rsa_majore"
"""Under a threshold of five; the second is a part of the first."""
EST_ENSEMBLE = "200057875"
MEMORY = """
CREATE TABLE published_cells (release INTEGER, variable VARCHAR, month VARCHAR, territory VARCHAR,
    geography INTEGER, value DOUBLE, hidden_by VARCHAR, small BOOLEAN, threshold INTEGER);
CREATE TABLE settled_blocks (release INTEGER, family INTEGER, month VARCHAR, fingerprint VARCHAR);
CREATE TABLE audited_cells (release INTEGER, variable VARCHAR, month VARCHAR, place INTEGER,
    hidden_by VARCHAR, current BOOLEAN, low DOUBLE, high DOUBLE, told BOOLEAN, recoverable BOOLEAN);
"""


@dataclass(frozen=True)
class Figure:
    """A figure before protection; ``delivered`` is false for one that was added up."""

    territory: str
    value: float | None
    variable: str = FOYERS
    hidden_by: str | None = None
    lower_bound: float | None = None
    delivered: bool = True
    geography: int = 2024


def protected(project: Project, figures: list[Figure]) -> dict[tuple[str, str], tuple[object, ...]]:
    """Value, reason, mark and bound of each figure, as it may be read; of another geography, by its year."""
    variables = sorted({f.variable for f in figures})
    places = sorted({(f.territory, f.geography) for f in figures})
    levels = {(t.code, t.geography): t.level for t in project.territories.all}
    with duckdb.connect() as connection:
        connection.execute(MEMORY)
        connection.execute("CREATE TABLE numbered_inputs (variable VARCHAR, v INTEGER)")
        connection.executemany(
            "INSERT INTO numbered_inputs VALUES (?, ?)", [[n, v] for v, n in enumerate(variables)]
        )
        connection.execute(
            "CREATE TABLE places (p INTEGER, territory VARCHAR, level VARCHAR, geography INTEGER)"
        )
        connection.executemany(
            "INSERT INTO places VALUES (?, ?, ?, ?)",
            [[p, place[0], levels[place], place[1]] for p, place in enumerate(places)],
        )
        connection.execute(
            "CREATE TABLE given (v INTEGER, p INTEGER, t INTEGER, value DOUBLE, obs_status VARCHAR, "
            "conf_status VARCHAR, hidden_by VARCHAR, lower_bound DOUBLE, delivered BOOLEAN)"
        )
        connection.executemany(
            "INSERT INTO given VALUES (?, ?, 24291, ?, 'A', 'F', ?, ?, ?)",
            [
                [
                    variables.index(f.variable),
                    places.index((f.territory, f.geography)),
                    f.value,
                    f.hidden_by,
                    f.lower_bound,
                    f.delivered,
                ]
                for f in figures
            ],
        )
        connection.execute("CREATE TEMP TABLE available AS FROM given")
        protect(connection, project, 0)
        rows = connection.execute(
            "SELECT variable, CASE geography WHEN 2024 THEN territory ELSE territory || ' in ' || geography END, "
            "value, hidden_by, conf_status, lower_bound "
            "FROM available JOIN numbered_inputs USING (v) JOIN places USING (p)"
        ).fetchall()
    return {(row[0], row[1]): row[2:] for row in rows}


def communes(project: Project, **values: float) -> list[Figure]:
    """Every commune of Est Ensemble, none but those given, and what they add up to."""
    own = {t.code: 0.0 for t in project.territories.communes(2024) if t.ept == EST_ENSEMBLE}
    own |= {f"93{code[1:]}": value for code, value in values.items()}
    return [
        *(Figure(code, value) for code, value in own.items()),
        Figure(EST_ENSEMBLE, sum(own.values()), delivered=False),
    ]


def test_a_total_of_small_counts_alone_is_hidden_though_nobody_delivered_it(project: Project) -> None:
    """1 + 1 = 2: the sum shown, each would be 1."""
    found = protected(project, communes(project, c008=1, c048=1))
    assert found[FOYERS, EST_ENSEMBLE] == (None, "secondaire", "D", None)
    assert found[FOYERS, "93008"] == (None, "primaire", "C", None)
    assert found[FOYERS, "93010"] == (0, None, "F", None)


def test_a_count_beside_a_small_one_is_known_to_be_at_the_threshold_at_least(project: Project) -> None:
    """1 + 5 = 6 would tell the 1, since a 5 that is hidden is not marked small: the 60 is hidden instead."""
    found = protected(project, communes(project, c008=1, c010=5, c048=60, c055=200))
    assert {code for (_, code), row in found.items() if row[1]} == {"93008", "93048"}


def test_what_the_producer_hid_is_not_told_by_his_own_total(project: Project) -> None:
    """103 in all and 100 elsewhere: the count that the producer hid is 3, unless one thing more is hidden."""
    own = {t.code: 0.0 for t in project.territories.communes(2024) if t.ept == EST_ENSEMBLE}
    others = [Figure(code, value) for code, value in (own | {"93010": 40, "93048": 60}).items()]
    hidden = Figure("93008", None, hidden_by="producteur")
    given = [*(f for f in others if f.territory != "93008"), hidden, Figure(EST_ENSEMBLE, 103)]
    found = protected(project, given)
    assert {code for (_, code), row in found.items() if row[1] == "secondaire"} & {
        "93010",
        "93048",
        EST_ENSEMBLE,
    }


def test_what_is_hidden_is_hidden_in_each_geography_that_writes_it(project: Project) -> None:
    """The commune that protects its neighbour, once more among the communes of another year."""
    other = next(g for g in project.territories.geographies if g != 2024)
    again = Figure("93048", 60, geography=other)
    found = protected(project, [*communes(project, c008=1, c010=5, c048=60, c055=200), again])
    assert (
        found[FOYERS, f"93048 in {other}"] == found[FOYERS, "93048"] == (None, "secondaire", "D", None)
    )


@pytest.mark.parametrize(
    ("hidden_by", "bound", "told"),
    [("producteur", 4, None), ("producteur", 5, 5), (None, 12, None)],
    ids=["a small count itself", "at the threshold", "of a figure that we hide"],
)
def test_a_lower_bound_is_told_of_what_the_producer_hid_alone(
    project: Project, hidden_by: str | None, bound: float, told: float | None
) -> None:
    value = None if hidden_by else 3
    others = [Figure("93010", 40, hidden_by=None), Figure("93048", 60)]
    found = protected(project, [Figure("93008", value, hidden_by=hidden_by, lower_bound=bound), *others])
    assert found[FOYERS, "93008"][3] == told


@pytest.mark.parametrize(("part", "hidden"), [(12, True), (10, False), (15, False)])
def test_what_remains_of_a_total_follows_the_same_rule(
    project: Project, part: float, hidden: bool
) -> None:
    """12 of 15 tells 3; 10 of 15 tells 5, and 15 of 15 nobody."""
    found = protected(project, [Figure("93008", 15), Figure("93008", part, PARTS)])
    assert any(row[1] for row in found.values()) == hidden


def test_a_mean_over_communes_of_which_one_is_secret_is_hidden(project: Project) -> None:
    """Its weights are known: with the means of the other communes it would tell that of the hidden one."""
    weighted = next(
        (name, declared.aggregation)
        for name, (_, declared) in project.variables.items()
        if declared.aggregation not in ("sum", "none")
    )
    mean, weight = weighted
    found = protected(
        project,
        [
            Figure("93008", 3, weight), Figure("93010", 80, weight),
            Figure("93008", None, mean, hidden_by="producteur"), Figure("93010", 12, mean),
            Figure(EST_ENSEMBLE, 11, mean, delivered=False),
        ],
    )  # fmt: skip
    assert found[mean, EST_ENSEMBLE][:2] == (None, "primaire")
    assert found[mean, "93010"][:2] == (12, None)
