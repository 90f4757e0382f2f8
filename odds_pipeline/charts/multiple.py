"""One of several small trends that are read side by side: all on one scale and over the same years."""

from collections.abc import Callable, Collection

from odds_pipeline.charts.scale import Scale
from odds_pipeline.charts.svg import FAINT, QUIET, figure, line, text
from odds_pipeline.charts.trend import Line, break_line, sentence, stretches
from odds_pipeline.months import month_index

WIDTH, HEIGHT = 250.0, 130.0
RIGHT, TOP, BOTTOM = 10.0, 10.0, 22.0
SIZE, CHARACTER = 11.0, 5.8
"""Of the scale's numbers: their height, and the width of a character."""
TICKS = 4
"""Beyond so many, every other one is drawn."""


def multiple(
    key: str,
    title: str,
    own: Line,
    reference: Line | None,
    heights: Scale,
    ends: tuple[str, str],
    number: Callable[[float], str],
    breaks: Collection[str] = (),
) -> str:
    """``heights`` and ``ends``, the first and last month, are those of all that stand beside it."""
    first, last = (month_index(month) for month in ends)
    ticks = heights.ticks if len(heights.ticks) <= TICKS else heights.ticks[::2]
    left = 6 + CHARACTER * max(len(number(tick)) for tick in ticks)
    floor = HEIGHT - BOTTOM

    def x(month: str) -> float:
        return left + (WIDTH - left - RIGHT) * (month_index(month) - first) / (last - first or 1)

    def y(value: float) -> float:
        return floor - (floor - TOP) * heights.share(value)

    drawn = []
    for tick in ticks:
        ink = QUIET if tick == heights.low else FAINT
        drawn.append(line(left, y(tick), WIDTH - RIGHT, y(tick), ink))
        drawn.append(text(left - 4, y(tick) + 4, number(tick), size=SIZE, anchor="end", fill=QUIET))
    for month, anchor in zip(ends, ("start", "end"), strict=True):
        drawn.append(text(x(month), HEIGHT - 6, month[:4], size=SIZE, anchor=anchor, fill=QUIET))
    drawn += [break_line(x(one), TOP, floor) for one in sorted(breaks) if ends[0] < one <= ends[1]]
    lines = [one for one in (reference, own) if one is not None]
    for one in lines:
        drawn += stretches(one, "5 3", x, y, breaks)
    described = " ; ".join(sentence(one, number, breaks) for one in lines[::-1])
    told = f"{described}. Les valeurs sont dans le tableau."
    return figure(key, title, told, WIDTH, HEIGHT, "".join(drawn))
