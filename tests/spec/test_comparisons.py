"""What stands beside a value: ranks, differences, changes, age and intervals, as readable tables."""

from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PHStatsMethods import ph_proportion, ph_rate

from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.comparison import compare, interval_of

LOWER, HIGHER, NEUTRAL, COUNT = (
    "taux_pauvrete",
    "taux_emploi_15_64",
    "taux_natalite",
    "foyers_allocataires",
)
COMMUNES = ["93001", "93005", "93006", "93007", "93008", "93010", "93013", "93014"]
WHOLES = {"93": "departement", "11": "region", "FM": "france", "FR": "france"}
COLUMNS = [
    "indicator", "month", "territory", "geography", "value", "obs_status", "numerator", "denominator", "oldest_input", "level",
]  # fmt: skip


def compared(project: Project, figures: list[tuple[Any, ...]], latest: str = "2024-12") -> pd.DataFrame:
    """Figures are indicator, month, territory, value[, geography, status, numerator, denominator]."""
    rows = []
    for indicator, month, territory, value, *more in figures:
        geography, status, numerator, denominator = (*more, *([2024, "A", None, None][len(more) :]))
        level = WHOLES.get(territory, "commune" if territory.startswith("93") else "ept")
        rows.append((indicator, month, territory, geography, value, status, numerator, denominator, month, level))  # fmt: skip
    frame = pd.DataFrame(rows, columns=COLUMNS)
    numbers = dict.fromkeys(("value", "numerator", "denominator"), "float64")
    with duckdb.connect() as connection:
        # Before the merger, the merged commune's figures are those of its parts, converted.
        converted = (frame["geography"] == 2025) & (frame["month"] < "2025")
        connection.register("given_values", frame.astype(numbers).assign(converted=converted))
        compare(project, connection, "given_values", latest)
        found = connection.execute("FROM compared").df()
    assert len(found) == len(figures)
    return found.set_index(["month", "territory", "geography"]).sort_index()


def whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


@pytest.mark.parametrize(
    ("indicator", "values", "ranks", "quartiles"),
    [
        # 8 communes, all known: two to a quarter.
        (LOWER, [10, 20, 30, 40, 50, 60, 70, 80], [1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 2, 2, 3, 3, 4, 4]),
        (HIGHER, [10, 20, 30, 40, 50, 60, 70, 80], [8, 7, 6, 5, 4, 3, 2, 1], [4, 4, 3, 3, 2, 2, 1, 1]),
        (NEUTRAL, [10, 20, 30, 40, 50, 60, 70, 80], [8, 7, 6, 5, 4, 3, 2, 1], [4, 4, 3, 3, 2, 2, 1, 1]),
        # Ties share the best of their ranks, and so a quarter.
        (LOWER, [20, 20, 20, 10, 0, 0, 50, 50], [4, 4, 4, 3, 1, 1, 7, 7], [2, 2, 2, 2, 1, 1, 4, 4]),
        # A secret or missing value has no rank; zero has one.
        (LOWER, [0, None, 5, 4, None, 3, None, None], [1, None, 4, 3, None, 2, None, None], [None] * 8),
        # Seven communes make no quarters.
        (LOWER, [3, 1, 2, 4, 5, 6, 7, None], [3, 1, 2, 4, 5, 6, 7, None], [None] * 8),
    ],
)  # fmt: skip
def test_ranks(
    project: Project,
    indicator: str,
    values: list[float | None],
    ranks: list[int | None],
    quartiles: list[int | None],
) -> None:
    figures = [(indicator, "2020-12", c, v) for c, v in zip(COMMUNES, values, strict=True)]
    found = compared(
        project, [*figures, (indicator, "2020-12", "93", 33), (indicator, "2019-12", "93001", 1)]
    )
    rows = found.loc["2020-12"].droplevel("geography").loc[COMMUNES]
    assert [whole(r) for r in rows["rank"]] == ranks
    assert [whole(q) for q in rows["quartile"]] == quartiles
    known = sum(v is not None for v in values)
    assert {whole(r) for r in rows["ranked"].dropna()} == {known}
    assert whole(found.loc["2020-12", "93", 2024]["rank"]) is None


