"""Units of measure, read from ``resources/reference/units.csv``, and what arithmetic does to them.

A unit has a *kind*: ``count`` (adds up over territories and is never negative), ``amount`` (money,
adds up), ``proportion`` (a count over a count times ``scale``: 100 for a percentage), ``ratio``
(anything over something else) or ``level`` (a median, an index: taken as delivered). A count says
what it ``counts``: ``people`` (persons or households), ``events``, or neither (places, dwellings).
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

UnitKind = Literal["count", "amount", "proportion", "ratio", "level"]
Counted = Literal["people", "events", ""]


@dataclass(frozen=True)
class Unit:
    """``scale`` is what 1 stands for in the unit (100 for ``pct``); bounds are inclusive."""

    id: str
    label: str
    symbol: str
    kind: UnitKind
    scale: float
    minimum: float | None
    maximum: float | None
    counts: Counted = ""

    @property
    def adds_up(self) -> bool:
        """Whether the figure of a whole is the sum of its parts': a commune's is then always less."""
        return self.kind in ("count", "amount")

    @property
    def change_unit(self) -> str:
        """The unit of a change over years: per cent for what adds up, points for percentages."""
        if self.adds_up:
            return "pct_evolution"
        return "points" if self.scale == 100 else self.id


def _number(text: str) -> float | None:
    return float(text) if text else None


def read_units(path: Path) -> dict[str, Unit]:
    """Units by id, in file order."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["id"]: Unit(
                row["id"],
                row["label"],
                row["symbol"],
                cast(UnitKind, row["kind"]),
                float(row["scale"]),
                _number(row["minimum"]),
                _number(row["maximum"]),
                cast(Counted, row["counts"] or ""),
            )
            for row in csv.DictReader(file, delimiter=";")
        }
