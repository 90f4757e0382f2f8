"""What a commune's analysis of social needs can start from: each public's figures, and their limits."""

from collections.abc import Iterator, Mapping

from odds_pipeline.french import NONE, uncapital
from odds_pipeline.publications.documents import (
    Block,
    Column,
    Document,
    Heading,
    Notes,
    Paragraph,
    Table,
)
from odds_pipeline.publications.origin import of_release
from odds_pipeline.publications.portrait.portrait import PlacePortrait
from odds_pipeline.publications.statements.places import of_place

TITLE = "Éléments pour l’analyse des besoins sociaux"
BEFORE = (
    "Ces tableaux réunissent, public par public, ce que l’observatoire publie {of_place}. Ils ne disent "
    "ni les besoins ni leurs causes : ils les situent, et se complètent de ce que savent le CCAS, les "
    "associations et les habitants. Chaque valeur est de sa période, dite à sa ligne."
)


class Needs(PlacePortrait):
    """The same place as its portrait, by public. ``holders``: the partner that holds each indicator."""

    holders: Mapping[str, str] = {}

    def needs(self, holders: Mapping[str, str]) -> Document:
        """The document."""
        self.holders = holders
        about, observatory = self.figures.about, self.figures.observatory
        return of_release(
            observatory,
            about,
            TITLE,
            self._pages(),
            title=self.place.label,
            subtitle=self._subtitle(),
            keywords=("analyse des besoins sociaux", self.place.label, observatory.territory),
            subject=f"{TITLE} : {self.place.label}, édition n° {about.release}",
            hero=self._hero(TITLE),
        )

    def _pages(self) -> Iterator[Block]:
        yield Paragraph(BEFORE.format(of_place=of_place(self.place.label)))
        publics = self.socle.publics.values() if self.socle else ()
        asked = list(dict.fromkeys(i for public in publics for i in public.indicators))
        table = self._listed(
            f"{self.place.label}, par public", [(p.label, p.indicators) for p in publics]
        )
        if table is not None:
            yield Heading("Ce que l’on sait de chaque public")
            yield table
            yield self._reading(asked)
        yield from self._around()
        yield from self._trends()
        yield from self._held(asked)
        yield from self._defined(asked)
        yield Notes((("Sources", " ; ".join(self._sources()) + "."),))

    def _around(self) -> Iterator[Block]:
        """The communes of the same group, and the wholes."""
        group = self.place.group or self.place.code
        around = [t for t in self.speaker.communes if t.group == group]
        names = dict.fromkeys(self.portrait.themes[name].map for name in self.themes)
        sheets = [self.figures.sheets[i] for i in names if i in self.figures.months]
        if len(around) < 2 or not sheets:
            return
        wholes = [t for t in self.speaker.groups if t.code == group]
        places = [(t.label, t.code) for t in (*around, *wholes)]
        places.append(("Département", self.place.departement))
        rows = [
            (label, *(self._same_period(sheet.id, code) for sheet in sheets)) for label, code in places
        ]
        own = [i for i, (_, code) in enumerate(places) if code == self.place.code]
        heads = [f"{s.short_label}, {self._period(s)}" for s in sheets]
        columns = (Column("Commune", 1.6), *(Column(head, 1, True) for head in heads))
        yield Heading("Parmi les communes voisines")
        yield Table("Les communes voisines", columns, tuple(rows), tuple(own), bare=True)

    def _same_period(self, indicator: str, code: str) -> str:
        cell, sheet = self.figures.cell(indicator, code), self.figures.sheets[indicator]
        if cell is None or cell.value is None or cell.month != self.figures.months[indicator]:
            return NONE
        return sheet.number(cell.value)

    def _held(self, asked: list[str]) -> Iterator[Block]:
        """What lacks of each public, why, and who holds it."""
        kinds: dict[tuple[str, str], list[str]] = {}
        shown = (i for theme in self.portrait.themes.values() for i in theme.indicators)
        for indicator in dict.fromkeys([*asked, *shown]):
            if why := self._lacks(indicator):
                holder = self.holders.get(indicator, "")
                kinds.setdefault((holder, why), []).append(uncapital(self.names[indicator]))
        if kinds:
            yield Heading("Ce que l’observatoire ne sait pas, et qui le détient")
            columns = (Column("Détenteur", 1.1), Column("Pourquoi", 1.6), Column("Indicateurs", 4))
            rows = tuple((h, w, " ; ".join(names)) for (h, w), names in sorted(kinds.items()))
            yield Table("Ce que l’observatoire ne sait pas", columns, rows, bare=True, small=True)

    def _defined(self, asked: list[str]) -> Iterator[Block]:
        sheets = [self.figures.sheets[i] for i in asked if i in self.cells and self._value(i)]
        if sheets:
            yield Heading("Définitions et précautions")
            columns = (Column("Indicateur", 1.3), Column("Définition", 2.2), Column("Précautions", 3))
            rows = tuple(
                (s.label, s.definition, " ".join(filter(None, [s.limits, *s.cautions]))) for s in sheets
            )
            yield Table("Définitions et précautions", columns, rows, bare=True, small=True)
