"""The observatory itself: its name, its ground, its themes and its committees."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from odds_pipeline.declarations.base import Declaration, Name, Sentence, VariableId
from odds_pipeline.declarations.problems import DeclarationError, Problem
from odds_pipeline.declarations.validation import Reader

FILE = Path("assets", "observatory.yaml")


class Committee(Declaration):
    """A committee and the page that is made for it.

    ``page``: ``deliveries`` says what came, late, refused, revised; ``coverage`` what the release holds.
    """

    label: Sentence
    description: Sentence
    page: Literal["deliveries", "coverage"]
    every: Literal["month", "half_year"]
    schedule: str = Field(description="when the page is made, as a cron expression")


class Observatory(Declaration):
    """``assets/observatory.yaml``."""

    id: Name = Field(description="in the names of files and identifiers")
    label: Sentence
    short_label: Sentence
    territory: Sentence
    of_territory: Sentence = Field(description="the territory after a noun: « de la Seine-Maritime »")
    departements: list[str] = Field(min_length=1, description="codes of the départements it speaks of")
    signature: Sentence = Field(description="first sentence at the foot of every document")
    population: VariableId = Field(description="what new feeds of persons are simulated from")
    themes: dict[Name, Sentence] = Field(min_length=1)
    committees: dict[Name, Committee] = {}


def read_observatory(root: Path) -> Observatory:
    """Read the file, which everything else needs; :class:`DeclarationError` lists its mistakes."""
    if not (root / FILE).exists():
        raise DeclarationError([Problem(FILE, 1, "the file is missing")])
    return Reader(root).required(Observatory, root / FILE)
