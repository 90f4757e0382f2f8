"""Principal components, Ward tree and v-tests against FactoMineR and brute force."""

import numpy as np
import pandas as pd
import pytest
from factominer import catdes
from factominer.datasets import load_decathlon

from odds_pipeline.publications.studies.typology import (
    consolidate,
    principal_components,
    stability,
    typology,
    v_tests,
    ward_classes,
    within_inertia,
)

pytestmark = pytest.mark.slow

# R: PCA(decathlon[, 1:10])$eig[, 1], as FactoMineR's authors publish them.
EIGENVALUES = [3.2719, 1.7371, 1.4049, 1.0569, 0.6848, 0.5993, 0.4512, 0.3969, 0.2148, 0.1822]


@pytest.fixture(scope="module")
def decathlon() -> pd.DataFrame:
    return load_decathlon().iloc[:, :10].astype(float)


def blobs(kinds: int = 3, size: int = 12) -> pd.DataFrame:
    random = np.random.default_rng(7)
    centres = random.normal(0, 10, (kinds, 4))
    rows = np.vstack([centre + random.normal(0, 1, (size, 4)) for centre in centres])
    return pd.DataFrame(rows, columns=list("abcd"), index=[f"t{i}" for i in range(len(rows))])


def test_eigenvalues_of_the_decathlon(decathlon: pd.DataFrame) -> None:
    components = principal_components(decathlon)
    assert components.eigenvalues.tolist() == pytest.approx(EIGENVALUES, abs=5e-5)
    # Variance of the coordinates on an axis is its eigenvalue; a correlation is one.
    assert components.coordinates.var(ddof=0).tolist() == pytest.approx(EIGENVALUES, abs=5e-5)
    axis = np.corrcoef(decathlon["100m"], components.coordinates["axe 1"])[0, 1]
    assert components.correlations.loc["100m", "axe 1"] == pytest.approx(axis)


def ward_by_definition(points: np.ndarray, wanted: int) -> list[set[int]]:
    """Merge, again and again, the two classes whose union adds least to the inertia within."""
    classes = [{i} for i in range(len(points))]

    def inertia(members: set[int]) -> float:
        inside = points[sorted(members)]
        return float(((inside - inside.mean(axis=0)) ** 2).sum())

    while len(classes) > wanted:
        pairs = [(a, b) for a in range(len(classes)) for b in range(a)]
        a, b = min(
            pairs,
            key=lambda p: (
                inertia(classes[p[0]] | classes[p[1]]) - inertia(classes[p[0]]) - inertia(classes[p[1]])
            ),
        )
        classes = [c for i, c in enumerate(classes) if i not in (a, b)] + [classes[a] | classes[b]]
    return classes


@pytest.mark.parametrize("wanted", [2, 3, 4, 6])
def test_ward_tree_against_its_definition(
    decathlon: pd.DataFrame, wanted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "odds_pipeline.publications.studies.typology.consolidate", lambda points, labels: labels
    )
    points = principal_components(decathlon).coordinates.iloc[:, :5].to_numpy()
    labels = ward_classes(points, wanted)
    found = {frozenset(np.flatnonzero(labels == k).tolist()) for k in np.unique(labels)}
    assert found == {frozenset(c) for c in ward_by_definition(points, wanted)}


def test_v_tests_against_factominer(decathlon: pd.DataFrame) -> None:
    classes = pd.Series(
        ward_classes(principal_components(decathlon).coordinates.to_numpy(), 4), index=decathlon.index
    )
    ours = v_tests(decathlon, classes)
    frame = decathlon.assign(classe=classes.astype(str))
    theirs = catdes(frame, "classe", proba=1.0)["quanti"]
    compared = 0
    for kind, table in theirs.items():  # type: ignore[attr-defined]
        for name, row in table.iterrows():
            one = ours[(ours["class"] == int(kind)) & (ours["indicator"] == name)]["v"].item()
            assert one == pytest.approx(row["v.test"], abs=1e-3)
            compared += 1
    assert compared == 40


def test_consolidation_lowers_the_inertia_within(decathlon: pd.DataFrame) -> None:
    points = principal_components(decathlon).coordinates.to_numpy()
    random = np.random.default_rng(3).integers(1, 5, len(points))
    after = consolidate(points, random)
    assert within_inertia(points, after) < within_inertia(points, random)
    assert len(np.unique(after)) == 4


def test_distinct_groups_are_found_and_stable() -> None:
    data = blobs()
    found = typology(data, data["a"])
    groups = [set(found.classes[i * 12 : (i + 1) * 12]) for i in range(3)]
    assert [len(g) for g in groups] == [1, 1, 1] and len(set.union(*groups)) == 3
    assert min(found.stability.values()) > 0.95
    means = data["a"].groupby(found.classes).mean()
    assert means.is_monotonic_decreasing


def test_noise_is_not_stable() -> None:
    points = np.random.default_rng(11).normal(size=(40, 6))
    labels = ward_classes(points)
    assert 3 <= len(np.unique(labels)) <= 6
    assert np.mean(list(stability(pd.DataFrame(points), labels).values())) < 0.75
