"""Which values of a series a line may join: none across a gap or a break of the series."""

from collections.abc import Collection, Mapping
from itertools import pairwise

from odds_pipeline.months import month_index

Run = list[tuple[str, float]]


def runs(values: Mapping[str, float | None], breaks: Collection[str] = ()) -> list[Run]:
    """Stretches of values: none missing, none further apart than usual, on one side of every break.

    ``breaks`` are the first months of what no longer compares with what was before.
    """
    spacing = _spacing(values)
    found: list[Run] = []
    previous: str | None = None
    for month in sorted(values):
        value = values[month]
        if value is None:
            previous = None
            continue
        far = previous is None or month_index(month) - month_index(previous) > spacing
        broken = any(previous is not None and previous < b <= month for b in breaks)
        if far or broken:
            found.append([])
        found[-1].append((month, value))
        previous = month
    return found


def _spacing(values: Mapping[str, float | None]) -> int:
    """The usual number of months between two values."""
    at = sorted(month_index(m) for m in values)
    return min((b - a for a, b in pairwise(at)), default=12)
