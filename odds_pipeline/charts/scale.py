"""The scale of a line: round steps, and a span below which a change is not drawn as a cliff."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

LEAST_SPAN = 0.2
"""A scale spans at least this share of the largest value: 32.5 to 32.3 % is a level, not a fall."""
STEPS = 4


@dataclass(frozen=True)
class Scale:
    """From ``low`` to ``high``; ``ticks`` are round numbers, the ends among them."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """Where ``value`` stands between the ends, 0 to 1."""
        return (value - self.low) / (self.high - self.low)


def scale(values: Iterable[float]) -> Scale:
    """A scale of three to six round steps that holds every value; from zero up where none is below."""
    known = list(values)
    low, high = min(known), max(known)
    least = LEAST_SPAN * max(abs(low), abs(high)) or 1.0
    missing = max(least - (high - low), 0.0)
    start = low - missing / 2
    if low >= 0:
        start = max(start, 0.0)
    step = _round_step((max(high, start + least) - start) / STEPS)
    first, last = math.floor(start / step + 1e-9), math.ceil(max(high, start + least) / step - 1e-9)
    ticks = tuple(round(i * step, 12) for i in range(first, max(last, first + 1) + 1))
    return Scale(ticks[0], ticks[-1], ticks)


def _round_step(wanted: float) -> float:
    """The smallest of 1, 2, 5 × 10ⁿ not below ``wanted``."""
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= wanted * (1 - 1e-9))
