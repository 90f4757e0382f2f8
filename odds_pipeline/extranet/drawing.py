"""The charts of the pages, drawn from what the view holds."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from odds_pipeline.charts import (
    Ground,
    Line,
    Ranked,
    atlas,
    circles,
    ranking,
    read_ground,
    spark,
    trend,
)
from odds_pipeline.charts.atlas import DARK_STEPS, Class, classes_of
from odds_pipeline.charts.labels import place_labels
from odds_pipeline.charts.maps import ABSENT
from odds_pipeline.charts.stamp import stamp
from odds_pipeline.charts.strip import Strip, strip
from odds_pipeline.extranet.reading.month import Month, month_of
from odds_pipeline.extranet.reading.serving import Place, Row, View
from odds_pipeline.extranet.words import figure, status
from odds_pipeline.french import NOT_DELIVERED
from odds_pipeline.geography.territories import GROUPS, Territories
from odds_pipeline.storage.home import Home

LEAST = 4
"""Communes that have a value, below which there are no classes and no strip."""
TINTS = 4
"""Colours of groups of communes, which the style sheet has; borders part those of one colour."""


@dataclass
class Atlas:
    """The grounds of maps, by geography, read once."""

    territories: Territories
    reference: Path
    home: Home
    _grounds: dict[int, Ground] = field(default_factory=dict)

    def ground(self, geography: int) -> Ground:
        if geography not in self._grounds:
            self._grounds[geography] = read_ground(
                self.territories, self.reference, self.home, geography
            )
        return self._grounds[geography]


def position(
    row: Row,
    sheet: Row,
    known: list[float],
    label: str,
    against: tuple[str, float | None],
    names: tuple[str, str] = ("", ""),
) -> str:
    """The strip of a value among the communes' ones of the same period; nothing below four of them.

    Nor of a whole that adds them up: it would push them all to one end.

    ``against``: what it is set against, and its value. ``names``: of the lowest and the highest.
    """
    if len(known) < LEAST or (adds_up(sheet) and row.get("level", "commune") != "commune"):
        return ""
    own = row["value"]
    reference = None if adds_up(sheet) else against[1]
    described = (
        f"De {figure(min(known), sheet)} à {figure(max(known), sheet)} parmi {len(known)} communes"
    )
    if own is not None:
        described += f" ; {label} : {figure(own, sheet)}"
    if reference is not None:
        described += f" ; {against[0]} : {figure(reference, sheet)}"
    drawn = strip(Strip(known, own, reference), described)
    ends = zip((min(known), max(known)), names, strict=True)
    return drawn + _ends(f"{figure(v, sheet)}{escape(f' {name}') if name else ''}" for v, name in ends)


def _ends(written: Iterable[str]) -> str:
    """The lowest and the highest value, below a strip whose description tells them already."""
    spans = "".join(f"<span>{end}</span>" for end in written)
    return f'<span class="ends" aria-hidden="true">{spans}</span>'


def positions(rows: dict[str, Row], sheet: Row, known: list[float], places: list[Place]) -> str:
    """The strip of several territories of a row, each by its shape; nothing below four communes.

    What adds up is drawn for communes alone: a département among them would push them to one end.
    """
    if len(known) < LEAST:
        return ""
    values = [
        rows[place.code]["value"]
        if place.code in rows and (place.level == "commune" or not adds_up(sheet))
        else None
        for place in places
    ]
    told = " ; ".join(
        f"{p.label} : {figure(v, sheet)}" for p, v in zip(places, values, strict=True) if v is not None
    )
    ends = (figure(min(known), sheet), figure(max(known), sheet))
    drawn = strip(
        Strip(known, marked=values), f"De {ends[0]} à {ends[1]} parmi {len(known)} communes ; {told}"
    )
    return drawn + _ends(ends)


@dataclass(frozen=True)
class PlacesMap:
    """A map whose communes are links; ``sheet`` and ``month`` colour it, ``classes`` are its legend."""

    svg: str
    sheet: Row | None = None
    month: str = ""
    classes: tuple[Class, ...] = ()
    whole: float | None = None
    unknown: dict[str, int] = field(default_factory=dict)
    """How many communes have no value, by the reason."""


def places_map(grounds: Atlas, view: View, indicator: str | None = None, own: str = "") -> PlacesMap:
    """The communes by the classes of an indicator, else by their group; the same links stand in a list.

    ``own``: the commune to outline.
    """
    ground = grounds.ground(view.geography)
    if indicator in view.valued:
        shown = month_of(view, indicator, None, "commune", None)
        if drawn := classes_map(grounds, view, shown, "/territoires/{}", own):
            return drawn
    tints = {group.code: n % TINTS for n, group in enumerate(groups(view))}
    of = {c: f"group{tints.get(view.places[c].group, '')}" for c in ground.shapes if c in view.places}
    said = {c: view.places[c].group for c in of}
    tips = {c: f", {view.places[g].label}" for c, g in said.items() if g in view.places}
    return PlacesMap(_linked(ground, "/territoires/{}", of, tips, (), own))


def classes_map(grounds: Atlas, view: View, shown: Month, href: str, own: str) -> PlacesMap | None:
    """The communes by the classes of one month, each a link to ``href``; nothing below four values."""
    ground = grounds.ground(shown.rows[0]["geography"] if shown.rows else view.geography)
    values = {
        r["territory"]: r["value"]
        for r in shown.rows
        if r["value"] is not None and r["level"] == "commune" and r["territory"] in ground.shapes
    }
    if len(values) < LEAST:
        return None
    sheet, whole = shown.sheet, _departement_of(shown.rows)
    classes = classes_of(
        list(values.values()), None if adds_up(sheet) else whole, lambda v: figure(v, sheet)
    )
    steps = {v: one.step for one in classes for v in one.values}
    of = {c: f"step{steps[values[c]]}" if c in values else "unknown" for c in ground.shapes}
    why = _missing(ground, shown.rows)
    tips = {c: f" : {figure(values[c], sheet) if c in values else why[c]}" for c in of}
    dark = {c for c in values if steps[values[c]] in DARK_STEPS}
    drawn = _linked(ground, href, of, tips, dark, own)
    return PlacesMap(drawn, sheet, shown.month or "", tuple(classes), whole, dict(Counter(why.values())))


def _missing(ground: Ground, rows: list[Row]) -> dict[str, str]:
    """Why each commune without a value has none: its status, or that no file tells anything of it."""
    told = {row["territory"]: row for row in rows}
    return {
        code: (status(told[code]) or ABSENT) if code in told else NOT_DELIVERED
        for code in ground.shapes
        if code not in told or told[code]["value"] is None
    }


def _linked(
    ground: Ground,
    href: str,
    of: dict[str, str],
    tips: dict[str, str],
    dark: Collection[str],
    own: str,
) -> str:
    """The shapes as links, each of a class that the style sheet colours, its name and tip in words."""
    body = []
    for code, shape in sorted(ground.shapes.items(), key=lambda item: item[1].label):
        label = escape(f"{shape.label}{tips.get(code, '')}")
        body.append(
            f'<a href="{href.format(code)}" class="{of.get(code, "")}" aria-label="{label}">'
            f'<title>{label}</title><path d="{shape.path}"/></a>'
        )
    names, box = place_labels(
        ground, dict.fromkeys(ground.shapes, ""), dark, 8.4 if ground.tiles else 11
    )
    outlined = ""
    if own in ground.shapes:
        outlined = "".join(
            f'<path class="{c}" d="{ground.shapes[own].path}"/>' for c in ("halo", "mine")
        )
    kind, sides = "places tiles" if ground.tiles else "places", " ".join(f"{side:g}" for side in box)
    return (
        f'<svg class="{kind}" viewBox="{sides}" role="group" '
        f'aria-label="Carte des communes">{"".join(body)}'
        f'<path class="border" d="{ground.borders}"/>{outlined}'
        f'<g aria-hidden="true">{"".join(names)}</g></svg>'
    )


def locator(grounds: Atlas, view: View, place: Place) -> str:
    """Where a territory lies: its own communes among the others, at the size of a stamp."""
    ground = grounds.ground(view.geography)
    own = {place.code, *place.communes} & ground.shapes.keys()
    near = {
        code for code in ground.shapes if code in view.places and place.code == view.places[code].group
    }
    if not own | near:
        return ""
    beside = {
        code
        for code in ground.shapes
        if code in view.places and own and view.places[code].group in {view.places[c].group for c in own}
    }
    drawn = stamp(ground, {"own": own | near, "near": beside - own})
    words = f"{place.label} sur la carte {view.observatory.of_territory}"
    opened = f'<svg class="stamp" viewBox="{drawn.box}" role="img" aria-label="{escape(words)}">'
    return f"{opened}{drawn.body}</svg>"


def groups(view: View) -> list[Place]:
    """The EPT or EPCI that communes are grouped by, in the order of their tints."""
    codes = {place.group for place in view.places.values()}
    return [place for place in view.places.values() if place.code in codes]


def indicator_map(grounds: Atlas, sheet: Row, rows: list[Row], place: Place | None) -> str | None:
    """A map of one month: classes for a rate, circles for a count; only for communes.

    Fewer than four rates have no classes.
    """
    if not rows or rows[0]["level"] != "commune":
        return None
    values = {row["territory"]: row["value"] for row in rows}
    if not adds_up(sheet) and sum(value is not None for value in values.values()) < LEAST:
        return None
    ground = grounds.ground(rows[0]["geography"])
    drawn = {code: values.get(code) for code in ground.shapes}
    title, chosen = f"{sheet['label']}, communes", (place.code,) if place else ()
    why = _missing(ground, rows)

    def number(value: float) -> str:
        return figure(value, sheet)

    if adds_up(sheet):
        return circles("carte", title, ground, drawn, number, place=chosen, missing=why)
    whole = _departement_of(rows)
    reference = None if whole is None else ("Département", whole)
    direction = sheet["direction"]
    return atlas(
        "carte",
        title,
        ground,
        drawn,
        number,
        reference=reference,
        direction=direction,
        place=chosen,
        missing=why,
    )


def _departement_of(rows: list[Row]) -> float | None:
    """The département's value of the same period, which rows of its communes bear."""
    return next((r["departement_value"] for r in rows if r["departement_value"] is not None), None)


