"""The Portrait social: the indicators of each theme, in reading order."""

from pydantic import Field

from odds_pipeline.declarations.access import Access
from odds_pipeline.declarations.base import Declaration, Name, Sentence


class PortraitTheme(Declaration):
    """Key indicators of a theme in reading order; ``map`` and ``trend`` are drawn."""

    indicators: list[Name] = Field(min_length=1)
    map: Name
    trend: Name


class Portrait(Declaration):
    """``assets/portrait_social.yaml``."""

    label: Sentence
    description: Sentence
    owner: Sentence
    edition: Access
    geography: int
    themes: dict[Name, PortraitTheme] = Field(min_length=1)
    method: list[Sentence] = Field(min_length=1)
