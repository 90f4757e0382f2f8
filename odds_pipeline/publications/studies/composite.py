"""The steps of a composite indicator, as pure functions over a table (territories × indicators).

The steps and their order are those of the OECD/JRC *Handbook on Constructing Composite Indicators*
(2008): screening, imputation, treatment of outliers, normalisation, weights, aggregation, ranks.
Outliers are treated as COINr 1.1 does by default. In a table, ``NaN`` is a value that is not known.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

Normalisation = Literal["minmax", "zscore", "rank"]
Aggregation = Literal["arithmetic", "geometric"]

SKEWNESS, KURTOSIS, MOST_POINTS = 2.0, 3.5, 5
LEAST_SCORE = 1.0
"""Scores start at 1, not 0, so that a geometric mean of them exists."""


def screen(data: pd.DataFrame, least: float) -> pd.DataFrame:
    """The territories with at least ``least`` (0 to 1) of the indicators known."""
    return data[data.notna().mean(axis=1) >= least]


def impute(data: pd.DataFrame, groups: Mapping[str, str]) -> pd.DataFrame:
    """Unknown values replaced by the mean of the territory's group, else by the mean of all."""
    by_group = data.groupby(data.index.map(lambda code: groups.get(code, ""))).transform("mean")
    return data.fillna(by_group).fillna(data.mean())


def has_outliers(column: pd.Series) -> bool:
    """Absolute skewness of at least 2 together with an excess kurtosis of at least 3.5."""
    return bool(abs(column.skew()) >= SKEWNESS and column.kurt() >= KURTOSIS)  # type: ignore[arg-type, operator]


def treat(column: pd.Series) -> tuple[pd.Series, str]:
    """Winsorise up to five points, else take logarithms of the original; and what was done.

    A winsorised point takes the value of its nearest neighbour, at the end that the skewness points to.
    The logarithm is ``log(x - min + 0.01 (max - min))``, or its mirror image where the tail is low.
    """
    if not has_outliers(column):
        return column, ""
    treated = column.copy()
    changed: set[str] = set()
    while has_outliers(treated) and len(changed) < MOST_POINTS:
        high = treated.skew() >= 0  # type: ignore[operator]
        extreme = treated.max() if high else treated.min()
        at = treated[treated == extreme].index
        others = treated.drop(at)
        treated[at] = others.max() if high else others.min()
        changed |= set(at)
    if not has_outliers(treated):
        return treated, f"winsorisation de {len(changed)} valeur{'s' if len(changed) > 1 else ''}"
    sign = 1 if column.skew() >= 0 else -1  # type: ignore[operator]
    turned = sign * column
    low, span = turned.min(), turned.max() - turned.min()
    return sign * np.log(turned - low + 0.01 * span), "logarithme"


def normalise(data: pd.DataFrame, method: Normalisation = "minmax") -> pd.DataFrame:
    """Scores on a common scale: 0 to 100, or 50 ± 10 a standard deviation, or the rank in per cent.

    A column whose values are all equal scores 50.
    """
    if method == "rank":
        return (data.rank() - 1) / (len(data) - 1) * 100
    if method == "zscore":
        spread = data.std(ddof=0)
        scores = 50 + 10 * (data - data.mean()) / spread.where(spread > 0)
        return scores.fillna(50.0).where(data.notna())
    span = data.max() - data.min()
    return (100 * (data - data.min()) / span.where(span > 0)).fillna(50.0).where(data.notna())


def aggregate(scores: pd.DataFrame, weights: pd.Series, how: Aggregation = "arithmetic") -> pd.Series:
    """The weighted mean of each row; a geometric mean floors scores at 1.

    Raises :class:`ValueError` when a score is unknown: impute before.
    """
    if scores.isna().to_numpy().any():
        raise ValueError("a score is unknown: impute before aggregating")
    shares = weights[scores.columns] / weights[scores.columns].sum()
    if how == "geometric":
        return pd.Series(np.exp(np.log(scores.clip(lower=LEAST_SCORE)) @ shares), index=scores.index)
    return scores @ shares


def composite(
    scores: pd.DataFrame,
    dimensions: Mapping[str, Mapping[str, float]],
    weights: Mapping[str, float],
    how: Aggregation = "arithmetic",
) -> pd.DataFrame:
    """A column a dimension, from the weights of its indicators, and ``index``, from ``weights``."""
    columns = {
        name: aggregate(scores[list(indicators)], pd.Series(dict(indicators)), how)
        for name, indicators in dimensions.items()
    }
    result = pd.DataFrame(columns)
    result["index"] = aggregate(result, pd.Series(dict(weights)), how)
    return result


def cronbach_alpha(scores: pd.DataFrame) -> float:
    """How far columns that are added measure one thing: 1 when they always agree; needs two of them.

    Cronbach (1951), Coefficient alpha and the internal structure of tests, Psychometrika 16(3).
    """
    count = scores.shape[1]
    if count < 2:
        return float("nan")
    parts, whole = scores.var(ddof=1).sum(), scores.sum(axis=1).var(ddof=1)
    return float(count / (count - 1) * (1 - parts / whole)) if whole else float("nan")


def ranks(index: pd.Series) -> pd.Series:
    """1 is the highest; equal values share the best rank."""
    return index.rank(ascending=False, method="min").astype(int)
