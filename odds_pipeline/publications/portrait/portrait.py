"""The portrait of a commune or of a group of them, two pages, and the annex of definitions."""

from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from itertools import islice

from odds_pipeline.charts import (
    Dot,
    Ground,
    Line,
    Spine,
    Strip,
    atlas,
    dots,
    locator,
    printed_strip,
    spine,
    trend,
)
from odds_pipeline.declarations.portrait import Portrait
from odds_pipeline.declarations.socle import Socle
from odds_pipeline.french import ACCESS, LEVELS, NONE, numeric_month, uncapital
from odds_pipeline.geography.territories import GROUPS, Territory, plain
from odds_pipeline.publications.documents import (
    Block,
    Bullets,
    Cell,
    Chart,
    Column,
    Document,
    Drawing,
    Heading,
    Hero,
    KeyFigure,
    KeyFigures,
    Notes,
    Paragraph,
    Side,
    Table,
)
from odds_pipeline.publications.origin import of_release
from odds_pipeline.publications.periods import period_words
from odds_pipeline.publications.portrait.figures import Figure, Figures, Sheet
from odds_pipeline.publications.portrait.situation import side, situation
from odds_pipeline.publications.statements.places import of_place
from odds_pipeline.publications.statements.speaker import Speaker, sentence

SENTENCES, TRENDS, LISTED, ORDERED = 5, 4, 5, 4
LEAST_COUNTED = 6
"""Indicators under which none are counted: three of four say little."""
DEPARTEMENT = "Département"
READING = (
    "en haut, le point rose est {place}, la barre le département, la bande la moitié centrale des "
    "communes. Dans le tableau, rond : {place} ; losange : le département à la même période ; "
    "trait : la commune médiane ; barre foncée : la moitié centrale des communes. La droite est le côté "
    "favorable, ou la valeur haute où aucune ne l’est. « Ne se distingue pas » : la valeur du "
    "département est dans l’intervalle de confiance à 95 %."
)
RESERVED = "sous réserve"
WITHOUT = "pas de valeur de la même période, ou des effectifs, qui ne se comparent pas."


def method(portrait: Portrait, figures: Figures) -> Document:
    """The annex: definition, source and limits of every indicator shown."""
    blocks: list[Block] = [Bullets(tuple(portrait.method))]
    themes = figures.observatory.themes
    for name, theme in portrait.themes.items():
        sheets = [figures.sheets[i] for i in theme.indicators if i in figures.months]
        if not sheets:
            continue
        blocks.append(Heading(themes[name]))
        rows = []
        for sheet in sheets:
            breaks = [f"Rupture en {numeric_month(m)} : {why}" for m, why in sheet.breaks.items()]
            limits = " ".join([sheet.limits, *sheet.cautions, *breaks])
            rows.append((f"{sheet.label} ({sheet.unit})", sheet.definition, sheet.source, limits))
        columns = (Column("Indicateur", 1.6), Column("Définition", 2), Column("Source", 1.5))
        caption = f"{themes[name]}, définitions, sources et limites"
        blocks.append(Table(caption, (*columns, Column("Limites", 3.2)), tuple(rows), bare=True))
    return of_release(
        figures.observatory,
        figures.about,
        portrait.label,
        blocks,
        title="Méthode du portrait social",
        subtitle=portrait.description,
    )


