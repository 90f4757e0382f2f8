"""A ranking: one row a territory, a dot at its value, an interval when it is uncertain."""

from collections.abc import Callable
from dataclasses import dataclass

from odds_pipeline.charts.ends import both_ends, left_out
from odds_pipeline.charts.svg import ACCENT, FAINT, INK, QUIET, RAMP, element, figure, line, text

ROW = 15.0
LEFT, MIDDLE, RIGHT = 150.0, 230.0, 70.0


@dataclass(frozen=True)
class Ranked:
    """``low`` and ``high`` are the ends of an interval around ``value``, or ``None``."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    place: bool = False


def ranking(
    key: str,
    title: str,
    rows: list[Ranked],
    number: Callable[[float], str],
    *,
    marks: dict[str, float] | None = None,
    note: str = "",
    middle: float = MIDDLE,
) -> str:
    """Rows in the order given, values written at the right; ``marks`` are vertical lines with a name.

    Of many rows, those at both ends and the ``place``. ``middle``: the room of the values between names
    and numbers.
    """
    shown = both_ends(rows, lambda row: row.place)
    numbers = [v for r in rows for v in (r.value, r.low, r.high) if v is not None]
    numbers += list((marks or {}).values())
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    span = (high - low) or 1.0
    top = 20.0 if marks else 6.0

    def x(value: float) -> float:
        return LEFT + (value - low) / span * middle

    bottom = top + ROW * len(shown)
    body = []
    for i, (name, value) in enumerate(sorted((marks or {}).items(), key=lambda m: m[1])):
        body.append(line(x(value), top - 4, x(value), bottom, QUIET))
        anchor = "end" if i % 2 == 0 and len(marks or {}) > 1 else "start"
        body.append(
            text(x(value) + (-3 if anchor == "end" else 3), top - 7, name, size=10, anchor=anchor)
        )
    for i, row in enumerate(shown):
        y = top + ROW * i + ROW / 2
        if isinstance(row, int):
            body.append(text(LEFT - 8, y + 4, left_out(row), anchor="end", fill=QUIET))
            continue
        ink = ACCENT if row.place else INK
        body.append(line(LEFT, y, LEFT + middle, y, "#e6e6e6"))
        if row.low is not None and row.high is not None:
            body.append(line(x(row.low), y, x(row.high), y, FAINT if not row.place else ACCENT, 5))
        body.append(
            element(
                "circle",
                cx=x(row.value),
                cy=y,
                r=4,
                fill=ink if row.place else RAMP[4],
                stroke="#ffffff",
            )
        )
        body.append(text(LEFT - 8, y + 4, row.label, anchor="end", fill=ink, bold=row.place))
        body.append(text(LEFT + middle + 10, y + 4, number(row.value), fill=ink, bold=row.place))
    if note:
        body.append(text(0, bottom + 14, note, size=10, fill=QUIET))
    described = " ; ".join(
        left_out(r) if isinstance(r, int) else f"{r.label} {number(r.value)}" for r in shown
    )
    height = bottom + (20 if note else 6)
    return figure(key, title, described, LEFT + middle + RIGHT, height, "".join(body))
