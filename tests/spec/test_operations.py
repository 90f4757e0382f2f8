"""Every operation of a formula, through the real statements: worked by hand, one line a case.

Figures read ``x`` (births), ``y`` (deaths, of the same file) and ``p`` (inhabitants, of another file);
``x5`` is x five years before. A figure is a number, or why there is none:

    secret      the producer hides it          -> Q, C
    n.d.        not available                  -> L
    absent      its line is not in the file    -> O
    no month    the month was never delivered  -> O
"""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odds_pipeline.declarations.formula import parse
from odds_pipeline.declarations.indicator import Indicator
from odds_pipeline.declarations.project import IndicatorEntry, Project
from odds_pipeline.indicators.compute import evaluate, gather, tables_of
from odds_pipeline.months import shifted
from odds_pipeline.storage.schema import SCHEMA

NAMES = {"x": "insee.naissances", "y": "insee.deces", "p": "insee.population_totale"}
MONTHS = {"": "2020-12", "1": "2019-12", "5": "2015-12"}
FIGURES = {"secret": (None, "Q", "C"), "n.d.": (None, "L", "F"), "absent": (None, "O", "F")}

Case = tuple[str, dict[str, Any], float | str]
"""Formula, figures by letter and years before, what comes of them."""

CASES: list[Case] = [
    # sums and differences
    ("x", {"x": 7}, 7),
    ("x", {"x": 0}, 0),
    ("x + y", {"x": 3, "y": 4}, 7),
    ("x + y", {"x": 0, "y": 4}, 4),
    ("x + y", {"x": 3, "y": "secret"}, "secret"),
    ("x + y", {"x": 3, "y": "n.d."}, "n.d."),
    ("x + y", {"x": 3, "y": "absent"}, "absent"),
    ("x + y", {"x": 3, "y": "no month"}, "absent"),
    ("x + y", {"x": "n.d.", "y": "secret"}, "secret"),  # secrecy is never told away by what is missing
    ("x - y", {"x": 3, "y": 4}, -1),
    ("x - y", {"x": 4, "y": 4}, 0),
    ("x - y", {"x": "secret", "y": 4}, "secret"),
    ("2*x + 3*y", {"x": 5, "y": 10}, 40),
    # ratios, shares of a total, rates
    ("x / y", {"x": 3, "y": 4}, 0.75),
    ("x / y", {"x": 0, "y": 4}, 0),
    ("x / y", {"x": 3, "y": 0}, "no meaning"),
    ("x / y", {"x": 0, "y": 0}, "no meaning"),
    ("x / y", {"x": 3, "y": "secret"}, "secret"),
    ("x / y", {"x": 0, "y": "n.d."}, "n.d."),  # zero of an unknown number is not zero
    ("100*x / (x + y)", {"x": 30, "y": 10}, 75),
    ("100*x / (x + y)", {"x": 0, "y": 10}, 0),
    ("100*x / (x + y)", {"x": 0, "y": 0}, "no meaning"),
    ("100*x / (x + y)", {"x": 30, "y": "secret"}, "secret"),
    ("100*(x - y) / p", {"x": 30, "y": 50, "p": 1000}, -2),
    ("x / (x - y)", {"x": 30, "y": 50}, "no meaning"),  # a share of less than nothing
    ("100*x / p", {"x": 13, "p": 1000}, 1.3),
    ("1000*x / p", {"x": 13, "p": 1000}, 13),
    ("10000*x / p", {"x": 13, "p": 1000}, 130),
    ("1000*x / p", {"x": 13, "p": "no month"}, "absent"),
    ("1000*x / p", {"x": 0, "p": 1000}, 0),
    # over years: difference, whole change, mean annual change
    ("lag(x, 5)", {"x": 1, "x5": 9}, 9),
    ("lag(x, 5)", {"x": "secret", "x5": 9}, 9),
    ("change(x, 5)", {"x": 12, "x5": 20}, -8),
    ("change(x, 5)", {"x": 0, "x5": 20}, -20),
    ("change(x, 5)", {"x": 12, "x5": 0}, 12),
    ("change(x, 5)", {"x": 12, "x5": "no month"}, "absent"),
    ("change(x, 5)", {"x": 12, "x5": "absent"}, "absent"),
    ("change(x, 5)", {"x": 12, "x5": "n.d."}, "n.d."),
    ("change(x, 5)", {"x": 12, "x5": "secret"}, "secret"),
    ("change(x, 5)", {"x": 12, "x1": 20}, "absent"),  # another year does not stand in
    ("change(x - y, 1)", {"x": 12, "y": 10, "x1": 10, "y1": 15}, 7),
    ("growth(x, 1)", {"x": 150, "x1": 200}, -25),
    ("growth(x, 5)", {"x": 150, "x5": 100}, 50),
    ("growth(x, 5)", {"x": 0, "x5": 100}, -100),
    ("growth(x, 5)", {"x": 150, "x5": 0}, "no meaning"),
    ("growth(x, 5)", {"x": 0, "x5": 0}, "no meaning"),
    ("growth(x, 5)", {"x": 150, "x5": "secret"}, "secret"),
    ("growth(x, 5)", {"x": 150, "x5": "absent"}, "absent"),
    ("growth(x - y, 1)", {"x": 12, "y": 10, "x1": 10, "y1": 11}, "no meaning"),  # from -1 to 2
    ("growth(x - y, 1)", {"x": 10, "y": 12, "x1": 14, "y1": 10}, -150),  # from 4 to -2
    ("annual_growth(x, 5)", {"x": 161051, "x5": 100000}, 10),  # 1.1 to the fifth
    ("annual_growth(x, 5)", {"x": 100000, "x5": 100000}, 0),
    ("annual_growth(x, 5)", {"x": 0, "x5": 100000}, -100),
    ("annual_growth(x, 5)", {"x": 10, "x5": 0}, "no meaning"),
    ("annual_growth(x, 5)", {"x": 10, "x5": "no month"}, "absent"),
    ("annual_growth(x, 5)", {"x": "secret", "x5": 10}, "secret"),
    ("annual_growth(x - y, 5)", {"x": 10, "y": 12, "x5": 14, "y5": 10}, "no meaning"),  # from 4 to -2
    ("annual_growth(x - y, 5)", {"x": 10, "y": 12, "x5": 10, "y5": 14}, "no meaning"),  # from -4 to -2
]
STATUSES = {"secret": ("Q", "C"), "n.d.": ("L", "F"), "absent": ("O", "F"), "no meaning": ("M", "F")}