def indicator_ranking(view: View, sheet: Row, rows: list[Row], place: Place | None) -> str | None:
    """Communes in the order of their values, with intervals where they have one."""
    known = [row for row in rows if row["value"] is not None]
    if len(known) < 2 or known[0]["level"] not in ("commune", *GROUPS):
        return None
    departement = _departement_of(known)
    marks = {}
    if departement is not None and not adds_up(sheet):
        marks = {f"Département {figure(departement, sheet)}": departement}
    return ranking(
        "classement",
        f"{sheet['label']}, par ordre",
        [
            Ranked(
                view.places[row["territory"]].label,
                row["value"],
                row["ci_low"],
                row["ci_high"],
                place=place is not None and row["territory"] == place.code,
            )
            for row in known
        ],
        lambda value: figure(value, sheet),
        marks=marks,
    )


def _short(place: Place) -> str:
    return "Département" if place.level == "departement" else place.label


def indicator_trend(view: View, sheet: Row, series: list[Row], place: Place | None) -> str | None:
    """The series of the chosen territory and the département; a gap stays a gap."""
    lines: dict[str, dict[str, float | None]] = {}
    for row in series:
        lines.setdefault(row["territory"], {})[row["month"]] = row["value"]
    if place is not None and adds_up(sheet):
        lines = {code: values for code, values in lines.items() if code == place.code}
    if len({month for values in lines.values() for month in values}) < 2:
        return None
    return trend(
        "evolution",
        f"{sheet['label']}, évolution",
        [
            Line(_short(view.places[code]), values, place=place is not None and code == place.code)
            for code, values in lines.items()
        ],
        lambda value: figure(value, sheet),
        breaks={b["month"]: b["reason"] for b in sheet["breaks"]},
    )


