"""The map of a rate: every commune named with its value, classes that part at the whole's value."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from html import escape

from odds_pipeline.charts.ground import Ground
from odds_pipeline.charts.labels import place_labels
from odds_pipeline.charts.maps import (
    ABSENT,
    DARK,
    ENDS,
    _area,
    _description,
    _hatch,
    _shades,
    _swatch,
    border_lines,
    place_outlines,
    quantile_classes,
    why_absent,
)
from odds_pipeline.charts.svg import ACCENT, INK, QUIET, RAMP, element, figure, line, text

Number = Callable[[float], str]
CLASSES = 5
STEPS = (*RAMP, DARK[-1])
SIZE, SIZE_ON_TILES = 8.0, 9.3
"""Of names, in units of the drawing: 7 points or more where the map takes a column."""
ALONE = 3
"""Chosen communes that a crowded map names; those of a whole group are outlined."""
EMBLEM = ("#1D6173", "#2E7488", "#7FB2AF", "#BDD5BD", "#F0EAD2")
BLOCK = 36.0
"""Height of the legend's bar with its words."""


def classes_around(
    values: list[float], reference: float | None, shown: Callable[[float], object]
) -> list[list[float]]:
    """Five classes of like size, one limit of which is ``reference``: none holds both sides of it."""
    below = [v for v in values if reference is not None and _under(v, reference, shown)]
    above = [v for v in values if reference is None or not _under(v, reference, shown)]
    if not below or not above:
        return quantile_classes(values, CLASSES, shown)
    lower = min(max(round(CLASSES * len(below) / len(values)), 1), CLASSES - 1)
    return quantile_classes(below, lower, shown) + quantile_classes(above, CLASSES - lower, shown)


def _under(value: float, reference: float, shown: Callable[[float], object]) -> bool:
    """Below it as a reader sees them: what is written alike is of one side."""
    return value < reference and shown(value) != shown(reference)


@dataclass(frozen=True)
class Class:
    """Values of one shade, ``step`` of the ramp, in words."""

    values: tuple[float, ...]
    step: int
    span: str


DARK_STEPS = frozenset(i for i, shade in enumerate(STEPS) if shade in DARK)


def classes_of(values: list[float], reference: float | None, number: Number) -> list[Class]:
    """The classes of a map, the lowest first; a style sheet or the ramp colours them by their step."""
    found = classes_around(values, reference, number)
    shades = _shades(len(found))
    return [
        Class(tuple(group), STEPS.index(shade), _span(group, number))
        for group, shade in zip(found, shades, strict=True)
    ]


def _span(group: list[float], number: Number) -> str:
    low, high = number(group[0]), number(group[-1])
    return low if low == high else f"{low} à {high}"


def atlas(
    key: str,
    title: str,
    ground: Ground,
    values: Mapping[str, float | None],
    number: Number,
    *,
    reference: tuple[str, float] | None = None,
    direction: str = "neutral",
    place: Collection[str] = (),
    written: Number | None = None,
    missing: Mapping[str, str] | None = None,
) -> str:
    """The map of a rate; communes without a value are hatched.

    ``reference``: the whole's name and value, which one limit falls on. ``direction``: which values are
    favourable, which the legend says. ``place``: codes of the communes to outline. ``written``:
    a value on the map, where the title says its unit. ``missing``: why a commune has none, by its code.
    """
    known, why = {c: v for c, v in values.items() if v is not None and c in ground.shapes}, missing or {}
    classes = classes_of(list(known.values()), reference[1] if reference else None, number)
    steps = {v: one.step for one in classes for v in one.values}
    fills = {code: STEPS[steps[value]] for code, value in known.items()}
    words = {code: number(known[code]) if code in known else "n. d." for code in ground.shapes}
    body = [
        _area(
            shape,
            fills.get(code, f"url(#{key}-hachure)"),
            escape(f"{shape.label} : {words[code] if code in known else why.get(code, ABSENT)}"),
        )
        for code, shape in ground.shapes.items()
    ]
    body += border_lines(ground) + place_outlines(ground, place)
    on_map = {code: (written or number)(v) for code, v in known.items()}
    size = SIZE_ON_TILES if ground.tiles else SIZE
    dark = {code for code, value in known.items() if steps[value] in DARK_STEPS}
    ends = (min(known, key=known.__getitem__), max(known, key=known.__getitem__)) if known else ()
    labels, (left, top, width, height) = place_labels(
        ground, words | on_map, dark, size, {*ends, *place} if len(place) <= ALONE else ends
    )
    body += labels
    y = top + height + 12
    body += _legend(classes, number, reference, (left, y, width), size)
    y += BLOCK + 16
    if note := ENDS.get(direction, ""):
        body.append(text(left + 2, y - 5, note, size=size + 0.4, fill=QUIET))
        y += 14
    if len(fills) < len(ground.shapes):
        said = f"n. d. : {why_absent(ground, known, why)}"
        body.append(_swatch(left, y - 11, f"url(#{key}-hachure)"))
        body.append(text(left + 26, y, said, size=size + 0.6, fill=QUIET))
        y += 18
    described = f"{_description(ground, known, number, place)} {note}".strip()
    drawn = element("g", "".join(body), transform=f"translate({-left:g},{-top:g})")
    return figure(key, title, described, width, y - top, _hatch(key) + drawn)


