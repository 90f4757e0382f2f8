"""A month as the period it stands for: a year, a first of January, a school year, a month."""

from typing import Literal

from odds_pipeline.declarations.project import Project
from odds_pipeline.french import french_month, short_month

Said = Literal["en", "depuis", "bref"]


def period_words(month: str, cadence: str, said: str = "bref") -> str:
    """« en 2020 », « au 1er janvier 2021 », « à la rentrée 2021 », « en décembre 2017 ».

    ``depuis``: since then; ``bref``: for the cell of a table.
    """
    year = month[:4]
    if cadence == "school_year":
        return {"en": "à la rentrée", "depuis": "depuis la rentrée", "bref": "rentrée"}[
            said
        ] + f" {year}"
    if cadence == "annual" and month[5:] == "01":
        before = {"en": "au", "depuis": "depuis le", "bref": ""}[said]
        return f"{before} 1ᵉʳ {'janv.' if said == 'bref' else 'janvier'} {year}".strip()
    if cadence == "annual" and month[5:] == "12":
        return year if said == "bref" else f"{said} {year}"
    return short_month(month) if said == "bref" else f"{said} {french_month(month)}"


def cadence_of(project: Project, indicator: str) -> str:
    """The rhythm of an indicator's figures; none where it is declared no more."""
    entry = project.indicators.get(indicator)
    return project.feed_of(entry.indicator).feed.calendar.cadence if entry else ""
