"""The portrait of one territory, as a document."""

from collections.abc import Iterator
from html import unescape

from odds_pipeline.charts import Ground, Line, choropleth, circles, trend
from odds_pipeline.declarations.portrait import Portrait, PortraitTheme
from odds_pipeline.french import LEVELS, NONE, numeric_month
from odds_pipeline.geography.territories import Territory
from odds_pipeline.publications.documents import (
    Block,
    Bullets,
    Column,
    Document,
    Fact,
    Facts,
    Figure,
    Heading,
    Paragraph,
    Side,
    Table,
)
from odds_pipeline.publications.origin import SIMULATED, footer
from odds_pipeline.publications.portrait.figures import Cell, Figures, Sheet

RANK, ORDER = "Rang", "Ordre"
"""Two readings of "1": the most favourable situation; the highest value, where none is favourable."""
LAST = 6
"""Months of the table beside a curve."""


def document(
    portrait: Portrait, figures: Figures, ground: Ground, communes: list[Territory], place: Territory
) -> Document:
    """The portrait of ``place``; ``communes`` are those of the maps, in any order."""
    one = _One(portrait, figures, ground, communes, place)
    return Document(
        title=place.label,
        subtitle=f"{portrait.label} – {LEVELS[place.level]} ({place.code})",
        footer=footer(figures.observatory, figures.about, portrait.label),
        date=figures.about.published_at,
        blocks=tuple(one.blocks()),
        banner=SIMULATED if figures.about.simulated else "",
        keywords=("portrait social", place.label, figures.observatory.territory),
    )


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
        blocks.append(Table(caption, (*columns, Column("Limites", 2)), tuple(rows), bare=True))
    return Document(
        title="Méthode du portrait social",
        subtitle=portrait.description,
        footer=footer(figures.observatory, figures.about, portrait.label),
        date=figures.about.published_at,
        blocks=tuple(blocks),
        banner=SIMULATED if figures.about.simulated else "",
    )


