"""A feed's calendar: which reference months it describes, and when its figures are expected.

A partition key is a month ``YYYY-MM``. Monthly feeds have one a month, quarterly ones one every
three months counted from ``month``, annual ones one a year in ``month``.
"""

from typing import Literal

from pydantic import Field

from odds_pipeline.model.base import Declaration, Month

MONTHS_BETWEEN = {"monthly": 1, "quarterly": 3, "annual": 12}


class Calendar(Declaration):
    """``lag`` is the usual number of months between the reference month and its delivery."""

    cadence: Literal["monthly", "quarterly", "annual"]
    first: Month
    lag: int = Field(ge=0, le=60)
    month: int = Field(default=12, ge=1, le=12, description="month of the situation in the year")

    @property
    def step(self) -> int:
        """Months between two partitions."""
        return MONTHS_BETWEEN[self.cadence]

    def has(self, month: str) -> bool:
        """Whether ``month`` is a partition of this calendar."""
        return month >= self.first and (int(month[5:]) - self.month) % self.step == 0
