"""One page of all indicators: where the département stands among its communes, the right favourable."""

from collections.abc import Iterator, Sequence

from odds_pipeline.charts import Spine, spine
from odds_pipeline.french import NONE
from odds_pipeline.geography.territories import Territory
from odds_pipeline.publications.documents import Block, Cell, Column, Drawing, Heading, Notes, Table
from odds_pipeline.publications.periods import period_words
from odds_pipeline.publications.portrait.figures import Figure, Figures, Sheet

MOST = 30
"""Rows that a page holds."""
READING = (
    "le losange est le département, le trait vertical la commune médiane, la barre foncée la moitié "
    "centrale des communes, la claire toutes. La droite est le côté favorable, ou la valeur haute là où "
    "aucune n’est favorable en soi. Une autre période que celle des communes est dite."
)


def glance(
    figures: Figures, communes: Sequence[Territory], place: Territory, indicators: Sequence[str]
) -> Iterator[Block]:
    """The département on all indicators that compare, those with a favourable sense first."""
    sheets = [figures.sheets[i] for i in indicators]
    sheets = [s for s in sheets if s.kind not in ("count", "amount")]
    sheets.sort(key=lambda s: s.direction == "neutral")
    rows: list[tuple[Cell, ...]] = []
    sheets = sheets[:MOST]
    for neutral, heading in (
        (False, "Une valeur est favorable"),
        (True, "Aucune valeur n’est favorable en soi"),
    ):
        own = [
            _row(figures, communes, place, s) for s in sheets if (s.direction == "neutral") == neutral
        ]
        rows += [(heading,), *own] if own else []
    yield Heading("D’un coup d’œil")
    columns: tuple[Column, ...] = (
        Column("Indicateur", 2.5),
        Column("Départ.", 1.15, True),
        Column("France", 0.95, True),
        Column("Commune la plus basse", 2),
        Column("Place du département", 1.75),
        Column("Commune la plus haute", 2),
        Column("Période", 1.2),
    )
    if all(row[2] == NONE for row in rows if len(row) > 1):
        rows = [row[:2] + row[3:] for row in rows]
        columns = columns[:2] + columns[3:]
    yield Table("Le département et ses communes d’un coup d’œil", columns, tuple(rows), bare=True)
    yield Notes((("Lecture", READING), ("Note", f"{NONE} : pas de valeur de la même période.")))


def _row(
    figures: Figures, communes: Sequence[Territory], place: Territory, sheet: Sheet
) -> tuple[Cell, ...]:
    month = figures.months[sheet.id]
    values = figures.communes(sheet.id, [c.code for c in communes])
    known = {c.label: v for c in communes if (v := values[c.code]) is not None}
    cell = figures.cell(sheet.id, place.code)
    same = cell is not None and cell.month == month
    own = cell.value if cell is not None and same else None
    france = cell.france if cell is not None and same else None
    low, high = min(known, key=lambda n: known[n]), max(known, key=lambda n: known[n])
    words = f"De {sheet.number(known[low])} à {sheet.number(known[high])} entre communes"
    words += f", département : {sheet.number(own)}" if own is not None else ""
    drawn = spine(Spine(list(known.values()), None, own, direction=sheet.direction), words)
    return (
        sheet.short_label,
        _shown(sheet, own) if own is not None else _elsewhen(sheet, cell),
        _shown(sheet, france),
        f"{sheet.bare(known[low])}  {low}",
        Drawing(drawn, words),
        f"{sheet.bare(known[high])}  {high}",
        period_words(month, sheet.cadence),
    )


def _shown(sheet: Sheet, value: float | None) -> str:
    return NONE if value is None else sheet.number(value)


def _elsewhen(sheet: Sheet, figure: Figure | None) -> str:
    """The last value of a whole that has none at the communes' period, with its own."""
    if figure is None or figure.value is None:
        return NONE
    return f"{sheet.number(figure.value)} ({period_words(figure.month, sheet.cadence)})"
