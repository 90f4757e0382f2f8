"""Every portrait of a release, as documents in one folder, each commune's with its kit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from odds_pipeline.charts import Ground, read_ground
from odds_pipeline.declarations.access import Access
from odds_pipeline.declarations.portrait import Portrait
from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.read_publications import Publications, load_publications
from odds_pipeline.french import LEVELS, LEVELS_PLURAL, french_day
from odds_pipeline.geography.territories import GROUPS, Territory, plain
from odds_pipeline.publications.documents import Block, Document, Heading, Links, to_html
from odds_pipeline.publications.origin import of_release
from odds_pipeline.publications.portrait.departement import DepartementPortrait
from odds_pipeline.publications.portrait.figures import Figures
from odds_pipeline.publications.portrait.kit import archive_of, kit, workbook
from odds_pipeline.publications.portrait.needs import Needs
from odds_pipeline.publications.portrait.portrait import PlacePortrait, method
from odds_pipeline.publications.statements.speaker import Speaker
from odds_pipeline.publications.writer import WRITERS, Published, folder_of, write_documents
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home


def file_name(territory: Territory) -> str:
    """``93008-bobigny``: the same for ever, and readable."""
    return f"{territory.code}-{plain(territory.label).replace(' ', '-')}"


def _files(name: str) -> tuple[tuple[str, str], ...]:
    return ("page", f"{name}.html"), ("PDF", f"{name}.pdf")


Made = TypeVar("Made", bound=PlacePortrait)


@dataclass(frozen=True)
class Contents:
    """What portraits of one release are made of."""

    project: Project
    portrait: Portrait
    declared: Publications
    figures: Figures
    ground: Ground

    @cached_property
    def speaker(self) -> Speaker:
        texts = self.declared.texts.get(self.figures.about.release, [])
        return Speaker(self.declared.statements, self.figures, self.places, self.portrait, texts)

    @cached_property
    def places(self) -> list[Territory]:
        """The département, the EPT or EPCI and the communes."""
        levels, geography = ("commune", *GROUPS, "departement"), self.portrait.geography
        everywhere = self.project.territories.all
        return [t for t in everywhere if t.geography == geography and t.level in levels]

    @cached_property
    def names(self) -> dict[str, str]:
        """Short labels of all indicators, also of those without a value."""
        return {name: one.indicator.short_label for name, one in self.project.indicators.items()}

    def document(self, place: Territory) -> Document:
        """The portrait of one place."""
        if place.level == "departement":
            return DepartementPortrait(
                self.project, self.portrait, self.figures, self.ground, self.speaker, place
            ).document()
        return self._about(PlacePortrait, place).document()

    def index(self, names: Mapping[str, Territory]) -> Document:
        """The page that leads to every portrait, by level; ``names``: of their files."""
        about, portrait = self.figures.about, self.portrait
        blocks: list[Block] = []
        for level in ("departement", *GROUPS, "commune"):
            inside = {name: t for name, t in names.items() if t.level == level}
            if inside:
                head = (LEVELS if len(inside) == 1 else LEVELS_PLURAL)[level]
                blocks.append(Heading(head[0].upper() + head[1:]))
                blocks.append(Links(tuple((t.label, _files(name)) for name, t in inside.items())))
        blocks += [Heading("Méthode"), Links((("Définitions, sources et limites", _files("methode")),))]
        title, day = portrait.label, french_day(about.published_at)
        said = f"Édition n° {about.release}, {day} : tous les portraits"
        observatory = self.figures.observatory
        return of_release(observatory, about, title, blocks, title=title, subtitle=said)

    def kit(self, place: Territory, one: Document, written: Mapping[str, bytes]) -> bytes:
        """The archive that a commune or a group of them takes away."""
        themes = {name: theme.indicators for name, theme in self.portrait.themes.items()}
        needs = self._about(Needs, place).needs(self.holders)
        by_public = {suffix: write(needs) for suffix, write in WRITERS.items()}
        return kit(one, written, by_public, workbook(self.figures, themes, self.declared.socle, place))

    @cached_property
    def holders(self) -> dict[str, str]:
        """The partner that holds each indicator's figures."""
        found = self.project.indicators.items()
        return {n: self.project.feed_of(one.indicator).partner.short_label for n, one in found}

    def _about(self, kind: type[Made], place: Territory) -> Made:
        """The maker of a document of a place."""
        return kind(
            self.portrait,
            self.declared.socle,
            self.names,
            self.figures,
            self.ground,
            self.speaker,
            place,
        )


def read_contents(
    project: Project, portrait: Portrait, home: Home, release: int | None, access: Access
) -> Contents:
    """Its figures and declarations. Raises :class:`LookupError` when there is no such release."""
    declared = load_publications(project)
    indicators = [i for t in portrait.themes.values() for i in (*t.indicators, t.map, t.trend)]
    indicators += [s.indicator for s in declared.statements.values()]
    publics = declared.socle.publics.values() if declared.socle else ()
    indicators += [i for public in publics for i in public.indicators]
    with open_release(home, release, access) as connection:
        figures = Figures(project, connection, list(dict.fromkeys(indicators)), portrait.geography)
    reference = project.root / "resources" / "reference"
    ground = read_ground(project.territories, reference, home, portrait.geography)
    return Contents(project, portrait, declared, figures, ground)


def publish_portrait(
    project: Project,
    portrait: Portrait,
    home: Home,
    *,
    release: int | None = None,
    access: Access | None = None,
    territories: Iterable[str] | None = None,
    folder: Path | None = None,
) -> Published:
    """Portraits of the département, the groups and the communes, or of ``territories`` (codes) only.

    Each commune and group has its kit beside, and all of them their archive, ``edition.zip``.
    Raises :class:`LookupError` when there is no such release.
    """
    access = access or portrait.access
    made = read_contents(project, portrait, home, release, access)
    about = made.figures.about
    wanted = set(territories) if territories is not None else None
    places = {file_name(t): t for t in made.places if wanted is None or t.code in wanted}

    def beside(name: str, one: Document, written: Mapping[str, bytes]) -> Mapping[str, bytes]:
        place = places.get(name)
        if place is None or place.level == "departement":
            return {}
        return {f"{name}.zip": made.kit(place, one, written)}

    documents = [(name, made.document(place)) for name, place in places.items()]
    documents.append(("methode", method(portrait, made.figures)))
    target = folder or folder_of(home, about.release, access, "portrait_social")
    files = {"index.html": to_html(made.index(places))} if wanted is None else {}
    published = write_documents(target, documents, files, beside, among=folder is not None)
    if wanted is None:
        archive_of(published.folder, [name for name, _ in documents], about.published_at)
    return published
