"""Which rows of a long list are drawn: those at both ends; a list of some dozens is drawn whole."""

from collections.abc import Callable, Sequence
from typing import TypeVar

Row = TypeVar("Row")
WHOLE, END = 44, 20
"""Rows up to which a list is whole (a printed page holds 45), and rows at each end of a longer one."""


def both_ends(rows: Sequence[Row], kept: Callable[[Row], bool]) -> list[Row | int]:
    """The first and last rows and those ``kept`` between them; a number: how many are left out there."""
    if len(rows) <= WHOLE:
        return list(rows)
    found: list[Row | int] = []
    skipped = 0
    for i, row in enumerate(rows):
        if END <= i < len(rows) - END and not kept(row):
            skipped += 1
            continue
        if skipped:
            found.append(skipped)
        found.append(row)
        skipped = 0
    return found


def left_out(count: int) -> str:
    """« … 598 autres »."""
    return f"… {count} autre{'s' if count > 1 else ''}"
