"""What can be said of an indicator at a place: for each kind of fact its figures, or why it is silent.

Every fact is silent on a value that is missing, under reserve or too old, and on a difference that lies
within its interval or under what is worth a word.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

from odds_pipeline.geography.territories import Territory
from odds_pipeline.months import month_index
from odds_pipeline.publications.portrait.figures import Figure, Figures, Sheet
from odds_pipeline.publications.statements.slots import (
    Amount,
    Change,
    Count,
    Factor,
    Period,
    Places,
    Share,
    Silent,
    Slot,
)

LEAST_POINTS, LEAST_SHARE = 1.0, 0.05
"""Below one point, or 5 % of what is no percentage, a difference is worth no word."""
LEAST_DIGITS = 3
"""Nor below three units of the last digit shown: 2,7 and 2,8 may be 2.749 and 2.751."""
ENOUGH = 0.8
"""Part of the communes that must have a value before anything is said of them all."""
LONGEST = 11 * 12
"""Months over which a change is told: beyond, too much else has changed."""
MOST_TIED = 5
"""Communes of one value that may be spoken of; of groups of communes, two."""
BOTH_ENDS = 1.4
"""√2: a change is as uncertain as both of its ends together."""


@dataclass(frozen=True)
class At:
    """An indicator seen from a place; ``communes`` and ``groups`` lie inside it."""

    figures: Figures
    sheet: Sheet
    place: Territory
    communes: tuple[Territory, ...]
    groups: tuple[Territory, ...]
    oldest: int
    population: str = ""

    def own(self) -> Figure:
        """The place's value, when it may be spoken of."""
        return self.sound(self.figures.cell(self.sheet.id, self.place.code), "aucune valeur")

    def cells(self, places: Iterable[Territory]) -> dict[str, Figure]:
        """Values of places by label, all of the communes' month."""
        found = {t.label: self.figures.cell(self.sheet.id, t.code) for t in places}
        month = self.figures.months[self.sheet.id]
        return {n: c for n, c in found.items() if c and c.value is not None and c.month == month}

    def all_communes(self) -> dict[str, Figure]:
        """Values of the communes, when enough of them have one."""
        cells = self.cells(self.communes)
        if len(cells) < 4 or len(cells) < ENOUGH * len(self.communes):
            raise Silent(f"{len(cells)} communes sur {len(self.communes)} ont une valeur")
        self.sound(next(iter(cells.values())), "")
        return cells

    def inhabitants(self) -> dict[str, float]:
        """Inhabitants of the communes by label, where they are known."""
        if self.population not in self.figures.months:
            return {}
        known = self.figures.communes(self.population, [t.code for t in self.communes])
        found = {t.label: known[t.code] for t in self.communes}
        return {label: value for label, value in found.items() if value is not None}

    def period(self, cell: Figure) -> Period:
        return Period(cell.month, self.sheet, cell.status)

    def amount(self, cell: Figure) -> Amount:
        assert cell.value is not None
        return Amount(cell.value, self.sheet, cell.low, cell.high)

    def sound(self, cell: Figure | None, lacking: str) -> Figure:
        if cell is None or cell.value is None:
            raise Silent(lacking)
        if cell.reserve:
            raise Silent(f"valeur sous réserve : {cell.reserve}")
        age = month_index(self.figures.about.published_at[:7]) - month_index(cell.month)
        if age > self.oldest:
            raise Silent(f"chiffre trop ancien : {self.period(cell):bref}")
        return cell


def level(at: At) -> dict[str, Slot]:
    """The place's value; ``persons`` is its numerator."""
    cell = at.own()
    slots: dict[str, Slot] = {"value": at.amount(cell), "period": at.period(cell)}
    # Without a denominator the numerator is the value itself, not persons.
    if cell.numerator is None or cell.denominator is None:
        return slots
    return {**slots, "persons": Count(round(cell.numerator))}


