"""A partner: a body that delivers figures to the observatory."""

from typing import Literal

from pydantic import Field

from odds_pipeline.declarations.access import Access
from odds_pipeline.declarations.base import Declaration, Month, Name, Sentence
from odds_pipeline.declarations.secrecy import Secrecy


class Partner(Declaration):
    """``assets/partners/<id>/partner.yaml``."""

    id: Name
    label: Sentence
    short_label: str
    aliases: list[Name] = []
    status: Literal["founder", "member", "joining"]
    since: Month
    description: Sentence
    contact_role: Sentence
    perimeter: list[str] = Field(
        default=[], description="codes of the départements it delivers; all in scope without it"
    )
    licence: str
    access: Access = Field(default="partenaires", description="who may read, unless a feed says more")
    secrecy: Secrecy
