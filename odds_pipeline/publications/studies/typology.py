"""A typology as French observatories make it: principal components, Ward tree, consolidation.

The components are those of the correlation matrix; axes are kept up to 80 % of inertia; the Ward
tree of the kept coordinates is cut where the inertia within classes drops most; k-means from the
classes' centres consolidates. Classes are described by v-tests and their stability is measured by
bootstrap.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage

INERTIA, FEWEST, MOST = 0.80, 3, 6
BOOTSTRAPS, SEED = 200, 93


@dataclass(frozen=True)
class Components:
    """``eigenvalues``: all of them, the largest first; ``coordinates``: territories × axes."""

    eigenvalues: np.ndarray
    coordinates: pd.DataFrame
    correlations: pd.DataFrame

    def kept(self, inertia: float = INERTIA) -> pd.DataFrame:
        """The coordinates on the first axes that hold ``inertia`` of the whole, at least two axes."""
        share = np.cumsum(self.eigenvalues) / self.eigenvalues.sum()
        return self.coordinates.iloc[:, : max(int(np.searchsorted(share, inertia)) + 1, 2)]


@dataclass(frozen=True)
class Typology:
    """``classes``: territory → class from 1. ``stability``: class → mean Jaccard similarity.

    ``tree``: Ward's, before consolidation, a row each join, as SciPy's ``linkage`` makes them.
    """

    components: Components
    classes: pd.Series
    tests: pd.DataFrame
    stability: dict[int, float]
    tree: np.ndarray

    @property
    def cut(self) -> float:
        """The height at which the tree has as many groups as there are classes."""
        heights, kept = self.tree[:, 2], self.classes.nunique()
        return float(heights[-kept] + heights[1 - kept]) / 2


def principal_components(data: pd.DataFrame) -> Components:
    """Of the standardised columns (population standard deviation); no value may be unknown.

    The sign of an axis is such that its largest correlation is positive.
    """
    standard = (data - data.mean()) / data.std(ddof=0)
    left, singular, right = np.linalg.svd(standard.to_numpy(), full_matrices=False)
    signs = np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])
    eigenvalues = singular**2 / len(data)
    axes = [f"axe {i + 1}" for i in range(len(singular))]
    coordinates = pd.DataFrame(left * singular * signs, index=data.index, columns=axes)
    correlations = pd.DataFrame(
        (right * signs[:, None]).T * np.sqrt(eigenvalues), index=data.columns, columns=axes
    )
    return Components(eigenvalues, coordinates, correlations)


def within_inertia(points: np.ndarray, labels: np.ndarray) -> float:
    """Sum of squared distances of the points to the centres of their classes."""
    return float(
        sum(
            ((points[labels == k] - points[labels == k].mean(axis=0)) ** 2).sum()
            for k in np.unique(labels)
        )
    )


def ward_classes(points: np.ndarray, wanted: int | None = None) -> np.ndarray:
    """Labels from 1, of ``wanted`` classes or of as many as the drop of inertia says (3 to 6)."""
    tree = linkage(points, method="ward")
    if wanted is None:
        most = min(MOST, len(points) - 1)
        within = {
            k: within_inertia(points, fcluster(tree, k, "maxclust")) for k in range(FEWEST - 1, most + 1)
        }
        wanted = min(range(FEWEST, most + 1), key=lambda k: within[k] / (within[k - 1] or 1))
    return consolidate(points, fcluster(tree, wanted, "maxclust"))


def consolidate(points: np.ndarray, labels: np.ndarray, rounds: int = 10) -> np.ndarray:
    """k-means from the classes' centres; a class is never emptied."""
    for _ in range(rounds):
        kinds = np.unique(labels)
        centres = np.array([points[labels == k].mean(axis=0) for k in kinds])
        nearest = ((points[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
        moved = kinds[nearest]
        if len(np.unique(moved)) < len(kinds) or (moved == labels).all():
            break
        labels = moved
    return labels


def v_tests(data: pd.DataFrame, classes: pd.Series) -> pd.DataFrame:
    """How far each class's mean is from the whole's, in standard errors of a draw without replacement.

    Columns ``class``, ``indicator``, ``mean``, ``overall``, ``v``; beyond ± 1.96 the difference counts.
    """
    rows = []
    whole, spread, n = data.mean(), data.std(ddof=0), len(data)
    for kind in sorted(classes.unique()):
        inside = data[classes == kind]
        size = len(inside)
        error = spread * np.sqrt((n - size) / (n - 1) / size) if size < n else spread * np.nan
        v = (inside.mean() - whole) / error
        rows += [
            {"class": kind, "indicator": i, "mean": inside[i].mean(), "overall": whole[i], "v": v[i]}
            for i in data.columns
        ]
    return pd.DataFrame(rows)


def _points(data: pd.DataFrame) -> np.ndarray:
    """The coordinates that are classified: those of the kept components."""
    varied = data.loc[:, data.nunique() > 1]
    return principal_components(varied).kept().to_numpy()


def stability(data: pd.DataFrame, labels: np.ndarray) -> dict[int, float]:
    """Mean Jaccard similarity of each class with its nearest in bootstrap samples (Hennig, 2007).

    The components are those of each sample: kept as they were, they would carry the whole's structure
    into every sample. Above 0.75 a class is stable, below 0.6 it is not.
    """
    random = np.random.default_rng(SEED)
    kinds = [int(k) for k in np.unique(labels)]
    found: dict[int, list[float]] = {k: [] for k in kinds}
    for _ in range(BOOTSTRAPS):
        sample = random.integers(0, len(data), len(data))
        drawn = np.unique(sample)
        if len(drawn) <= len(kinds):
            continue
        again = ward_classes(_points(data.iloc[sample]), len(kinds))
        by_point = dict(zip(sample.tolist(), again.tolist(), strict=True))
        new = np.array([by_point[i] for i in drawn.tolist()])
        for kind in kinds:
            old = labels[drawn] == kind
            if old.any():
                found[kind].append(
                    max((old & (new == k)).sum() / (old | (new == k)).sum() for k in np.unique(new))
                )
    return {kind: float(np.mean(values)) if values else 0.0 for kind, values in found.items()}


def typology(data: pd.DataFrame, order: pd.Series, wanted: int | None = None) -> Typology:
    """Classes of the rows of ``data``, numbered by the mean of ``order``, the highest first."""
    components = principal_components(data)
    points = components.kept().to_numpy()
    labels = ward_classes(points, wanted)
    means = {k: order.to_numpy()[labels == k].mean() for k in np.unique(labels)}
    number = {k: i + 1 for i, k in enumerate(sorted(means, key=lambda k: -means[k]))}
    classes = pd.Series([number[k] for k in labels], index=data.index)
    tree = linkage(points, method="ward")
    return Typology(
        components, classes, v_tests(data, classes), stability(data, classes.to_numpy()), tree
    )
