"""Words that readers use for what the recueil calls otherwise."""

from pydantic import Field

from odds_pipeline.declarations.base import Declaration, Name, Sentence


class Synonym(Declaration):
    """``words`` as people write them; ``indicators`` that they look for, the nearest first.

    ``note`` is said above the results when the thing itself is not published.
    """

    words: list[Sentence] = Field(min_length=1)
    indicators: list[Name] = Field(min_length=1)
    note: Sentence | None = None


class Synonyms(Declaration):
    """``assets/synonymes.yaml``."""

    synonyms: list[Synonym] = []