CHARTS = ("carte", "classement", "evolution")


def charts_of(
    grounds: Atlas, view: View, shown: Month, names: Collection[str] = CHARTS
) -> dict[str, str]:
    """The charts that there are of one indicator, by name."""
    sheet, rows, place = shown.sheet, shown.rows, shown.chosen
    makers: dict[str, Callable[[], str | None]] = {
        "carte": lambda: indicator_map(grounds, sheet, rows, place),
        "classement": lambda: indicator_ranking(view, sheet, rows, place),
        "evolution": lambda: indicator_trend(view, sheet, shown.series, place),
    }
    drawn = {name: makers[name]() for name in names}
    return {name: svg for name, svg in drawn.items() if svg is not None}


def ranks(rows: list[Row]) -> bool:
    """Whether there is a ranking of these territories."""
    return sum(row["value"] is not None for row in rows) > 1 and rows[0]["level"] in ("commune", *GROUPS)


@dataclass(frozen=True)
class Bars:
    """A bar for each territory; whether a line stands at the département, and intervals on bars."""

    drawn: dict[str, str]
    reference: bool = False
    intervals: bool = False


BAR = '<svg class="bar" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">'


def bars(rows: list[Row], sheet: Row) -> Bars:
    """Bars from nought, on one scale, which a table holds beside its figures."""
    known = [row for row in rows if row["value"] is not None]
    if not ranks(rows):
        return Bars({})
    whole = None if adds_up(sheet) else _departement_of(known)
    ends = [v for r in known for v in (r["value"], r["ci_low"], r["ci_high"]) if v is not None]
    low, high = min(0.0, *ends), max(0.0, whole or 0.0, *ends)
    span = (high - low) or 1.0

    def share(length: float) -> str:
        return f"{100 * length / span:.1f}".removesuffix(".0")

    def x(value: float) -> str:
        return share(value - low)

    drawn = {}
    for row in known:
        left, right = sorted((0.0, row["value"]))
        body = f'<rect x="{x(left)}" y="2" width="{share(right - left)}" height="8"/>'
        if None not in (row["ci_low"], row["ci_high"]):
            body += f'<path class="interval" d="M{x(row["ci_low"])} 6H{x(row["ci_high"])}"/>'
        if whole is not None:
            body += f'<path d="M{x(whole)} 0V12"/>'
        drawn[row["territory"]] = f"{BAR}{body}</svg>"
    return Bars(drawn, whole is not None, any(row["ci_low"] is not None for row in known))


def series_spark(row: Row, sheet: Row) -> str:
    """The line of a row's past, which crosses no break."""
    values = dict(zip(row["months"], row["points"], strict=True))
    return spark(values, [b["month"] for b in sheet["breaks"]])


def adds_up(sheet: Row) -> bool:
    """Whether a commune's figure is always less than the département's: only other figures compare."""
    return sheet.get("kind") in ("count", "amount") or sheet["change_unit"] == "pct_evolution"
