"""The Portrait social of the département: findings, a spread a theme, all communes, method."""

from collections.abc import Iterator, Sequence
from itertools import islice

from odds_pipeline.charts import (
    Dot,
    Ground,
    Group,
    Line,
    atlas,
    classed,
    dots,
    emblem,
    groups,
    trend,
)
from odds_pipeline.charts.ends import END, WHOLE
from odds_pipeline.declarations.portrait import Portrait, PortraitTheme
from odds_pipeline.declarations.project import Project
from odds_pipeline.french import (
    LEVELS_PLURAL,
    NONE,
    french_day,
    licence_words,
    uncapital,
)
from odds_pipeline.geography.territories import Territory, plain
from odds_pipeline.publications.documents import (
    Block,
    Bullets,
    Chart,
    Column,
    Contents,
    Cover,
    Document,
    Heading,
    KeyFigure,
    KeyFigures,
    Notes,
    PageBreak,
    Panel,
    Paragraph,
    Side,
    Table,
)
from odds_pipeline.publications.origin import of_release
from odds_pipeline.publications.periods import period_words
from odds_pipeline.publications.portrait.figures import Figures, Sheet
from odds_pipeline.publications.portrait.glance import glance
from odds_pipeline.publications.portrait.portrait import described, without_changes
from odds_pipeline.publications.statements.places import at_place
from odds_pipeline.publications.statements.speaker import Speaker, sentence

ESSENTIAL, SENTENCES, STRIPS, MOST_ROWS, BESIDE = 8, 4, 3, 6, 2
MOST_HEADS = 6
"""Territories that a table has side by side: the names of 17 lay on each other."""
MOST_COLUMNS = 9
"""Indicators of a table of all communes, on a page held upright."""
DEPARTEMENT = "Département"
TINTS = ("#F3E0E0", "#DCE8F4", "#F4E9D5", "#E2E2F3")
"""Of the groups on their map, which have no order: those of the site. Numbers say them in grey."""
READING = (
    "Le titre de chaque thème est un constat, écrit à partir des chiffres de l’édition : il se tait "
    "quand l’écart est dans la marge d’erreur, le chiffre trop ancien ou douteux.",
    "Chaque valeur est de sa période, dite à côté ; deux périodes ne sont jamais comparées.",
    "Sur les cartes, une limite de classe tombe sur la valeur du département : aucune classe ne mêle "
    "les communes au-dessus et au-dessous d’elle. Plus foncé veut dire plus, et non pire ; la légende "
    "dit le sens.",
    "Un trait à travers un point est son intervalle de confiance à 95 %. Deux communes dont les traits "
    "se recouvrent ne sont pas départagées.",
    "n. d. : non diffusé (secret statistique) ou absent ; jamais zéro.",
)


