"""Maps of kinds, as classes on areas, and of counts, as proportional circles; of rates: :mod:`atlas`."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from html import escape
from statistics import fmean

from odds_pipeline.charts.ground import Ground, Shape
from odds_pipeline.charts.svg import ACCENT, INK, QUIET, RAMP, element, figure, line, text

Number = Callable[[float], str]
"""How a value is written, unit included."""
LEGEND, STEP = 26.0, 20.0
DARK = (*RAMP[3:], "#08222f")
"""Shades on which letters are white."""
ENDS = {
    "lower_is_better": "Plus la teinte est foncée, moins la situation est favorable.",
    "higher_is_better": "Plus la teinte est foncée, plus la situation est favorable.",
}
"""Which end of the ramp is the worse one; nothing where neither is."""
ABSENT = "sans valeur"
"""Said of a commune without a value, where no reason is given."""
TILE_NAME = 20.0
"""How far under the middle of its square a name stands."""
CIRCLE = 26.0
"""Radius of the largest circle, in units of the drawing (a commune is some 45 wide)."""


def quantile_classes(
    values: list[float], wanted: int = len(RAMP), shown: Callable[[float], object] = float
) -> list[list[float]]:
    """Values in at most ``wanted`` groups of like size, the lowest first.

    Values that are ``shown`` alike stay together, so that two classes never touch on the legend.
    """
    ordered = sorted(values)
    first: dict[object, int] = {}
    for i, value in enumerate(ordered):
        first.setdefault(shown(value), i)
    groups: dict[int, list[float]] = {}
    for value in ordered:
        groups.setdefault(first[shown(value)] * wanted // len(ordered), []).append(value)
    return list(groups.values())


def classed(
    key: str,
    title: str,
    ground: Ground,
    classes: Mapping[str, str],
    names: list[str],
    shades: Sequence[str] = (),
) -> str:
    """A map of a typology: ``classes`` gives the class of each commune, one of ``names``.

    From dark to light, unless ``shades`` are given: those of classes without an order. The number of a
    class is written on each commune and in the legend, so that the map reads without its colours; on a
    crowded ground, once for each class, on the commune that is nearest to the middle of its communes.
    """
    shades = shades or _shades(len(names))[::-1]
    order = {name: i for i, name in enumerate(names)}
    tints = {name: shades[i % len(shades)] for name, i in order.items()}
    fills = {code: tints[name] for code, name in classes.items() if code in ground.shapes}
    counts = {name: sum(1 for v in classes.values() if v == name) for name in names}
    legend = [(tints[name], f"{i + 1}. {name} ({counts[name]})") for i, name in enumerate(names)]
    description = " ; ".join(
        f"{name} : "
        + ", ".join(
            ground.shapes[c].label for c, v in classes.items() if v == name and c in ground.shapes
        )
        for name in names
    )
    marks = {code: str(order[name] + 1) for code, name in classes.items() if code in ground.shapes}
    if ground.crowded:
        marks = {code: marks[code] for code in _middles(ground, {c: classes[c] for c in marks})}
    return _classed(key, title, description, ground, fills, legend, marks)


def _middles(ground: Ground, classes: Mapping[str, str]) -> set[str]:
    """Of each class, the commune that is nearest to the middle of its communes."""
    members: dict[str, list[str]] = defaultdict(list)
    for code, name in classes.items():
        members[name].append(code)
    found = set()
    for codes in members.values():
        x, y = (fmean(getattr(ground.shapes[c], axis) for c in codes) for axis in ("x", "y"))
        found.add(min(codes, key=lambda c: math.hypot(ground.shapes[c].x - x, ground.shapes[c].y - y)))
    return found


def circles(
    key: str,
    title: str,
    ground: Ground,
    values: Mapping[str, float | None],
    number: Number,
    *,
    place: Collection[str] = (),
    missing: Mapping[str, str] | None = None,
) -> str:
    """A map of a count: the area of each circle is proportional to it.

    ``missing``: why a commune has no value, by its code.
    """
    known, why = {c: v for c, v in values.items() if v is not None and c in ground.shapes}, missing or {}
    biggest = max(known.values(), default=1.0) or 1.0
    radius = {code: CIRCLE * math.sqrt(max(v, 0) / biggest) for code, v in known.items()}
    body = [
        _area(
            shape,
            "#ffffff" if code in known else f"url(#{key}-hachure)",
            escape(f"{shape.label} : {number(known[code]) if code in known else why.get(code, ABSENT)}"),
        )
        for code, shape in ground.shapes.items()
    ]
    body += border_lines(ground)
    # The largest first, so that no circle hides a smaller one.
    for code in sorted(known, key=lambda c: (-radius[c], c)):
        shape = ground.shapes[code]
        chosen = code in place
        body.append(
            element(
                "circle",
                cx=shape.x,
                cy=shape.y,
                r=radius[code],
                fill=RAMP[2],
                fill_opacity=0.85,
                stroke=ACCENT if chosen else "#ffffff",
                stroke_width=2.5 if chosen else 0.8,
            )
        )
    if ground.tiles and not ground.crowded:
        for shape in ground.shapes.values():
            y = shape.y + TILE_NAME
            body.append(text(shape.x, y, shape.short_label, size=8.4, anchor="middle"))
    steps = [_rounded(biggest), _rounded(biggest / 6)]
    y = ground.height + 24
    x = CIRCLE
    for step in steps:
        r = CIRCLE * math.sqrt(step / biggest)
        body.append(element("circle", cx=x, cy=y + CIRCLE - r, r=r, fill="none", stroke=QUIET))
        body.append(text(x + r + 5, y + CIRCLE - r + 4, number(step), size=16))
        x += 2 * CIRCLE + 90
    if len(known) < len(ground.shapes):
        body.append(_swatch(x - 20, y + 8, f"url(#{key}-hachure)"))
        body.append(text(x + 6, y + 20, why_absent(ground, known, why), size=16))
    description = _description(ground, known, number, place)
    return figure(key, title, description, ground.width, ground.height + 84, _hatch(key) + "".join(body))


def why_absent(ground: Ground, known: Collection[str], missing: Mapping[str, str]) -> str:
    """Each reason with how many communes it is of: « secret (2), non livré (39) »."""
    reasons = Counter(missing.get(code, ABSENT) for code in ground.shapes if code not in known)
    return ", ".join(f"{reason} ({count})" for reason, count in sorted(reasons.items()))


def _rounded(value: float) -> float:
    """The largest of 1, 2, 5 × 10ⁿ not above ``value``: what a legend's circles stand for."""
    power = float(10 ** math.floor(math.log10(value)))
    return max(step * power for step in (1, 2, 5) if step * power <= value)


