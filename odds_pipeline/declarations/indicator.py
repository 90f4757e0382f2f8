"""An indicator: a definition over variables, with all that a reader needs beside the number."""

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from odds_pipeline.declarations.access import Access
from odds_pipeline.declarations.base import Declaration, Month, Name, Sentence, VariableId
from odds_pipeline.declarations.feed import Break, Level
from odds_pipeline.declarations.formula import Formula, parse

Direction = Literal["higher_is_better", "lower_is_better", "neutral"]
Definition = Annotated[str, StringConstraints(min_length=30, strip_whitespace=True)]


class Example(Declaration):
    """Inputs keyed as in the formula (``lag(x, 5)`` for a lagged one) and the expected value.

    Of a rank they are lists, the territory's own value first; of a dissimilarity, lists over the parts.
    """

    inputs: dict[str, int | float | list[int | float]]
    value: int | float


class Indicator(Declaration):
    """One stanza of a family file; what the family's ``defaults`` give need not be repeated."""

    label: Sentence
    short_label: Annotated[str, StringConstraints(min_length=3, max_length=48)]
    definition: Definition
    unit: Name
    formula: str
    numerator: Sentence
    denominator: Sentence | None = None
    population: Sentence
    levels: list[Level] = Field(min_length=1)
    driving: VariableId | None = None
    direction: Direction
    limits: Sentence
    cautions: list[Sentence] = Field(min_length=1, description="what a reader must not conclude")
    breaks: list[Break] = Field(
        description="its own, besides those of its variables; an empty list says that none is known"
    )
    decimals: int = Field(ge=0, le=4)
    to_the_unit: bool = Field(
        default=False,
        description="its producer rounds it to the unit for some levels: a whole value has no decimals",
    )
    owner: Sentence
    example: Example
    since: Month | None = None
    published_as: VariableId | None = Field(
        default=None, description="the variable in which the producer publishes the same rate"
    )
    access: Access | None = Field(default=None, description="to be stricter than what it reads")

    @field_validator("formula")
    @classmethod
    def _parses(cls, value: str) -> str:
        parse(value)
        return value

    @cached_property
    def parsed(self) -> Formula:
        return parse(self.formula)

    @property
    def driving_variable(self) -> str:
        """The variable whose calendar the indicator follows."""
        return self.driving or self.parsed.numerator[0].variable


class Defaults(Declaration):
    """What indicators of a family share.

    An indicator's own value replaces the family's, except for ``cautions``: those of the family hold
    for each of its indicators, which may add theirs.
    """

    population: Sentence | None = None
    levels: list[Level] | None = Field(default=None, min_length=1)
    direction: Direction | None = None
    limits: Sentence | None = None
    decimals: int | None = Field(default=None, ge=0, le=4)
    to_the_unit: bool | None = None
    owner: Sentence | None = None
    cautions: list[Sentence] = []
    breaks: list[Break] | None = None
    unit: Name | None = None
    denominator: Sentence | None = None


class Family(Declaration):
    """``assets/indicators/<theme>/<id>.yaml``."""

    id: Name
    theme: Name
    label: Sentence
    description: Sentence
    indicators: dict[Name, Indicator] = Field(min_length=1)
