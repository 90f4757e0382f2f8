"""Sentences over the figures of a release, with worked examples; the texts of a committee."""

from string import Formatter
from typing import Any, Literal

from pydantic import Field

from odds_pipeline.declarations.base import Declaration, Name, Sentence

FactName = Literal["level", "compared", "since", "spread", "groups", "above", "concentrated"]


class StatementExample(Declaration):
    """What the braces hold, and what is then said."""

    figures: dict[Name, Any]
    text: Sentence


class Statement(Declaration):
    """``text`` says ``fact`` of ``indicator``; its braces hold the figures of the fact."""

    indicator: Name
    fact: FactName
    text: Sentence
    example: StatementExample

    @property
    def slots(self) -> set[str]:
        """Names in braces."""
        return {name for _, name, _, _ in Formatter().parse(self.text) if name is not None}


class Statements(Declaration):
    """``assets/statements/*.yaml``."""

    statements: dict[Name, Statement] = Field(min_length=1)


class ReleaseText(Declaration):
    """``replace`` or ``strike`` a statement of a place, or ``add`` a sentence to a theme."""

    place: str = Field(description="code of the territory")
    action: Literal["replace", "strike", "add"]
    statement: Name | None = Field(default=None, description="the one replaced or struck")
    theme: Name | None = Field(default=None, description="where an added sentence stands")
    text: Sentence | None = None
    reason: Sentence
    by: Sentence = Field(description="who answers for it")
    on: Sentence = Field(description="the day it was decided, YYYY-MM-DD", pattern=r"^20\d\d-\d\d-\d\d$")


class ReleaseTexts(Declaration):
    """``assets/texts/<release>.yaml``: what holds for one release, and for it alone."""

    release: int = Field(ge=1)
    texts: list[ReleaseText] = Field(min_length=1)
