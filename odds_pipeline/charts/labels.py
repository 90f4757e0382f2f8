"""Names and values on a map: inside a shape that is large enough, else outside with a leader line.

An empty value is not drawn: names stand alone.
"""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from odds_pipeline.charts.ground import Ground, Shape
from odds_pipeline.charts.svg import INK, QUIET, element, line, text
from odds_pipeline.french import NBSP

Point = tuple[float, float]
WIDE = 0.46
"""Width of a character, in sizes of the letters."""
CELL = 5.0
"""Side of the squares in which the land is known, where names that stand outside may not lie."""
DIRECTIONS, FARTHER = 24, 12
"""In which a free place is looked for, and how many places in each."""

Box = tuple[float, float, float, float]
"""Left, top, width, height."""


def place_labels(
    ground: Ground,
    words: Mapping[str, str],
    dark: Collection[str],
    size: float,
    named: Collection[str] = (),
) -> tuple[list[str], Box]:
    """The labels as SVG, and the box of the map with those that stand outside.

    On a crowded ground only those that are ``named`` stand outside, and on its tiles nothing is written.
    """
    if ground.tiles and ground.crowded:
        return [], (0, 0, ground.width, ground.height)
    if ground.tiles:
        drawn = [
            mark
            for code, shape in ground.shapes.items()
            for mark in _inside(
                shape, (shape.x, shape.y), (shape.short_label,), words[code], code in dark, size
            )
        ]
        return drawn, (0, 0, ground.width, ground.height)
    drawn, outside, inside = [], [], []
    for code, shape in ground.shapes.items():
        found = _fit(shape, len(words[code]), size)
        if found is None:
            if not ground.crowded or code in named:
                outside.append((shape, words[code]))
        else:
            at, lines = found
            drawn += _inside(shape, at, lines, words[code], code in dark, size)
            wide, high = max(map(len, lines)) * size * WIDE, (len(lines) + 1) * size
            inside.append((at[0] - wide / 2, at[1] - high / 2, wide, high))
    paths = tuple(shape.path for shape in ground.shapes.values())
    beside, boxes = _beside(paths, ground.width, tuple(outside), tuple(inside), size)
    left = min([-2.0, *(box[0] for box in boxes)])
    top = min([-4.0, *(box[1] for box in boxes)])
    right = max([ground.width + 2, *(x + width for x, _, width, _ in boxes)])
    bottom = max([ground.height + 4, *(y + height for _, y, _, height in boxes)])
    return [*drawn, *beside], (left, top, right - left, bottom - top)


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
        half = (0.9 * longest * size * WIDE / 2, (len(lines) + (1 if value else 0.2)) * size / 2)
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


@dataclass(frozen=True)
class _Beside:
    """A name outside the land: where its line ends, on which side of that it stands, and its box."""

    end: Point
    anchor: str
    box: Box
    cost: float


@lru_cache(64)
def _beside(
    paths: tuple[str, ...],
    across: float,
    outside: tuple[tuple[Shape, str], ...],
    inside: tuple[Box, ...],
    size: float,
) -> tuple[tuple[str, ...], tuple[Box, ...]]:
    """Each name on the nearest ground that is free, with a line to its shape; and their boxes.

    The nearest names are placed first. No name lies on another; lines cross each other, or a name
    ``inside`` a shape, only where they must. Kept, since all maps of names ask the same: 150 ms each.

    ``paths``: all the shapes of the ground; ``across``: its width.
    """
    land = _land(paths)
    found = [
        (shape, value, _candidates(shape, f"{shape.label} {value}", land, across, size))
        for shape, value in outside
    ]
    placed: list[tuple[Shape, str, _Beside]] = []
    for shape, value, candidates in sorted(found, key=lambda one: one[2][0].cost):
        free = [c for c in candidates if not any(_overlap(c.box, p.box) for *_, p in placed)]
        apart = [
            c
            for c in free
            if not any(_cross(((shape.x, shape.y), c.end), ((s.x, s.y), p.end)) for s, _, p in placed)
            and not any(
                _through(((shape.x, shape.y), c.end), box)
                for box in (*inside, *(p.box for *_, p in placed))
            )
        ]
        placed.append((shape, value, (apart or free or candidates)[0]))
    drawn = []
    for shape, value, one in placed:
        drawn.append(line(shape.x, shape.y, *one.end, QUIET, 0.6))
        mark = element(
            "circle", cx=shape.x, cy=shape.y, r=1.6, fill=INK, stroke="#ffffff", stroke_width=0.5
        )
        drawn.append(mark + _named(one, shape.label, value, size))
    return tuple(drawn), tuple(one.box for *_, one in placed)


