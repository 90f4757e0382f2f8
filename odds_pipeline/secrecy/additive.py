"""Which published figures add up to which others: geography, categories, revisions, all in one system.

A cell is one value of a variable for a place and a month. A value that was revised is another cell,
so that what earlier releases said stands beside what this one says, in the same system.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

from odds_pipeline.secrecy.structure import Structure
from odds_pipeline.secrecy.system import CANDIDATE, HIDDEN, KNOWN, NOBODY, Floats, Ints, System

AMOUNT_MARGIN = 0.2
"""An amount that is secret must not be known to better than this share of it."""
AGAIN = 0.01
"""What hiding again a cell that the last release hid costs, beside a cell that it showed."""
KEY = ["variable", "month", "place", "value"]
READING = ["reading", "month", "place"]


@dataclass(frozen=True)
class Cells:
    """``frame`` describes the cells of ``system``, in order; remainders have no variable."""

    frame: pd.DataFrame
    system: System


def assemble(structure: Structure, current: pd.DataFrame, past: pd.DataFrame) -> Cells:
    """The system of what is about to be published (``current``) with all that was (``past``).

    Both frames have ``variable``, ``month``, ``place``, ``value`` (``nan`` when only the producer
    knows it), ``hidden_by``; ``current`` also ``small``, ``lower_bound`` and ``threshold``, and
    ``past`` its ``release``.
    """
    frame = _cells(current, past)
    frame["family"] = frame["variable"].map(structure.families.set_index("variable")["family"])
    frame["owner"] = _owners(structure, frame)
    states = _states(structure, frame, current, past)
    entries = _stacked([_geography(structure, states), _categories(structure, states)])
    frame["value"] = _nominal(frame, entries)
    frame["whole"] = np.isin(np.arange(len(frame)), entries["cell"][entries["sign"] > 0])
    rests, terms = _remainders(structure, frame, states)
    cells = _stacked([frame, rests])
    number = np.arange(len(frame), len(cells))
    rows = pd.concat([terms, pd.DataFrame({"equation": rests.index, "cell": number, "sign": -1.0})])
    rows["equation"] += entries["equation"].max() + 1 if len(entries) else 0
    return Cells(cells, _system(cells, _stacked([entries, rows])))


def _stacked(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """One after the other; an empty one would spoil the types of the others."""
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames[0]


def _cells(current: pd.DataFrame, past: pd.DataFrame) -> pd.DataFrame:
    """One row a cell, with what is decided of it and what is already known."""
    past = past.sort_values("release")
    said = past.assign(shown=past["hidden_by"].isna(), secret=past["hidden_by"] != "secondaire")
    said["secret"] = (said["secret"] | said["small"]) & ~said["shown"]
    known = said.groupby(KEY, dropna=False, sort=False).agg(
        shown=("shown", "any"),
        secret=("secret", "any"),
        shown_last=("shown", "last"),
        small_past=("small", "any"),
        threshold_past=("threshold", "max"),
        hidden_by_past=("hidden_by", "last"),
    )
    known = known.assign(again=~known.pop("shown_last").astype(bool)).reset_index()
    merged = current.merge(known, on=KEY, how="outer", indicator="where")
    now = merged["where"] != "right_only"
    for name in ("shown", "secret", "again", "small", "small_past"):
        merged[name] = merged[name].eq(True).astype(bool)
    merged["current"] = now
    merged["small"] |= merged["small_past"] & ~now
    threshold = merged["threshold"].astype("float64")
    merged["threshold"] = threshold.fillna(merged["threshold_past"].astype("float64"))
    merged["lower_bound"] = merged["lower_bound"].astype("float64").fillna(0.0)
    merged["hidden_by"] = merged["hidden_by"].where(now, merged["hidden_by_past"])
    merged["sensitive"] = merged["hidden_by"].notna() & (merged["secret"] | now)
    merged = merged.assign(remainder=False, marked=True)
    return merged.drop(columns=["where", "small_past", "threshold_past", "hidden_by_past", "secret"])


def _owners(structure: Structure, frame: pd.DataFrame) -> Ints:
    """The place itself where its own body gave the figure, and so knows it."""
    level = structure.rules.set_index("variable")["contributors"]
    places = structure.places
    own = pd.MultiIndex.from_frame(frame.assign(level=frame["variable"].map(level))[["level", "place"]])
    given = own.isin(pd.MultiIndex.from_frame(places[["level", "place"]].drop_duplicates()))
    return np.where(given, frame["place"], NOBODY).astype(np.int64)


def _states(
    structure: Structure, frame: pd.DataFrame, current: pd.DataFrame, past: pd.DataFrame
) -> pd.DataFrame:
    """Which cell stood for each variable, month and place in each reading: this one and past ones."""
    cell = frame[KEY].assign(cell=np.arange(len(frame)))
    readings = [current[KEY].assign(reading=0)]
    blocks = [past["variable"].map(structure.families.set_index("variable")["family"]), past["month"]]
    for release in sorted(past["release"].unique()):
        # Only what a release changed: an equation whose cells are all the same is the same equation.
        changed = (past["release"] == release).groupby(blocks).transform("any")
        then = past[changed & (past["release"] <= release)].sort_values("release")
        then = then.drop_duplicates(["variable", "month", "place"], keep="last")
        readings.append(then[KEY].assign(reading=release))
    return pd.concat(readings).merge(cell, on=KEY)


def _numbered(entries: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """``equation``, ``cell``, ``sign``: one number for each group of ``keys``, the same ones once."""
    entries = entries.assign(equation=entries.groupby(keys, sort=False).ngroup())
    entries = entries.sort_values(["equation", "cell"])[["equation", "cell", "sign"]]
    size = entries.groupby("equation")["cell"].transform("size").to_numpy()
    cell, kept = entries["cell"].to_numpy(), np.zeros(len(entries), dtype=bool)
    for length in np.unique(size):
        of_length = np.flatnonzero(size == length).reshape(-1, length)
        first = np.unique(cell[of_length], axis=0, return_index=True)[1]
        kept[of_length[first]] = True
    return entries[kept]


def _geography(structure: Structure, states: pd.DataFrame) -> pd.DataFrame:
    equations = structure.territory_sums
    sizes = equations.groupby("row").size()
    wholes = equations[equations["sign"] > 0].set_index("row")["place"]
    entries = states.merge(equations, on="place")
    keys = ["reading", "variable", "month", "row"]
    groups = entries.groupby(keys)["sign"]
    entries = entries.assign(
        whole=entries["row"].map(wholes),
        has=groups.transform("max") > 0,
        size=groups.transform("size"),
        complete=groups.transform("size") == entries["row"].map(sizes),
    )
    entries = entries[entries["has"] & (entries["size"] > 1)]
    # Where parts are lacking, only the geography that lacks least says something true: in the other
    # a merged commune is missing altogether. The lacking ones count as known.
    ways = entries.groupby(["reading", "variable", "month", "whole"])
    fullest = entries["size"] == ways["size"].transform("max")
    first = entries["row"] == entries["row"].where(fullest).groupby(
        [entries[key] for key in ("reading", "variable", "month", "whole")]
    ).transform("min")
    return _numbered(entries[entries["complete"] | (first & ~ways["complete"].transform("any"))], keys)


def _categories(structure: Structure, states: pd.DataFrame) -> pd.DataFrame:
    equations = structure.category_sums
    sizes = equations.groupby("row").size()
    entries = states.merge(equations, on="variable")
    keys = [*READING, "row"]
    complete = entries.groupby(keys)["sign"].transform("size") == entries["row"].map(sizes)
    found = _numbered(entries[complete], keys)
    found["equation"] += 10**9  # apart from those of geography
    return found


def _nominal(frame: pd.DataFrame, entries: pd.DataFrame) -> Floats:
    """Values, with likely ones where only the producer knows: those that fit the equations best."""
    value = frame["value"].to_numpy(float).copy()
    unknown = np.flatnonzero(np.isnan(value))
    if not len(unknown):
        return value
    lower = frame["lower_bound"].to_numpy(float)[unknown]
    concerned = entries[entries["equation"].isin(entries["equation"][entries["cell"].isin(unknown)])]
    if concerned.empty:
        value[unknown] = lower
        return value
    rows = pd.factorize(concerned["equation"])[0]
    matrix = sparse.coo_array(
        (concerned["sign"].to_numpy(float), (rows, concerned["cell"].to_numpy())),
        shape=(rows.max() + 1, len(frame)),
    ).tocsc()
    count = matrix.shape[0]
    told = -(matrix @ np.nan_to_num(value))
    slack = sparse.identity(count)
    found = linprog(
        np.concatenate([np.zeros(len(unknown)), np.ones(2 * count)]),
        A_eq=sparse.hstack([matrix[:, unknown], slack, -slack], format="csc"),
        b_eq=told,
        bounds=[*((low, None) for low in lower), *([(0, None)] * (2 * count))],
        method="highs",
    )
    value[unknown] = found.x[: len(unknown)] if found.status == 0 else lower
    return value


def _remainders(
    structure: Structure, frame: pd.DataFrame, states: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A cell for each difference that a reader can compute, by number of equation, and those equations.

    What remains of a count that is small itself is told by no more than its mark.
    """
    sizes = structure.remainders.groupby("rest").size()
    keys = [*READING, "rest"]
    found = states.merge(structure.remainders, on="variable")
    found = found[found.groupby(keys)["cell"].transform("size") == found["rest"].map(sizes)]
    found = found.sort_values([*keys, "sign", "cell"], ascending=[True] * 4 + [False, True])
    value = found["sign"] * frame["value"].to_numpy(float)[found["cell"]]
    groups = found.assign(value=value, total=value.where(found["whole"], 0.0)).groupby(keys, sort=False)
    rests = groups.agg(
        dict.fromkeys(("month", "place", "cell", "threshold", "marked"), "first")
        | {"value": "sum", "total": "sum"}
    ).reset_index(drop=True)
    terms = _numbered(found, keys)
    kept = (rests["value"] >= 0) & rests.index.isin(terms["equation"].unique())
    rests, terms = rests[kept], terms[terms["equation"].isin(rests.index[kept])]
    small = (rests["value"] > 0) & (rests["value"] < rests["threshold"])
    small &= rests["marked"] | (rests["total"] >= rests["threshold"])
    total = rests["cell"].to_numpy(np.int64)
    about = {name: frame[name].to_numpy()[total] for name in ("family", "owner")}
    known = dict.fromkeys(("shown", "again", "current", "whole"), False)
    rests = rests.assign(**about, small=small, sensitive=small, lower_bound=0.0, remainder=True, **known)
    rests["threshold"] = rests["threshold"].astype("float64")
    return rests.drop(columns=["cell", "total"]), terms


