"""Indicators × territories through time: the courses that a page sets side by side, on one scale.

What adds up is told as an index, 100 in the first year that all share: a town and its département are
never of one size, and what is asked is whether they go the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from odds_pipeline.charts import Line, multiple
from odds_pipeline.charts.scale import Scale, scale
from odds_pipeline.extranet.drawing import adds_up
from odds_pipeline.extranet.reading import queries
from odds_pipeline.extranet.reading.groups import GROUP, members, together
from odds_pipeline.extranet.reading.serving import Place, Row, View
from odds_pipeline.extranet.words import figure
from odds_pipeline.french import french_number

Values = dict[str, float | None]


@dataclass(frozen=True)
class Course:
    """One indicator. ``lines`` by territory, ``wholes`` of the départements they are set against.

    ``base``: the month that an index has 100 in; empty where values themselves are drawn.
    ``rows``: the figures behind, by month and territory, for the table.
    """

    lines: dict[str, Values]
    wholes: dict[str, Values]
    heights: Scale
    ends: tuple[str, str]
    base: str = ""
    rows: dict[str, dict[str, Row]] = field(default_factory=dict)

    def known(self, place: Place) -> list[str]:
        """Its months with a value."""
        return [
            m for m, own in sorted(self.rows.items()) if own.get(place.code, {}).get("value") is not None
        ]


def courses(view: View, names: Sequence[str], places: Sequence[Place]) -> dict[str, Course]:
    """The course of each indicator that at least one of the territories has two values of."""
    wholes = list(dict.fromkeys(code for place in places if (code := whole_of(view, place))))
    codes = [*dict.fromkeys(code for place in places for code in members(place)), *wholes]
    past = queries.histories(view, names, list(dict.fromkeys(codes)))
    found = {}
    for name in names:
        rows = {place.code: _rows(view, name, place, past) for place in places}
        beside = {code: past.get((name, code), []) for code in wholes}
        if (one := _course(view.definitions[name], rows, beside)) is not None:
            found[name] = one
    return found


def whole_of(view: View, place: Place) -> str:
    """The département that a territory is set against; itself, and what is wider, against none."""
    if place.level in ("departement", "region", "metropole", "france"):
        return ""
    given = place.departement or (
        view.observatory.departements[0] if len(view.observatory.departements) == 1 else ""
    )
    return given if given in view.places else ""


def drawn(view: View, name: str, course: Course, places: Sequence[Place]) -> dict[str, str]:
    """The small trend of each territory that has two values, the département's dashed behind it."""
    sheet, found = view.definitions[name], {}
    for rank, place in enumerate(places):
        if sum(value is not None for value in course.lines[place.code].values()) < 2:
            continue
        whole = whole_of(view, place)
        beside = course.wholes.get(whole, {})
        found[place.code] = multiple(
            f"{name}-{rank}",
            f"{sheet['label']}, {place.label}",
            Line(place.label, course.lines[place.code], place=True),
            Line(view.places[whole].label, beside) if any(beside.values()) else None,
            course.heights,
            course.ends,
            partial(_on_axis, sheet, course.base != ""),
            [b["month"] for b in sheet["breaks"]],
        )
    return found


def _on_axis(sheet: Row, index: bool, value: float) -> str:
    """A value of the scale; the title of the page says a unit that is more than a sign."""
    if index:
        return french_number(value, 0)
    shown = figure(value, sheet)
    return shown if len(sheet["symbol"] or "") < 2 else shown.removesuffix(sheet["symbol"]).rstrip()


def _rows(view: View, name: str, place: Place, past: dict[tuple[str, str], list[Row]]) -> list[Row]:
    if place.level != GROUP:
        return past.get((name, place.code), [])
    of = [{row["month"]: row for row in past.get((name, code), [])} for code in members(place)]
    lacking = dict.fromkeys(("oldest_input", "departement_value", "france_value"))
    shared = [month for month in (of[0] if of else {}) if all(month in one for one in of)]
    made = (
        together(place, [{**one[month], **lacking} for one in of], view.definitions[name])
        for month in shared
    )
    return [row for row in made if row is not None]


def _course(sheet: Row, rows: dict[str, list[Row]], wholes: dict[str, list[Row]]) -> Course | None:
    lines, beside = ({c: _values(own) for c, own in given.items()} for given in (rows, wholes))
    base = ""
    if adds_up(sheet):
        if (found := _base(sheet, [*lines.values(), *beside.values()])) is None:
            return None
        base = found
        lines, beside = ({c: _index(v, base) for c, v in given.items()} for given in (lines, beside))
    several = [v for v in lines.values() if sum(one is not None for one in v.values()) > 1]
    known = [
        v for values in (*lines.values(), *beside.values()) for v in values.values() if v is not None
    ]
    months = sorted(
        {m for v in (*lines.values(), *beside.values()) for m, one in v.items() if one is not None}
    )
    if not several:
        return None
    by_month: dict[str, dict[str, Row]] = {}
    for code, own in (*rows.items(), *wholes.items()):
        for row in own:
            by_month.setdefault(row["month"], {})[code] = row
    return Course(lines, beside, scale(known), (months[0], months[-1]), base, by_month)


def _values(rows: list[Row]) -> Values:
    return {row["month"]: row["value"] for row in rows}


def _base(sheet: Row, lines: list[Values]) -> str | None:
    """The first month after every break that all of two values and more have one above nought in."""
    held = [values for values in lines if sum(value is not None for value in values.values()) > 1]
    last = max((month for values in held for month in values), default="")
    after = max((b["month"] for b in sheet["breaks"] if b["month"] <= last), default="")
    shared = [
        m for m in (held[0] if held else {}) if m >= after and all((v.get(m) or 0) > 0 for v in held)
    ]
    return min(shared, default=None)


def _index(values: Values, base: str) -> Values:
    own = values.get(base)
    return {
        month: None if value is None else 100 * value / own
        for month, value in values.items()
        if own and month >= base
    }
