"""Formulas: what is allowed, the normal form, and the arithmetic against Python's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odds_pipeline.declarations.formula import FormulaError, parse, unit_mismatch
from odds_pipeline.indicators.comparison import is_observed_over_expected

NUMBERS = st.integers(1, 10**7)


@pytest.mark.parametrize(
    ("text", "inputs", "expected"),
    [
        ("a.x", {"a.x": 12}, 12),
        ("a.x + a.y", {"a.x": 12, "a.y": 3}, 15),
        ("100 * a.x / a.y", {"a.x": 1, "a.y": 8}, 12.5),
        ("1000 * (a.x - a.y) / (a.z + a.y)", {"a.x": 7, "a.y": 2, "a.z": 8}, 500),
        ("growth(a.x, 1)", {"a.x": 110, "lag(a.x, 1)": 100}, 10),
        ("annual_growth(a.x, 2)", {"a.x": 121, "lag(a.x, 2)": 100}, 10),
        ("change(a.x, 5)", {"a.x": 7, "lag(a.x, 5)": 10}, -3),
        ("1000 * year_total(a.x) / a.y", {"year_total(a.x)": 120, "a.y": 4000}, 30),
        ("growth(year_total(a.x), 1)", {"year_total(a.x)": 3, "lag(year_total(a.x), 1)": 2}, 50),
        ("100*a.x/a.y - 100*a.z/a.w", {"a.x": 3, "a.y": 4, "a.z": 1, "a.w": 5}, 55),
        ("(a.x/a.y) / (a.z/a.w)", {"a.x": 3, "a.y": 4, "a.z": 1, "a.w": 4}, 3),
        ("pooled(a.x, 2)", {"a.x": 3, "lag(a.x, 1)": 4}, 7),
        ("twelve_month_mean(a.x)", {"twelve_months(a.x)": 30}, 2.5),
        ("annualised_growth(a.x, 6)", {"a.x": 110, "lag_months(a.x, 6)": 100}, 21),
        ("weighted_mean(a.x, a.y, a.z, a.w)", {"a.x": 2, "a.y": 1, "a.z": 5, "a.w": 2}, 4),
    ],
)
def test_value(text: str, inputs: dict[str, float], expected: float) -> None:
    assert parse(text).evaluate(inputs) == pytest.approx(expected)


@given(x=NUMBERS, y=NUMBERS, z=NUMBERS)
def test_ratio_agrees_with_python(x: int, y: int, z: int) -> None:
    value = parse("100 * (a.x + a.y) / (a.y + a.z)").evaluate({"a.x": x, "a.y": y, "a.z": z})
    assert value == pytest.approx(100 * (x + y) / (y + z))


def test_division_by_zero_is_no_value() -> None:
    assert parse("100 * a.x / a.y").evaluate({"a.x": 1, "a.y": 0}) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        "x",
        "a.x * a.y",
        "a.x + 1",
        "a.x / a.y / a.z",
        "a.x ** 2",
        "sum(a.x)",
        "lag(a.x)",
        "year_total(a.x, 2)",
        "year_total(a.x + a.y)",
        "year_total(2)",
        "lag(a.x, 0)",
        "__import__('os')",
        "a.x if a.y else a.z",
        "annual_growth(a.x, 2) + a.y",
        "a.x - a.x",
        "a.x / (a.y - a.y)",
        "0 * a.x",
        "a.x / a.y + a.z",
        "a.x / a.y / (a.z / a.w) / a.v",
        "growth(a.x / a.y, 1)",
        "percentile_rank(a.x) - a.y",
        "relative_to(departement, a.x)",
        "base_100(a.x, '2015')",
        "expected('departement', a.x)",
        "weighted_mean(a.x, a.y, a.z)",
        "lag(a.x, 'two')",
        "share_in_class('commune', a.x, a.y, 3, 2)",
        "share_in_class('commune', a.x / a.z, a.y, 2, 3)",
        "concentration('commune', a.x / a.z, a.y)",
        "concentration('commune', a.x, a.y) - a.z",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(FormulaError):
        parse(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("100 * (a.x + a.y) / a.z", "(a.y + a.x) * 100 / a.z"),
        ("100 * (a.x + a.y) / a.z", "(100 * a.x + 100 * a.y) / a.z"),
        ("a.x / a.y", "2 * a.x / (2 * a.y)"),
        ("2 * a.x", "a.x + a.x"),
        ("change(a.x, 5)", "a.x - lag(a.x, 5)"),
        ("growth(a.x, 1)", "100 * (a.x - lag(a.x, 1)) / lag(a.x, 1)"),
        ("growth(a.x, 1)", "annual_growth(a.x, 1)"),
        ("annualised_growth(a.x, 24)", "annual_growth(a.x, 2)"),
        ("change(100 * a.x / a.y, 1)", "100 * a.x / a.y - lag(100 * a.x / a.y, 1)"),
    ],
)
def test_same_computation_is_recognised_however_written(one: str, other: str) -> None:
    assert parse(one).canonical == parse(other).canonical


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.x", "lag(a.x, 1)"),
        ("a.x / a.y", "a.y / a.x"),
        ("100 * a.x / a.y", "1000 * a.x / a.y"),
        ("a.x + 2 * a.y", "2 * a.x + a.y"),
        ("annual_growth(a.x, 2)", "growth(a.x, 2)"),
        ("(a.x / a.y) / (a.z / a.w)", "(a.z / a.w) / (a.x / a.y)"),
        ("relative_to('ept', a.x / a.y)", "relative_to('departement', a.x / a.y)"),
        ("dissimilarity('commune', a.x, a.y)", "dissimilarity('iris', a.x, a.y)"),
        ("dissimilarity('commune', a.x, a.y)", "concentration('commune', a.x, a.y)"),
        ("share_in_class('iris', a.x, a.y, 0, 2)", "share_in_class('iris', a.x, a.y, 0, 3)"),
    ],
)
def test_another_computation_is_another_formula(one: str, other: str) -> None:
    assert parse(one).canonical != parse(other).canonical


UNITS = {
    "a.people": ("habitants", "count"),
    "a.euros": ("eur", "amount"),
    "a.median": ("eur_par_uc", "level"),
}


@pytest.mark.parametrize(
    ("text", "kind", "unit", "scale", "right"),
    [
        ("100 * a.people / a.people", "proportion", "pct", 100, True),
        ("a.people / a.people", "proportion", "pct", 100, False),
        ("100 * a.people / a.euros", "proportion", "pct", 100, False),
        ("100 * a.euros / a.people", "proportion", "pct", 100, False),
        ("a.euros / a.people", "ratio", "eur_par_habitant", 1, True),
        ("a.people + a.euros", "count", "habitants", 1, False),
        ("a.people", "count", "habitants", 1, True),
        ("a.people", "amount", "eur", 1, False),
        ("a.median", "level", "eur_par_uc", 1, True),
        ("2 * a.median", "level", "eur_par_uc", 1, False),
        ("growth(a.median, 5)", "ratio", "pct_evolution", 100, True),
        ("100 * a.median / lag(a.people, 5)", "ratio", "pour_100", 100, False),
        ("a.people / a.median", "ratio", "ratio", 1, False),
        ("100 * a.median / a.median", "ratio", "pct_evolution", 100, False),
        ("100 * a.people / a.people - 100 * a.people / a.people", "level", "points", 1, True),
        ("100 * a.people / a.people - 100 * a.people / a.people", "proportion", "pct", 100, False),
        ("100 * a.people / a.people - 1000 * a.people / a.people", "level", "points", 1, False),
        ("100 * a.people / a.people - 100 * a.euros / a.people", "level", "points", 1, False),
        ("a.euros / a.people - a.euros / a.people", "ratio", "eur_par_habitant", 1, True),
        ("(a.people / a.people) / (a.people / a.people)", "ratio", "ratio", 1, True),
        ("100 * (a.people / a.people) / (a.people / a.people)", "ratio", "ratio", 1, False),
        ("relative_to('departement', a.median)", "ratio", "base_100", 100, True),
        ("relative_to('departement', a.median)", "level", "eur_par_uc", 1, False),
        ("weighted_mean(a.median, a.people, a.median, a.people)", "level", "eur_par_uc", 1, True),
        ("weighted_mean(a.median, a.people, a.people, a.people)", "level", "eur_par_uc", 1, False),
        ("expected('departement', a.people / a.people)", "count", "habitants", 1, True),
        ("percentile_rank(a.median)", "level", "eur_par_uc", 1, False),
        ("percentile_rank(a.median)", "level", "rang_centile", 1, True),
        ("share_in_class('iris', a.people, a.median, 0, 2)", "proportion", "pct", 100, True),
        ("share_in_class('iris', a.people, a.median, 0, 2)", "count", "habitants", 1, False),
        ("concentration('iris', a.people, a.people)", "proportion", "pct", 100, False),
    ],
)
def test_formula_and_unit_agree(text: str, kind: str, unit: str, scale: float, right: bool) -> None:
    told = unit_mismatch(parse(text), kind, unit, scale, UNITS.__getitem__)
    assert (told is None) == right, told


@pytest.mark.parametrize("text", ["100 * a.x / a.y", "1000 * (a.x + a.z) / a.y", "a.x - a.y"])
def test_a_share_is_not_observed_over_expected(text: str) -> None:
    assert not is_observed_over_expected(parse(text))