def _named(case: Case) -> str:
    return f"{case[0]} of {case[1]}"


def _written(formula: str) -> str:
    """The formula with real variables for its letters."""
    return re.sub(r"\b[xyp]\b", lambda letter: NAMES[letter[0]], formula)


def _with(project: Project, formulas: Sequence[str]) -> Project:
    """The project with an indicator for each formula; only their formulas and levels matter here."""
    family = next(iter(project.families.values()))
    entries = {}
    for formula in formulas:
        indicator = Indicator.model_construct(
            formula=formula, levels=["commune", "ept", "departement"], driving=None, breaks=[]
        )
        entries[formula] = IndicatorEntry(formula, family, indicator, Path("case.yaml"), 1)
    return dataclasses.replace(project, indicators=entries)


def computed(project: Project, formula: str, rows: list[tuple[Any, ...]]) -> Any:
    """Rows are variable, month, territory, level, value, obs_status, conf_status."""
    return computed_together(project, [formula], rows).set_index("territory")


def computed_together(
    project: Project, formulas: Sequence[str], rows: list[tuple[Any, ...]]
) -> pd.DataFrame:
    """The same for several formulas, each the name of its indicator."""
    changed = _with(project, formulas)
    with duckdb.connect() as connection:
        connection.execute(SCHEMA)
        for variable, month, territory, level, value, status, conf in rows:
            feed = project.variables[variable][0].id
            connection.execute(
                "INSERT INTO observations VALUES (?, ?, ?, ?, 2024, ?, ?, ?, NULL, ?, 1, 1, 1, NULL, NULL)",
                [variable, month, territory, level, value, status, conf, feed],
            )
            connection.execute(
                "INSERT OR IGNORE INTO delivered_months VALUES (?, ?, ?, 'accepted', 1, NULL)",
                [feed, feed, month],
            )
        connection.execute(
            "INSERT INTO verdicts SELECT delivery, month, 'r', 'critical', true, 'm', 'x', 0, '[]' FROM delivered_months"
        )
        tables, span = tables_of(changed, list(changed.indicators)), ("2020-12", "2020-12")
        gather(connection, project, tables, span)
        evaluate(connection, span)
        return connection.execute("FROM computed WHERE geography = 2024").df()


