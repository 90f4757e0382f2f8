"""Which published figures add up to which others: geography, categories, revisions, all in one system.

A cell is one value of a variable for a place and a month. A value that was revised is another cell,
so that what earlier releases said stands beside what this one says, in the same system.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import linprog

from odds_pipeline.declarations.project import Project
from odds_pipeline.secrecy.rules import threshold_of
from odds_pipeline.secrecy.system import CANDIDATE, HIDDEN, KNOWN, Floats, System

AMOUNT_MARGIN = 0.2
"""An amount that is secret must not be known to better than this share of it."""
AGAIN = 0.01
"""What hiding again a cell that the last release hid costs, beside a cell that it showed."""
KEY = ["variable", "month", "place", "value"]


def places_table(project: Project) -> pd.DataFrame:
    """A number for each place, and the territories of each geography that are that place."""
    places = project.territories.places
    numbers = {place: number for number, place in enumerate(dict.fromkeys(places.values()))}
    return pd.DataFrame(
        [(*key, numbers[place]) for key, place in places.items()],
        columns=["territory", "geography", "place"],
    )


def place_equations(project: Project, places: pd.DataFrame) -> pd.DataFrame:
    """Sums over territories as ``row``, ``place``, ``sign`` (1 for the whole, -1 for its parts)."""
    number = {(t, g): p for t, g, p in places.itertuples(index=False)}
    wholes: dict[tuple[int, str, int, int], set[int]] = {}
    for part in project.territories.parts:
        if part.part_geography > part.whole_geography:
            continue
        whole = number[part.whole, part.whole_geography]
        inside = number[part.part, part.part_geography]
        if whole != inside:
            level = project.territories.by_key[part.part, part.part_geography].level
            key = (whole, level, part.part_geography, part.whole_geography)
            wholes.setdefault(key, set()).add(inside)
    for t in project.territories.all:
        if t.level == "ept":
            key = (number[t.departement, t.geography], "ept", t.geography, t.geography)
            wholes.setdefault(key, set()).add(number[t.code, t.geography])
    rows = []
    for row, (whole, inside) in enumerate(
        dict.fromkeys((k[0], frozenset(v)) for k, v in wholes.items())
    ):
        rows += [(row, whole, 1.0), *((row, place, -1.0) for place in sorted(inside))]
    return pd.DataFrame(rows, columns=["row", "place", "sign"])


def category_equations(project: Project) -> pd.DataFrame:
    """Declared sums of categories as ``row``, ``variable``, ``sign``."""
    rows = []
    number = 0
    for entry in project.feeds.values():
        for total, parts in entry.feed.partitions:
            rows.append((number, entry.variable_id(total), 1.0))
            rows += [(number, entry.variable_id(part), -1.0) for part in parts]
            number += 1
    return pd.DataFrame(rows, columns=["row", "variable", "sign"])


def remainders(project: Project) -> pd.DataFrame:
    """Pairs of a total and a part, whose difference a reader can compute: ``total``, ``part``.

    ``threshold`` is the rule on the difference where an indicator publishes it as a group of its
    own; where it is nobody's group the difference is only known not to be negative: 0.
    """
    pairs: dict[tuple[str, str], int] = {}
    for entry in project.feeds.values():
        for name, variable in entry.own.items():
            kind = project.units[variable.unit].kind
            if variable.part_of is not None and kind in ("count", "amount"):
                pairs[entry.variable_id(variable.part_of), entry.variable_id(name)] = 0
    for indicator in project.indicators.values():
        numerator = indicator.indicator.parsed.numerator
        signs = [(t.variable, t.coefficient) for t in numerator if not t.lag and not t.of_year]
        if len(signs) == len(numerator) == 2 and sorted(c for _, c in signs) == [-1.0, 1.0]:
            total, part = (v for v, _ in sorted(signs, key=lambda s: -s[1]))
            threshold = max(threshold_of(project, total), threshold_of(project, part))
            if project.units[project.variables[total][1].unit].kind == "count":
                pairs[total, part] = max(threshold, pairs.get((total, part), 0))
    return pd.DataFrame(
        [(*pair, threshold) for pair, threshold in pairs.items()], columns=["total", "part", "threshold"]
    )


def families(project: Project) -> dict[str, int]:
    """The number of the family of each variable: those that sums and remainders hold together."""
    names = list(project.variables)
    index = {name: i for i, name in enumerate(names)}
    sums, pairs = category_equations(project), remainders(project)
    first = sums.groupby("row")["variable"].transform("first")
    left = [index[v] for v in [*sums["variable"], *pairs["total"]]]
    right = [index[v] for v in [*first, *pairs["part"]]]
    graph = sparse.coo_array((np.ones(len(left)), (left, right)), shape=(len(names),) * 2)
    labels = sparse.csgraph.connected_components(graph, directed=False)[1]
    return {name: int(labels[i]) for name, i in index.items()}


@dataclass(frozen=True)
class Cells:
    """``frame`` describes the cells of ``system``, in order; remainders have no variable."""

    frame: pd.DataFrame
    system: System


def assemble(project: Project, places: pd.DataFrame, current: pd.DataFrame, past: pd.DataFrame) -> Cells:
    """The system of what is about to be published (``current``) with all that was (``past``).

    Both frames have ``variable``, ``month``, ``place``, ``value`` (``nan`` when only the producer
    knows it), ``hidden_by``; ``current`` also ``small``, ``lower_bound`` and ``threshold``, and
    ``past`` its ``release``.
    """
    frame = _cells(current, past)
    states = _states(project, frame, current, past)
    entries = pd.concat([_geography(project, places, states), _categories(project, states)])
    frame["value"] = _nominal(frame, entries)
    frame["whole"] = np.isin(np.arange(len(frame)), entries["cell"][entries["sign"] > 0])
    pairs = _remainders(project, frame, states)
    cells = pd.concat([frame, pairs.drop(columns=["total", "part"])], ignore_index=True)
    number = np.arange(len(frame), len(cells))
    rows = pd.concat(
        [
            pd.DataFrame({"equation": number, "cell": pairs["total"].to_numpy(), "sign": 1.0}),
            pd.DataFrame({"equation": number, "cell": pairs["part"].to_numpy(), "sign": -1.0}),
            pd.DataFrame({"equation": number, "cell": number, "sign": -1.0}),
        ]
    )
    rows["equation"] += entries["equation"].max() + 1 if len(entries) else 0
    return Cells(cells, _system(cells, pd.concat([entries, rows])))


def _cells(current: pd.DataFrame, past: pd.DataFrame) -> pd.DataFrame:
    """One row a cell, with what is decided of it and what is already known."""
    past = past.sort_values("release")
    said = past.assign(shown=past["hidden_by"].isna(), secret=past["hidden_by"] != "secondaire")
    said["secret"] = (said["secret"] | said["small"]) & ~said["shown"]
    known = said.groupby(KEY, dropna=False, sort=False).agg(
        shown=("shown", "any"),
        secret=("secret", "any"),
        shown_last=("shown", "last"),
        small=("small", "any"),
        threshold=("threshold", "max"),
        hidden_by=("hidden_by", "last"),
    )
    known = known.assign(again=~known.pop("shown_last")).reset_index()
    merged = current.merge(known, on=KEY, how="outer", suffixes=("", "_past"), indicator="where")
    now = merged["where"] != "right_only"
    for name in ("shown", "secret", "again", "small_past"):
        merged[name] = merged[name].eq(True)
    merged["current"] = now
    merged["small"] = merged["small"].eq(True) | (merged["small_past"] & ~now)
    merged["threshold"] = merged["threshold"].fillna(merged["threshold_past"]).fillna(0)
    merged["hidden_by"] = merged["hidden_by"].where(now, merged["hidden_by_past"])
    merged["sensitive"] = merged["hidden_by"].notna() & (merged["secret"] | now)
    return merged.drop(columns=["where", "small_past", "threshold_past", "hidden_by_past", "secret"])


def _states(
    project: Project, frame: pd.DataFrame, current: pd.DataFrame, past: pd.DataFrame
) -> pd.DataFrame:
    """Which cell stood for each variable, month and place in each reading: this one and past ones."""
    cell = frame[KEY].assign(cell=np.arange(len(frame)))
    family = families(project)
    readings = [current[KEY].assign(reading=0)]
    blocks = [past["variable"].map(family), past["month"]]
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


def _geography(project: Project, places: pd.DataFrame, states: pd.DataFrame) -> pd.DataFrame:
    equations = place_equations(project, places)
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


def _categories(project: Project, states: pd.DataFrame) -> pd.DataFrame:
    equations = category_equations(project)
    sizes = equations.groupby("row").size()
    entries = states.merge(equations, on="variable")
    keys = ["reading", "month", "place", "row"]
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
    lower = np.nan_to_num(frame["lower_bound"].to_numpy(float)[unknown])
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


def _remainders(project: Project, frame: pd.DataFrame, states: pd.DataFrame) -> pd.DataFrame:
    """A cell for each difference that a reader can compute, with its total and its part."""
    pairs = remainders(project)
    keys = ["reading", "month", "place"]
    totals = states.merge(pairs, left_on="variable", right_on="total")[
        [*keys, "cell", "part", "threshold"]
    ]
    found = totals.merge(
        states[[*keys, "variable", "cell"]], left_on=[*keys, "part"], right_on=[*keys, "variable"]
    )
    found = found.drop_duplicates(["cell_x", "cell_y"])
    value = frame["value"].to_numpy(float)
    found = pd.DataFrame(
        {
            "total": found["cell_x"].to_numpy(),
            "part": found["cell_y"].to_numpy(),
            "month": found["month"].to_numpy(),
            "place": found["place"].to_numpy(),
            "threshold": found["threshold"].to_numpy(),
            "value": value[found["cell_x"]] - value[found["cell_y"]],
        }
    )
    found = found[found["value"] >= 0]
    small = (found["value"] > 0) & (found["value"] < found["threshold"])
    return found.assign(small=small, sensitive=small, remainder=True)


def _system(cells: pd.DataFrame, entries: pd.DataFrame) -> System:
    """Bounds and needs of each cell.

    A small count is marked as such, so that a reader knows it is between 1 and its threshold: that
    much must stay all that is known. A total that is small is not marked so: four communes hidden
    under a total said to be under 5 would each be 1.
    """
    value = cells["value"].to_numpy(float)
    whole = cells["whole"].eq(True).to_numpy(bool)
    total = cells["small"].eq(True).to_numpy(bool) & whole
    small = cells["small"].eq(True).to_numpy(bool) & ~whole
    remainder = cells["remainder"].eq(True).to_numpy(bool) if "remainder" in cells else small & False
    sensitive = cells["sensitive"].eq(True).to_numpy(bool)
    shown = cells["shown"].eq(True).to_numpy(bool)
    current = cells["current"].eq(True).to_numpy(bool)
    producer = cells["hidden_by"].eq("producteur").to_numpy(bool) & ~small & ~total
    threshold = cells["threshold"].fillna(0).to_numpy(float)
    bound = np.nan_to_num(cells["lower_bound"].to_numpy(float))
    lower = np.where(small, 1.0, np.where(producer, bound, np.minimum(0.0, value)))
    upper = np.where(small, threshold - 1, np.inf)
    width = np.maximum(threshold - 1, 1.0)
    need_low = np.where(producer, np.maximum(bound, value - width), value * (1 - AMOUNT_MARGIN))
    need_high = np.where(producer, need_low + width, value * (1 + AMOUNT_MARGIN))
    need_low = np.where(small, 1.0, np.where(total, value, np.minimum(need_low, value)))
    need_high = np.where(small | total, threshold - 1, np.maximum(need_high, value))
    again = cells["again"].eq(True).to_numpy(bool)
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
    )
