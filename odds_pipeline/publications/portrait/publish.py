"""Every portrait of a release, as documents in one folder."""

from collections.abc import Iterable
from pathlib import Path

from odds_pipeline.charts import read_ground
from odds_pipeline.declarations.access import Access
from odds_pipeline.declarations.portrait import Portrait
from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.read_publications import load_publications
from odds_pipeline.geography.territories import Territory, plain
from odds_pipeline.publications.documents import Document
from odds_pipeline.publications.portrait.departement import departement
from odds_pipeline.publications.portrait.figures import Figures
from odds_pipeline.publications.portrait.portrait import document, method
from odds_pipeline.publications.statements.speaker import Speaker
from odds_pipeline.publications.writer import Published, folder_of, write_documents
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home


def file_name(territory: Territory) -> str:
    """``93008-bobigny``: the same for ever, and readable."""
    return f"{territory.code}-{plain(territory.label).replace(' ', '-')}"


def publish_portrait(
    project: Project,
    portrait: Portrait,
    home: Home,
    *,
    release: int | None = None,
    edition: Access | None = None,
    territories: Iterable[str] | None = None,
    folder: Path | None = None,
) -> Published:
    """Portraits of the département, the EPT and the communes, or of ``territories`` (codes) only.

    Raises :class:`LookupError` when there is no such release.
    """
    edition = edition or portrait.edition
    found = load_publications(project)
    indicators = [i for t in portrait.themes.values() for i in (*t.indicators, t.map, t.trend)]
    indicators += [s.indicator for s in found.statements.values()]
    with open_release(home, release, edition) as connection:
        figures = Figures(project, connection, list(dict.fromkeys(indicators)), portrait.geography)
    ground = read_ground(
        project.territories, project.root / "resources" / "reference", home, portrait.geography
    )
    wanted = set(territories) if territories is not None else None
    places = [
        t
        for t in project.territories.all
        if t.geography == portrait.geography
        and t.level in ("commune", "ept", "departement")
        and (wanted is None or t.code in wanted)
    ]
    texts = found.texts.get(figures.about.release, [])
    inside = [t for t in project.territories.all if t.geography == portrait.geography]
    speaker = Speaker(found.statements, figures, inside, portrait, texts)

    names = {name: entry.indicator.short_label for name, entry in project.indicators.items()}

    def made(place: Territory) -> Document:
        if place.level == "departement":
            return departement(project, portrait, figures, ground, speaker, place)
        return document(portrait, found.socle, names, figures, speaker, place)

    target = folder or folder_of(home, figures.about.release, edition, "portrait_social")
    documents = [(file_name(place), made(place)) for place in places]
    return write_documents(target, [*documents, ("methode", method(portrait, figures))])
