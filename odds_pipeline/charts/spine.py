"""One row of a spine: where a place stands between the least and the most favourable commune.

Turned so that the right is favourable where a direction is declared; the median is in the middle of all
rows, whatever their unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from odds_pipeline.charts.svg import INK, _text, element, line

WIDTH, HEIGHT, EDGE = 150.0, 13.0, 4.0
HARD, EASY, PLAIN = "#8A3B00", "#00545C", "#4A5963"


@dataclass(frozen=True)
class Spine:
    """``values`` of all communes; ``own`` with its interval; ``reference`` the whole's value."""

    values: Sequence[float]
    own: float | None = None
    reference: float | None = None
    low: float | None = None
    high: float | None = None
    direction: str = "neutral"


def spine(drawn: Spine, described: str) -> str:
    """The row as SVG; ``described`` says its numbers to those who do not see it."""
    ordered = sorted(drawn.values)
    quarter = len(ordered) // 4
    first, median, third = ordered[quarter], ordered[len(ordered) // 2], ordered[-1 - quarter]
    reach = max(ordered[-1] - median, median - ordered[0]) or 1.0
    sign = -1 if drawn.direction == "lower_is_better" else 1

    def x(value: float) -> float:
        share = max(-1.0, min(1.0, sign * (value - median) / reach))
        return WIDTH / 2 + share * (WIDTH / 2 - EDGE)

    middle = HEIGHT / 2
    body = _bar(x(ordered[0]), x(ordered[-1]), "#e6ecee", 4) + _bar(x(first), x(third), "#b4c6cc", 8)
    body += line(WIDTH / 2, 0, WIDTH / 2, HEIGHT, INK, 0.8)
    if drawn.low is not None and drawn.high is not None:
        body += line(x(drawn.low), middle, x(drawn.high), middle, INK, 1.2)
    if drawn.reference is not None:
        at = _text(x(drawn.reference))
        d = f"M{at},{middle - 4:g}l4,4l-4,4l-4,-4Z"
        body += element("path", d=d, fill="#ffffff", stroke=INK, stroke_width=1)
    if drawn.own is not None:
        fill = PLAIN if drawn.direction == "neutral" else HARD if x(drawn.own) < WIDTH / 2 else EASY
        body += element(
            "circle", cx=x(drawn.own), cy=middle, r=3.4, fill=fill, stroke="#ffffff", stroke_width=0.8
        )
    return element(
        "svg",
        body,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
        width=WIDTH,
        height=HEIGHT,
        role="img",
        aria_label=described,
    )


def _bar(a: float, b: float, fill: str, thick: float) -> str:
    return element(
        "rect", x=min(a, b), y=(HEIGHT - thick) / 2, width=max(abs(a - b), 1), height=thick, fill=fill
    )