def _system(cells: pd.DataFrame, entries: pd.DataFrame) -> System:
    """Bounds, needs and weights of each cell, and the equations."""
    value = cells["value"].to_numpy(float)
    sensitive, remainder, shown, current, again = (
        cells[name].to_numpy(bool) for name in ("sensitive", "remainder", "shown", "current", "again")
    )
    lower, upper = _known(cells)
    need_low, need_high = _needs(cells)
    weight = np.maximum(np.abs(value), 1.0) * np.where(again, AGAIN, 1.0)
    state = np.where(sensitive | remainder | ~current, HIDDEN, CANDIDATE)
    # Readers know what was ever shown; a zero protects nothing, since it hides nobody.
    state = np.where(shown | ((value == 0) & (state == CANDIDATE)), KNOWN, state).astype(np.int64)
    rows = pd.factorize(entries["equation"])[0]
    matrix = sparse.csr_array(
        (entries["sign"].to_numpy(float), (rows, entries["cell"].to_numpy(int))),
        shape=(rows.max() + 1 if len(rows) else 0, len(cells)),
    )
    needs = sensitive & (state == HIDDEN)
    return System(
        value,
        lower,
        upper,
        np.where(needs, need_low, np.nan),
        np.where(needs, need_high, np.nan),
        weight,
        state,
        matrix,
        cells["owner"].to_numpy(np.int64),
    )


