"""What a territory is set against: the département, its EPT or EPCI, France, communes like it."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from odds_pipeline.extranet.reading import queries
from odds_pipeline.extranet.reading.serving import Place, Row, Unknown, View
from odds_pipeline.extranet.reading.similar import Similar, similar
from odds_pipeline.geography.territories import GROUPS

LEAST = 3
"""Communes alike that must have a value for their median to be one."""


@dataclass(frozen=True)
class Reference:
    """``values`` by indicator, of the same period and geography as the territory's own."""

    key: str
    label: str
    values: dict[str, float]
    alike: list[Similar]


def choices(place: Place, alike: Sequence[Similar]) -> dict[str, str]:
    """What there is to set a territory against, by the name that an address asks for."""
    if place.level == "france":
        return {}
    found = {} if place.level == "departement" else {"": "département"}
    for level in GROUPS if place.level == "commune" else ():
        if getattr(place, level):
            found[level] = level.upper()
    found["france" if found else ""] = "France"
    if alike:
        found["semblables"] = "médiane des communes semblables"
    return found


def reference(
    view: View, place: Place, rows: dict[str, Row], asked: str, likeness: Sequence[str]
) -> Reference:
    """The values to set beside ``rows``. :class:`Unknown` when there is nothing of that name."""
    alike = similar(view, place.code, likeness) if place.level == "commune" else []
    offered = choices(place, alike)
    if asked and asked not in offered:
        raise Unknown(asked)
    label = offered.get(asked, "")
    values = _values(view, place, rows, "france" if label == "France" else asked, alike)
    return Reference(asked, view.places[place.group].label if asked in GROUPS else label, values, alike)


def _values(
    view: View, place: Place, rows: dict[str, Row], asked: str, alike: Sequence[Similar]
) -> dict[str, float]:
    if asked in GROUPS:
        return {n: v[0] for n, v in queries.values_among(view, rows, [place.group]).items()}
    if asked == "semblables":
        found = queries.values_among(view, rows, [one.code for one in alike])
        return {name: median(values) for name, values in found.items() if len(values) >= LEAST}
    column = "france_value" if asked == "france" else "departement_value"
    return {name: row[column] for name, row in rows.items() if row[column] is not None}