class _One:
    """The blocks of one territory's portrait."""

    def __init__(
        self,
        portrait: Portrait,
        figures: Figures,
        ground: Ground,
        communes: list[Territory],
        place: Territory,
    ) -> None:
        self.portrait, self.figures, self.ground, self.place = portrait, figures, ground, place
        self.communes = sorted(communes, key=lambda t: t.label)
        self.inside = [t.code for t in communes if t.code == place.code or place.code == t.ept]
        self.themes = {
            name: (theme, [i for i in theme.indicators if i in figures.months])
            for name, theme in portrait.themes.items()
        }

    def blocks(self) -> Iterator[Block]:
        if self.figures.about.simulated:
            yield Paragraph(
                "Ce document est fait de données simulées : il montre la forme du portrait, non la "
                "situation du territoire.",
                "alert",
            )
        yield from self._facts()
        if self.place.level == "commune":
            yield Paragraph(
                "Chaque valeur est comparée à celles du département et, où un producteur la diffuse, de "
                f"la France ; elle est située parmi les {len(self.communes)} communes "
                f"{self.figures.observatory.of_territory}.",
            )
        for name, (theme, present) in self.themes.items():
            if present:
                yield from self._theme(name, theme, present)
        yield from self._method()
        yield from self._tables()

    def _facts(self) -> Iterator[Block]:
        facts = []
        for _, (theme, present) in self.themes.items():
            for name in dict.fromkeys([theme.map, *present]):
                cell = self.figures.cell(name, self.place.code) if name in present else None
                if cell is not None and cell.value is not None:
                    sheet = self.figures.sheets[name]
                    note = " – ".join(filter(None, [numeric_month(cell.month), _place(sheet, cell)]))
                    facts.append(Fact(sheet.short_label, sheet.number(cell.value), note))
                    break
        if facts:
            yield Facts(tuple(facts))

    def _theme(self, name: str, theme: PortraitTheme, present: list[str]) -> Iterator[Block]:
        label = self.figures.observatory.themes[name]
        yield Heading(label)
        columns = [Column("Indicateur", 5.7), Column("Valeur", 1.45, True)]
        if self.place.level != "departement":
            columns.append(Column("Départ.", 1.4, True))
        columns.append(Column("France", 1.3, True))
        if self.place.level == "commune":
            columns += [Column(RANK, 0.9, True), Column(ORDER, 0.9, True)]
        columns += [
            Column("Évolution", 1.9, True),
            Column("Période", 1.05, True),
            Column("À savoir", 1.6),
        ]
        rows = [
            self._row(self.figures.sheets[i], self.figures.cell(i, self.place.code)) for i in present
        ]
        yield Table(f"{label}, indicateurs clés", tuple(columns), tuple(rows), bare=True)
        charts = (self._map(theme.map), self._trend(theme.trend))
        if any(charts):
            yield Side(charts, (1.0, 2.0))

    def _row(self, sheet: Sheet, cell: Cell | None) -> tuple[str, ...]:
        label = f"{sheet.label}" if sheet.symbol else f"{sheet.label} ({sheet.unit})"
        if cell is None:
            lacking = "n’existe pas à ce niveau" if self.place.level != "commune" else "non disponible"
            month = numeric_month(self.figures.months[sheet.id])
            middle = [NONE] * (5 if self.place.level == "commune" else 3)
            middle = middle[:-1] if self.place.level == "departement" else middle
            return (label, NONE, *middle, month, lacking)
        row = [label, _shown(sheet, cell.value)]
        if self.place.level != "departement":
            row.append(NONE if sheet.kind in ("count", "amount") else _shown(sheet, cell.departement))
        row.append(NONE if sheet.kind in ("count", "amount") else _shown(sheet, cell.france))
        if self.place.level == "commune":
            row += (
                [_rank(cell) or NONE, NONE]
                if sheet.direction != "neutral"
                else [NONE, _rank(cell) or NONE]
            )
        row += [_change(sheet, cell), numeric_month(cell.month), _remark(sheet, cell)]
        return tuple(row)

    def _map(self, indicator: str) -> tuple[Block, ...]:
        if indicator not in self.figures.months:
            return ()
        sheet = self.figures.sheets[indicator]
        values = self.figures.communes(indicator, [t.code for t in self.communes])
        title = f"{sheet.label}, {numeric_month(self.figures.months[indicator])}"
        key = f"carte-{indicator}"
        if sheet.kind in ("count", "amount"):
            svg = circles(key, title, self.ground, values, sheet.number, place=self.inside)
        else:
            svg = choropleth(
                key,
                title,
                self.ground,
                values,
                sheet.number,
                place=self.inside,
                direction=sheet.direction,
            )
        alt = f"Carte. {title}. {_described(svg)}"
        return (Figure(svg, alt, f"{title}. {self.ground.source}"),)

    def _trend(self, indicator: str) -> tuple[Block, ...]:
        """The curve and the table of its last values."""
        lines = self._lines(indicator) if indicator in self.figures.months else {}
        months = sorted({m for values in lines.values() for m in values})
        if len(months) < 2:
            return ()
        sheet = self.figures.sheets[indicator]
        drawn = [Line(label, values, place=label == self.place.label) for label, values in lines.items()]
        title = f"{sheet.label}, évolution"
        svg = trend(f"evolution-{indicator}", title, drawn, sheet.number, breaks=sheet.breaks)
        last = months[-LAST:]
        table = Table(
            f"{sheet.label}, dernières valeurs",
            (Column("", 1.2), *(Column(numeric_month(m), 1, True) for m in last)),
            tuple(
                (label, *(_shown(sheet, values.get(m)) for m in last)) for label, values in lines.items()
            ),
            bare=True,
        )
        alt = f"Courbe. {title}. {_described(svg)}"
        return (Figure(svg, alt, f"{sheet.label} ({sheet.unit})."), table)

    def _lines(self, indicator: str) -> dict[str, dict[str, float | None]]:
        """The place, the département and France, those that have values."""
        named = {self.place.label: self.place.code}
        if self.place.level == "commune" or self.place.level == "ept":
            named["Département"] = self.place.departement
        named |= {"France": "FR"}
        found = {label: self.figures.series(indicator, code) for label, code in named.items()}
        if not any(v is not None for v in found["France"].values()):
            found["France"] = self.figures.series(indicator, "FM")
        return {k: v for k, v in found.items() if any(x is not None for x in v.values())}

    def _tables(self) -> Iterator[Block]:
        """The values behind the maps."""
        maps = [t.map for t, _ in self.themes.values() if t.map in self.figures.months]
        if not maps:
            return
        yield Heading("Valeurs des cartes")
        sheets = [self.figures.sheets[name] for name in maps]
        values = {n: self.figures.communes(n, [t.code for t in self.communes]) for n in maps}
        columns = (Column("Commune", 1.75), *(Column(s.short_label, 1, True) for s in sheets))
        half = (len(self.communes) + 1) // 2
        halves = []
        for part in (self.communes[:half], self.communes[half:]):
            rows = [(t.label, *(_shown(s, values[s.id][t.code]) for s in sheets)) for t in part]
            marked = tuple(i for i, t in enumerate(part) if t.code in self.inside)
            caption = f"Valeurs des cartes, de {part[0].label} à {part[-1].label}"
            halves.append((Table(caption, columns, tuple(rows), marked, bare=True, small=True),))
        yield Side(tuple(halves))
        yield Paragraph(f"{NONE} : valeur non diffusée ou absente.", "note")

    def _method(self) -> Iterator[Block]:
        yield Heading("Méthode, sources et limites")
        yield Bullets(tuple(self.portrait.method), small=True)
        sources: dict[str, list[str]] = {}
        cautions: dict[str, list[str]] = {}
        for sheet in (self.figures.sheets[i] for _, present in self.themes.values() for i in present):
            sources.setdefault(sheet.source, []).append(sheet.short_label)
            for caution in sheet.cautions:
                cautions.setdefault(caution, []).append(sheet.short_label)
        yield Heading("Sources", 3)
        yield Bullets(tuple(f"{s} : {', '.join(names)}." for s, names in sources.items()), small=True)
        if cautions:
            # Families share their cautions: said once each, they fit the page.
            yield Heading("Précautions", 3)
            told = (f"{caution} ({', '.join(names)})" for caution, names in cautions.items())
            yield Bullets(tuple(told), small=True)
        yield Paragraph(
            "L’annexe « Méthode du portrait social » donne la définition, la source et les limites de "
            "chaque indicateur.",
            "note",
        )
        declared = [i for theme in self.portrait.themes.values() for i in theme.indicators]
        absent = [i for i in declared if i not in self.figures.months]
        if absent:
            yield Paragraph(
                f"{len(absent)} indicateur(s) du portrait n’ont pas de valeur dans cette édition : "
                "données non reçues, ou réservées aux membres de l’observatoire.",
                "note",
            )


