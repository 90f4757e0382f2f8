"""What secrecy rests on besides figures: places, sums, remainders, families and rules.

It is read in the declarations once a publication; everything else in this package asks here.
"""

import hashlib
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from scipy import sparse

from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.compute import parts_table
from odds_pipeline.secrecy.remainders import remainders_table


@dataclass(frozen=True)
class Structure:
    """``places`` numbers the territories of each geography, those that no merger changed alike in all.

    ``territory_sums`` (``row``, ``place``, ``sign``) and ``category_sums`` (``row``, ``variable``,
    ``sign``) are the sums, 1 for the whole and -1 for its parts. ``remainders`` are the differences
    that a reader can compute. ``families`` numbers the variables that sums and remainders hold
    together. ``rules`` has the rule on each variable, ``largest`` the contributions to totals.
    """

    places: pd.DataFrame
    parts: pd.DataFrame
    territory_sums: pd.DataFrame
    category_sums: pd.DataFrame
    remainders: pd.DataFrame
    families: pd.DataFrame
    rules: pd.DataFrame
    largest: pd.DataFrame

    @classmethod
    def of(cls, project: Project) -> "Structure":
        """The structure that the declarations give."""
        places = places_table(project)
        sums, rests = _category_sums(project), remainders_table(project)
        return cls(
            places,
            parts_table(project),
            _territory_sums(project, places),
            sums,
            rests,
            _families(project, sums, rests),
            _rules_table(project),
            _largest_table(project),
        )

    @property
    def fingerprint(self) -> str:
        """Equal for two structures that say the same."""
        tables = (getattr(self, field.name) for field in fields(self))
        return hashlib.sha256("\n".join(t.to_csv(index=False) for t in tables).encode()).hexdigest()


def places_table(project: Project) -> pd.DataFrame:
    """A number for each place, and the territories of each geography that are that place."""
    places = project.territories.places
    numbers = {place: number for number, place in enumerate(dict.fromkeys(places.values()))}
    return pd.DataFrame(
        [(*key, project.territories.by_key[key].level, numbers[place]) for key, place in places.items()],
        columns=["territory", "geography", "level", "place"],
    )


def _territory_sums(project: Project, places: pd.DataFrame) -> pd.DataFrame:
    """Sums over territories as ``row``, ``place``, ``sign`` (1 for the whole, -1 for its parts)."""
    number = {(t, g): p for t, g, _, p in places.itertuples(index=False)}
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
    for t in (t for t in project.territories.all if t.level == "commune" and t.departement):
        # A département is its groups and the communes of none, or of one that goes beyond it.
        group = project.territories.by_key.get((t.group, t.geography))
        one = group if group and group.departement == t.departement else t
        key = (number[t.departement, t.geography], "groups", t.geography, t.geography)
        wholes.setdefault(key, set()).add(number[one.code, t.geography])
    for t in (t for t in project.territories.all if t.level == "departement" and t.region):
        key = (number[t.region, t.geography], "departements", t.geography, t.geography)
        wholes.setdefault(key, set()).add(number[t.code, t.geography])
    # Only what is read from rows of a neighbourhood level has figures there, and is the sum of them.
    for (code, geography), parts in project.territories.sums_of_neighbourhoods.items():
        for way, codes in enumerate(parts):
            key = (number[code, geography], f"neighbourhoods {way}", geography, geography)
            wholes[key] = {number[one, geography] for one in codes}
    rows = []
    for row, (whole, inside) in enumerate(
        dict.fromkeys((k[0], frozenset(v)) for k, v in wholes.items())
    ):
        rows += [(row, whole, 1.0), *((row, place, -1.0) for place in sorted(inside))]
    return pd.DataFrame(rows, columns=["row", "place", "sign"])


def _category_sums(project: Project) -> pd.DataFrame:
    """Declared sums of categories as ``row``, ``variable``, ``sign``."""
    rows = []
    number = 0
    for entry in project.feeds.values():
        for total, parts in entry.feed.partitions:
            rows.append((number, entry.variable_id(total), 1.0))
            rows += [(number, entry.variable_id(part), -1.0) for part in parts]
            number += 1
    return pd.DataFrame(rows, columns=["row", "variable", "sign"])


def _families(project: Project, sums: pd.DataFrame, rests: pd.DataFrame) -> pd.DataFrame:
    """``variable``, ``family``: the same number for those that sums and remainders hold together."""
    index = {name: i for i, name in enumerate(project.variables)}
    tied = [table.groupby(key)["variable"] for table, key in ((sums, "row"), (rests, "rest"))]
    left = [index[v] for v in [*sums["variable"], *rests["variable"]]]
    right = [index[v] for group in tied for v in group.transform("first")]
    graph = sparse.coo_array((np.ones(len(left)), (left, right)), shape=(len(index),) * 2)
    labels = sparse.csgraph.connected_components(graph, directed=False)[1]
    return pd.DataFrame({"variable": list(index), "family": labels[list(index.values())]})


def _rules_table(project: Project) -> pd.DataFrame:
    """The rule on each variable; ``threshold`` is 0 where none applies to its unit."""
    contributions = {
        entry.variable_id(name)
        for entry in project.feeds.values()
        for variable in entry.own.values()
        for name in variable.largest
    }
    rows = []
    for name, (entry, variable) in project.variables.items():
        rule, kind = entry.secrecy, project.units[variable.unit].kind
        counted = entry.variable_id(variable.counted_by) if variable.counted_by else None
        rows.append(
            {
                "variable": name,
                "additive": kind in ("count", "amount") and variable.aggregation == "sum",
                "threshold": project.threshold_of(name),
                "counted_by": counted,
                "counted_threshold": project.threshold_of(counted) if counted else 0,
                "population": rule.population.variable if rule.population else None,
                "minimum": rule.population.minimum if rule.population else 0,
                "share": rule.dominance.share if rule.dominance else None,
                "p_percent": rule.p_percent,
                "rounding": rule.rounding if kind == "count" else None,
                "contribution": name in contributions,
                "contributors": rule.contributors,
            }
        )
    types = {"share": "float64", "p_percent": "float64", "rounding": "float64"}
    return pd.DataFrame(rows).astype(
        {**types, "counted_by": "string", "population": "string", "contributors": "string"}
    )


def _largest_table(project: Project) -> pd.DataFrame:
    """The variables that hold the largest contributions to another, in order."""
    rows = [
        (name, entry.variable_id(source), place, entry.secrecy.dominance.largest)
        for name, (entry, variable) in project.variables.items()
        for place, source in enumerate(variable.largest, start=1)
        if entry.secrecy.dominance
    ]
    rows += [
        (name, entry.variable_id(source), place, 0)
        for name, (entry, variable) in project.variables.items()
        for place, source in enumerate(variable.largest, start=1)
        if not entry.secrecy.dominance
    ]
    return pd.DataFrame(rows, columns=["variable", "source", "place", "largest"]).astype(
        {"variable": "string", "source": "string", "place": "int64", "largest": "int64"}
    )
