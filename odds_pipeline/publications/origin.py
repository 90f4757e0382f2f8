"""What every document says of where it comes from."""

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from odds_pipeline.declarations.access import Access
from odds_pipeline.declarations.observatory import Observatory
from odds_pipeline.french import ACCESS, numeric_day
from odds_pipeline.publications.documents import Block, Cover, Document, Hero
from odds_pipeline.storage.sql import one

SIMULATED = "DONNÉES SIMULÉES – aucune valeur de ce document n’est réelle"


@dataclass(frozen=True)
class About:
    """Which release, for which class, when it was published, whether it holds simulated data."""

    release: int
    access: Access
    published_at: str
    simulated: bool


def read_about(connection: duckdb.DuckDBPyConnection) -> About:
    """What the open class file says of itself."""
    return About(*one(connection, "SELECT number, edition, published_at, simulated FROM about"))


def footer(observatory: Observatory, about: About, what: str, *, short: bool = False) -> str:
    """The foot of every page."""
    simulated = "données simulées, " if about.simulated else ""
    signature = f"{observatory.short_label}." if short else observatory.signature
    return (
        f"{signature} {what}, {simulated}édition n° {about.release} du "
        f"{numeric_day(about.published_at)}, accès : {ACCESS[about.access]}."
    )


def of_release(
    observatory: Observatory,
    about: About,
    what: str,
    blocks: Iterable[Block],
    *,
    title: str,
    subtitle: str,
    keywords: tuple[str, ...] = (),
    subject: str = "",
    cover: Cover | None = None,
    hero: Hero | None = None,
) -> Document:
    """A document made of one release, that says so on every page; ``what`` it is stands in the foot."""
    return Document(
        title=title,
        subtitle=subtitle,
        footer=footer(observatory, about, what, short=True),
        date=about.published_at,
        blocks=tuple(blocks),
        banner=SIMULATED if about.simulated else "",
        author=observatory.label,
        keywords=keywords,
        subject=subject,
        cover=cover,
        hero=hero,
    )
