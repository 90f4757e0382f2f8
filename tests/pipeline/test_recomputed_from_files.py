"""What a release says beside its values, computed again from its files and the raw deliveries.

Nothing here is the engine's: pandas, numpy and scipy read a release's tables and the partners' files as
any reader could. The engine is called once, to make the release.
"""

import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, chi2, rankdata

from odds_pipeline.declarations.project import Project
from odds_pipeline.demo.deliveries import write_deliveries
from odds_pipeline.release.publish import publish
from odds_pipeline.storage.home import Home
from tests.judged import received_and_judged

pytestmark = pytest.mark.slow

FILES = {
    "caf/allocataires": "caf_allocataires",
    "caf/rsa": "caf_rsa",
    "insee/populations_legales": "donnees_communes",
    "insee/filosofi": "cc_filosofi",
    "insee/etat_civil": "base_etat_civil",
    "prefecture/expulsions": "prefecture_expulsions",
}
Z = 1.959963984540054  # the normal deviate of 97.5 %


@pytest.fixture(scope="module")
def home(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Thirteen months of a few partners, simulated, published."""
    home = Home(tmp_path_factory.mktemp("recomputed"))
    write_deliveries(project, home.landing, "2023-12", "2024-12", faults=False, feeds=FILES)
    chosen = [p for p in sorted(home.landing.iterdir()) if p.name.startswith(tuple(FILES.values()))]
    received_and_judged(project, home, chosen)
    publish(project, home)
    return home


def table(home: Home, name: str) -> pd.DataFrame:
    with duckdb.connect(str(home.releases / "0001" / "partenaires.duckdb"), read_only=True) as release:
        return release.execute(f"FROM {name}").df()


@pytest.fixture(scope="module")
def values(home: Home) -> pd.DataFrame:
    """Every value with its sheet; ``t`` counts months."""
    sheets = table(home, "definitions")
    sheets["adds_up"] = sheets["kind"].isin(["count", "amount"]) | (
        sheets["change_unit"] == "pct_evolution"
    )
    wanted = ["indicator", "direction", "adds_up", "breaks", "years_apart", "interval", "kind"]
    found = table(home, "indicator_values").merge(sheets[wanted], on="indicator")
    return found.assign(t=index(found["month"]))


def index(months: pd.Series) -> pd.Series:
    return months.str[:4].astype("Int64") * 12 + months.str[5:].astype("Int64")


def close(found: pd.Series, expected: pd.Series, tolerance: float = 1e-9) -> None:
    """Absent in the same places, and equal elsewhere."""
    assert (found.isna() == expected.isna()).all(), found[found.isna() != expected.isna()].head()
    both = found.notna()
    gap = (found[both].astype(float) - expected[both].astype(float)).abs()
    assert (gap <= tolerance * expected[both].abs().clip(lower=1)).all(), gap.max()


def test_ranks(values: pd.DataFrame) -> None:
    """Ties share the best of their ranks; values are told apart to nine decimals."""
    own = values[(values["level"] == "commune") & values["value"].notna()].copy()
    assert len(own) > 3000
    worst_first = np.where(own["direction"] == "lower_is_better", 1, -1)
    own["key"] = worst_first * own["value"].round(9)
    groups = own.groupby(["indicator", "month", "geography"])["key"]
    own["expected"] = groups.transform(lambda key: rankdata(key, method="min"))
    own["of"] = groups.transform("size")
    assert (own["rank"] == own["expected"]).all() and (own["ranked"] == own["of"]).all()
    assert own.groupby(["indicator", "month", "geography", "rank"]).size().max() > 1  # there are ties
    several = own[own["of"] >= 8]
    assert (
        several["quartile"] == np.ceil(4 * (several["rank"] - 0.999) / several["of"]).clip(upper=4)
    ).all()
    assert own.loc[own["of"] < 8, "quartile"].isna().all()
    others = values[(values["level"] != "commune") | values["value"].isna()]
    assert others[["rank", "quartile"]].isna().all().all()


@pytest.mark.parametrize(("column", "years"), [("change_1y", 1), ("change_5y", 5)])
def test_changes(values: pd.DataFrame, column: str, years: int) -> None:
    """Since the same month some years before: in per cent for what adds up, else in the unit; none across a
    break, from zero or less, nor closer than surveys allow."""
    own = values[values["years_apart"] == 1]
    keys = ["indicator", "territory", "t"]
    before = own[own["value"].notna()].assign(t=own["t"] + 12 * years)
    found = own.merge(before[[*keys, "value"]], on=keys, how="left", suffixes=("", "_before"))
    breaks = {
        text: index(pd.Series([b["month"] for b in json.loads(text)], dtype="string")).tolist()
        for text in found["breaks"].unique()
    }
    crossed = pd.Series(
        [
            any(t - 12 * years < b <= t for b in breaks[text])
            for t, text in zip(found["t"], found["breaks"], strict=True)
        ]
    )
    gap = found["value"] - found["value_before"]
    share = (100 * gap / found["value_before"]).where(found["value_before"] > 0)
    close(found[column], gap.where(~found["adds_up"], share).mask(crossed))
    if years == 1:
        assert found[column].notna().sum() > 300


def test_differences_and_ages(values: pd.DataFrame) -> None:
    of = values.loc[values["territory"] == "93", ["indicator", "month", "value"]]
    found = values.merge(of.rename(columns={"value": "whole"}), on=["indicator", "month"], how="left")
    below = found["level"].isin(["commune", "ept", "arrondissement"])
    close(found["departement_value"], found["whole"].where(below))
    close(found["difference"], (found["value"] - found["departement_value"]).mask(found["adds_up"]))
    latest = values["t"].max()
    close(found["age_months"], (latest - index(found["oldest_input"])).astype("Float64"))


def test_intervals(values: pd.DataFrame) -> None:
    """Wilson as scipy has it; Byar from ten events on, the exact Poisson limits under."""
    own = values[values["interval"].notna() & values["value"].notna()]
    with_one = own[own["ci_low"].notna()]
    assert (own[own["ci_low"].isna()]["obs_status"] == "E").all()
    positive = with_one[with_one["numerator"] > 0].copy()
    positive["scale"] = (positive["value"] * positive["denominator"] / positive["numerator"]).round(6)
    shares = positive[positive["interval"] == "wilson"]
    rates = positive[positive["interval"] == "byar"]
    assert len(shares) > 300 and len(rates) > 100
    for row in shares.sample(300, random_state=0).itertuples():
        limits = binomtest(round(row.numerator), round(row.denominator)).proportion_ci(method="wilson")
        assert (row.ci_low, row.ci_high) == pytest.approx(
            (row.scale * limits.low, row.scale * limits.high)
        )
    n = rates["numerator"]
    low = n * (1 - 1 / (9 * n) - Z / (3 * np.sqrt(n))) ** 3
    high = (n + 1) * (1 - 1 / (9 * (n + 1)) + Z / (3 * np.sqrt(n + 1))) ** 3
    few = n < 10
    low, high = low.mask(few, chi2.ppf(0.025, 2 * n) / 2), high.mask(few, chi2.ppf(0.975, 2 * n + 2) / 2)
    close(rates["ci_low"], rates["scale"] * low / rates["denominator"], 1e-7)
    close(rates["ci_high"], rates["scale"] * high / rates["denominator"], 1e-7)


def raw(path: Path, *columns: str) -> pd.DataFrame:
    """A partner's file by commune, whose thousands may be parted by a space of any width."""
    frame = pd.read_csv(path, sep=";", dtype=str)
    frame = frame.set_index(frame.columns[0])[list(columns)]
    plain = frame.replace({r"\s": "", ",": "."}, regex=True)
    numbers: pd.DataFrame = plain.apply(pd.to_numeric, errors="coerce")
    return numbers


def parts(home: Home, year: int) -> pd.Series:
    """The EPT of each commune."""
    own = table(home, "territories")
    own = own[(own["level"] == "commune") & (own["geography"] == year)]
    return own.set_index("territory")["ept"]


def test_a_ratio_of_a_whole_is_that_of_the_sums(home: Home, values: pd.DataFrame) -> None:
    file = raw(home.landing / "caf_allocataires_2024-12.csv", "ALL", "ALL_MONO")
    sums = file.groupby(parts(home, 2024)).sum()
    sums.loc["93"] = file.sum()
    own = values[(values["indicator"] == "part_foyers_monoparents") & (values["month"] == "2024-12")]
    wholes = own[own["level"].isin(["ept", "departement"])].set_index("territory")["value"].dropna()
    assert len(wholes) >= 4 and "93" in wholes
    expected = 100 * sums["ALL_MONO"] / sums["ALL"]
    assert wholes.to_dict() == pytest.approx(expected.loc[wholes.index].to_dict())
    wrong = (
        (100 * file["ALL_MONO"] / file["ALL"]).groupby(parts(home, 2024)).mean()
    )  # a mean of ratios is another
    assert wholes.drop("93").to_dict() != pytest.approx(wrong.loc[wholes.drop("93").index].to_dict())


def test_a_mean_of_rates_is_weighted_by_persons(home: Home, values: pd.DataFrame) -> None:
    file = raw(home.landing / "cc_filosofi_2023_COM.csv", "NBPERS23", "TP6023")
    poor = (file["TP6023"] * file["NBPERS23"]).groupby(parts(home, 2024)).sum(min_count=1)
    complete = file.notna().all(axis=1).groupby(parts(home, 2024)).all()
    expected = (poor / file["NBPERS23"].groupby(parts(home, 2024)).sum())[complete]
    own = values[(values["indicator"] == "taux_pauvrete") & (values["month"] == "2023-12")]
    found = own[own["level"] == "ept"].set_index("territory")
    known = found["value"].dropna()
    assert len(known) >= 3 and set(known.index) <= set(expected.index)
    assert known.to_dict() == pytest.approx(expected.loc[known.index].to_dict())
    assert (found.loc[known.index, "obs_status"] == "E").all()


def test_a_total_of_a_year_is_of_its_twelve_files(home: Home, values: pd.DataFrame) -> None:
    totals = table(home, "inputs").query(
        "of_year and role == 'numerator' and variable.str.startswith('prefecture')"
    )
    if totals.empty:
        pytest.skip("no indicator of the préfecture reads a year's total")
    own = values[values["indicator"].isin(totals["indicator"]) & values["value"].notna()]
    assert set(own["month"].str[5:]) <= {"12"}
    assert (own["numerator"] == own["numerator"].round()).all()