@pytest.fixture(scope="module")
def rows_of_cases(project: Project) -> dict[str, Any]:
    """What each case ends in. Those with figures of the same months are computed at once, each in a
    commune of its own."""
    alike: dict[frozenset[str], list[Case]] = {}
    for case in CASES:
        months = frozenset(name for name, figure in case[1].items() if figure != "no month")
        alike.setdefault(months, []).append(case)
    codes = [commune.code for commune in project.territories.communes(2024)]
    found = {}
    for cases in alike.values():
        rows = [
            (NAMES[name[0]], MONTHS[name[1:]], code, "commune", *FIGURES.get(figure, (figure, "A", "F")))
            for code, (_, figures, _) in zip(codes, cases, strict=False)
            for name, figure in figures.items()
            if figure != "no month"
        ]
        formulas = list(dict.fromkeys(_written(formula) for formula, _, _ in cases))
        together = computed_together(project, formulas, rows).set_index(["indicator", "territory"])
        for code, case in zip(codes[: len(cases)], cases, strict=True):
            found[_named(case)] = together.loc[(_written(case[0]), code)]
    return found


@pytest.mark.parametrize("case", CASES, ids=[_named(case) for case in CASES])
def test_operation(rows_of_cases: dict[str, Any], case: Case) -> None:
    row, expected = rows_of_cases[_named(case)], case[2]
    if isinstance(expected, str):
        assert (row["obs_status"], row["conf_status"]) == STATUSES[expected]
        assert row["value"] != row["value"]
    else:
        assert (row["obs_status"], row["conf_status"]) == ("A", "F")
        assert row["value"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("formula", "figures", "expected"),
    [c for c in CASES if not any(isinstance(f, str) for f in c[1].values()) and c[2] != "absent"],
)
def test_a_worked_example_is_checked_by_the_same_arithmetic(
    formula: str, figures: dict[str, float], expected: float | str
) -> None:
    """The loader's own evaluation of a formula says what the statements say."""
    inputs = {
        f"lag({NAMES[n[0]]}, {n[1:]})" if n[1:] else NAMES[n[0]]: float(value) for n, value in figures.items()
    }  # fmt: skip
    value = parse(_written(formula)).evaluate(inputs)
    assert value == (None if isinstance(expected, str) else pytest.approx(expected))


SHAPES = [c[0] for c in CASES]


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(shape=st.sampled_from(SHAPES), data=st.data())
def test_both_arithmetics_agree(project: Project, shape: str, data: st.DataObject) -> None:
    formula = parse(_written(shape))
    inputs = {t.key: float(data.draw(st.integers(0, 9999), label=t.key)) for t in formula.terms}
    lags = {t.key: t for t in formula.terms}
    rows = [
        (lags[key].variable, shifted("2020-12", -lags[key].lag), "93008", "commune", value, "A", "F")
        for key, value in inputs.items()
    ]
    if not any(t.variable == formula.numerator[0].variable and not t.lag for t in formula.terms):
        rows.append((formula.numerator[0].variable, "2020-12", "93008", "commune", 1, "A", "F"))
    value = computed(project, formula.text, rows).loc["93008"]["value"]
    expected = formula.evaluate(inputs)
    assert (None if value != value else value) == (None if expected is None else pytest.approx(expected))


EST = "200057875"
EST_COMMUNES = ["93006", "93008", "93010", "93045", "93048", "93053", "93055", "93061", "93063"]
RATE, WEIGHT, MEDIAN = (
    "insee.taux_pauvrete",
    "insee.personnes_menages_fiscaux",
    "insee.niveau_vie_median",
)


