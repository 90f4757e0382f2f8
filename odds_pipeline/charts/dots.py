"""Communes in the order of a value, of many those at both ends; a point each, by group in shape."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from odds_pipeline.charts.ends import both_ends, left_out
from odds_pipeline.charts.svg import FAINT, INK, QUIET, element, figure, line, text

MARKS = (
    (),  # a circle
    ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    ((-1.15, 1), (1.15, 1), (0, -1.1)),
    ((-1.3, 0), (0, -1.3), (1.3, 0), (0, 1.3)),
    ((-1.15, -1), (1.15, -1), (0, 1.1)),
)
"""Corners of each group's mark, in radii: circle, square, triangle, diamond, fallen triangle."""
COLOURS = ("#67120A", "#2468A6", "#835D21", "#121671", "#15232D")
"""Contrast 5.8 to 1 or more on white, told apart by the colour-blind; shapes double them."""
WIDTH, LEFT, RIGHT, ROW = 300.0, 104.0, 44.0, 15.4
SIZE = 8.8


@dataclass(frozen=True)
class Dot:
    """``group`` counts from 0; ``low`` and ``high`` are the ends of an interval."""

    label: str
    value: float
    group: int
    low: float | None = None
    high: float | None = None


def mark(group: int, x: float, y: float, r: float = 3.2) -> str:
    """The mark of a group."""
    fill = COLOURS[group % len(COLOURS)]
    if group % len(MARKS) == 0:
        return element("circle", cx=x, cy=y, r=r, fill=fill)
    corners = (f"{x + r * dx:.2f},{y + r * dy:.2f}" for dx, dy in MARKS[group % len(MARKS)])
    return element("path", d=f"M{'L'.join(corners)}Z", fill=fill)


def dots(
    key: str,
    title: str,
    rows: Sequence[Dot],
    groups: Sequence[str],
    number: Callable[[float], str],
    *,
    reference: tuple[str, float] | None = None,
) -> str:
    """Rows in the order given; the vertical line is the whole's value; groups are named above.

    More groups than there are marks are not told apart: a mark of two of them would mislead.
    """
    if len(groups) > len(MARKS):
        groups, rows = (), [replace(row, group=0) for row in rows]
    shown = both_ends(rows, lambda _: False)
    ends = [v for r in rows for v in (r.value, r.low, r.high) if v is not None]
    ends += [reference[1]] if reference else []
    low, high = min(ends), max(ends)
    span = (high - low) or 1.0
    top = 16.0 * math.ceil(len(groups) / 2) + (18 if reference else 4)

    def x(value: float) -> float:
        return LEFT + (value - low) / span * (WIDTH - LEFT - RIGHT)

    body = [_group(i, name) for i, name in enumerate(groups)]
    bottom = top + ROW * len(shown)
    for i, row in enumerate(shown):
        y = top + ROW * i + ROW / 2
        if isinstance(row, int):
            body.append(text(LEFT - 6, y + 3, left_out(row), size=SIZE, anchor="end", fill=QUIET))
            continue
        body.append(line(LEFT, y, WIDTH - RIGHT, y, "#e4e8ea", 0.7))
        body.append(text(LEFT - 6, y + 3, row.label, size=SIZE, anchor="end"))
        if row.low is not None and row.high is not None:
            body.append(line(x(row.low), y, x(row.high), y, QUIET, 1.4))
    if reference:
        at = x(reference[1])
        body.append(line(at, top - 2, at, bottom, INK, 1))
        anchor = "start" if at < WIDTH / 2 else "end"
        name = f"{reference[0]} : {number(reference[1])}"
        body.append(text(at, top - 6, name, size=SIZE, anchor=anchor, bold=True))
    for i, row in enumerate(shown):
        if isinstance(row, int):
            continue
        y = top + ROW * i + ROW / 2
        body.append(mark(row.group, x(row.value), y))
        after = max(x(row.value) + 7, x(row.high) + 4 if row.high is not None else 0)
        halo = 4.4 * len(number(row.value)) + 2
        body.append(element("rect", x=after - 1, y=y - 5, width=halo, height=10, fill="#ffffff"))
        body.append(text(after, y + 3, number(row.value), size=SIZE, fill=INK))
    body.append(line(LEFT, bottom, WIDTH - RIGHT, bottom, FAINT))
    return figure(key, title, _described(shown, number, reference), WIDTH, bottom + 4, "".join(body))


def _group(i: int, name: str) -> str:
    x, y = 4 + (i % 2) * WIDTH / 2, 8 + 15 * (i // 2)
    return mark(i, x + 4, y) + text(x + 13, y + 3, name, size=SIZE + 0.4)


def _described(
    rows: Sequence[Dot | int], number: Callable[[float], str], reference: tuple[str, float] | None
) -> str:
    whole = f"{reference[0]} : {number(reference[1])}. " if reference else ""
    return (
        whole
        + " ; ".join(
            left_out(row) if isinstance(row, int) else f"{row.label} {number(row.value)}" for row in rows
        )
        + "."
    )