class PlacePortrait:
    """The portrait of a commune or a group of them; ``names``: of all indicators, values or not."""

    def __init__(
        self,
        portrait: Portrait,
        socle: Socle | None,
        names: Mapping[str, str],
        figures: Figures,
        ground: Ground,
        speaker: Speaker,
        place: Territory,
    ) -> None:
        self.portrait, self.socle, self.figures, self.speaker = portrait, socle, figures, speaker
        self.names, self.place, self.ground = names, place, ground
        self.themes = {
            name: [i for i in theme.indicators if i in figures.months]
            for name, theme in portrait.themes.items()
        }
        self.present = list(dict.fromkeys(i for names in self.themes.values() for i in names))
        publics = [i for p in socle.publics.values() for i in p.indicators] if socle else []
        known = [i for i in (*self.present, *publics) if i in figures.months]
        self.cells = {i: self.figures.cell(i, place.code) for i in known}

    def document(self) -> Document:
        label, place, about = self.portrait.label, self.place, self.figures.about
        return of_release(
            self.figures.observatory,
            about,
            label,
            self.blocks(),
            title=place.label,
            subtitle=self._subtitle(),
            keywords=("portrait social", place.label, self.figures.observatory.territory),
            subject=f"{label} : {place.label}, édition n° {about.release}",
            hero=self._hero(label),
        )

    def _subtitle(self) -> str:
        """Its inhabitants, and the group that it lies in."""
        level = f"{LEVELS[self.place.level]} ({self.place.code})"
        said = [level[0].upper() + level[1:]]
        counted = self._value(self.portrait.population)
        if counted is not None:
            sheet = self.figures.sheets[self.portrait.population]
            when = period_words(counted.month, sheet.cadence, "en")
            said.append(f"{sheet.number(counted.value or 0)} habitants {when}")
        inside = self._inside()
        if self.place.level in GROUPS:
            said.append(f"{len(inside)} communes")
        said += [t.label for t in self.speaker.groups if t.code == self.place.group]
        return ", ".join(said)

    def _inside(self) -> list[Territory]:
        """The communes of a group, by name."""
        inside = (t for t in self.speaker.communes if t.group == self.place.code)
        return sorted(inside, key=lambda t: plain(t.label))

    def _hero(self, eyebrow: str) -> Hero:
        """What it is, what is said of it, and where it lies."""
        codes = [t.code for t in self._inside()] or [self.place.code]
        around = [
            t.code for t in self.speaker.communes if self.place.group and t.group == self.place.group
        ]
        where = f"{self.place.label} sur la carte {self.figures.observatory.of_territory}"
        return Hero(
            eyebrow,
            tuple(self._answer()),
            Drawing(locator(self.ground, codes, around), where),
        )

    def _answer(self) -> Iterator[Block]:
        if self.figures.about.simulated:
            yield Paragraph(
                "Données simulées : la forme du portrait, non la situation du territoire.", "alert"
            )
        if counted := self._counted():
            yield Paragraph(counted, "lead")
        said = self.speaker.said(self.portrait.commune, self.place, SENTENCES)
        added = [s for theme in self.themes for s in self.speaker.added(theme, self.place)]
        if told := [*said, *added]:
            yield Bullets(tuple(sentence(one) for one in told))

    def _counted(self) -> str:
        """How many indicators stand in the hardest and in the easiest quarter of the communes."""
        sheets = self.figures.sheets
        stands = [(c, side(sheets[i], c)) for i in self.present if (c := self._value(i))]
        quarters = [0 if stand == "same" else c.quartile for c, stand in stands if stand]
        if len(quarters) < LEAST_COUNTED:
            return ""
        hard, easy = quarters.count(4), quarters.count(1)
        placed = f"{hard} place{'nt' if hard > 1 else ''}" if hard else "aucun ne place"
        return (
            f"Sur {len(quarters)} indicateurs qui ont un sens favorable, {placed} {self.place.label} "
            "dans le quart des communes le plus en difficulté, "
            f"{easy or 'aucun'} dans le quart le plus favorable."
        )

    def blocks(self) -> Iterator[Block]:
        yield from self._facts()
        yield from self._table()
        yield from self._communes() if self.place.level in GROUPS else self._sides()
        yield from self._map() if self.place.level in GROUPS else ()
        yield from self._trends()
        yield from self._ordered() if self.place.level in GROUPS else ()
        yield from self._publics()
        yield from self._unknown()
        yield Notes((("Sources", " ; ".join(self._sources()) + "."),))

    def _value(self, indicator: str) -> Figure | None:
        cell = self.cells.get(indicator)
        return cell if cell is not None and cell.value is not None else None

    def _facts(self) -> Iterator[Block]:
        """A key figure a theme: that of its map, else its first."""
        facts = []
        for name, present in self.themes.items():
            for indicator in dict.fromkeys([self.portrait.themes[name].map, *present]):
                cell = self._value(indicator) if indicator in present else None
                if cell is not None:
                    sheet = self.figures.sheets[indicator]
                    period = period_words(cell.month, sheet.cadence)
                    drawing, ends = self._strip(sheet, cell)
                    note = ". ".join(
                        filter(None, [", ".join(filter(None, [period, cell.status])), ends])
                    )
                    value = sheet.number(cell.value or 0)
                    mark = situation(sheet, cell)
                    facts.append(KeyFigure(sheet.short_label, value, note, mark, drawing))
                    break
        if facts:
            yield KeyFigures(tuple(facts))

    def _strip(self, sheet: Sheet, cell: Figure) -> tuple[Drawing | None, str]:
        """The value among the communes of its period, and the ends in words."""
        known = self._beside(sheet, cell)
        whole = self.place.level in GROUPS and sheet.kind in ("count", "amount")
        if len(known) < 4 or whole:
            return None, ""
        low, high = sheet.bare(min(known)), sheet.number(max(known))
        reference = None if sheet.kind in ("count", "amount") else cell.departement
        words = f"{self.place.label} : {sheet.number(cell.value or 0)} ; communes : de {low} à {high}"
        words += f" ; département : {sheet.number(reference)}" if reference is not None else ""
        drawn = printed_strip(Strip(known, cell.value, reference), words)
        return Drawing(drawn, words), f"Communes : de {low} à {high}"

    def _beside(self, sheet: Sheet, cell: Figure) -> list[float]:
        """Values of the communes of the same period."""
        if cell.month != self.figures.months[sheet.id]:
            return []
        communes = self.figures.communes(sheet.id, [t.code for t in self.speaker.communes])
        return [v for v in communes.values() if v is not None]

    def _table(self) -> Iterator[Block]:
        """Every indicator with a value, by theme, each beside the whole of its own period."""
        labels = self.figures.observatory.themes
        table = self._listed(
            f"{self.place.label}, tous les indicateurs",
            [(labels[name], present) for name, present in self.themes.items()],
        )
        if table is None:
            return
        yield table
        yield self._reading(self.present)

    def _reading(self, indicators: Sequence[str]) -> Notes:
        told = (self.cells.get(i) for i in indicators)
        reserves = dict.fromkeys(c.reserve for c in told if c is not None and c.reserve)
        kept = (("Sous réserve", " ".join(reserves)),) if reserves else ()
        reading = READING.format(place=self.place.label)
        return Notes((("Lecture", reading), ("Note", f"{NONE} : {WITHOUT}"), *kept))

    def _listed(self, caption: str, groups: Sequence[tuple[str, Sequence[str]]]) -> Table | None:
        """Indicators with a value under the heading of their group; nothing where there is none."""
        rows: list[tuple[Cell, ...]] = []
        for head, indicators in groups:
            known = ((i, cell) for i in indicators if (cell := self._told(i)))
            own = [self._row(self.figures.sheets[i], cell) for i, cell in known]
            rows += [(head,), *own] if own else []
        columns: tuple[Column, ...] = (
            Column("Indicateur", 2.9),
            Column("Valeur", 1.27, True, strong=True),
            Column("Départ.", 1.2, True),
            Column("France", 1.2, True),
            Column("Place", 1.4),
            Column("Situation", 2.1),
            Column("Évolution", 1.65, True),
            Column("Période", 1.3),
        )
        if all(row[3] == NONE for row in rows if len(row) > 1):
            columns = columns[:3] + columns[4:]
            rows = [row if len(row) == 1 else (*row[:3], *row[4:]) for row in rows]
        return Table(caption, columns, tuple(rows), bare=True, small=True) if rows else None

    def _communes(self) -> Iterator[Block]:
        """The communes of a group beside each other, on the indicators of the maps."""
        maps = [self.portrait.themes[n].map for n, present in self.themes.items() if present]
        sheets = [self.figures.sheets[i] for i in dict.fromkeys(maps) if i in self.figures.months]
        inside = self._inside()
        values = {s.id: self.figures.communes(s.id, [t.code for t in inside]) for s in sheets}
        heads = [f"{s.short_label}, {self._period(s)}" for s in sheets]
        columns = (Column("Commune", 1.6), *(Column(head, 1, True) for head in heads))
        rows = tuple((t.label, *(_shown(s, values[s.id][t.code]) for s in sheets)) for t in inside)
        if sheets:
            yield Heading("Ses communes")
            yield Table(f"Les communes, {self.place.label}", columns, rows, bare=True)

    def _map(self) -> Iterator[Block]:
        """The communes of a group, outlined among all of them, on the first map of the portrait."""
        codes = [t.code for t in self.speaker.communes]
        maps = [self.portrait.themes[name].map for name in self.themes]
        for sheet in (self.figures.sheets[i] for i in maps if i in self.figures.months):
            whole = self.figures.cell(sheet.id, self.place.departement)
            same = whole is not None and whole.month == self.figures.months[sheet.id]
            title = f"{sheet.label}, {self._period(sheet)}"
            svg = atlas(
                f"carte-{sheet.id}",
                title,
                self.ground,
                self.figures.communes(sheet.id, codes),
                sheet.number,
                reference=(DEPARTEMENT, whole.value) if same and whole and whole.value else None,
                direction=sheet.direction,
                place=[t.code for t in self._inside()],
                written=sheet.bare,
                missing=self.figures.missing(sheet.id, codes),
            )
            said = (
                f"Contour de couleur : les communes {of_place(self.place.label)}. {self.ground.source}"
            )
            yield Heading(title + sheet.counted_in)
            yield Chart(
                svg, f"Carte. {title}. {described(svg)}", said, 0.8 if self.ground.tiles else 0.88
            )
            return

    def _ordered(self) -> Iterator[Block]:
        """The communes of a group in the order of each map's indicator, beside the département."""
        maps = dict.fromkeys(self.portrait.themes[name].map for name in self.themes)
        drawn = [self._order(self.figures.sheets[i]) for i in maps if i in self.figures.months]
        pairs = [blocks for blocks in drawn if blocks]
        if pairs:
            yield Heading(
                f"Les communes {of_place(self.place.label)}, de la plus haute à la plus basse valeur"
            )
            for pair in (pairs[i : i + 2] for i in range(0, min(len(pairs), ORDERED), 2)):
                yield Side((pair[0], pair[1] if len(pair) > 1 else ()))

    def _order(self, sheet: Sheet) -> tuple[Block, ...]:
        cells = {t.label: self.figures.cell(sheet.id, t.code) for t in self._inside()}
        rows = [
            Dot(label, cell.value, 0, cell.low, cell.high)
            for label, cell in cells.items()
            if cell is not None and cell.value is not None
        ]
        if len(rows) < 2:
            return ()
        rows.sort(key=lambda row: (-row.value, row.label))
        whole = self.figures.cell(sheet.id, self.place.departement)
        same = whole is not None and whole.month == self.figures.months[sheet.id]
        reference = (DEPARTEMENT, whole.value) if same and whole and whole.value is not None else None
        title = f"{sheet.label}, {self._period(sheet)}{sheet.counted_in}"
        svg = dots(f"ordre-{sheet.id}", title, rows, (), sheet.number, reference=reference)
        return Heading(title, 3), Chart(svg, f"{title}. {described(svg)}", "")

    def _period(self, sheet: Sheet) -> str:
        return period_words(self.figures.months[sheet.id], sheet.cadence)

    def _told(self, indicator: str) -> Figure | None:
        """What is published of it: a value, or that it is secret."""
        cell = self.cells.get(indicator)
        return cell if cell is not None and (cell.value is not None or cell.status) else None

    def _row(self, sheet: Sheet, cell: Figure) -> tuple[Cell, ...]:
        adds_up = sheet.kind in ("count", "amount")
        return (
            sheet.short_label,
            _shown(sheet, cell.value),
            NONE if adds_up else _shown(sheet, cell.departement),
            NONE if adds_up else _shown(sheet, cell.france),
            self._spine(sheet, cell),
            ", ".join(filter(None, [situation(sheet, cell), cell.status, cell.reserve and RESERVED])),
            _change(sheet, cell),
            period_words(cell.month, sheet.cadence),
        )

    def _spine(self, sheet: Sheet, cell: Figure) -> Cell:
        """The value among the communes of its period; a dash where there are too few of them."""
        known = self._beside(sheet, cell)
        if cell.value is None or sheet.kind in ("count", "amount") or len(known) < 4:
            return NONE
        words = f"De {sheet.number(min(known))} à {sheet.number(max(known))} parmi {len(known)} communes"
        drawn = Spine(known, cell.value, cell.departement, cell.low, cell.high, sheet.direction)
        return Drawing(spine(drawn, words), words)

    def _sides(self) -> Iterator[Block]:
        """What is more difficult, more favourable, not told apart: in words, the farthest first."""
        heads = {
            "worse": "Plus difficile qu’ailleurs",
            "better": "Plus favorable qu’ailleurs",
            "same": "Ne se distingue pas du département",
        }
        columns: list[tuple[Block, ...]] = []
        for kind, head in heads.items():
            chosen = [
                i
                for i in self.present
                if (c := self._value(i)) and side(self.figures.sheets[i], c) == kind
            ]
            if chosen:
                chosen.sort(key=self._distance)
                listed = tuple(self._beside_whole(i) for i in chosen[:LISTED])
                more = len(chosen) - len(listed)
                rest = (f"et {more} autre{'s' if more > 1 else ''}",) if more else ()
                columns.append(
                    (Heading(f"{head} ({len(chosen)})", 3), Bullets((*listed, *rest), small=True))
                )
        if columns:
            yield Heading(f"Ce qui distingue {self.place.label}")
            yield Side(tuple(columns))

    def _distance(self, indicator: str) -> float:
        """Ranks at an end come first."""
        cell = self.cells[indicator]
        assert cell is not None
        return abs((cell.rank or 0) - 0.5 * (cell.ranked or 0)) * -1

    def _named(self, indicator: str) -> str:
        sheet, cell = self.figures.sheets[indicator], self.cells[indicator]
        assert cell is not None and cell.value is not None
        period = period_words(cell.month, sheet.cadence)
        return f"{sheet.short_label} : {sheet.number(cell.value)} ({period})"

    def _beside_whole(self, indicator: str) -> str:
        """The same, and the département of the same period where it has a value."""
        cell = self.cells[indicator]
        sheet = self.figures.sheets[indicator]
        if cell is None or cell.departement is None or sheet.kind in ("count", "amount"):
            return self._named(indicator)
        return f"{self._named(indicator)}, dép. {sheet.number(cell.departement)}"

    def _trends(self) -> Iterator[Block]:
        """The place, the département and France on a scale, where they can be followed."""
        wanted = [i for t in self.portrait.themes.values() for i in (t.trend, t.map)]
        wanted += without_changes(self.present)
        figures = list(islice(filter(None, map(self._trend, dict.fromkeys(wanted))), TRENDS))
        if figures:
            yield Heading("Évolutions")
            for pair in (figures[i : i + 2] for i in range(0, len(figures), 2)):
                yield Side((pair[0], pair[1] if len(pair) > 1 else ()))

    def _trend(self, indicator: str) -> tuple[Block, ...] | None:
        if indicator not in self.figures.months:
            return None
        sheet = self.figures.sheets[indicator]
        named = {self.place.label: self.place.code, "France": "FR", "France métr.": "FM"}
        if sheet.kind not in ("count", "amount"):
            named = {**named, DEPARTEMENT: self.place.departement}
        found = {n: self.figures.series(indicator, code) for n, code in named.items()}
        lines = [
            Line(n, values, place=n == self.place.label)
            for n, values in found.items()
            if sum(v is not None for v in values.values()) > 1
        ]
        if not any(one.place for one in lines):
            return None
        title = f"{sheet.label}, évolution{sheet.counted_in}"
        svg = trend(
            f"evolution-{indicator}",
            title,
            lines,
            sheet.number,
            breaks=sheet.breaks,
            width=310,
            height=110,
            right=112,
        )
        said = f"Courbe. {self.place.label}. {title}. {described(svg)}"
        return Heading(f"{sheet.label}{sheet.counted_in}", 3), Chart(svg, said, "")

    def _publics(self) -> Iterator[Block]:
        """The same figures by whom they are about."""
        if self.socle is None:
            return
        items = []
        for public in self.socle.publics.values():
            known = [i for i in public.indicators if i in self.cells and self._value(i)]
            if known:
                items.append((public.label, " ; ".join(self._named(i) for i in known) + "."))
        if items:
            yield Heading("Par public")
            yield Table(
                "Par public",
                (Column("Public", 1.1), Column("Ce que l’on sait", 5)),
                tuple(items),
                bare=True,
                small=True,
            )

    def _unknown(self) -> Iterator[Block]:
        """What the observatory does not know of the place, and why."""
        kinds: dict[str, list[str]] = {}
        for theme in self.portrait.themes.values():
            for indicator in theme.indicators:
                if why := self._lacks(indicator):
                    kinds.setdefault(why, []).append(uncapital(self.names[indicator]))
        if kinds:
            yield Heading("Ce que l’observatoire ne sait pas")
            yield Bullets(
                tuple(f"{why} : {' ; '.join(names)}." for why, names in kinds.items()), small=True
            )

    def _lacks(self, indicator: str) -> str:
        if indicator not in self.figures.months:
            return f"Non livré, ou réservé aux {ACCESS['membres']}"
        cell = self.cells[indicator]
        if cell is not None and cell.value is None:
            return cell.status.capitalize() or "Non disponible"
        lacking = "Non disponible" if self.place.level == "commune" else "N’existe pas à ce niveau"
        return lacking if cell is None else ""

    def _sources(self) -> list[str]:
        """Each once, though an indicator of two sources names both."""
        named = [self.figures.sheets[i].source for i in self.present if self._value(i)]
        return list(dict.fromkeys(one for source in named for one in source.split(" ; ")))


def without_changes(indicators: Sequence[str]) -> list[str]:
    """Those that are no change themselves: the course of a change tells nothing."""
    return [indicator for indicator in indicators if "evolution" not in indicator]


def described(svg: str) -> str:
    """The description that the chart carries."""
    return unescape(svg.split("<desc", 1)[1].split(">", 1)[1].split("</desc>", 1)[0])


def _shown(sheet: Sheet, value: float | None) -> str:
    return NONE if value is None else sheet.number(value)


def _change(sheet: Sheet, cell: Figure) -> str:
    if cell.change_5y is not None:
        return f"{sheet.change(cell.change_5y)} en 5 ans"
    if cell.change_1y is not None:
        return f"{sheet.change(cell.change_1y)} en 1 an"
    return NONE