def _described(svg: str) -> str:
    """The description that the chart carries."""
    return unescape(svg.split("<desc", 1)[1].split(">", 1)[1].split("</desc>", 1)[0])


def _shown(sheet: Sheet, value: float | None) -> str:
    return NONE if value is None else sheet.number(value)


def _rank(cell: Cell) -> str:
    if cell.rank is None or cell.ranked is None:
        return ""
    tied = " ex æquo" if cell.tied else ""
    return f"{cell.rank}{'ᵉʳ' if cell.rank == 1 else 'ᵉ'}/{cell.ranked}{tied}"


def _place(sheet: Sheet, cell: Cell) -> str:
    """The rank with what it is of: a situation, or the size of a value."""
    shown = _rank(cell)
    if not shown or sheet.direction == "neutral":
        return f"{shown} par la valeur" if shown else ""
    return f"{shown} (1 : le plus favorable)"


def _change(sheet: Sheet, cell: Cell) -> str:
    if cell.change_5y is not None:
        return f"{sheet.change(cell.change_5y)} en 5 ans"
    if cell.change_1y is not None:
        return f"{sheet.change(cell.change_1y)} en 1 an"
    return NONE


def _remark(sheet: Sheet, cell: Cell) -> str:
    status = cell.status or ("" if cell.value is not None else "non disponible")
    breaks = [month for month in sorted(sheet.breaks) if month <= cell.month]
    broken = f"rupture {breaks[-1][:4]}" if breaks else ""
    return " ; ".join(filter(None, [status, cell.reserve, broken]))
