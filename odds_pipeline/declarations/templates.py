"""Templates of selections: the indicators that a known exercise of local social policy asks for."""

from pydantic import Field

from odds_pipeline.declarations.base import Declaration, Name, Sentence


class Part(Declaration):
    """A part of the exercise, with its indicators in the order of reading."""

    label: Sentence
    indicators: list[Name] = Field(min_length=1)


class Template(Declaration):
    """``why`` says what the exercise is, and what asks for it."""

    label: Sentence
    why: Sentence
    parts: list[Part] = Field(min_length=1)

    @property
    def indicators(self) -> list[str]:
        """Those of the parts, in order, once each."""
        return list(dict.fromkeys(name for part in self.parts for name in part.indicators))


class Templates(Declaration):
    """``assets/modeles.yaml``."""

    templates: dict[Name, Template] = {}
