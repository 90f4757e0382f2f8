"""A feed's calendar: which reference months it describes, and when its figures are expected.

A partition key is a month ``YYYY-MM``. Monthly feeds have one a month, quarterly ones one every
three months counted from ``month``, annual ones one a year in ``month``; a school year is known by
the September it begins in.
"""

from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from odds_pipeline.declarations.base import Declaration, Month
from odds_pipeline.months import number_of

MONTHS_BETWEEN = {"monthly": 1, "quarterly": 3, "annual": 12, "school_year": 12}


class Calendar(Declaration):
    """``lag`` is the usual number of months between the reference month and its delivery."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"cadence": {"const": "school_year"}}},
            "then": {"properties": {"month": {"const": 9}}},
        }
    )

    cadence: Literal["monthly", "quarterly", "annual", "school_year"]
    first: Month
    lag: int = Field(ge=0, le=60)
    month: int = Field(default=12, ge=1, le=12, description="month of the situation in the year")

    @model_validator(mode="before")
    @classmethod
    def _september(cls, data: object) -> object:
        if isinstance(data, dict) and data.get("cadence") == "school_year":
            return {"month": 9, **data}
        return data

    @model_validator(mode="after")
    def _begins_on_its_grid(self) -> "Calendar":
        if self.cadence == "school_year" and self.month != 9:
            raise ValueError("a school year is known by September: leave `month` out")
        return self

    @property
    def step(self) -> int:
        """Months between two partitions."""
        return MONTHS_BETWEEN[self.cadence]

    @property
    def rhythm(self) -> str:
        """What calendars of the same months share: ``monthly``, ``annual_12``, ``quarterly_3``."""
        if self.cadence in ("monthly", "school_year"):
            return self.cadence
        return f"{self.cadence}_{(self.month - 1) % self.step + 1}"

    def has(self, month: str) -> bool:
        """Whether ``month`` is a partition of this calendar."""
        return month >= self.first and (number_of(month) - self.month) % self.step == 0
