"""A trend: values over months for one place and those it is compared with, on a scale.

A gap stays a gap, and no line crosses a break of its series.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from odds_pipeline.charts.runs import runs
from odds_pipeline.charts.scale import scale
from odds_pipeline.charts.svg import ACCENT, FAINT, INK, QUIET, element, figure, line, text
from odds_pipeline.months import month_index

WIDTH, HEIGHT = 440.0, 190.0
LEFT, RIGHT, TOP, BOTTOM = 8.0, 146.0, 16.0, 24.0
CHARACTER = 4.6
"""Width of a character of the scale's numbers."""
NAME = 5.8
"""Width of a character of a line's name."""
LABEL = 29.0
"""Height of a line's label: its name, and its last value below."""
DASHES = (None, "6 3", "2 3", "8 3 2 3")
"""Lines are told apart by their dashes, so that they hold in black and white."""


@dataclass(frozen=True)
class Line:
    """One line. ``values`` by month ``YYYY-MM``; ``None`` is a month without a publishable value."""

    label: str
    values: Mapping[str, float | None]
    place: bool = False


def trend(
    key: str,
    title: str,
    lines: list[Line],
    number: Callable[[float], str],
    *,
    breaks: Mapping[str, str] | None = None,
    width: float = WIDTH,
    height: float = HEIGHT,
    right: float = RIGHT,
) -> str:
    """Lines named at their end with their last value. ``breaks``: months where a series breaks, why.

    ``right``: the room of the names, of ``width``, at least: long ones take what they need. What is
    known of one month of the year is dated by its year.
    """
    months = sorted({m for one in lines for m in one.values})
    known = [v for one in lines for v in one.values.values() if v is not None]
    if not known:
        body = text(LEFT, height / 2, "Aucune valeur.", fill=QUIET)
        return figure(key, title, "Aucune valeur.", width, height, body)
    heights = scale(known)
    dated = _month if len({month[5:] for month in months}) > 1 else _year
    right = max(right, 14 + NAME * max(len(one.label) for one in lines))
    left = LEFT + CHARACTER * max(len(number(tick)) for tick in heights.ticks)
    first, last = month_index(months[0]), month_index(months[-1])

    def x(month: str) -> float:
        return left + (width - left - right) * ((month_index(month) - first) / (last - first or 1))

    def y(value: float) -> float:
        return height - BOTTOM - (height - TOP - BOTTOM) * heights.share(value)

    floor = height - BOTTOM
    drawn = []
    for tick in heights.ticks:
        drawn.append(line(left, y(tick), width - right, y(tick), QUIET if y(tick) == floor else FAINT))
        drawn.append(text(left - 5, y(tick) + 3, number(tick), size=9, anchor="end", fill=QUIET))
    for month in (months[0], months[-1]):
        anchor = "start" if month == months[0] else "end"
        drawn.append(text(x(month), height - 8, dated(month), anchor=anchor, fill=QUIET))
        if len(months) == 1:
            break
    at = x(months[0])
    for month in months[1:-1]:
        if min(x(month) - at, x(months[-1]) - x(month)) >= (36 if dated is _year else 74):
            at = x(month)
            drawn.append(text(at, height - 8, dated(month), anchor="middle", fill=QUIET))
    for month in sorted(breaks or {}):
        if months[0] < month <= months[-1]:
            drawn.append(break_line(x(month), TOP, floor))
            drawn.append(
                text(x(month), TOP - 4, "rupture de série", size=9, anchor="middle", fill=QUIET)
            )
    ends = []
    for i, one in enumerate(lines):
        drawn += stretches(one, DASHES[i % len(DASHES)], x, y, breaks or ())
        values = [(m, v) for m, v in sorted(one.values.items()) if v is not None]
        if values:
            month, value = values[-1]
            words = number(value) + (f" ({month[:4]})" if month < months[-1] else "")
            ends.append((y(value), one.label, words, one.place))
    for at, (_, name, words, place) in zip(
        _apart([end[0] for end in ends], floor), sorted(ends), strict=True
    ):
        ink, x0 = ACCENT if place else INK, width - right + 10
        drawn.append(text(x0, at - 1, name, size=11, fill=ink, bold=place))
        drawn.append(text(x0, at + 12, words, size=12.5, fill=ink, bold=place))
    described = " ; ".join(sentence(one, number, breaks or ()) for one in lines)
    return figure(
        key, title, described + ". Les valeurs sont dans le tableau.", width, height, "".join(drawn)
    )


def _month(month: str) -> str:
    return f"{month[5:]}/{month[:4]}"


def _year(month: str) -> str:
    return month[:4]


def _apart(heights: list[float], floor: float, least: float = LABEL) -> list[float]:
    """The heights in order, moved so that two labels are ``least`` apart and none leaves the frame."""
    placed: list[float] = []
    for height in sorted(heights):
        placed.append(max(height, placed[-1] + least) if placed else height)
    over = max(placed[-1] - floor, 0) if placed else 0
    return [max(height - over, TOP) for height in placed]


def stretches(
    one: Line,
    dashes: str | None,
    x: Callable[[str], float],
    y: Callable[[float], float],
    breaks: Collection[str],
) -> list[str]:
    """A line as the stretches that may be joined, with its points where they are few."""
    ink, drawn = ACCENT if one.place else INK, []
    for run in runs(one.values, breaks):
        if len(run) > 1:
            drawn.append(
                element(
                    "polyline",
                    points=" ".join(f"{x(m):.1f},{y(v):.1f}" for m, v in run),
                    fill="none",
                    stroke=ink,
                    stroke_width=2.4 if one.place else 1.3,
                    stroke_dasharray=None if one.place else dashes,
                )
            )
        if len(run) <= 24:
            drawn += [
                element("circle", cx=x(m), cy=y(v), r=2.4 if one.place else 1.8, fill=ink)
                for m, v in run
            ]
    return drawn


def break_line(x: float, top: float, floor: float) -> str:
    """Where a series breaks."""
    return element("line", x1=x, x2=x, y1=top, y2=floor, stroke=QUIET, stroke_dasharray="1 3")


def sentence(one: Line, number: Callable[[float], str], breaks: Collection[str]) -> str:
    """The ends of what compares: from the last break of the series on."""
    values = [(m, v) for m, v in sorted(one.values.items()) if v is not None]
    if not values:
        return f"{one.label} : aucune valeur"
    after = max((b for b in breaks if values[0][0] < b <= values[-1][0]), default="")
    since = f", après une rupture de série en {_month(after)}" if after else ""
    values = [(m, v) for m, v in values if m >= after]
    if len(values) == 1:
        return f"{one.label} : {number(values[0][1])} en {_month(values[0][0])}{since}"
    return (
        f"{one.label} : de {number(values[0][1])} en {_month(values[0][0])} "
        f"à {number(values[-1][1])} en {_month(values[-1][0])}{since}"
    )