def compared(at: At) -> dict[str, Slot]:
    """The place beside the whole it lies in, at the same period: département, or France."""
    cell = at.own()
    reference = cell.france if at.place.level == "departement" else cell.departement
    if reference is None:
        raise Silent("l’ensemble n’a pas de valeur de la même période")
    if cell.low is not None and cell.high is not None and cell.low <= reference <= cell.high:
        raise Silent("l’écart est dans l’intervalle de confiance")
    value = at.amount(cell)
    if cell.numerator and abs(value.value - reference) <= value.value / cell.numerator:
        raise Silent("un cas de plus ou de moins effacerait l’écart")
    return {
        "value": value,
        "reference": Amount(reference, at.sheet),
        "difference": _worth(at.sheet, value.value, reference, relative=False),
        "period": at.period(cell),
    }


def _worth(sheet: Sheet, value: float, reference: float, *, relative: bool) -> Change:
    """The difference, when it is worth a word."""
    surveyed = 2 if sheet.years_apart > 1 else 1  # nobody publishes a commune's interval of a survey
    least = surveyed * LEAST_POINTS if sheet.symbol == "%" else LEAST_SHARE * abs(reference)
    gap = value - reference
    if abs(gap) < least or round(abs(gap) * 10**sheet.decimals) < LEAST_DIGITS:
        raise Silent("l’écart est trop petit pour être dit")
    return Change(100 * gap / reference if relative else gap, sheet, relative)


def since(at: At) -> dict[str, Slot]:
    """From the first comparable period of the last eleven years to the place's value."""
    cell = at.own()
    series = at.figures.series(at.sheet.id, at.place.code)
    month, start = _first(at.sheet, series, cell.month)
    value = at.amount(cell)
    change = _worth(at.sheet, value.value, start, relative=at.sheet.relative)
    half = (cell.high - cell.low) / 2 if cell.low is not None and cell.high is not None else 0
    if abs(value.value - start) < BOTH_ENDS * half:
        raise Silent("l’évolution est dans l’intervalle de confiance")
    return {
        "start": Amount(start, at.sheet),
        "start_period": Period(month, at.sheet),
        "value": value,
        "period": at.period(cell),
        "change": change,
    }


def _first(sheet: Sheet, series: dict[str, float | None], last: str) -> tuple[str, float]:
    """The first period that compares with ``last``: same side of every break, same month of the year."""
    end = month_index(last)
    after = max((month_index(b) for b in sheet.breaks if b <= last), default=0)
    run = [
        (month, value)
        for month, value in series.items()
        if value is not None
        and max(after, end - LONGEST) <= month_index(month) <= end
        and (end - month_index(month)) % 12 == 0
    ]
    start = next(((m, v) for m, v in run if end - month_index(m) >= 12 * sheet.years_apart), None)
    if start is None:
        raise Silent("aucune période antérieure ne se compare")
    _regular([value for _, value in run])
    if sheet.relative and start[1] <= 0:
        raise Silent("le point de départ est nul")
    return start


def _regular(values: list[float]) -> None:
    moves = [abs(b - a) for a, b in pairwise(values)]
    level = sum(map(abs, values)) / len(values)
    if len(values) >= 8 and sum(moves) / len(moves) > 0.35 * level:
        raise Silent("la série est irrégulière")


def spread(at: At) -> dict[str, Slot]:
    """From the lowest to the highest commune."""
    cells = at.all_communes()
    low, high = _ends(at, cells)
    slots: dict[str, Slot] = {
        **_end("low", at, cells, low),
        **_end("high", at, cells, high),
        "count": Count(len(cells)),
        "period": at.period(low),
    }
    least, most = low.value or 0, high.value or 0
    _worth(at.sheet, most, least, relative=False)
    return {**slots, "factor": Factor(most / least)} if least > 0 else slots


def groups(at: At) -> dict[str, Slot]:
    """From the group of communes with the lowest value to the one with the highest."""
    cells = at.cells(at.groups)
    if len(cells) < 2:
        raise Silent("les groupes de communes n’ont pas de valeur de la même période")
    low, high = _ends(at, cells)
    at.sound(low, "")
    assert low.value is not None and high.value is not None
    return {
        **_end("low", at, cells, low),
        **_end("high", at, cells, high),
        "difference": _worth(at.sheet, high.value, low.value, relative=False),
        "period": at.period(low),
    }


