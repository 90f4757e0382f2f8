"""Groups of communes of a reader's own: a name and codes in an address, what adds up of their values.

A group is computed from the values that its reader is shown and from nothing else: it tells nothing that
they do not. Where one of its communes is hidden or lacks, so is the group.
"""

import re
from collections.abc import Sequence

from odds_pipeline.declarations.formula import parse
from odds_pipeline.extranet.reading.serving import Place, Row, Unknown, View

GROUP = "groupe"
"""The level of a group."""
MOST = 60
"""Communes of a group."""
_ADDRESS = re.compile(r"([\w ’'(),-]{1,60}):([0-9AB.]+)")
_OF_ONE = (
    *("value", "numerator", "denominator"),
    *("difference", "rank", "ranked", "quartile", "change_1y", "change_5y", "ci_low", "ci_high"),
)
"""What is of one commune: its figures, and what stands beside a value and is not known of a group."""


def address_of(name: str, codes: Sequence[str]) -> str:
    """How a group is written in an address, its name without what it cannot hold."""
    kept = " ".join(re.sub(r"[^\w’'(),-]+", " ", name).split())[:60] or "Groupe"
    return f"{kept}:{'.'.join(dict.fromkeys(codes))}"


def place_of(view: View, code: str) -> Place:
    """The territory, or the group of communes, that an address names; :class:`Unknown` otherwise."""
    if ":" not in code:
        return view.place(code)
    found = _ADDRESS.fullmatch(code)
    codes = list(dict.fromkeys(found[2].split("."))) if found else []
    communes = [view.place(one) for one in codes]
    now = all(c.level == "commune" and view.geography in c.geographies for c in communes)
    if not found or not now or not 1 < len(codes) <= MOST:
        raise Unknown(code)
    name = found[1].strip() or "Groupe"
    label = f"{name} ({len(codes)} communes)"
    return Place(address_of(name, codes), name, label, GROUP, "", "", "", (view.geography,), ())


def members(place: Place) -> list[str]:
    """The communes of a group; of another territory, itself."""
    return place.code.rpartition(":")[2].split(".") if place.level == GROUP else [place.code]


def together(place: Place, rows: Sequence[Row], sheet: Row) -> Row | None:
    """The value of a group from those of all its communes; ``None`` where nothing adds up."""
    how = sheet.get("adds_up")
    if how is None:
        return None
    own = {**rows[0], "territory": place.code, "level": GROUP, **dict.fromkeys(_OF_ONE)}
    own["oldest_input"] = min((r["oldest_input"] for r in rows if r["oldest_input"]), default=None)
    for wider in ("departement_value", "france_value"):
        same = {r[wider] for r in rows}
        own[wider] = same.pop() if len(same) == 1 else None
    own["reserve"] = " ".join(sorted({r["reserve"] for r in rows if r["reserve"]})) or None
    lacking = next((r for r in rows if r["value"] is None), None)
    if lacking:
        hidden = any(r["conf_status"] != "F" for r in rows)
        return own | {
            "obs_status": "Q" if hidden else lacking["obs_status"],
            "conf_status": "D" if hidden else "F",
        }
    own["obs_status"] = max(r["obs_status"] for r in rows)
    return own | _added(how, rows, sheet)


def _added(how: str, rows: Sequence[Row], sheet: Row) -> Row:
    if how == "sum":
        return {"value": sum(r["value"] for r in rows)}
    sides = [[r[side] for r in rows] for side in ("numerator", "denominator")]
    formula = parse(sheet["formula"])
    factor = formula.factor * formula.products[0].factor
    if any(None in side for side in sides) or sum(sides[1]) <= 0:
        return {"obs_status": "M"}
    above, below = map(sum, sides)
    return {"value": factor * above / below, "numerator": above, "denominator": below}
