"""One row a group: its communes as points on a common axis, its own value as a bar, the ends named."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from odds_pipeline.charts.dots import COLOURS, mark
from odds_pipeline.charts.svg import FAINT, INK, QUIET, figure, line, text

WIDTH, LEFT, RIGHT, ROW = 500.0, 118.0, 62.0, 26.0
SIZE = 8.8


@dataclass(frozen=True)
class Group:
    """``members``: label and value of each commune; ``value``: that of the group."""

    label: str
    members: Sequence[tuple[str, float]]
    value: float | None


def groups(
    key: str,
    title: str,
    rows: Sequence[Group],
    number: Callable[[float], str],
    *,
    reference: tuple[str, float] | None = None,
) -> str:
    """Groups in the order given; their marks are those of :mod:`.dots`."""
    known = [v for r in rows for _, v in r.members] + ([reference[1]] if reference else [])
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    top, bottom = 20.0, 20.0 + ROW * len(rows)

    def x(value: float) -> float:
        return LEFT + 34 + (value - low) / span * (WIDTH - LEFT - RIGHT - 74)

    body = []
    if reference:
        body.append(line(x(reference[1]), top - 6, x(reference[1]), bottom, INK, 1))
        named = f"{reference[0]} : {number(reference[1])}"
        body.append(text(x(reference[1]), top - 9, named, size=SIZE, anchor="middle", bold=True))
    for i, row in enumerate(rows):
        y = top + ROW * i + ROW / 2
        body.append(text(0, y - 1, row.label, size=SIZE + 0.4, bold=True))
        body.append(text(0, y + 10, f"{len(row.members)} communes", size=SIZE - 0.4, fill=QUIET))
        body += _row(row, i, y, x, number)
        body.append(line(0, y + ROW / 2, WIDTH, y + ROW / 2, FAINT, 0.5))
    return figure(key, title, _described(rows, number, reference), WIDTH, bottom + 3, "".join(body))


def _row(
    row: Group, i: int, y: float, x: Callable[[float], float], number: Callable[[float], str]
) -> list[str]:
    ordered = sorted(row.members, key=lambda m: m[1])
    drawn = [line(x(ordered[0][1]), y, x(ordered[-1][1]), y, FAINT, 1)] if ordered else []
    drawn += [mark(i, x(value), y, 3.4) for _, value in ordered]
    if len(ordered) > 1:
        (low, least), (high, most) = ordered[0], ordered[-1]
        # Names of near ends would lie on each other: each then goes outwards.
        anchors = ("end", "start") if x(most) - x(least) < 110 else ("middle", "middle")
        for name, value, anchor in ((low, least, anchors[0]), (high, most, anchors[1])):
            drawn.append(text(x(value), y + 11.5, name, size=SIZE - 0.6, anchor=anchor, fill=QUIET))
    if row.value is not None:
        drawn.append(line(x(row.value), y - 9, x(row.value), y + 9, COLOURS[i % len(COLOURS)], 2.4))
        drawn.append(text(WIDTH, y + 4, number(row.value), size=SIZE + 2, anchor="end", bold=True))
    return drawn


def _described(
    rows: Sequence[Group], number: Callable[[float], str], reference: tuple[str, float] | None
) -> str:
    said = [f"{reference[0]} : {number(reference[1])}"] if reference else []
    for row in rows:
        ordered = sorted(row.members, key=lambda m: m[1])
        own = f"{row.label} : {number(row.value)}" if row.value is not None else row.label
        if ordered:
            (first, least), (last, most) = ordered[0], ordered[-1]
            own += f", de {number(least)} ({first}) à {number(most)} ({last})"
        said.append(own)
    return " ; ".join(said) + "."