def test_old_and_new_communes_are_ranked_apart(project: Project) -> None:
    figures = [(LOWER, "2025-12", c, 10, 2025) for c in COMMUNES[:3]]
    figures += [(LOWER, "2025-12", c, 20, 2024) for c in COMMUNES[:5]]
    found = compared(project, figures)
    assert set(found.xs(2025, level="geography")["ranked"]) == {3}
    assert set(found.xs(2024, level="geography")["ranked"]) == {5}


@pytest.mark.parametrize(
    ("indicator", "wholes", "departement", "france", "scope", "difference"),
    [
        (LOWER, {"93": 28, "FM": 14.5}, 28, 14.5, "FM", 7),
        (LOWER, {"93": 28, "FM": 14.5, "FR": 15}, 28, 15, "FR", 7),
        (LOWER, {"93": 28, "FM": 14.5, "FR": None}, 28, 14.5, "FM", 7),
        (LOWER, {"93": None}, None, None, None, None),
        (LOWER, {}, None, None, None, None),
        # A commune's count differs from the département's by all the other communes: says nothing.
        (COUNT, {"93": 1000}, 1000, None, None, None),
    ],
)
def test_the_departement_and_france(
    project: Project,
    indicator: str,
    wholes: dict[str, float | None],
    departement: float | None,
    france: float | None,
    scope: str | None,
    difference: float | None,
) -> None:
    figures = [(indicator, "2020-12", code, v) for code, v in wholes.items()]
    row = compared(project, [(indicator, "2020-12", "93008", 35), *figures]).loc[
        "2020-12", "93008", 2024
    ]
    found = [row["departement_value"], row["france_value"], row["france_territory"], row["difference"]]
    assert [None if pd.isna(x) else x for x in found] == [departement, france, scope, difference]


@pytest.mark.parametrize(
    ("indicator", "before", "now", "territory", "change"),
    [
        # A percentage changes by points, a count by per cent of what it was.
        (LOWER, ("2019-12", 30, 2024), ("2020-12", 35, 2024), "93008", 5),
        (COUNT, ("2019-12", 200, 2024), ("2020-12", 150, 2024), "93008", -25),
        (COUNT, ("2019-12", 0, 2024), ("2020-12", 150, 2024), "93008", None),
        (COUNT, ("2019-12", 200, 2024), ("2020-12", 0, 2024), "93008", -100),
        # From a loss of 10 to a gain of 5: no percentage says that. Zero per cent to two is two points.
        (COUNT, ("2019-12", -10, 2024), ("2020-12", 5, 2024), "93008", None),
        (LOWER, ("2019-12", 0, 2024), ("2020-12", 2, 2024), "93008", 2),
        (LOWER, ("2019-12", None, 2024), ("2020-12", 35, 2024), "93008", None),
        (LOWER, ("2019-12", 30, 2024), ("2020-12", None, 2024), "93008", None),
        # Another month of the year before is not the year before.
        (LOWER, ("2019-11", 30, 2024), ("2020-12", 35, 2024), "93008", None),
        # The method changes in 2023-12: that month compares with none before, the next one does.
        (LOWER, ("2022-12", 30, 2024), ("2023-12", 35, 2024), "93008", None),
        (LOWER, ("2023-12", 30, 2024), ("2024-12", 35, 2024), "93008", 5),
        # Saint-Denis before and after its merger are two territories; Bobigny and the département are one.
        (COUNT, ("2024-12", 200, 2024), ("2025-12", 150, 2025), "93066", None),
        (COUNT, ("2024-12", 200, 2024), ("2025-12", 150, 2025), "93008", -25),
        (COUNT, ("2024-12", 200, 2024), ("2025-12", 150, 2025), "93", -25),
        # A population of five years of surveys does not compare with the next year's.
        ("population_municipale", ("2019-01", 200, 2024), ("2020-01", 150, 2024), "93008", None),
    ],
)  # fmt: skip
def test_change_over_a_year(
    project: Project,
    indicator: str,
    before: tuple[str, float | None, int],
    now: tuple[str, float | None, int],
    territory: str,
    change: float | None,
) -> None:
    figures = [
        (indicator, month, territory, value, geography) for month, value, geography in (before, now)
    ]
    row = compared(project, figures).loc[now[0], territory, now[2]]
    assert (None if pd.isna(row["change_1y"]) else row["change_1y"]) == change
    assert pd.isna(row["change_5y"])


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        (2013, 2018, -25),  # surveys of 2011 to 2015, and of 2016 to 2020
        # The survey of 2021 was not held: the vintages after it reach one survey further back, and Insee
        # itself pairs 2021 with 2015 and 2022 with 2016.
        (2014, 2019, None),
        (2016, 2021, None),
        (2017, 2022, None),
        (2018, 2023, None),
        (2019, 2024, -25),  # 2016 to 2020, and 2022 to 2026
    ],
)
def test_change_over_five_years(project: Project, before: int, now: int, change: float | None) -> None:
    figures = [
        ("population_municipale", f"{y}-01", "93008", v)
        for y, v in [(before, 200), (now - 1, 7), (now, 150)]
    ]
    row = compared(project, figures).loc[f"{now}-01", "93008", 2024]
    assert (None if pd.isna(row["change_5y"]) else row["change_5y"]) == change
    assert pd.isna(row["change_1y"])


