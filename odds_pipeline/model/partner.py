"""A partner: a body that delivers figures to the observatory."""

from typing import Literal

from pydantic import Field

from odds_pipeline.model.access import Access
from odds_pipeline.model.base import Declaration, Month, Name, Sentence


class Secrecy(Declaration):
    """The partner's rule of statistical secrecy on counts.

    A count strictly between 0 and ``threshold`` is not published; figures are delivered rounded
    to a multiple of ``rounding`` when it is given.
    """

    threshold: int = Field(ge=0, description="smallest count that may be published; 0: no rule")
    rounding: int | None = Field(default=None, ge=2)
    reference: Sentence = Field(description="the text or practice the rule comes from")


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
    licence: str
    access: Access = Field(default="partenaires", description="who may read, unless a feed says more")
    secrecy: Secrecy
