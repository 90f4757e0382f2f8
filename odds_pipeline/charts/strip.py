"""The position strip: every territory a dot on one axis, one of them followed, a bar at the reference.

Colours come from the page's style sheet by class, so that dark, printed and forced colours hold; a
document has no such sheet, and carries them (:func:`printed_strip`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from odds_pipeline.charts.svg import ACCENT, INK, _text, element

WIDTH, HEIGHT, EDGE = 200.0, 30.0, 7.0
AXIS = 21.0
STEP = 3.4
"""Width below which two dots are of one place, and height of the one that stands on the other."""
HIGHEST = 5
PRINTED = {
    'class="axis"': 'stroke="#6C838E" stroke-width="1"',
    'class="half"': 'fill="#D8E3E3"',
    'class="dots"': 'stroke="#6C838E" stroke-width="4" stroke-linecap="round"',
    'class="reference"': f'stroke="{INK}" stroke-width="2.2"',
    'class="own"': f'fill="{ACCENT}" stroke="#ffffff" stroke-width="1.6"',
}
"""What stands for the style sheet's classes on paper."""


@dataclass(frozen=True)
class Strip:
    """``values`` of all territories; ``own`` is the followed one's, ``reference`` the bar's.

    ``marked``: values of several followed ones, told apart by the shape of their rank.
    """

    values: Sequence[float]
    own: float | None = None
    reference: float | None = None
    marked: Sequence[float | None] = ()


MARKS = (
    "M-5,0a5,5 0 1 0 10,0a5,5 0 1 0 -10,0Z",
    "M-4.5,-4.5h9v9h-9Z",
    "M0,-6L5.5,4.5H-5.5Z",
    "M0,-6L6,0L0,6L-6,0Z",
    "M0,6L5.5,-4.5H-5.5Z",
    "M-5,-2h3v-3h4v3h3v4h-3v3h-4v-3h-3Z",
)
"""Shapes of followed territories, in order: circle, square, triangle, diamond, triangle down, cross."""


def mark(rank: int) -> str:
    """The shape of a followed territory, for the head of its column."""
    return (
        f'<svg class="shape" viewBox="-7 -7 14 14" aria-hidden="true">'
        f'<path class="mark{rank}" d="{MARKS[rank]}"/></svg>'
    )


def strip(drawn: Strip, described: str) -> str:
    """The strip as SVG; ``described`` says its numbers in a sentence, for those who do not see it."""
    followed = (drawn.own, drawn.reference, *drawn.marked)
    numbers = [*drawn.values, *(v for v in followed if v is not None)]
    low, span = min(numbers), (max(numbers) - min(numbers)) or 1.0

    def x(value: float) -> float:
        return EDGE + (value - low) / span * (WIDTH - 2 * EDGE)

    body = _ground(tuple(sorted(drawn.values)), low, span)
    if drawn.reference is not None:
        at = _text(x(drawn.reference))
        body += element("path", d=f"M{at} {AXIS - 11}V{AXIS + 8}", class_="reference")
    if drawn.own is not None:
        body += element("circle", cx=x(drawn.own), cy=AXIS, r=5, class_="own")
    for rank, value in enumerate(drawn.marked):
        if value is not None:
            body += (
                f'<path class="mark{rank}" transform="translate({_text(x(value))} {AXIS:g})" '
                f'd="{MARKS[rank]}"/>'
            )
    return (
        f'<svg class="strip" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" '
        f'aria-label="{escape(described)}">{body}</svg>'
    )


def printed_strip(drawn: Strip, described: str) -> str:
    """The strip with its own colours."""
    svg = strip(drawn, described).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    for named, attributes in PRINTED.items():
        svg = svg.replace(named, attributes)
    return svg


@lru_cache(maxsize=4096)
def _ground(values: tuple[float, ...], low: float, span: float) -> str:
    """All but what is followed: the same for forty pages, a seventh of the work on each."""
    middle = _middle_half(values)
    body = element("path", d=f"M{_text(EDGE)} {AXIS}H{WIDTH - EDGE:g}", class_="axis")
    places = [EDGE + (value - low) / span * (WIDTH - 2 * EDGE) for value in values]
    if middle is not None:
        left, right = (EDGE + (value - low) / span * (WIDTH - 2 * EDGE) for value in middle)
        body += element("rect", x=left, y=AXIS - 9, width=max(right - left, 1), height=18, class_="half")
    return body + element("path", d="".join(_dots(places)), class_="dots")


def _dots(places: Sequence[float]) -> list[str]:
    """Dots as strokes of no length, round ends making them; one that would hide another stands on it."""
    drawn: list[str] = []
    column, heap = places[0], -1
    for place in places:
        column, heap = (column, heap + 1) if place - column < STEP else (place, 0)
        drawn.append(f"M{_text(column)} {_text(AXIS - STEP * min(heap, HIGHEST))}h0")
    return drawn


def _middle_half(values: Sequence[float]) -> tuple[float, float] | None:
    """First and third quartile of ordered values; ``None`` with fewer than eight."""
    return (values[len(values) // 4], values[-1 - len(values) // 4]) if len(values) >= 8 else None
