"""The stretch of time a pack speaks of."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from odds_pipeline.months import shifted


@dataclass(frozen=True)
class Span:
    """``start`` and ``end`` are the first and the last day. ``name``: ``2025-03`` or ``2025-S1``."""

    name: str
    start: date
    end: date

    @classmethod
    def named(cls, name: str) -> "Span":
        """A month ``YYYY-MM`` or a half-year ``YYYY-S1``. :class:`ValueError` for anything else."""
        match = re.fullmatch(r"((?:19|20)\d\d)-(?:(0[1-9]|1[0-2])|S([12]))", name)
        if match is None:
            raise ValueError(f"{name!r} is neither a month YYYY-MM nor a half-year YYYY-S1 or YYYY-S2")
        year = int(match[1])
        first, months = (int(match[2]), 1) if match[2] else (1 if match[3] == "1" else 7, 6)
        after = shifted(f"{year}-{first:02d}", months)
        return cls(name, date(year, first, 1), date.fromisoformat(f"{after}-01") - timedelta(days=1))

    @classmethod
    def month_before(cls, day: date) -> "Span":
        """The last whole month before ``day``."""
        last = day.replace(day=1) - timedelta(days=1)
        return cls.named(f"{last:%Y-%m}")

    @classmethod
    def half_year_before(cls, day: date) -> "Span":
        """The last whole half-year before ``day``."""
        return cls.named(f"{day.year}-S1" if day.month > 6 else f"{day.year - 1}-S2")

    @classmethod
    def before(cls, day: date, every: Literal["month", "half_year"]) -> "Span":
        """The last whole span of a committee before ``day``."""
        return cls.month_before(day) if every == "month" else cls.half_year_before(day)

    @property
    def every(self) -> Literal["month", "half_year"]:
        """How long the span is."""
        return "half_year" if "S" in self.name else "month"

    @property
    def words(self) -> str:
        return f"du {self.start:%d/%m/%Y} au {self.end:%d/%m/%Y}"