def test_the_age_of_a_figure(project: Project) -> None:
    found = compared(project, [(LOWER, "2020-12", "93008", 35)], latest="2022-03")
    assert found["age_months"].tolist() == [15]


COUNTS = [
    (0, 40),
    (1, 40),
    (5, 40),
    (9, 1000),
    (10, 1000),
    (11, 23456),
    (40, 40),
    (250, 1000),
    (2345, 56789),
]


def _interval(
    project: Project, indicator: str, cases: list[tuple[int, int]], scale: int
) -> pd.DataFrame:
    figures = [
        (indicator, f"{1900 + i}-12", "93008", scale * n / d, 2024, "A", n, d) for i, (n, d) in enumerate(cases)
    ]  # fmt: skip
    return compared(project, figures).sort_index()[["ci_low", "ci_high"]]


def test_wilson_intervals_are_those_of_phstatsmethods(project: Project) -> None:
    assert interval_of(project, project.indicators["taux_c2s"].indicator) == "wilson"
    found = _interval(project, "taux_c2s", COUNTS, 100)
    cases = pd.DataFrame(COUNTS, columns=["n", "d"]).assign(key=range(len(COUNTS)))
    wanted = ph_proportion(cases, "n", "d", "key", multiplier=100).sort_values("key")
    assert found["ci_low"].tolist() == pytest.approx(wanted["lower_95_ci"].tolist(), abs=1e-9)
    assert found["ci_high"].tolist() == pytest.approx(wanted["upper_95_ci"].tolist(), abs=1e-9)


def test_byar_intervals_are_those_of_phstatsmethods(project: Project) -> None:
    assert interval_of(project, project.indicators[NEUTRAL].indicator) == "byar"
    some = COUNTS[1:]
    found = _interval(project, NEUTRAL, some, 1000)
    cases = pd.DataFrame(some, columns=["n", "d"]).assign(key=range(len(some)))
    wanted = ph_rate(cases, "n", "d", "key", multiplier=1000).sort_values("key")
    # The limits of counts under ten are tabulated with nine decimals.
    assert found["ci_low"].tolist() == pytest.approx(wanted["lower_95_ci"].tolist(), abs=1e-6)
    assert found["ci_high"].tolist() == pytest.approx(wanted["upper_95_ci"].tolist(), abs=1e-6)


def test_no_event_still_has_an_interval(project: Project) -> None:
    """None among 1,000: at most 3.689 are plausible (the "rule of three" of the tables)."""
    row = _interval(project, NEUTRAL, [(0, 1000)], 1000).iloc[0]
    assert (row["ci_low"], row["ci_high"]) == (0, pytest.approx(3.689, abs=0.0005))