def _legend(
    classes: list[Class],
    number: Number,
    reference: tuple[str, float] | None,
    place: tuple[float, float, float],
    size: float,
) -> list[str]:
    """One bar of five classes with their spans and counts; a mark where the whole's value parts them."""
    left, y, width = place
    step = width / max(len(classes), 1)
    drawn = []
    for i, one in enumerate(classes):
        x = left + i * step
        shade = STEPS[one.step]
        drawn.append(element("rect", x=x, y=y, width=step, height=9, fill=shade, stroke="#ffffff"))
        drawn.append(text(x + 2, y + 20, one.span, size=size + 0.4))
        counted = f"{len(one.values)} commune{'s' if len(one.values) > 1 else ''}"
        drawn.append(text(x + 2, y + 31, counted, size=size, fill=QUIET))
    parting = next(
        (
            i
            for i, one in enumerate(classes)
            if reference
            and i
            and _under(classes[i - 1].values[-1], reference[1], number)
            and not _under(one.values[0], reference[1], number)
        ),
        None,
    )
    if reference and parting is not None:
        x = left + parting * step
        drawn.append(line(x, y - 5, x, y + 12, INK, 1.6))
        name = f"{reference[0]} : {number(reference[1])}"
        anchor = "start" if parting < 3 else "end"
        drawn.append(
            text(
                x + (3 if anchor == "start" else -3),
                y - 3,
                name,
                size=size + 0.4,
                anchor=anchor,
                bold=True,
            )
        )
    return drawn


def emblem(ground: Ground, values: Mapping[str, float | None]) -> str:
    """The map as an ornament: shapes alone, the lightest where the value is highest."""
    known = [v for v in values.values() if v is not None]
    order = {v: i for i, v in enumerate(sorted(set(known)))}
    body = []
    for code, shape in ground.shapes.items():
        value = values.get(code)
        step = 0 if value is None else order[value] * len(EMBLEM) // len(order)
        body.append(element("path", d=shape.path, fill=EMBLEM[step], stroke="#103E54", stroke_width=1.6))
    return _ornament(ground, body)


def locator(ground: Ground, place: Collection[str], around: Collection[str]) -> str:
    """Where communes lie among all: ``place`` in the accent, those ``around`` them in a tint."""
    fills = {**dict.fromkeys(around, RAMP[2]), **dict.fromkeys(place, ACCENT)}
    body = [
        element("path", d=shape.path, fill=fills.get(code, "#DEE3E2"), stroke="#ffffff", stroke_width=2)
        for code, shape in ground.shapes.items()
    ]
    if ground.borders:
        body.append(element("path", d=ground.borders, fill="none", stroke=INK, stroke_width=2.4))
    return _ornament(ground, body)


def _ornament(ground: Ground, body: list[str]) -> str:
    return element(
        "svg",
        "".join(body),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {ground.width:g} {ground.height:g}",
        width=ground.width,
        height=ground.height,
    )
