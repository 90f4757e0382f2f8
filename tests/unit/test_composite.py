"""The steps of a composite index against figures that COINr's documentation publishes.

COINr's ASEM input data cannot be had as a package; its published scores of eight pillars are typed here as
facts, and the sub-indices and index above them must follow.
"""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from odds_pipeline.publications.studies.composite import (
    aggregate,
    composite,
    cronbach_alpha,
    has_outliers,
    impute,
    normalise,
    ranks,
    screen,
    treat,
)
from odds_pipeline.publications.studies.sensitivity import (
    FACTORS,
    mean_rank_change,
    sensitivity,
    without,
)

pytestmark = pytest.mark.slow

# COINr, vignette "Presenting results": get_results(coin, dset = "Aggregated", tab_type = "Aggs").
PILLARS = ["Physical", "ConEcFin", "Political", "Instit", "P2P", "Environ", "Social", "SusEcFin"]
ASEM = {
    "CHE": (68.38, 62.79, 73.98, [63.41, 32.87, 74.78, 85.94, 56.93, 77.21, 87.85, 56.88]),
    "NLD": (64.82, 61.94, 67.70, [64.87, 46.62, 84.55, 71.74, 41.92, 58.73, 86.58, 57.78]),
    "DNK": (64.80, 57.10, 72.51, [50.52, 30.43, 78.13, 75.35, 51.04, 69.83, 86.40, 61.29]),
    "NOR": (64.47, 57.44, 71.50, [58.18, 25.70, 80.03, 89.46, 33.80, 70.90, 87.00, 56.59]),
    "BEL": (63.54, 63.99, 63.09, [71.97, 48.22, 80.84, 75.60, 43.32, 53.01, 86.17, 50.09]),
    "SWE": (63.00, 53.87, 72.12, [51.51, 23.87, 80.98, 74.51, 38.50, 66.37, 87.74, 62.27]),
}


def test_asem_pillars_aggregate_to_the_published_sub_indices_and_index() -> None:
    scores = pd.DataFrame({code: row[3] for code, row in ASEM.items()}, index=PILLARS).T
    dimensions = {"Conn": dict.fromkeys(PILLARS[:5], 1.0), "Sust": dict.fromkeys(PILLARS[5:], 1.0)}
    result = composite(scores, dimensions, {"Conn": 1, "Sust": 1})
    for code, (index, conn, sust, _) in ASEM.items():
        assert result.loc[code].tolist() == pytest.approx([conn, sust, index], abs=0.011)
    assert ranks(result["index"]).to_dict() == {c: i + 1 for i, c in enumerate(ASEM)}


def test_outliers_as_coinr_documents_them() -> None:
    # COINr, vignette "Outlier treatment": skew 3.063241, kurt 9.741391; one point winsorised gives
    # 1.712038 and 1.815781.
    x = pd.Series([*range(1, 11), 30, 100], dtype=float)
    assert (x.skew(), x.kurt()) == pytest.approx((3.063241, 9.741391), abs=1e-6)
    treated, how = treat(x)
    assert treated.tolist() == [*range(1, 11), 30, 30]
    assert (treated.skew(), treated.kurt()) == pytest.approx((1.712038, 1.815781), abs=1e-6)
    assert how == "winsorisation de 1 valeur"


def test_a_low_outlier_is_winsorised_at_its_own_end() -> None:
    treated, _ = treat(pd.Series([*range(1, 11), -100], dtype=float))
    assert treated.tolist() == [*range(1, 11), 1]


def test_logarithm_when_five_points_are_not_enough() -> None:
    x = pd.Series([*range(1, 101), *range(1000, 1800, 100)], dtype=float)
    treated, how = treat(x)
    assert how == "logarithme"
    low, high = 1.0, 1700.0
    assert treated.iloc[0] == pytest.approx(np.log(0.01 * (high - low)))
    assert treated.is_monotonic_increasing
    turned, how = treat(-x)
    assert how == "logarithme" and turned.tolist() == pytest.approx((-treated).tolist())


def test_a_column_without_outliers_is_left_alone() -> None:
    x = pd.Series([1.0, 2, 3, 4, 10])
    assert not has_outliers(x)
    assert treat(x)[0].equals(x)


def test_imputation_takes_the_group_then_the_whole() -> None:
    data = pd.DataFrame({"a": [1.0, 3, np.nan, 8], "b": [np.nan, np.nan, 4, 6]}, index=list("wxyz"))
    filled = impute(data, {"w": "A", "x": "A", "y": "A", "z": "B"})
    assert filled["a"].tolist() == [1, 3, 2, 8]
    assert filled["b"].tolist() == [4, 4, 4, 6]
    assert impute(pd.DataFrame({"b": [np.nan, 6.0]}, index=["w", "z"]), {"w": "A", "z": "B"})[
        "b"
    ].tolist() == [6, 6]


