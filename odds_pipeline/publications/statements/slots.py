"""What a sentence holds in its braces: figures and places that write themselves in French.

``{value}`` is 27,6 %; ``{value:euros}`` 17 740 €; ``{value:part habitant}`` plus d’un habitant sur
quatre; ``{persons:environ}`` 442 000; ``{count:une commune|# communes}`` 18 communes; ``{change}`` 2,3
points;
``{change:augmente|diminue}`` the verb of its sign; ``{places:à}`` à Lille et au Havre;
``{period}`` en 2020; ``{period:depuis}`` depuis 2020.
"""

import math
from dataclasses import dataclass
from typing import Any

from odds_pipeline.french import NBSP, decimals_of, french_number
from odds_pipeline.publications.periods import period_words
from odds_pipeline.publications.portrait.figures import Sheet
from odds_pipeline.publications.statements.places import NAMED, enumerated


class Silent(Exception):
    """Why nothing is said, in French."""


PARTS = {
    1 / 10: (1, "dix"),
    1 / 5: (1, "cinq"),
    1 / 4: (1, "quatre"),
    1 / 3: (1, "trois"),
    1 / 2: (1, "deux"),
    2 / 3: (2, "trois"),
    3 / 4: (3, "quatre"),
    9 / 10: (9, "dix"),
}
COUNTED = {1: "un", 2: "deux", 3: "trois", 9: "neuf"}
NAMED_AT_MOST = 2
"""Communes of one value that are named: « à Lille et au Havre », but « dans 3 communes »."""
NEAR, BELOW, ABOVE = 0.015, 0.07, 0.11
"""Relative distances to a simple part: within NEAR it is the part itself, « près de » at most BELOW
under it, « plus de » at most ABOVE over it."""


@dataclass(frozen=True)
class Amount:
    """A value of an indicator."""

    value: float
    sheet: Sheet
    low: float | None = None
    high: float | None = None

    def __format__(self, spec: str) -> str:
        if spec == "euros":
            return _euros(self.value, self.sheet)
        if not spec.startswith("part "):
            return self.sheet.number(self.value)
        ends = [self.value if end is None else end for end in (self.low, self.high)]
        return simple_part(self.value, ends, *spec.removeprefix("part ").split("|"))


def _euros(value: float, sheet: Sheet) -> str:
    """An amount of a unit that a sentence spells out: 17 740 € « par unité de consommation »."""
    return f"{french_number(value, sheet.decimals)}{NBSP}€"


def simple_part(value: float, ends: list[float], noun: str, article: str = "un") -> str:
    """« plus d’un habitant sur quatre » for 27.6 %.

    :class:`Silent` when no simple part is near, or when it lies within the interval ``ends``.
    """
    share = value / 100
    part = min(PARTS, key=lambda p: abs(share - p) / p)
    gap = (share - part) / part
    if ends[0] < 100 * part < ends[1] and abs(gap) >= NEAR:
        raise Silent("la part simple est dans l’intervalle de confiance")
    if not -BELOW <= gap <= ABOVE:
        raise Silent(f"{french_number(100 * share, 1)} % n’est proche d’aucune part simple")
    many, total = PARTS[part]
    counted = article if many == 1 else COUNTED[many]
    named = f"{counted} {noun}{'s' if many > 1 else ''} sur {total}"
    if abs(gap) < NEAR:
        return named
    if gap < 0:
        return f"près {'d’' if many == 1 else 'de '}{named}"
    return f"plus {'d’' if many == 1 else 'de '}{named}"


def three_figures(value: float) -> float:
    """Rounded to three figures: 441 873 is 442 000."""
    step = 10 ** max(math.floor(math.log10(abs(value) or 1)) - 2, 0)
    return float(round(value / step) * step)


@dataclass(frozen=True)
class Change:
    """A change or a difference, already in its unit: ``%``, points, or that of the indicator."""

    value: float
    sheet: Sheet
    relative: bool = False

    def __format__(self, spec: str) -> str:
        if spec == "euros":
            return _euros(abs(self.value), self.sheet)
        if spec:
            up, down = spec.split("|")
            return up if self.value > 0 else down
        size = abs(self.value)
        if self.relative:
            return f"{french_number(size, 0 if size >= 10 else 1)}{NBSP}%"
        if self.sheet.symbol != "%":
            return self.sheet.number(size)
        shown = french_number(size, 0 if size >= 10 else decimals_of(size, 1, self.sheet.to_the_unit))
        return f"{shown}{NBSP}{'point' if size < 1.95 else 'points'}"


@dataclass(frozen=True)
class Count:
    """How many: ``{count:une commune|# communes}`` has a form for one and one for several."""

    value: int

    def __format__(self, spec: str) -> str:
        shown = french_number(self.value, 0)
        if not spec:
            return shown
        if spec == "environ":
            return french_number(three_figures(self.value), 0)
        one, many = spec.split("|")
        return one if self.value == 1 else many.replace("#", shown)


@dataclass(frozen=True)
class Share:
    """A part of a whole, 0 to 100."""

    value: float

    def __format__(self, spec: str) -> str:
        return f"{french_number(self.value, 0)}{NBSP}%"


@dataclass(frozen=True)
class Factor:
    """How many times: ``de 1 à {factor}`` is de 1 à 3,5, or de 1 à 7: beyond 5 tenths tell nothing."""

    value: float

    def __format__(self, spec: str) -> str:
        return french_number(self.value, 0 if self.value >= 5 else 1).removesuffix(",0")


@dataclass(frozen=True)
class Places:
    """Names of places, with their preposition; many communes are counted instead."""

    labels: tuple[str, ...]

    def __format__(self, spec: str) -> str:
        if len(self.labels) > NAMED_AT_MOST:
            counted = f"{len(self.labels)}{NBSP}communes"
            return {"à": f"dans {counted}", "de": f"de {counted}"}.get(spec, counted)
        return enumerated([NAMED[spec](label) for label in self.labels])


@dataclass(frozen=True)
class Period:
    """When: ``en 2020``, ``au 1er janvier 2021``, ``à la rentrée 2021``."""

    month: str
    sheet: Sheet
    status: str = ""

    def __format__(self, spec: str) -> str:
        said = period_words(self.month, self.sheet.cadence, spec or "en")
        return f"{said} ({self.status})" if self.status else said


Slot = Amount | Change | Count | Share | Factor | Places | Period


def example_slot(kind: type[Slot], given: Any, sheet: Sheet) -> Slot:
    """A slot from a worked example: a number, a month, names of places."""
    if kind is Places:
        return Places((given,) if isinstance(given, str) else tuple(given))
    if kind is Period:
        return Period(given, sheet)
    if kind is Count:
        return Count(given)
    if kind is Share or kind is Factor:
        return kind(float(given))
    if kind is Change:
        return Change(float(given), sheet, sheet.relative)
    return Amount(float(given), sheet)


def raw(slot: Slot) -> Any:
    """The figure, month or names behind a slot."""
    if isinstance(slot, Places):
        return list(slot.labels)
    return slot.month if isinstance(slot, Period) else slot.value
