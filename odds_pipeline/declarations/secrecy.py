"""A rule of statistical secrecy, as a partner or a feed declares it."""

from typing import Literal

from pydantic import Field, field_validator

from odds_pipeline.declarations.base import Declaration, Name, Sentence, VariableId


class Dominance(Declaration):
    """A total is secret when its ``largest`` contributors make more than ``share`` % of it."""

    largest: int = Field(ge=1, le=5)
    share: int = Field(ge=1, le=99)


class Population(Declaration):
    """Figures of a territory with less than ``minimum`` of ``variable`` are secret."""

    variable: VariableId
    minimum: int = Field(ge=1)


class Secrecy(Declaration):
    """The rule on a partner's figures; see docs/decisions/0007 for what it protects against.

    A count strictly between 0 and ``threshold`` is secret, and so is what is ``counted_by`` it.
    Only counts in ``units`` are concerned, when given: a rule on persons does not hide classes.
    Figures are published rounded to a multiple of ``rounding``. A rate whose denominator is under
    ``rate_minimum`` is not published. ``p_percent``: a total is secret when the second largest
    contributor could tell the largest one to better than that percentage. ``contributors``: the body
    of each commune (its CCAS) gives its figures and knows them; they must not tell it another's.
    """

    threshold: int = Field(
        ge=0,
        description="smallest count that may be published; 0: no rule",
        json_schema_extra={"not": {"enum": [1, 2]}},
    )
    rounding: int | None = Field(default=None, ge=2)
    units: list[Name] | None = None
    rate_minimum: int = Field(default=0, ge=0)
    population: Population | None = None
    dominance: Dominance | None = None
    p_percent: int | None = Field(default=None, ge=1, le=100)
    contributors: Literal["commune"] | None = None
    reference: Sentence = Field(description="the text or practice the rule comes from")

    @field_validator("threshold")
    @classmethod
    def _hides_something(cls, value: int) -> int:
        if value in (1, 2):
            raise ValueError("a hidden count under 1 or 2 would be known: 0, or 3 and more")
        return value