def _ends(at: At, cells: dict[str, Figure]) -> tuple[Figure, Figure]:
    ordered = sorted(cells.values(), key=lambda c: c.value or 0)
    low, high = ordered[0], ordered[-1]
    if low.high is not None and high.low is not None and low.high >= high.low:
        raise Silent("les intervalles de confiance des extrêmes se recouvrent")
    return low, high


def _end(name: str, at: At, cells: dict[str, Figure], cell: Figure) -> dict[str, Slot]:
    shown = at.sheet.number(cell.value or 0)
    tied = sorted(label for label, c in cells.items() if at.sheet.number(c.value or 0) == shown)
    if len(tied) > (MOST_TIED if any(t.label in tied for t in at.communes) else 2):
        raise Silent(f"{len(tied)} territoires partagent la valeur {shown}")
    return {name: at.amount(cell), f"{name}_places": Places(tuple(tied))}


def above(at: At) -> dict[str, Slot]:
    """How many communes lie above and below the département, beyond their intervals if they have one."""
    if at.place.level != "departement":
        raise Silent("ne se dit que du département")
    cells, whole = at.all_communes(), at.own()
    reference = whole.value
    if whole.month != next(iter(cells.values())).month or reference is None:
        raise Silent("les communes et l’ensemble ne sont pas de la même période")
    over = [c for c in cells.values() if _bound(c, c.low) > reference]
    under = [c for c in cells.values() if _bound(c, c.high) < reference]
    return {
        "above": Count(len(over)),
        "below": Count(len(under)),
        "count": Count(len(cells)),
        "value": at.amount(whole),
        "period": at.period(whole),
    }


def _bound(cell: Figure, limit: float | None) -> float:
    return limit if limit is not None else cell.value or 0


def concentrated(at: At) -> dict[str, Slot]:
    """The fifth of the communes at the unfavourable end, and the part of the inhabitants they hold."""
    cells = at.all_communes()
    held_by = at.inhabitants()
    if not cells.keys() <= held_by.keys():
        raise Silent("la population des communes n’est pas publiée")
    ordered = sorted(cells.values(), key=lambda c: c.value or 0, reverse=not _low_is_worse(at.sheet))
    limit = ordered[math.ceil(len(ordered) / 5) - 1].value or 0
    held = [name for name, c in cells.items() if _beyond(at.sheet, c.value or 0, limit)]
    return {
        "count": Count(len(held)),
        "limit": Amount(limit, at.sheet),
        "share": Share(100 * sum(held_by[name] for name in held) / sum(held_by.values())),
        "period": at.period(ordered[0]),
    }


def _low_is_worse(sheet: Sheet) -> bool:
    return sheet.direction == "higher_is_better"


def _beyond(sheet: Sheet, value: float, limit: float) -> bool:
    return value <= limit if _low_is_worse(sheet) else value >= limit


@dataclass(frozen=True)
class Fact:
    """How its figures are found, and what each slot holds."""

    find: Callable[[At], dict[str, Slot]]
    slots: dict[str, type[Slot]]


_VALUE: dict[str, type[Slot]] = {"value": Amount, "period": Period}
_ENDS: dict[str, type[Slot]] = {
    "low": Amount,
    "low_places": Places,
    "high": Amount,
    "high_places": Places,
    "period": Period,
}
FACTS: dict[str, Fact] = {
    "level": Fact(level, {**_VALUE, "persons": Count}),
    "compared": Fact(compared, {**_VALUE, "reference": Amount, "difference": Change}),
    "since": Fact(since, {**_VALUE, "start": Amount, "start_period": Period, "change": Change}),
    "spread": Fact(spread, {**_ENDS, "count": Count, "factor": Factor}),
    "groups": Fact(groups, {**_ENDS, "difference": Change}),
    "above": Fact(above, {**_VALUE, "above": Count, "below": Count, "count": Count}),
    "concentrated": Fact(
        concentrated, {"count": Count, "limit": Amount, "share": Share, "period": Period}
    ),
}
