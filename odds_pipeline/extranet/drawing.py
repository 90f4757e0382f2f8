"""The charts of the pages, drawn from what the view holds."""

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
from odds_pipeline.charts.labels import place_labels
from odds_pipeline.charts.strip import Strip, strip
from odds_pipeline.extranet.reading.month import Month
from odds_pipeline.extranet.reading.serving import Place, Row, View
from odds_pipeline.extranet.words import figure
from odds_pipeline.geography.territories import GROUPS, Territories
from odds_pipeline.storage.home import Home

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
    row: Row, sheet: Row, known: list[float], label: str, against: tuple[str, float | None]
) -> str:
    """The strip of a value among the communes' ones of the same period; nothing below four of them.

    ``against``: what it is set against, and its value.
    """
    if len(known) < 4:
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
    ends = f"<span>{figure(min(known), sheet)}</span><span>{figure(max(known), sheet)}</span>"
    return f'{drawn}<span class="ends" aria-hidden="true">{ends}</span>'


def places_map(grounds: Atlas, view: View) -> str:
    """A map whose communes are links, of a tint by group of them; the same links stand in a list."""
    ground = grounds.ground(view.geography)
    tints = {group.code: n % TINTS for n, group in enumerate(groups(view))}
    body = []
    for code, shape in sorted(ground.shapes.items(), key=lambda item: item[1].label):
        label = escape(shape.label)
        group = view.places[code].group if code in view.places else ""
        body.append(
            f'<a href="/territoires/{code}" class="group{tints.get(group, "")}" aria-label="{label}">'
            f"<title>{label}{_within(view, group)}</title>"
            f'<path d="{shape.path}"/></a>'
        )
    names, box = place_labels(ground, dict.fromkeys(ground.shapes, ""), (), 8.4 if ground.tiles else 11)
    return (
        f'<svg class="places" viewBox="{" ".join(f"{side:g}" for side in box)}" role="group" '
        f'aria-label="Carte des communes">{"".join(body)}'
        f'<path class="border" d="{ground.borders}"/><g aria-hidden="true">{"".join(names)}</g></svg>'
    )


def groups(view: View) -> list[Place]:
    """The EPT or EPCI that communes are grouped by, in the order of their tints."""
    codes = {place.group for place in view.places.values()}
    return [place for place in view.places.values() if place.code in codes]


def _within(view: View, group: str) -> str:
    return f", {escape(view.places[group].label)}" if group in view.places else ""


def indicator_map(
    grounds: Atlas, view: View, sheet: Row, rows: list[Row], place: Place | None
) -> str | None:
    """A map of one month: classes for a rate, circles for a count; only for communes."""
    if not rows or rows[0]["level"] != "commune":
        return None
    ground = grounds.ground(rows[0]["geography"])
    values = {row["territory"]: row["value"] for row in rows}
    drawn = {code: values.get(code) for code in ground.shapes}
    title, chosen = f"{sheet['label']}, communes", (place.code,) if place else ()

    def number(value: float) -> str:
        return figure(value, sheet)

    if adds_up(sheet):
        return circles("carte", title, ground, drawn, number, place=chosen)
    whole = _departement_of(rows)
    reference = None if whole is None else ("Département", whole)
    direction = sheet["direction"]
    return atlas(
        "carte", title, ground, drawn, number, reference=reference, direction=direction, place=chosen
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


def charts_of(grounds: Atlas, view: View, shown: Month) -> dict[str, str]:
    """The charts that there are of one indicator, by name: ``carte``, ``classement``, ``evolution``."""
    drawn = {
        "carte": indicator_map(grounds, view, shown.sheet, shown.rows, shown.chosen),
        "classement": indicator_ranking(view, shown.sheet, shown.rows, shown.chosen),
        "evolution": indicator_trend(view, shown.sheet, shown.series, shown.chosen),
    }
    return {name: svg for name, svg in drawn.items() if svg is not None}


def series_spark(row: Row, sheet: Row) -> str:
    """The line of a row's past, which crosses no break."""
    values = dict(zip(row["months"], row["points"], strict=True))
    return spark(values, [b["month"] for b in sheet["breaks"]])


def adds_up(sheet: Row) -> bool:
    """Whether a commune's figure is always less than the département's: only other figures compare."""
    return sheet.get("kind") in ("count", "amount") or sheet["change_unit"] == "pct_evolution"