def _named(one: _Beside, label: str, value: str, size: float) -> str:
    bold = element("tspan", f"{NBSP}{escape(value)}", font_weight="bold") if value else ""
    left, top, width, height = one.box
    at = {"end": left + width - 1, "start": left + 1, "middle": left + width / 2}[one.anchor]
    baseline = top + height - 0.28 * size
    return element(
        "text",
        escape(label) + bold,
        x=at,
        y=baseline,
        font_size=size,
        text_anchor=one.anchor,
        fill=INK,
    )


def _candidates(
    shape: Shape, words: str, land: frozenset[tuple[int, int]], wide: float, size: float
) -> list[_Beside]:
    """Places outside the land in every direction, the nearest first; what widens the map costs more."""
    width, height = len(words) * size * (WIDE + 0.04) + 2, size * 1.3
    found = []
    for turn in range(DIRECTIONS):
        dx, dy = (f(2 * math.pi * turn / DIRECTIONS) for f in (math.cos, math.sin))
        anchor = "middle" if abs(dx) < 0.4 else "start" if dx > 0 else "end"
        left = {"middle": -width / 2, "start": 0.0, "end": -width}[anchor]
        top = -height / 2 if anchor != "middle" else 0.0 if dy > 0 else -height
        beyond, far = 0, CELL
        while beyond < FARTHER and far < 4 * wide:
            x, y = shape.x + far * dx, shape.y + far * dy
            box = (x + left, y + top, width, height)
            if not _touches(box, land):
                beyond += 1
                over = max(-box[0], 0.0) + max(box[0] + width - wide, 0.0)
                found.append(_Beside((x, y), anchor, box, far + over))
            far += CELL
    return sorted(found, key=lambda one: one.cost)


def _touches(box: Box, land: frozenset[tuple[int, int]]) -> bool:
    left, top, width, height = box
    columns = range(int(left // CELL), int((left + width) // CELL) + 1)
    rows = range(int(top // CELL), int((top + height) // CELL) + 1)
    return any((column, row) in land for row in rows for column in columns)


@lru_cache(8)
def _land(paths: tuple[str, ...]) -> frozenset[tuple[int, int]]:
    """Squares of the drawing that shapes cover, line by line."""
    covered = set()
    for ring in (ring for path in paths for ring in _rings(path)):
        ys = [y for _, y in ring]
        for row in range(int(min(ys) // CELL), int(max(ys) // CELL) + 1):
            y = (row + 0.5) * CELL
            crossed = sorted(
                x1 + (x2 - x1) * (y - y1) / (y2 - y1)
                for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True)
                if (y1 > y) != (y2 > y)
            )
            for start, end in zip(crossed[::2], crossed[1::2], strict=True):
                covered |= {(c, row) for c in range(int(start // CELL), int(end // CELL) + 1)}
    return frozenset(covered)


def _overlap(one: Box, other: Box) -> bool:
    return (
        one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2]
        and one[1] < other[1] + other[3]
        and other[1] < one[1] + one[3]
    )


def _cross(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    """Whether two segments cross."""

    def side(a: Point, b: Point, c: Point) -> bool:
        return (b[0] - a[0]) * (c[1] - a[1]) > (b[1] - a[1]) * (c[0] - a[0])

    (a, b), (c, d) = one, other
    return side(a, c, d) != side(b, c, d) and side(a, b, c) != side(a, b, d)


def _through(segment: tuple[Point, Point], box: Box) -> bool:
    """Whether a segment crosses a box: one of its diagonals."""
    left, top, width, height = box
    corners = ((left, top), (left + width, top + height)), ((left, top + height), (left + width, top))
    return any(_cross(segment, diagonal) for diagonal in corners)


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