def _shades(count: int) -> list[str]:
    """``count`` shades of the ramp, as far apart as they can be; six at most."""
    picks = {1: [2], 2: [1, 4], 3: [0, 2, 4], 4: [0, 1, 3, 4], 5: [0, 1, 2, 3, 4]}
    return [RAMP[i] for i in picks[count]] if count in picks else [*RAMP, DARK[-1]] if count else []


def _description(
    ground: Ground, known: Mapping[str, float], number: Number, place: Collection[str]
) -> str:
    if not known:
        return "Aucune valeur."
    lowest, highest = min(known, key=lambda c: known[c]), max(known, key=lambda c: known[c])
    words = (
        f"{len(known)} communes sur {len(ground.shapes)} ont une valeur, de {number(known[lowest])} "
        f"({ground.shapes[lowest].label}) à {number(known[highest])} ({ground.shapes[highest].label})."
    )
    if len(place) == 1:
        words += "".join(f" {ground.shapes[c].label} : {number(known[c])}." for c in place if c in known)
    return words + " Les valeurs sont dans le tableau."


def _hatch(key: str) -> str:
    stripe = element("rect", width=6, height=6, fill="#ffffff") + element(
        "path", d="M0,6L6,0", stroke=QUIET, stroke_width=1
    )
    pattern = element(
        "pattern", stripe, id=f"{key}-hachure", width=6, height=6, patternUnits="userSpaceOnUse"
    )
    return element("defs", pattern)


def _area(shape: Shape, fill: str, tip: str = "") -> str:
    inside = element("title", tip) if tip else ""
    return element("path", inside, d=shape.path, fill=fill, stroke="#7a7a7a", stroke_width=0.6)


def border_lines(ground: Ground) -> list[str]:
    """Borders of groups of communes: dark on a white edge, to show on every shade and in grey."""
    return [
        element("path", d=ground.borders, fill="none", stroke=ink, stroke_width=width)
        for width, ink in ((3.6, "#ffffff"), (1.6, INK))
        if ground.borders
    ]


def place_outlines(ground: Ground, place: Collection[str]) -> list[str]:
    """The chosen communes, outlined on a white edge; thinner where there are several."""
    chosen = [shape.path for code, shape in ground.shapes.items() if code in place]
    inks = ((3, "#ffffff"), (1.6, ACCENT)) if len(chosen) > 1 else ((5, "#ffffff"), (3, ACCENT))
    return [
        element("path", d=d, fill="none", stroke=ink, stroke_width=width)
        for width, ink in inks
        for d in chosen
    ]


def _swatch(x: float, y: float, fill: str) -> str:
    return element("rect", x=x, y=y, width=20, height=16, fill=fill, stroke="#7a7a7a", stroke_width=0.6)


def _classed(
    key: str,
    title: str,
    description: str,
    ground: Ground,
    fills: Mapping[str, str],
    legend: list[tuple[str, str]],
    marks: Mapping[str, str],
) -> str:
    hatched = f"url(#{key}-hachure)"
    body = [_area(s, fills.get(code, hatched), escape(s.label)) for code, s in ground.shapes.items()]
    body += border_lines(ground)
    for code, shape in ground.shapes.items():
        ink = "#ffffff" if fills.get(code) in DARK else INK
        if code in marks:
            y = shape.y - 1
            body.append(text(shape.x, y, marks[code], size=13, anchor="middle", fill=ink, bold=True))
        if ground.tiles and not ground.crowded:
            y = shape.y + 12
            body.append(text(shape.x, y, shape.short_label, size=9.5, anchor="middle", fill=ink))
    if len(fills) < len(ground.shapes):
        legend = [*legend, (hatched, f"non classée ({len(ground.shapes) - len(fills)})")]
    y = ground.height + 16
    for row, (fill, words) in enumerate(legend):
        body.append(_swatch(0, y + row * STEP, fill))
        body.append(text(27, y + row * STEP + 12, words, size=12.5))
    body.append(line(0, ground.height + 8, ground.width, ground.height + 8))
    height = ground.height + LEGEND + len(legend) * STEP
    return figure(key, title, description, ground.width, height, _hatch(key) + "".join(body))
