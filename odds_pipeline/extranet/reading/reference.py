"""What a territory is set against: the département, its EPT or EPCI, what is wider, communes like it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from odds_pipeline.extranet.reading import queries
from odds_pipeline.extranet.reading.serving import Place, Row, Unknown, View
from odds_pipeline.extranet.reading.similar import Similar, similar
from odds_pipeline.geography.territories import BEYOND, GROUPS

LEAST = 3
"""Communes alike that must have a value for their median to be one."""


@dataclass(frozen=True)
class Reference:
    """``values`` by indicator, of the same period and geography as the territory's own."""

    key: str
    label: str
    values: dict[str, float]
    alike: list[Similar]


def choices(view: View, place: Place, names: Iterable[str], alike: Sequence[Similar]) -> dict[str, str]:
    """What there is to set a territory against, by the name that an address asks for.

    A région or a métropole is offered where it has a value of one of the indicators ``names``.
    """
    if place.level == "france":
        return {}
    whole = place.level in ("departement", *BEYOND)
    found = {"": "France"} if whole else {"": "département"}
    for level in GROUPS if place.level == "commune" else ():
        if getattr(place, level):
            found[level] = level.upper()
    wider, shown = _wider(view), set(names)
    for level in BEYOND:
        one = wider.get(level)
        if one and one != place.code and not shown.isdisjoint(_valued(view)[one]):
            found[level] = view.places[one].label
    if not whole:
        found["france"] = "France"
    if alike:
        found["semblables"] = "médiane des communes semblables"
    return found


def reference(
    view: View, place: Place, rows: dict[str, Row], asked: str, likeness: Sequence[str]
) -> Reference:
    """The values to set beside ``rows``. :class:`Unknown` when there is nothing of that name."""
    alike = similar(view, place.code, likeness) if place.level == "commune" else []
    offered = choices(view, place, rows, alike)
    if asked and asked not in offered:
        raise Unknown(asked)
    label = offered.get(asked, "")
    values = _values(view, place, rows, "france" if label == "France" else asked, alike)
    return Reference(asked, view.places[place.group].label if asked in GROUPS else label, values, alike)


def _wider(view: View) -> dict[str, str]:
    """The région and the métropole that have values, where there is one alone of its level."""
    codes = {level: [c for c in _valued(view) if view.places[c].level == level] for level in BEYOND}
    return {level: found[0] for level, found in codes.items() if len(found) == 1}


def _valued(view: View) -> dict[str, set[str]]:
    """The indicators of which what goes beyond the perimeter has a value, by territory."""

    def read() -> dict[str, set[str]]:
        rows = view.rows(
            "SELECT territory, list(DISTINCT indicator) AS known FROM indicator_values "
            "WHERE list_contains(?::VARCHAR[], level) AND value IS NOT NULL GROUP BY territory",
            [list(BEYOND)],
        )
        return {row["territory"]: set(row["known"]) for row in rows}

    return view.once("beyond", read, 50_000)


def _values(
    view: View, place: Place, rows: dict[str, Row], asked: str, alike: Sequence[Similar]
) -> dict[str, float]:
    if asked in (*GROUPS, *BEYOND):
        code = place.group if asked in GROUPS else _wider(view)[asked]
        return {n: v[0] for n, v in queries.values_among(view, rows, [code]).items()}
    if asked == "semblables":
        found = queries.values_among(view, rows, [one.code for one in alike])
        return {name: median(values) for name, values in found.items() if len(values) >= LEAST}
    column = "france_value" if asked == "france" else "departement_value"
    return {name: row[column] for name, row in rows.items() if row[column] is not None}