def test_screening_keeps_who_has_enough() -> None:
    data = pd.DataFrame({"a": [1.0, np.nan], "b": [1.0, 2.0], "c": [np.nan, np.nan]}, index=["x", "y"])
    assert list(screen(data, 0.6).index) == ["x"]


def test_aggregates_by_hand() -> None:
    # (3·20 + 1·80) / 4 = 35; 20^(3/4) · 80^(1/4) = 28.2843
    scores = pd.DataFrame({"a": [20.0], "b": [80.0]})
    weights = pd.Series({"a": 3.0, "b": 1.0})
    assert aggregate(scores, weights).tolist() == [35]
    assert aggregate(scores, weights, "geometric").tolist() == pytest.approx([28.2843], abs=1e-4)
    with pytest.raises(ValueError, match="unknown"):
        aggregate(pd.DataFrame({"a": [np.nan], "b": [1.0]}), weights)


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=40, unique=True))
@example([1.2e-279, 2.3e-311, 0.0])  # values that differ, whose standard deviation is 0 all the same
def test_normalised_scores_keep_the_order(values: list[float]) -> None:
    data = pd.DataFrame({"a": values})
    for method in ("minmax", "zscore", "rank"):
        scores = normalise(data, method)["a"]  # type: ignore[arg-type]
        assert (scores.diff().dropna() * data["a"].diff().dropna() >= 0).all()
    assert normalise(data)["a"].min() == 0 and normalise(data)["a"].max() == pytest.approx(100)


def test_alpha_by_hand() -> None:
    """Variances 5/3 and 5/3, of their sum 16/3: 2 (1 - 10/16). With x twice, 15/3 and 37/3."""
    two = pd.DataFrame({"x": [1.0, 2, 3, 4], "y": [2.0, 1, 4, 3]})
    assert cronbach_alpha(two) == pytest.approx(0.75)
    assert cronbach_alpha(two.assign(z=two["x"])) == pytest.approx(1.5 * (1 - 15 / 37))
    assert math.isnan(cronbach_alpha(two[["x"]]))


def test_equal_ranks_share_the_best() -> None:
    assert ranks(pd.Series([5.0, 7, 7, 1])).tolist() == [3, 1, 1, 4]


def test_removing_one_changes_ranks_as_counted_by_hand() -> None:
    # With both: x 50, y 50, z 30 → ranks 1 1 3. Without b: x 100, y 0, z 60 → 1 3 2; mean change (0+2+1)/3.
    scores = pd.DataFrame({"a": [100.0, 0, 60], "b": [0.0, 100, 0]}, index=list("xyz"))
    both = {"A": {"a": 1.0}, "B": {"b": 1.0}}
    before = ranks(composite(scores, both, {"A": 1, "B": 1})["index"])
    after = ranks(composite(scores, without(both, "b"), {"A": 1})["index"])
    assert before.tolist() == [1, 1, 3]
    assert mean_rank_change(before, after) == pytest.approx(1)
    found = sensitivity(scores, both, {"A": 1, "B": 1})
    assert found.removed["B"] == found.removed["b"] == pytest.approx(1)


def test_a_dominant_territory_is_first_whatever_the_choices() -> None:
    data = pd.DataFrame(
        {"a": [9.0, 1, 2, 3], "b": [9.0, 3, 2, 1], "c": [9.0, 2, 3, 1]}, index=list("wxyz")
    )
    found = sensitivity(data, {"A": {"a": 1.0, "b": 1.0}, "C": {"c": 1.0}}, {"A": 1, "C": 1})
    assert found.intervals.loc["w"].tolist() == [1, 1, 1]
    assert set(found.effects) == set(FACTORS)
    assert 0 < sum(found.effects.values()) <= 1.000001
    assert found.runs == 3 * 2 * 4 * 30


def test_sensitivity_is_reproducible() -> None:
    data = pd.DataFrame(np.random.default_rng(1).random((12, 4)), columns=list("abcd"))
    dimensions = {"A": {"a": 1.0, "b": 1.0}, "C": {"c": 1.0, "d": 1.0}}
    one, two = (sensitivity(data, dimensions, {"A": 1, "C": 1}) for _ in range(2))
    assert one.intervals.equals(two.intervals) and one.effects == two.effects
