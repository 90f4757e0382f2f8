"""The Portrait social: the indicators of each theme, in reading order."""

from pydantic import Field

from odds_pipeline.declarations.access import Access
from odds_pipeline.declarations.base import Declaration, Name, Sentence


class PortraitTheme(Declaration):
    """Key indicators of a theme in reading order; ``map`` and ``trend`` are drawn.

    ``titles`` and ``statements`` are sentences: the first title that speaks, the first four others.
    """

    indicators: list[Name] = Field(min_length=1)
    map: Name
    trend: Name
    titles: list[Name] = []
    statements: list[Name] = []


class Portrait(Declaration):
    """``assets/portrait_social.yaml``. ``essential``, ``commune``: sentences, the first that speak."""

    label: Sentence
    description: Sentence
    owner: Sentence
    access: Access
    geography: int
    themes: dict[Name, PortraitTheme] = Field(min_length=1)
    method: list[Sentence] = Field(min_length=1)
    essential: list[Name] = []
    commune: list[Name] = []
    oldest_years: int = Field(default=8, ge=1, description="nothing is said of an older figure")
    contact: list[Sentence] = []
    population: str = Field(default="", description="indicator of the inhabitants that communes hold")
