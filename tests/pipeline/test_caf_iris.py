"""The CAF's own files by IRIS: their blanks are as well kept after our sums as before."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog

from odds_pipeline.declarations.project import Project
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home
from tests.judged import received_and_judged

YEARS = (2016, 2017, 2018, 2019)
BANDS = ["ENF_2", "ENF_3_5", "ENF_6_10", "ENF_11_14", "ENF_15_17", "ENF_18_24"]


@pytest.fixture(scope="module")
def home(project: Project, realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = Home(tmp_path_factory.mktemp("iris"))
    received_and_judged(project, made, sorted((realdata / "caf").glob("*IRIS*.csv")))
    publish(project, made)
    return made


def iris(realdata: Path, year: int) -> list[dict[str, str]]:
    path = realdata / "caf" / f"data_CAF_{year}_IRIS_93.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def number(text: str | None) -> float | None:
    digits = (text or "").replace("\u202f", "").replace(" ", "").replace(",", ".")
    return float(digits) if digits else None


@pytest.mark.parametrize("year", YEARS)
def test_a_commune_says_no_more_than_its_iris(
    project: Project, home: Home, realdata: Path, year: int
) -> None:
    """Where one IRIS is blank the commune is hidden, with the sum of the others as its bound."""
    feed = project.feeds["caf/iris"].feed
    rows = iris(realdata, year)
    with open_release(home, access="public") as release:
        published = {
            (territory, variable): (value, hidden_by, bound)
            for territory, variable, value, hidden_by, bound in release.execute(
                "SELECT territory, split_part(variable, '.', 2), value, hidden_by, lower_bound "
                "FROM observations WHERE month = ? AND level = 'commune'",
                [f"{year}-12"],
            ).fetchall()
        }
    hidden = 0
    for (commune, variable), (value, hidden_by, bound) in published.items():
        column = feed.columns[variable].names[0]
        cells = [number(row[column]) for row in rows if row["CODGEO"][:5] == commune]
        visible = sum(cell for cell in cells if cell is not None)
        if None in cells:
            hidden += 1
            assert (value, hidden_by) == (None, "producteur")
            assert bound is None or bound == pytest.approx(visible)
        else:
            assert (value, hidden_by) == (pytest.approx(visible), None)
    assert hidden > 100


def test_no_sum_over_a_hidden_commune_is_published(home: Home) -> None:
    with open_release(home) as release:
        rows = release.execute(
            "SELECT count(value) FROM indicator_values v JOIN definitions d USING (indicator) "
            "WHERE d.formula LIKE '%_iris%' AND v.level NOT IN ('commune', 'iris')"
        ).fetchone()
        audit = release.execute(
            "SELECT sum(tried), sum(recoverable), sum(told_before) FROM audit WHERE partner = 'caf'"
        ).fetchone()
    assert rows == (0,)
    assert audit is not None
    assert audit[0] > 1000
    assert audit[1:] == (0, 0)


def test_blank_iris_are_no_closer_known_with_our_release_than_without(
    home: Home, realdata: Path
) -> None:
    """Children by age: what an attacker derives of each blank of 2019, with and without our communes."""
    rows = iris(realdata, 2019)
    columns = ["ENF", *BANDS]
    cells = {(r["CODGEO"], c): number(r[c]) for r in rows for c in columns}
    blanks = [key for key, value in cells.items() if value is None]
    place = {key: i for i, key in enumerate(blanks)}
    assert len(blanks) > 50
    with open_release(home) as release:
        names = dict(zip(columns, ["enfants_iris", *(b.lower().replace("enf", "enfants") + "_iris" for b in BANDS)], strict=True))  # fmt: skip
        names["ENF_2"] = "enfants_0_2_iris"
        sums = {
            (territory, variable): (value, bound)
            for territory, variable, value, bound in release.execute(
                "SELECT territory, split_part(variable, '.', 2), value, lower_bound FROM observations "
                "WHERE month = '2019-12'"
            ).fetchall()
        }
    equal: list[tuple[dict[int, float], float]] = []
    for r in rows:
        terms: dict[int, float] = {}
        constant = 0.0
        for sign, column in ((1.0, "ENF"), *((-1.0, band) for band in BANDS)):
            value = cells[r["CODGEO"], column]
            if value is None:
                terms[place[r["CODGEO"], column]] = sign
            else:
                constant += sign * value
        if terms:
            equal.append((terms, -constant))
    ours: list[tuple[dict[int, float], float]] = []
    bounds: list[tuple[dict[int, float], float]] = []
    for commune in {r["CODGEO"][:5] for r in rows}:
        for column in columns:
            own = [key for key in cells if key[0][:5] == commune and key[1] == column]
            terms = {place[key]: 1.0 for key in own if cells[key] is None}
            visible = sum(cells[key] or 0 for key in own)
            value, bound = sums[commune, names[column]]
            if terms and value is not None:
                ours.append((terms, value - visible))
            if terms and bound is not None:
                bounds.append((terms, bound - visible))

    def matrix(kept: list[tuple[dict[int, float], float]]) -> sparse.csr_array:
        found = sparse.lil_array((len(kept), len(blanks)))
        for i, (terms, _) in enumerate(kept):
            for cell, sign in terms.items():
                found[i, cell] = sign
        return found.tocsr()

    def ends(with_ours: bool, cell: int) -> list[float]:
        kept = equal + (ours if with_ours else [])
        least = bounds if with_ours else []
        cost = np.zeros(len(blanks))
        cost[cell] = 1
        results = []
        for sign in (1, -1):
            found = linprog(
                sign * cost,
                A_eq=matrix(kept) if kept else None,
                b_eq=[constant for _, constant in kept] if kept else None,
                A_ub=-matrix(least) if least else None,
                b_ub=[-constant for _, constant in least] if least else None,
                bounds=(0, None),
            )
            results.append(np.inf if found.status == 3 else sign * found.fun)
        return results

    for cell in range(0, len(blanks), 7):
        alone, together = ends(False, cell), ends(True, cell)
        assert together == pytest.approx(alone)
        assert together[1] - together[0] > 4
