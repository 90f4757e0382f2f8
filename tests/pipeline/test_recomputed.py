"""The comparisons of a release of real files, done again by other means: pandas and scipy on its raw columns.

Nothing is imported from the engine but the door of the release and the declarations.
"""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from odds_pipeline.reception.receipt import Receipt
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home

pytestmark = pytest.mark.slow

Release = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def release(real_release: tuple[Home, list[Receipt]]) -> Release:
    with open_release(real_release[0]) as connection:
        values = connection.execute("FROM indicator_values").df()
        sheets = connection.execute("FROM definitions").df().set_index("indicator")
        observations = connection.execute("FROM observations").df()
    return values, sheets, observations


def months(column: pd.Series) -> pd.Series:
    return column.str[:4].astype(int) * 12 + column.str[5:].astype(int)


def test_ranks(release: Release) -> None:
    values, sheets, _ = release
    communes = values[(values["level"] == "commune") & values["value"].notna()].copy()
    better = communes["indicator"].map(sheets["direction"]) == "lower_is_better"
    communes["key"] = np.where(better, communes["value"], -communes["value"]).round(9)
    groups = communes.groupby(["indicator", "month", "geography"])
    assert len(communes) > 5000
    assert (groups["key"].rank(method="min").astype(int) == communes["rank"].astype(int)).all()
    assert (groups["key"].transform("size") == communes["ranked"].astype(int)).all()
    without = values[values["value"].isna() | (values["level"] != "commune")]
    assert without["rank"].isna().all()


def wilson(row: pd.Series) -> tuple[float, float]:
    found = stats.binomtest(round(row["numerator"]), round(row["denominator"])).proportion_ci(
        method="wilson"
    )
    return found.low, found.high


def test_intervals_of_shares(release: Release) -> None:
    values, sheets, _ = release
    own = values[values["ci_low"].notna()]
    own = own[own["indicator"].map(sheets["interval"]) == "wilson"]
    own = own.sample(min(len(own), 300), random_state=1)
    assert len(own) >= 50
    limits = pd.DataFrame([wilson(row) for _, row in own.iterrows()], index=own.index)
    scale = own["value"] / (own["numerator"] / own["denominator"])
    whole = own["numerator"] > 0
    for side, column in enumerate(("ci_low", "ci_high")):
        assert np.allclose((limits[side] * scale)[whole], own[column][whole], rtol=1e-9)


@pytest.mark.parametrize(("column", "years"), [("change_1y", 1), ("change_5y", 5)])
def test_changes(release: Release, column: str, years: int) -> None:
    """None across a break, nor between census vintages that share a survey, nor across a merger."""
    values, sheets, _ = release
    now = values[(values["geography"] == 2024) & values["value"].notna()].copy()
    now["t"] = months(now["month"])
    before = now[["indicator", "territory", "level", "t", "value"]].copy()
    before["t"] += 12 * years
    both = now.merge(before, on=["indicator", "territory", "level", "t"], suffixes=("", "_then"))
    breaks = {name: json.loads(text) for name, text in sheets["breaks"].items()}
    crosses = pd.Series(
        [
            any(row.t - 12 * years < b_t(b["month"]) <= row.t for b in breaks[row.indicator])
            for row in both.itertuples()
        ],
        index=both.index,
    )
    surveyed = both["indicator"].map(sheets["years_apart"]) > 1
    year = both["month"].str[:4].astype(int)
    apart = np.where(surveyed & year.between(2019, 2023), 6, np.where(surveyed, 5, 1))
    counts = both["indicator"].map(sheets["kind"]).isin(["count", "amount"])
    base = both["value_then"].where(~counts | (both["value_then"] > 0))
    change = np.where(counts, 100 * (both["value"] - base) / base, both["value"] - both["value_then"])
    expected = pd.Series(change, index=both.index).where(~crosses & (apart <= years))
    if years == 5:
        assert expected.notna().sum() > 500
    assert (expected.isna() == both[column].isna()).all()
    known = expected.notna()
    assert np.allclose(expected[known], both[column][known].astype(float))


def b_t(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:])


def test_weighted_means(release: Release) -> None:
    """The mobility of social dwellings of the département: each commune's rate by its dwellings."""
    values, _, observations = release
    wide = observations[
        (observations["month"] == "2024-01") & (observations["level"] == "commune")
    ].pivot_table(index="territory", columns="variable", values="value")
    rate, weight = wide["drihl.taux_mobilite_social"], wide["drihl.logements_sociaux"]
    (row,) = values[
        (values["indicator"] == "taux_mobilite_social")
        & (values["level"] == "departement")
        & (values["month"] == "2024-01")
    ].itertuples()
    assert row.value == pytest.approx(float(np.average(rate, weights=weight)))
    assert row.obs_status == "E"