def _kinds(cells: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """Which cells are what to a reader: a small count, a small total, what the producer hid, or none."""
    small, whole, remainder = (cells[name].to_numpy(bool) for name in ("small", "whole", "remainder"))
    producer = cells["hidden_by"].eq("producteur").to_numpy(bool) & ~small
    high = cells["value"].to_numpy(float) >= cells["threshold"].to_numpy(float)
    return {
        "small": small & ~whole,
        "total": small & whole,
        "producer": producer,
        "plain": ~whole & ~remainder & ~cells["sensitive"].to_numpy(bool) & high,
    }


def _known(cells: pd.DataFrame) -> tuple[Floats, Floats]:
    """What a reader knows beforehand of each cell, its mark being published.

    A small count is marked as such: it is between 1 and its threshold. Zeros are shown: a count under a
    rule that is hidden and not marked so is at its threshold or above, unless it is a total, which is
    not marked when it is small. What remains of a total bears no mark, unless an indicator publishes it.
    """
    kind, marked = _kinds(cells), cells["marked"].to_numpy(bool)
    value, threshold, bound = (
        cells[name].to_numpy(float) for name in ("value", "threshold", "lower_bound")
    )
    lower = np.where(kind["producer"], bound, np.minimum(0.0, value))
    lower = np.where(kind["plain"], np.maximum(threshold, lower), lower)
    lower = np.where(kind["small"] & marked, 1.0, lower)
    return lower, np.where(kind["small"] & marked, threshold - 1, np.inf)


def _needs(cells: pd.DataFrame) -> tuple[Floats, Floats]:
    """The ends that what a reader can derive of each cell must reach.

    All that its mark says of a small count. A total that is small is not marked so: four communes hidden
    under a total said to be under 5 would each be 1.
    """
    kind = _kinds(cells)
    value, threshold, bound = (
        cells[name].to_numpy(float) for name in ("value", "threshold", "lower_bound")
    )
    width = np.maximum(threshold - 1, 1.0)
    low = np.where(kind["producer"], np.maximum(bound, value - width), value * (1 - AMOUNT_MARGIN))
    high = np.where(kind["producer"], low + width, value * (1 + AMOUNT_MARGIN))
    low = np.where(kind["small"], 1.0, np.where(kind["total"], value, np.minimum(low, value)))
    of_count = kind["small"] | kind["total"]
    return low, np.where(of_count, threshold - 1, np.maximum(high, value))
