"""Portals, where public files are, and the origin of a contract's files on one of them."""

import re
from typing import Literal

from pydantic import Field, field_validator

from odds_pipeline.declarations.base import Declaration, Name, Sentence

Api = Literal["udata", "opendatasoft", "melodi", "files"]


class Portal(Declaration):
    """One portal of ``resources/portals.yaml``; ``api`` is how its files are listed.

    ``pause``: seconds between two requests to it. ``schedule``: when Dagster asks it what is new.
    """

    label: Sentence
    address: str
    api: Api
    licence: Sentence
    pause: int | float = Field(default=0.5, ge=0)
    schedule: str = "0 5 * * 1"


class Portals(Declaration):
    """``resources/portals.yaml``."""

    portals: dict[Name, Portal]


class Origin(Declaration):
    """Where the files of a contract are published.

    ``dataset`` is the portal's own name for it. ``resource`` is a regular expression searched in the
    titles and file names of its files; its group ``year`` is the vintage. ``vintages`` gives the
    address of each vintage under the portal's, for a portal without an interface. ``filter`` keeps
    what is of the perimeter, where the portal can: ``{departements}`` stands for its codes, quoted.
    ``labels``: the contract reads the labels of an Opendatasoft export, not its technical names.
    """

    portal: Name
    dataset: str | None = None
    resource: str | None = None
    vintages: dict[str, str] = {}
    filter: str | None = None
    labels: bool = False
    licence: Sentence | None = None
    published: list[int] = Field(default=[], description="months of the year it comes out in")

    @field_validator("resource")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from error
        return value

    @field_validator("published")
    @classmethod
    def _months(cls, value: list[int]) -> list[int]:
        if any(not 1 <= month <= 12 for month in value):
            raise ValueError("months are 1 to 12")
        return value
