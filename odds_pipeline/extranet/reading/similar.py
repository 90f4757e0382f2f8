"""Communes that resemble one another by declared indicators of structure, with their distance.

A distance of 1 is one standard deviation of the communes, on average over the indicators known of both.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

from odds_pipeline.extranet.reading.serving import View

NEAREST = 5
LEAST = 0.6
"""Share of the indicators that two communes must both have to be compared."""


@dataclass(frozen=True)
class Similar:
    """``most`` is the indicator on which the two differ the most."""

    code: str
    distance: float
    most: str


def similar(view: View, code: str, names: Sequence[str]) -> list[Similar]:
    """The nearest communes, the nearest first; none where too little is known of this one."""
    return view.once(("similar", code, *names), lambda: _similar(view, code, names), 2_000)


def _similar(view: View, code: str, names: Sequence[str]) -> list[Similar]:
    places = view.once(("structure", *names), lambda: _standardised(view, names), 20_000)
    if code not in places:
        return []
    found = [_from(other, places[code], places[other], len(names)) for other in places if other != code]
    return sorted((one for one in found if one), key=lambda one: (one.distance, one.code))[:NEAREST]


def _from(code: str, own: dict[str, float], other: dict[str, float], wanted: int) -> Similar | None:
    both = own.keys() & other.keys()
    if not both or len(both) < LEAST * wanted:
        return None
    gaps = {name: abs(own[name] - other[name]) for name in both}
    distance = math.sqrt(fmean(gap * gap for gap in gaps.values()))
    return Similar(code, distance, max(sorted(gaps), key=lambda name: gaps[name]))


def _standardised(view: View, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """By commune, its values in standard deviations, each indicator at its latest month."""
    rows = view.rows(
        "SELECT indicator, territory, value FROM indicator_values "
        "WHERE list_contains($names::VARCHAR[], indicator) AND level = 'commune' AND value IS NOT NULL "
        "QUALIFY rank() OVER (PARTITION BY indicator ORDER BY month DESC, geography DESC) = 1",
        {"names": list(names)},
    )
    by_name: dict[str, dict[str, float]] = {}
    for row in rows:
        by_name.setdefault(row["indicator"], {})[row["territory"]] = row["value"]
    found: dict[str, dict[str, float]] = {}
    for name, values in by_name.items():
        middle, spread = fmean(values.values()), pstdev(values.values())
        for code, value in values.items() if spread else ():
            found.setdefault(code, {})[name] = (value - middle) / spread
    return found