@pytest.mark.parametrize(
    ("indicator", "why"),
    [
        ("taux_pauvrete", "a rate as delivered has no counts"),
        ("population_municipale", "a count is not a share"),
        ("taux_emploi_15_64", "the census is a survey"),
        ("densite_generalistes", "doctors are an offer, not cases"),
        ("evolution_taux_pauvrete_5_ans", "a change"),
        ("hab_km2", "people for an area"),
    ],
)
def test_no_interval_without_meaning(project: Project, indicator: str, why: str) -> None:
    names = [n for n, e in project.indicators.items() if indicator in (n, e.indicator.unit)]
    assert names
    for name in names:
        assert interval_of(project, project.indicators[name].indicator) is None, why


def test_an_estimated_or_hidden_value_has_no_interval(project: Project) -> None:
    figures = [
        (NEUTRAL, "2020-12", "93008", 12.5, 2024, "E", 250, 20000),
        (NEUTRAL, "2021-12", "93008", None, 2024, "Q", 250, 20000),
    ]
    assert compared(project, figures)[["ci_low", "ci_high"]].isna().all(axis=None)


values = st.lists(
    st.one_of(st.none(), st.integers(0, 5)), min_size=len(COMMUNES), max_size=len(COMMUNES)
)


@settings(max_examples=15, deadline=None)
@given(before=values, now=values)
@pytest.mark.slow
def test_a_hidden_value_leaves_no_trace(
    project: Project, before: list[int | None], now: list[int | None]
) -> None:
    """Nothing beside the other values would differ if the hidden ones did not exist."""
    figures: list[tuple[Any, ...]] = [
        (LOWER, month, code, value)
        for month, row in (("2019-12", before), ("2020-12", now))
        for code, value in zip(COMMUNES, row, strict=True)
    ]
    shown = [f for f in figures if f[3] is not None]
    if shown:
        everything = compared(project, figures)
        pd.testing.assert_frame_equal(
            everything.dropna(subset="value"), compared(project, shown), check_dtype=False
        )


def test_values_that_differ_by_rounding_alone_are_ties(project: Project) -> None:
    """Nine decimals decide: 0.1 + 0.2 is 0.3, and a billionth more is more."""
    values = [0.1 + 0.2, 0.3, 0.3 + 4e-10, 0.3 + 1e-8, 0.4]
    assert values[0] != values[1]
    found = compared(project, [(LOWER, "2020-12", c, v) for c, v in zip(COMMUNES, values, strict=False)])
    assert [whole(r) for r in found["rank"]] == [1, 1, 1, 4, 5]


def test_a_merged_commune_is_compared_in_its_geography(project: Project) -> None:
    """Saint-Denis and Pierrefitte, one commune since 2025: before, its converted figure is ranked among the
    communes that the merger left as they were, and its change over five years is from it."""
    before = [("93001", 10), ("93005", 30), ("93066", 20), ("93059", 25)]
    figures = [(NEUTRAL, "2020-12", code, value) for code, value in before]
    figures += [(NEUTRAL, "2020-12", "93066", 22, 2025), (NEUTRAL, "2020-12", "93", 24)]
    figures += [
        (NEUTRAL, "2025-12", code, value, 2025)
        for code, value in (("93066", 27), ("93001", 11), ("93", 26))
    ]
    found = compared(project, figures, "2025-12")
    own, parts = found.loc["2020-12", "93066", 2025], found.loc["2020-12", "93066", 2024]
    assert (whole(own["rank"]), whole(own["ranked"])) == (2, 3)
    assert (whole(parts["rank"]), whole(parts["ranked"])) == (3, 4)
    assert whole(found.loc["2020-12", "93001", 2024]["ranked"]) == 4
    assert (own["departement_value"], own["difference"]) == (24, -2)
    later = found.loc["2025-12", "93066", 2025]
    assert (later["change_5y"], bool(later["from_converted"])) == (5, True)
    other = found.loc["2025-12", "93001", 2025]
    assert (other["change_5y"], bool(other["from_converted"])) == (1, False)
