"""Names and values on a map: inside a shape that is large enough, else outside with a leader line.

An empty value is not drawn: names stand alone.
"""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from html import escape

from odds_pipeline.charts.ground import Ground, Shape
from odds_pipeline.charts.svg import INK, QUIET, element, line, text
from odds_pipeline.french import NBSP

Point = tuple[float, float]
WIDE = 0.46
"""Width of a character, in sizes of the letters."""
APART = 12.5
"""Height of a name that stands outside."""

Box = tuple[float, float, float, float]
"""Left, top, width, height."""


def place_labels(
    ground: Ground, words: Mapping[str, str], dark: Collection[str], size: float
) -> tuple[list[str], Box]:
    """The labels as SVG, and the box of the map with those that stand outside."""
    if ground.tiles:
        drawn = [
            mark
            for code, shape in ground.shapes.items()
            for mark in _inside(
                shape, (shape.x, shape.y), (shape.short_label,), words[code], code in dark, size
            )
        ]
        return drawn, (0, 0, ground.width, ground.height)
    drawn, outside = [], []
    for code, shape in ground.shapes.items():
        found = _fit(shape, len(words[code]), size)
        if found is None:
            outside.append((shape, words[code]))
        else:
            drawn += _inside(shape, found[0], found[1], words[code], code in dark, size)
    drawn += _beside(ground, outside, size)
    longest = max((len(f"{shape.label} {value}") for shape, value in outside), default=0)
    room = longest * size * (WIDE + 0.04) + 8
    return drawn, (-room, -4, ground.width + 2 * room, ground.height + 8)


def _inside(
    shape: Shape, at: Point, lines: tuple[str, ...], value: str, dark: bool, size: float
) -> list[str]:
    ink = "#ffffff" if dark else INK
    top = at[1] - (len(lines) - 1) * size / 2
    raised = 1.5 if value else -0.35 * size
    named = [
        text(at[0], top + i * size - raised, one, size=size, anchor="middle", fill=ink)
        for i, one in enumerate(lines)
    ]
    if not value:
        return named
    below = top + len(lines) * size
    return [*named, text(at[0], below, value, size=size, anchor="middle", fill=ink, bold=True)]


@lru_cache(4000)
def _fit(shape: Shape, value: int, size: float) -> tuple[Point, tuple[str, ...]] | None:
    """Where the name fits with a value of so many characters: whole, else in two lines.

    Kept, since all maps of a ground ask the same: 1.2 ms each.
    """
    ring = max(_rings(shape.path), key=_extent)
    for lines in _forms(shape.label):
        longest = max(value, *(len(one) for one in lines))
        half = (longest * size * WIDE / 2, (len(lines) + 0.7) * size / 2)
        for at in _places(ring, shape):
            corners = [
                (at[0] + i * half[0], at[1] + j * half[1]) for i in (-1, 0, 1) for j in (-1, 0, 1)
            ]
            if all(_within(ring, corner) for corner in corners):
                return at, lines
    return None


def _forms(label: str) -> list[tuple[str, ...]]:
    parts = re.findall(r"[^- ]+[- ]?", label)
    broken = [
        ("".join(parts[:i]).rstrip(), "".join(parts[i:])) for i in range(1, len(parts)) if len(parts) > 1
    ]
    return [(label,), *sorted(broken, key=lambda pair: max(map(len, pair)))]


def _places(ring: list[Point], shape: Shape) -> list[Point]:
    """The middle first, then a grid of the shape's box, the nearest to the middle first."""
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    grid = [
        (min(xs) + (max(xs) - min(xs)) * i / 12, min(ys) + (max(ys) - min(ys)) * j / 12)
        for i in range(1, 12)
        for j in range(1, 12)
    ]
    grid.sort(key=lambda p: (p[0] - shape.x) ** 2 + (p[1] - shape.y) ** 2)
    return [(shape.x, shape.y), *grid]


def _beside(ground: Ground, outside: list[tuple[Shape, str]], size: float) -> list[str]:
    """Names at the nearer side, in the order of their height, each with a line to its shape."""
    drawn = []
    for left in (True, False):
        side = sorted((s for s in outside if (s[0].x < ground.width / 2) == left), key=lambda s: s[0].y)
        heights: list[float] = []
        for shape, _ in side:
            heights.append(max(shape.y, heights[-1] + APART) if heights else shape.y)
        over = max(heights[-1] - ground.height, 0) if heights else 0
        for (shape, value), height in zip(side, heights, strict=True):
            x, y = (-4.0 if left else ground.width + 4), height - over
            drawn.append(line(shape.x, shape.y, x, y, QUIET, 0.6))
            drawn.append(
                element(
                    "circle", cx=shape.x, cy=shape.y, r=1.6, fill=INK, stroke="#ffffff", stroke_width=0.5
                )
            )
            drawn.append(_named(x, y + 3, shape.label, value, left, size))
    return drawn


def _named(x: float, y: float, label: str, value: str, left: bool, size: float) -> str:
    bold = element("tspan", f"{NBSP}{escape(value)}", font_weight="bold") if value else ""
    anchor = "end" if left else "start"
    at = x - 2 if left else x + 2
    return element("text", escape(label) + bold, x=at, y=y, font_size=size, text_anchor=anchor, fill=INK)


def _rings(path: str) -> list[list[Point]]:
    return [
        [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", one)]
        for one in path.split("Z")
        if one
    ]


def _extent(ring: list[Point]) -> float:
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    return (max(xs) - min(xs)) * (max(ys) - min(ys))


def _within(ring: list[Point], point: Point) -> bool:
    """Whether a point lies in a ring, by the crossings to its right."""
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside
