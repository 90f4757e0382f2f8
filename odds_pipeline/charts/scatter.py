"""A scatter: territories by two values, the medians dashed, the followed and the extreme ones named."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from odds_pipeline.charts.dots import mark
from odds_pipeline.charts.scale import scale
from odds_pipeline.charts.svg import ACCENT, FAINT, INK, QUIET, element, figure, line, text

WIDTH, HEIGHT = 440.0, 330.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 70.0, 30.0, 46.0
LINE, NAME = 10.0, 80.0
"""Height and width that a name takes."""
Number = Callable[[float], str]


@dataclass(frozen=True)
class Point:
    """A territory. ``place``: it is followed. ``group``: its mark, counted from 0."""

    label: str
    x: float
    y: float
    place: bool = False
    group: int | None = None


@dataclass(frozen=True)
class Axis:
    """What an axis measures, and how its values are written."""

    label: str
    number: Number


def scatter(
    key: str,
    title: str,
    points: Sequence[Point],
    across: Axis,
    up: Axis,
    *,
    groups: Sequence[str] = (),
) -> str:
    """The points; those that no name marks are told by the table beside the chart.

    With ``groups``, each point bears the mark of its own, and as many are named as there is room for.
    """
    xs, ys = scale([p.x for p in points]), scale([p.y for p in points])
    right, floor = WIDTH - RIGHT, HEIGHT - BOTTOM

    def x(value: float) -> float:
        return LEFT + (right - LEFT) * xs.share(value)

    def y(value: float) -> float:
        return floor - (floor - TOP) * ys.share(value)

    drawn = [line(LEFT, y(t), right, y(t), FAINT) for t in ys.ticks]
    drawn += [text(LEFT - 5, y(t) + 3, up.number(t), size=9, anchor="end", fill=QUIET) for t in ys.ticks]
    drawn += [
        text(x(t), floor + 14, across.number(t), size=9, anchor="middle", fill=QUIET) for t in xs.ticks
    ]
    drawn.append(text(0, TOP - 14, up.label, size=10, fill=QUIET))
    drawn.append(text(right, HEIGHT - 10, across.label, size=10, anchor="end", fill=QUIET))
    middle = {"stroke": QUIET, "stroke_dasharray": "4 3"}
    mx, my = x(median(p.x for p in points)), y(median(p.y for p in points))
    drawn.append(element("line", x1=mx, x2=mx, y1=TOP, y2=floor, **middle))
    drawn.append(element("line", x1=LEFT, x2=right, y1=my, y2=my, **middle))
    for i, name in enumerate(groups):
        drawn.append(mark(i, right + 14, TOP + 16 * i + 5) + text(right + 22, TOP + 16 * i + 8.5, name))
    drawn += [_dot(x(p.x), y(p.y), p) for p in sorted(points, key=lambda p: p.place)]
    written: list[tuple[float, float, float]] = []
    for point in _named(points) + (list(points) if groups else []):
        left, base = x(point.x) + 7, y(point.y) + 3.5
        width = 4.7 * len(point.label) if groups else NAME
        if not any(
            abs(base - up_to) < LINE and start - width < left < start + taken
            for start, up_to, taken in written
        ):
            ink = ACCENT if point.place else INK
            drawn.append(text(left, base, point.label, size=9.5, fill=ink, bold=point.place))
            written.append((left, base, width))
    return figure(key, title, _described(points, across, up), WIDTH, HEIGHT, "".join(drawn))


def _dot(x: float, y: float, point: Point) -> str:
    """A round; a square for a followed one, so that it holds without colour; else its group's mark."""
    if point.group is not None:
        return mark(point.group, x, y)
    if point.place:
        return element("rect", x=x - 5, y=y - 5, width=10, height=10, fill=ACCENT, stroke="#ffffff")
    return element("circle", cx=x, cy=y, r=3.6, fill="#6c838e", stroke="#ffffff", stroke_width=0.6)


def _named(points: Sequence[Point]) -> list[Point]:
    """Those that are followed, then the ends of both axes; of two in one place the first stands."""
    ends = [end(points, key=key) for end in (min, max) for key in (lambda p: p.x, lambda p: p.y)]
    return list(dict.fromkeys([*(p for p in points if p.place), *ends]))


def _described(points: Sequence[Point], across: Axis, up: Axis) -> str:
    said = "".join(f" {p.label} : {across.number(p.x)} et {up.number(p.y)}." for p in points if p.place)
    return (
        f"{len(points)} territoires, selon « {across.label} » et « {up.label} »."
        f"{said} Les valeurs sont dans le tableau."
    )
