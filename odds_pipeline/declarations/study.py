"""A study: what is measured of communes, in which dimensions."""

from typing import Literal

from pydantic import Field

from odds_pipeline.declarations.access import Access
from odds_pipeline.declarations.base import Declaration, Name, Sentence


class StudyIndicator(Declaration):
    """``fragile``: whether a high or a low value is the fragile one."""

    fragile: Literal["high", "low"] = "high"
    weight: float = Field(default=1, gt=0)


class Dimension(Declaration):
    """One side of what is studied; indicators of different sources are never added up."""

    label: Sentence
    weight: float = Field(default=1, gt=0)
    indicators: dict[Name, StudyIndicator] = Field(min_length=1)


class Study(Declaration):
    """``assets/studies/<id>.yaml``; its gate is the suite ``expectations/studies/<id>.yaml``.

    ``coverage``: least share of communes that must have a value for an indicator to be used, and
    least share of the indicators that a commune must have to be ranked.
    """

    id: Name
    label: Sentence
    description: Sentence
    owner: Sentence
    access: Access
    geography: int
    coverage: float = Field(gt=0, le=1)
    dimensions: dict[Name, Dimension] = Field(min_length=2)
    keywords: list[Sentence] = []
    households: Name | None = Field(default=None, description="count of households, shown beside ranks")
    limits: list[Sentence] = Field(min_length=1)

    @property
    def indicators(self) -> dict[str, StudyIndicator]:
        """Every indicator of every dimension, in order."""
        return {name: one for d in self.dimensions.values() for name, one in d.indicators.items()}