def _est(variable: str, values: list[float | None]) -> list[tuple[Any, ...]]:
    return [
        (variable, "2020-12", code, "commune", value, *(("A", "F") if value is not None else ("Q", "C")))
        for code, value in zip(EST_COMMUNES, values, strict=True)
    ]


# A mean of rates that their producer rounded is an estimate.
@pytest.mark.parametrize(
    ("rates", "weights", "value", "status"),
    [
        ([10] * 8 + [40], [100] * 8 + [400], 20, "E"),  # (8 x 1,000 + 16,000) / 1,200
        ([10] * 8 + [0], [100] * 9, 80 / 9, "E"),  # zero counts
        ([10] * 8 + [40], [100] * 8 + [0], 10, "E"),  # nobody weighs nothing
        ([10] * 8 + [None], [100] * 9, None, "Q"),  # a secret part makes a secret mean
        ([10] * 9, [100] * 8 + [None], None, "Q"),
    ],
)
def test_weighted_mean(
    project: Project, rates: list[Any], weights: list[Any], value: float | None, status: str
) -> None:
    row = computed(project, RATE, _est(RATE, rates) + _est(WEIGHT, weights)).loc[EST]
    assert (None if row["value"] != row["value"] else row["value"]) == (value and pytest.approx(value))
    assert row["obs_status"] == status


def test_a_median_is_taken_as_delivered(project: Project) -> None:
    """Nine medians make no median of the whole; one delivered for it is kept."""
    parts = _est(MEDIAN, [20000] * 9)
    assert EST not in computed(project, MEDIAN, parts).index
    delivered = (MEDIAN, "2020-12", EST, "ept", 21000, "A", "F")
    assert computed(project, MEDIAN, [*parts, delivered]).loc[EST]["value"] == 21000


FLOW = "prefecture.expulsions_effectives"


def _year(figures: list[Any], code: str = "93008") -> list[tuple[Any, ...]]:
    """One figure a month of 2020, ``no month`` left out."""
    return [
        (FLOW, f"2020-{month:02d}", code, "commune", *FIGURES.get(figure, (figure, "A", "F")))
        for month, figure in enumerate(figures, start=1)
        if figure != "no month"
    ]


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 78),
        ([0] * 12, 0),
        ([5] * 11 + ["n.d."], "n.d."),
        ([5, "absent"] + [5] * 10, "absent"),
        ([5, "no month"] + [5] * 10, "absent"),  # eleven rows are no year, whatever month lacks
        ([5, "secret"] + [5] * 10, "secret"),
        (["no month", "secret"] + [5] * 10, "secret"),
    ],
)
def test_a_total_of_a_year_is_of_twelve_calendar_months(
    project: Project, figures: list[Any], expected: float | str
) -> None:
    row = computed(project, f"year_total({FLOW})", _year(figures)).loc["93008"]
    assert row["month"] == "2020-12"
    if isinstance(expected, str):
        assert (row["obs_status"], row["conf_status"]) == STATUSES[expected]
        assert row["value"] != row["value"]
    else:
        assert (row["value"], row["obs_status"], row["conf_status"]) == (expected, "A", "F")


def test_a_year_that_has_not_ended_has_no_total(project: Project) -> None:
    assert computed(project, f"year_total({FLOW})", _year([5] * 11 + ["no month"])).empty


def test_a_total_of_a_year_over_inhabitants(project: Project) -> None:
    """Twelve evictions a month among 10,000 inhabitants are 14.4 for a thousand in the year; an EPT's
    total is the sum of its communes'."""
    rows = [row for code in EST_COMMUNES for row in _year([12] * 12, code)]
    rows += [(NAMES["p"], "2020-12", code, "commune", 10000, "A", "F") for code in EST_COMMUNES]
    found = computed(project, f"1000 * year_total({FLOW}) / {NAMES['p']}", rows)
    assert found.loc["93008", "value"] == pytest.approx(14.4)
    assert found.loc[EST, "numerator"] == 9 * 144 and found.loc[EST, "value"] == pytest.approx(14.4)
    assert set(found["month"]) == {"2020-12"}