class DepartementPortrait:
    """The portrait of ``place``, a département."""

    def __init__(
        self,
        project: Project,
        portrait: Portrait,
        figures: Figures,
        ground: Ground,
        speaker: Speaker,
        place: Territory,
    ) -> None:
        self.project, self.portrait, self.figures, self.ground = project, portrait, figures, ground
        self.speaker, self.place = speaker, place
        self.communes = sorted(speaker.communes, key=lambda t: plain(t.label))
        self.groups = sorted(speaker.groups, key=lambda t: plain(t.label))
        self.group = {t.code: i for i, t in enumerate(self.groups)}
        self.themes = {
            name: (theme, [i for i in theme.indicators if i in figures.months])
            for name, theme in portrait.themes.items()
        }

    def document(self) -> Document:
        observatory, about = self.figures.observatory, self.figures.about
        themes = sum(bool(present) for _, present in self.themes.values())
        return of_release(
            observatory,
            about,
            self.portrait.label,
            self.blocks(),
            title=self.portrait.label,
            subtitle=f"{self._extent()}, {themes} thèmes",
            keywords=("portrait social", *observatory.themes.values(), self.place.label),
            subject=f"{self.portrait.label}, édition n° {about.release} du "
            f"{french_day(about.published_at)}",
            cover=self.cover(),
        )

    def _extent(self) -> str:
        """How many communes, and how many groups of them where there are some."""
        level = LEVELS_PLURAL[self.groups[0].level] if self.groups else ""
        groups = f", {len(self.groups)} {level}" if self.groups else ""
        return f"{len(self.communes)} communes{groups}"

    def cover(self) -> Cover:
        first = next(iter(self.themes.values()))[0].map
        about = self.figures.about
        values = self._values(first) if first in self.figures.months else {}
        note = ""
        if values:
            sheet = self.figures.sheets[first]
            note = (
                f"En couverture : {uncapital(sheet.label)}, {self._period(sheet)} ; plus la commune "
                "est claire, plus la valeur est haute."
            )
        edition = f"Édition n° {about.release}, {french_day(about.published_at)}"
        return Cover(edition, emblem(self.ground, values), note)

    def blocks(self) -> Iterator[Block]:
        yield from self._essential()
        yield PageBreak()
        yield Contents("Sommaire")
        yield Heading("Comment lire ce portrait", 3)
        yield Bullets(READING)
        names = [t.label for t in self.groups]
        classes = {c.code: names[self.group[c.group]] for c in self.communes if c.group in self.group}
        title = self._extent()
        svg = classed("territoires", title, self.ground, classes, names, TINTS)
        yield Heading(title, 3)
        yield Chart(svg, f"Carte. {described(svg)}", "", 0.64 if self.ground.tiles else 0.5)
        for number, (name, (theme, present)) in enumerate(self.themes.items(), 1):
            if present:
                yield PageBreak()
                yield from self._theme(number, name, theme, present)
        yield PageBreak()
        yield from glance(self.figures, self.communes, self.place, self._present())
        yield from self._unknown()
        yield from self._annex()
        yield PageBreak()
        yield from self._method()

    def _present(self) -> list[str]:
        return list(dict.fromkeys(i for _, present in self.themes.values() for i in present))

    def _essential(self) -> Iterator[Block]:
        yield Heading("L’essentiel")
        said = self.speaker.said(self.portrait.essential, self.place, ESSENTIAL)
        if said:
            yield Panel((Bullets(tuple(sentence(one) for one in said)),))
        facts = [fact for name in self.themes if (fact := self._fact(name))]
        if facts:
            yield KeyFigures(tuple(facts))
        maps = [_shown(theme, present) for theme, present in self.themes.values() if present]
        for indicator in maps[:STRIPS]:
            yield from self._strips(self.figures.sheets[indicator])

    def _fact(self, name: str) -> KeyFigure | None:
        """The key figure of a theme: the first of its indicators that the département has."""
        theme, present = self.themes[name]
        for indicator in dict.fromkeys([theme.map, *present]):
            cell = self.figures.cell(indicator, self.place.code) if indicator in present else None
            if cell is not None and cell.value is not None:
                sheet = self.figures.sheets[indicator]
                period = period_words(cell.month, sheet.cadence)
                note = f"{period}, {cell.status}" if cell.status else period
                return KeyFigure(sheet.short_label, sheet.number(cell.value), note)
        return None

    def _strips(self, sheet: Sheet) -> Iterator[Block]:
        """The communes of each group on one axis."""
        values = self._values(sheet.id)
        rows = [
            Group(
                t.label,
                [
                    (c.label, v)
                    for c in self.communes
                    if c.group == t.code and (v := values[c.code]) is not None
                ],
                self._value(sheet, t.code),
            )
            for t in self.groups
        ]
        rows = [row for row in rows if row.members]
        if not rows:
            return
        title = f"{sheet.label} des communes de chaque territoire, {self._period(sheet)}"
        svg = groups(
            f"territoires-{sheet.id}", title, rows, sheet.number, reference=self._reference(sheet)
        )
        yield Heading(title, 3)
        yield Chart(svg, described(svg), "")
        widest = max(rows, key=lambda r: max(v for _, v in r.members) - min(v for _, v in r.members))
        low, high = (f(widest.members, key=lambda m: m[1]) for f in (min, max))
        reading = (
            f"{widest.label} réunit des communes de {sheet.number(low[1])} ({low[0]}) à "
            f"{sheet.number(high[1])} ({high[0]})"
        )
        if any(row.value is not None for row in rows):
            reading += " ; le trait épais est la valeur du territoire"
        yield self._notes(sheet, reading)

    def _notes(self, sheet: Sheet, reading: str, ground: str = "") -> Notes:
        source = f"{sheet.source}. {ground}".strip()
        items = [("Lecture", f"{reading}."), ("Champ", f"{sheet.population}."), ("Source", source)]
        return Notes(tuple((name, said) for name, said in items if said != "."))

    def _theme(
        self, number: int, name: str, theme: PortraitTheme, present: list[str]
    ) -> Iterator[Block]:
        """Two pages: the finding, its sentences, the map; then all communes, the groups, the trend."""
        label = self.figures.observatory.themes[name]
        title = next(iter(self.speaker.said(theme.titles, self.place, 1)), None)
        told = self.speaker.said(theme.statements, self.place, SENTENCES)
        told += self.speaker.added(name, self.place)
        yield Heading(
            title.text.rstrip(".") if title else label, 2, f"{number}. {label}" if title else ""
        )
        if told:
            yield Panel((Bullets(tuple(sentence(one) for one in told)),))
        shown = _shown(theme, present)
        sheet = self.figures.sheets[shown]
        yield from self._map(sheet)
        yield from self._others(label, [i for i in present if i != shown])
        yield PageBreak()
        eyebrow = f"{number}. {label}"
        others = [i for i in present if i != shown]
        columns = (tuple(self._dots(sheet, eyebrow)), tuple(self._beside(theme, sheet, others)))
        yield Side(columns, (1.55, 1))

    def _map(self, sheet: Sheet) -> Iterator[Block]:
        values = self._values(sheet.id)
        title = f"{sheet.label}, {self._period(sheet)}"
        svg = atlas(
            f"carte-{sheet.id}",
            title,
            self.ground,
            values,
            sheet.number,
            reference=self._reference(sheet),
            direction=sheet.direction,
            written=sheet.bare,
            missing=self.figures.missing(sheet.id, list(values)),
        )
        yield Heading(title + sheet.counted_in, 3)
        yield Chart(svg, f"Carte. {title}. {described(svg)}", "", 0.8 if self.ground.tiles else 0.88)
        highest = max(
            (c for c in self.communes if values[c.code] is not None), key=lambda c: values[c.code] or 0
        )
        most = sheet.number(values[highest.code] or 0)
        reading = f"{at_place(highest.label)}, la valeur est {most}, la plus haute du département"
        yield self._notes(sheet, reading, self.ground.source)

    def _others(self, label: str, indicators: Sequence[str]) -> Iterator[Block]:
        """The other indicators of a theme, for each group and the whole, at their own period."""
        rows: list[tuple[str, ...]] = []
        for sheet in (self.figures.sheets[i] for i in indicators):
            values = [self._value(sheet, t.code) for t in (*self.groups, self.place)]
            if sum(v is not None for v in values) > 1 and len(rows) < MOST_ROWS:
                shown = (NONE if v is None else sheet.number(v) for v in values)
                rows.append((sheet.short_label, self._period(sheet), *shown))
        if rows:
            yield self._by_territory(f"{label} : les territoires", rows)

    def _by_territory(self, title: str, rows: Sequence[tuple[str, ...]]) -> Table:
        """Rows of an indicator, its period and a value a territory; turned when territories are many."""
        heads = [*(t.label for t in self.groups), DEPARTEMENT]
        if len(heads) <= MOST_HEADS:
            columns = (
                Column("Indicateur", 2.2),
                Column("Période", 1),
                *(Column(h, 1, True) for h in heads),
            )
            return Table(title, columns, tuple(rows))
        columns = (
            Column("Territoire", 2.2),
            *(Column(f"{name}, {period}", 1, True) for name, period, *_ in rows),
        )
        turned = zip(heads, *(values for _, _, *values in rows), strict=True)
        return Table(title, columns, tuple(turned), (len(heads) - 1,))

    def _dots(self, sheet: Sheet, eyebrow: str) -> Iterator[Block]:
        cells = {c: self.figures.cell(sheet.id, c.code) for c in self.communes}
        rows = [
            Dot(c.label, cell.value, self.group.get(c.group, 0), cell.low, cell.high)
            for c, cell in cells.items()
            if cell is not None and cell.value is not None
        ]
        rows.sort(key=lambda row: (-row.value, plain(row.label)))
        title = f"{sheet.short_label} : toutes les communes"
        names = [t.label for t in self.groups]
        svg = dots(
            f"communes-{sheet.id}", title, rows, names, sheet.number, reference=self._reference(sheet)
        )
        head = f"{sheet.short_label}, {self._period(sheet)} : {ordered(len(rows))}"
        yield Heading(head, 3, eyebrow)
        yield Chart(svg, f"{title}. {described(svg)}", "")
        yield Paragraph("Les communes de même valeur sont dans l’ordre alphabétique.", "note")

    def _beside(self, theme: PortraitTheme, sheet: Sheet, others: Sequence[str]) -> Iterator[Block]:
        yield from self._group_table(sheet)
        followed = dict.fromkeys((theme.trend, sheet.id, *without_changes(theme.indicators)))
        drawn = list(islice(filter(None, (list(self._trend(i)) for i in followed)), BESIDE))
        for blocks in drawn:
            yield from blocks
        if len(drawn) < BESIDE:
            yield from self._extremes(others)
        yield Heading("Définition", 3)
        yield Paragraph(sheet.definition)
        cautions = [*sheet.cautions, *filter(None, [sheet.limits])][:4]
        if cautions:
            yield Panel((Heading("À savoir avant de citer", 3), Bullets(tuple(cautions), small=True)))

    def _extremes(self, indicators: Sequence[str]) -> Iterator[Block]:
        """The communes at both ends of the other indicators of a theme."""
        rows = []
        for sheet in (self.figures.sheets[i] for i in indicators[:MOST_ROWS]):
            values = self._values(sheet.id)
            known = {c.label: v for c in self.communes if (v := values[c.code]) is not None}
            if len(known) > 3 and sheet.kind not in ("count", "amount"):
                low, high = min(known, key=lambda n: known[n]), max(known, key=lambda n: known[n])
                ends = (f"{sheet.bare(known[n])} {n}" for n in (low, high))
                rows.append((f"{sheet.short_label}{sheet.counted_in}, {self._period(sheet)}", *ends))
        if rows:
            yield Heading("D’une commune à l’autre", 3)
            columns = (Column("Indicateur", 1.35), Column("La plus basse"), Column("La plus haute"))
            caption = "Les communes extrêmes des autres indicateurs"
            yield Table(caption, columns, tuple(rows), bare=True, small=True)

    def _group_table(self, sheet: Sheet) -> Iterator[Block]:
        values = self._values(sheet.id)
        rows = []
        for t in [*self.groups, self.place]:
            inside = [c for c in self.communes if t.level == "departement" or c.group == t.code]
            known = [v for c in inside if (v := values[c.code]) is not None]
            own = self._value(sheet, t.code)
            span = f"{sheet.bare(min(known))} – {sheet.bare(max(known))}" if known else NONE
            label = DEPARTEMENT if t.level == "departement" else t.label
            rows.append((label, NONE if own is None else sheet.number(own), span))
        columns = (Column("Territoire", 1.5), Column("Valeur", 0.9, True), Column("Communes", 1.1, True))
        note = "Communes : de la plus basse à la plus haute valeur."
        yield Heading(f"{sheet.short_label}, {self._period(sheet)}", 3)
        yield Table(
            f"{sheet.short_label}, par territoire",
            columns,
            tuple(rows),
            (len(rows) - 1,),
            note,
            bare=True,
        )

    def _trend(self, indicator: str) -> Iterator[Block]:
        if indicator not in self.figures.months:
            return
        sheet = self.figures.sheets[indicator]
        named = {DEPARTEMENT: self.place.code, "France": "FR", "France métr.": "FM"}
        found = {n: self.figures.series(indicator, code) for n, code in named.items()}
        lines = [
            Line(n, values, place=n == DEPARTEMENT)
            for n, values in found.items()
            if sum(v is not None for v in values.values()) > 1
        ]
        if not any(one.place for one in lines):
            return
        title = f"{sheet.label} : évolution{sheet.counted_in}"
        svg = trend(
            f"evolution-{indicator}",
            title,
            lines,
            sheet.number,
            breaks=sheet.breaks,
            width=235,
            right=112,
        )
        yield Heading(title, 3)
        yield Chart(svg, f"Courbe. {title}. {described(svg)}", "")
        yield Notes((("Source", f"{sheet.source}."),))

    def _annex(self) -> Iterator[Block]:
        """Every commune, group and the whole, by indicator; themes of few indicators share a page."""
        pages: list[tuple[list[str], list[str]]] = []
        for name, (_, present) in self.themes.items():
            label = uncapital(self.figures.observatory.themes[name])
            for chosen in _chunks(present, MOST_COLUMNS):
                if pages and len(pages[-1][1]) + len(chosen) <= MOST_COLUMNS:
                    pages[-1][0].append(label)
                    pages[-1][1].extend(chosen)
                else:
                    pages.append(([label], list(chosen)))
        for labels, indicators in pages:
            said = ", ".join(dict.fromkeys(labels))
            yield PageBreak()
            if labels is pages[0][0]:
                yield Heading("Toutes les communes")
            yield Heading(said[:1].upper() + said[1:], 3)
            yield self._all(said, indicators)

    def _all(self, label: str, chosen: Sequence[str]) -> Table:
        sheets = [self.figures.sheets[i] for i in chosen]
        rows: list[tuple[str, ...]] = []
        marked = []
        for t in self.groups:
            marked.append(len(rows))
            rows.append((t.label, *(self._bare_value(s, t.code) for s in sheets)))
            rows += [
                (c.label, *(self._bare_value(s, c.code) for s in sheets))
                for c in self.communes
                if c.group == t.code
            ]
        marked.append(len(rows))
        rows.append((DEPARTEMENT, *(self._bare_value(s, self.place.code) for s in sheets)))
        heads = [
            f"{s.short_label}{f' ({s.symbol})' if s.symbol else ''}, {self._period(s)}" for s in sheets
        ]
        columns = (Column("Commune", 1.7), *(Column(head, 1, True) for head in heads))
        note = f"{NONE} : non diffusé, absent, ou d’une autre période que les communes."
        return Table(
            f"Toutes les communes : {label}", columns, tuple(rows), tuple(marked), note, bare=True
        )

    def _method(self) -> Iterator[Block]:
        yield Heading("Méthode, sources et limites")
        yield Bullets(tuple(self.portrait.method), small=True)
        sources: dict[str, list[str]] = {}
        for i in self._present():
            sheet = self.figures.sheets[i]
            sources.setdefault(sheet.source, []).append(sheet.short_label)
        yield Heading("Sources", 3)
        yield Bullets(tuple(f"{s} : {', '.join(names)}." for s, names in sources.items()), small=True)
        yield Heading("Partenaires, licence, contact")
        yield Paragraph(
            f"{self.figures.observatory.label} {self.figures.observatory.of_territory}.", "lead"
        )
        columns = (
            Column("Partenaire", 2.4),
            Column("Depuis", 0.8),
            Column("Licence de ses données", 2.4),
        )
        rows = tuple(
            (p.label, p.since[:4], licence_words(p.licence)) for p in self.project.partners.values()
        )
        yield Table("Partenaires de l’observatoire", columns, rows, bare=True)
        if self.portrait.contact:
            yield Heading("Contact et reproduction", 3)
            yield Bullets(tuple(self.portrait.contact))
        about = self.figures.about
        yield Heading("Citer ce document", 3)
        day = french_day(about.published_at)
        edition = f"édition n° {about.release}, {day}"
        yield Paragraph(f"{self.figures.observatory.label}, {self.portrait.label}, {edition}.")
        yield Paragraph(
            "Ce document se refait à l’identique de son édition, qui ne change jamais : "
            f"« odds portrait --release {about.release} ».",
            "note",
        )

    def _unknown(self) -> Iterator[Block]:
        """What the release does not hold, by theme."""
        lacking = []
        for name, (theme, present) in self.themes.items():
            absent = [self._name(i) for i in theme.indicators if i not in present]
            if absent:
                lacking.append(f"{self.figures.observatory.themes[name]} : {' ; '.join(absent)}.")
        if lacking:
            yield Heading("Ce que l’observatoire ne sait pas encore", 3)
            yield Paragraph(
                "Indicateurs déclarés sans valeur publique pour les communes dans cette édition.",
                "note",
            )
            yield Bullets(tuple(lacking), small=True)

    def _name(self, indicator: str) -> str:
        return uncapital(self.project.indicators[indicator].indicator.short_label)

    def _values(self, indicator: str) -> dict[str, float | None]:
        return self.figures.communes(indicator, [c.code for c in self.communes])

    def _value(self, sheet: Sheet, code: str) -> float | None:
        """The value of a whole at the communes' month."""
        cell = self.figures.cell(sheet.id, code)
        return cell.value if cell is not None and cell.month == self.figures.months[sheet.id] else None

    def _bare_value(self, sheet: Sheet, code: str) -> str:
        value = self._value(sheet, code)
        return NONE if value is None else sheet.bare(value)

    def _reference(self, sheet: Sheet) -> tuple[str, float] | None:
        value = self._value(sheet, self.place.code)
        comparable = value is not None and sheet.kind not in ("count", "amount")
        return (DEPARTEMENT, value) if comparable and value is not None else None

    def _period(self, sheet: Sheet) -> str:
        return period_words(self.figures.months[sheet.id], sheet.cadence)


def _shown(theme: PortraitTheme, present: Sequence[str]) -> str:
    """The indicator of a theme's map: the declared one, else the first that has values."""
    return theme.map if theme.map in present else present[0]


def ordered(count: int) -> str:
    """What a list of communes by value holds, in words: all of them, or both ends."""
    if count <= WHOLE:
        return f"les {count} communes, de la plus haute à la plus basse valeur"
    return f"les {END} plus hautes et les {END} plus basses valeurs des {count} communes"


def _chunks(names: Sequence[str], most: int) -> list[Sequence[str]]:
    """In as many parts of like size as ``most`` asks for."""
    parts = -(-len(names) // most)
    size = -(-len(names) // parts) if parts else 1
    return [names[i : i + size] for i in range(0, len(names), size)]
