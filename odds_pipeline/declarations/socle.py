"""What is read first of a territory: a few indicators by theme, and by public."""

from pydantic import Field

from odds_pipeline.declarations.base import Declaration, Name, Sentence


class Public(Declaration):
    """People whom the figures are about, as the analysis of social needs names them."""

    label: Sentence
    indicators: list[Name] = Field(min_length=1)


class Socle(Declaration):
    """``assets/socle.yaml``; its order is the order of reading."""

    label: Sentence
    themes: dict[Name, list[Name]] = Field(min_length=1)
    publics: dict[Name, Public] = {}
    map: Name | None = Field(default=None, description="indicator that colours the map of the home page")
    likeness: list[Name] = Field(
        default=[], description="indicators of structure by which communes resemble one another"
    )

    @property
    def indicators(self) -> list[str]:
        """Those of the themes, in order."""
        return [name for names in self.themes.values() for name in names]
