"""How much a ranking depends on choices that could have been made otherwise.

Every combination of normalisation, aggregation, indicator left out (or none), draw of weights and draw
of the data within their own uncertainty, where it is known, is computed: the spread of a territory's
ranks is its interval, and the share of the variance of ranks that a choice explains by itself is its
main effect (first-order index of a full factorial design).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from odds_pipeline.publications.studies.composite import (
    LEAST_SCORE,
    Aggregation,
    Normalisation,
    composite,
    normalise,
    ranks,
)

NORMALISATIONS: tuple[Normalisation, ...] = ("minmax", "zscore", "rank")
AGGREGATIONS: tuple[Aggregation, ...] = ("arithmetic", "geometric")
DRAWS, NOISE, SEED = 30, 0.25, 93
"""Weights are drawn within ± 25 %, as in COINr; the seed makes a release's study reproducible."""
DATA_DRAWS = 5
FACTORS = ("data", "normalisation", "aggregation", "indicator", "weights")

Dimensions = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Sensitivity:
    """``intervals``: territory → median, low (5 %) and high (95 %) rank. ``effects``: share by factor.

    ``removed``: mean absolute change of rank when a dimension or an indicator is left out.
    """

    intervals: pd.DataFrame
    effects: dict[str, float]
    removed: dict[str, float]
    runs: int


def without(dimensions: Dimensions, name: str) -> dict[str, dict[str, float]]:
    """The dimensions without one of them, or without one indicator; an emptied dimension goes."""
    kept = {
        dimension: {i: w for i, w in indicators.items() if i != name}
        for dimension, indicators in dimensions.items()
        if dimension != name
    }
    return {dimension: indicators for dimension, indicators in kept.items() if indicators}


def mean_rank_change(before: pd.Series, after: pd.Series) -> float:
    """Mean absolute change of rank."""
    return float((before - after).abs().mean())


def _drawn(data: pd.DataFrame, errors: pd.DataFrame | None) -> list[pd.DataFrame]:
    """The data, then the data as they could have been; alone when no error is known."""
    if errors is None or not errors.to_numpy().any():
        return [data]
    random = np.random.default_rng(SEED)
    noise = random.normal(size=(DATA_DRAWS - 1, *data.shape))
    return [data, *(data + draw * errors.to_numpy() for draw in noise)]


def _runs(
    data: pd.DataFrame,
    dimensions: Dimensions,
    weights: Mapping[str, float],
    errors: pd.DataFrame | None,
) -> np.ndarray:
    """Ranks, shaped data × normalisation × aggregation × indicator left out × weights × territory."""
    tables = _drawn(data, errors)
    left_out: list[str | None] = [None, *data.columns]
    shape = (len(tables), len(NORMALISATIONS), len(AGGREGATIONS), len(left_out), DRAWS, len(data))
    result = np.empty(shape)
    for t, table in enumerate(tables):
        for n, normalisation in enumerate(NORMALISATIONS):
            scores = normalise(table, normalisation)
            for a, how in enumerate(AGGREGATIONS):
                for o, out in enumerate(left_out):
                    kept = dict(dimensions) if out is None else without(dimensions, out)
                    result[t, n, a, o] = _ranks_by_weights(scores, kept, dimensions, weights, how)
    return result


def _ranks_by_weights(
    scores: pd.DataFrame,
    kept: Dimensions,
    dimensions: Dimensions,
    weights: Mapping[str, float],
    how: Aggregation,
) -> np.ndarray:
    """Ranks for each draw of weights, shaped draw × territory; the first draw is the declared one."""
    random = np.random.default_rng(SEED)
    names = list(dimensions)
    noise = random.uniform(1 - NOISE, 1 + NOISE, size=(DRAWS, len(names)))
    noise[0] = 1
    drawn = noise * np.array([weights[name] for name in names])
    within = composite(scores, kept, {name: weights[name] for name in kept}, how)
    shares = drawn[:, [names.index(name) for name in kept]]
    shares = shares / shares.sum(axis=1, keepdims=True)
    table = within[list(kept)].to_numpy()
    if how == "geometric":
        index = np.exp(np.log(np.maximum(table, LEAST_SCORE)) @ shares.T)
    else:
        index = table @ shares.T
    return pd.DataFrame(index).rank(ascending=False, method="min").to_numpy().T


def sensitivity(
    data: pd.DataFrame,
    dimensions: Dimensions,
    weights: Mapping[str, float],
    errors: pd.DataFrame | None = None,
) -> Sensitivity:
    """``data``: treated, complete, turned so that more is more fragile; ``errors``: standard errors."""
    runs = _runs(data, dimensions, weights, errors)
    flat = runs.reshape(-1, len(data))
    low, middle, high = np.percentile(flat, [5, 50, 95], axis=0)
    intervals = pd.DataFrame({"median": middle, "low": low, "high": high}, index=data.index)
    total = flat.var(axis=0).sum()
    effects = {}
    for axis, factor in enumerate(FACTORS):
        others = tuple(i for i in range(len(FACTORS)) if i != axis)
        between = runs.mean(axis=others).var(axis=0).sum()
        effects[factor] = float(between / total) if total else 0.0
    scores = normalise(data)
    nominal = ranks(composite(scores, dimensions, weights)["index"])
    removed = {}
    candidates = [*(dimensions if len(dimensions) > 1 else []), *data.columns]
    for name in candidates:
        kept = without(dimensions, name)
        if kept:
            index = composite(scores, kept, {d: weights[d] for d in kept})["index"]
            removed[name] = mean_rank_change(nominal, ranks(index))
    return Sensitivity(intervals, effects, removed, len(flat))
