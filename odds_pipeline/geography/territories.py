"""The territories of the perimeter and the geographies they belong to.

A *geography* is a stretch of years between two mergers, named by its last year, or by its first
one when it is still running: ``2024`` (40 communes, until 2024-12-31) and ``2025`` (39 communes).
A code that a merger keeps means two territories, one in each. The tables come from
``resources/reference/territories.csv`` and ``territory_events.csv``, and from ``neighbourhoods.csv``
where there is one: what is smaller than a commune (IRIS, priority neighbourhoods).
"""

import csv
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

GROUPS = ("ept", "epci")
"""Levels that communes are grouped by: a commune is in one group, of one level or the other."""

BEYOND = ("region", "metropole")
"""Levels of what may go beyond the perimeter: its figures come from files of all its communes."""


@dataclass(frozen=True)
class Territory:
    """One territory of one geography; ``parents`` are codes of the wholes it belongs to.

    ``communes``: those that a neighbourhood lies in, one, or several that it is astride.
    """

    code: str
    label: str
    level: str
    geography: int
    ept: str = ""
    arrondissement: str = ""
    departement: str = ""
    aliases: tuple[str, ...] = ()
    communes: tuple[str, ...] = ()
    epci: str = ""
    region: str = ""

    @property
    def group(self) -> str:
        """The intercommunality of a commune: its EPT, else its EPCI."""
        return self.ept or self.epci

    @property
    def parents(self) -> tuple[str, ...]:
        return tuple(
            code for code in (self.group, self.arrondissement, self.departement, self.region) if code
        )


@dataclass(frozen=True)
class Part:
    """``part`` is one of the territories that make ``whole``, each in its geography.

    Communes make their EPT or EPCI, their arrondissement and their département, and their région where
    all of them are here; merged communes make the new one; a territory that no merger touches is the
    same in both geographies.
    """

    part: str
    part_geography: int
    whole: str
    whole_geography: int
    whole_level: str


def _within(row: dict[str, str], perimeter: Sequence[str]) -> bool:
    """Whether a row lies in a département of the perimeter, or above them all."""
    if row["level"] == "departement":
        return row["code"] in perimeter
    return not row["departement"] or row["departement"] in perimeter


def _neighbourhoods(
    folder: Path, territories: Sequence[Territory], geographies: Sequence[int]
) -> list[Territory]:
    """Those of the communes of ``territories``, in each geography that they existed during."""
    path = folder / "neighbourhoods.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    communes = {(t.code, t.geography): t for t in territories if t.level == "commune"}
    starts = ["", *(f"{geography + 1}-01-01" for geography in geographies[:-1])]
    ends = [*(f"{geography}-12-31" for geography in geographies[:-1]), "9"]
    found = []
    for geography, start, end in zip(geographies, starts, ends, strict=True):
        for row in rows:
            own = [communes.get((code, geography)) for code in row["communes"].split("|")]
            inside = [commune for commune in own if commune]
            if len(inside) == len(own) and row["valid_from"] <= end and (row["valid_to"] or "9") > start:
                found.append(_neighbourhood(row, geography, inside))
    return found


def _neighbourhood(row: dict[str, str], geography: int, communes: list[Territory]) -> Territory:
    return Territory(
        row["code"],
        row["label"],
        row["level"],
        geography,
        departement=communes[0].departement,
        communes=tuple(commune.code for commune in communes),
    )


@lru_cache(maxsize=65536)
def plain(text: str) -> str:
    """Lower case without accents, articles' punctuation or spaces: how labels are compared."""
    ascii_text = unicodedata.normalize("NFKD", text.replace("œ", "oe")).encode("ascii", "ignore")
    words = re.sub(r"[^a-z0-9]+", " ", ascii_text.decode().lower()).split()
    return " ".join("saint" if word == "st" else "sainte" if word == "ste" else word for word in words)


@dataclass(frozen=True)
class Territories:
    """Every territory in every geography, with the sums that are true between them."""

    all: tuple[Territory, ...]
    geographies: tuple[int, ...]
    mergers: tuple[tuple[int, str, str], ...] = field(default=())

    @classmethod
    def read(cls, folder: Path, perimeter: Sequence[str] | Literal["all"] = "all") -> "Territories":
        """Read the two reference tables of ``folder``; ``perimeter`` lists départements to keep."""
        with (folder / "territories.csv").open(encoding="utf-8", newline="") as file:
            rows = [
                row
                for row in csv.DictReader(file, delimiter=";")
                if perimeter == "all" or _within(row, perimeter)
            ]
        codes = {row["code"] for row in rows}
        with (folder / "territory_events.csv").open(encoding="utf-8", newline="") as file:
            listed = csv.DictReader(file, delimiter=";")
            events = [r for r in listed if r["kind"] == "merger" and r["target_code"] in codes]
        years = sorted({int(e["effective"][:4]) for e in events})
        geographies = [year - 1 for year in years] + [years[-1]] if years else [2024]
        territories = [
            Territory(
                row["code"],
                row["label"],
                row["level"],
                geography,
                row["ept"],
                row["arrondissement"],
                row["departement"],
                tuple(filter(None, row["aliases"].split("|"))),
                epci=row.get("epci", ""),
                region=row.get("region", ""),
            )
            for geography in geographies
            for row in rows
            if row["valid_from"] <= f"{geography}-01-01"
            and (not row["valid_to"] or row["valid_to"] > f"{geography}-01-01")
        ]
        mergers = [(int(e["effective"][:4]), e["source_code"], e["target_code"]) for e in events]
        territories += _neighbourhoods(folder, territories, geographies)
        return cls(tuple(territories), tuple(geographies), tuple(mergers))

    def within(self, perimeter: Sequence[str]) -> "Territories":
        """The same, without what lies in départements other than those of ``perimeter``."""
        inside = [t for t in self.all if self._departement(t, perimeter) in perimeter]
        # What lies in several départements is no sum of the communes of some of them.
        outside = (t for t in self.all if self._departement(t, perimeter) not in perimeter)
        cut = {code for t in outside for code in (t.epci, t.region) if code}
        kept = tuple(
            replace(t, epci="" if t.epci in cut else t.epci, region="" if t.region in cut else t.region)
            for t in inside
        )
        codes = {t.code for t in kept}
        return Territories(kept, self.geographies, tuple(m for m in self.mergers if m[2] in codes))

    @staticmethod
    def _departement(of: Territory, perimeter: Sequence[str]) -> str:
        return of.code if of.level == "departement" else of.departement or perimeter[0]

    @cached_property
    def departements(self) -> tuple[str, ...]:
        """Codes of the départements in scope."""
        return tuple(dict.fromkeys(t.code for t in self.all if t.level == "departement"))

    @cached_property
    def by_key(self) -> dict[tuple[str, int], Territory]:
        return {(t.code, t.geography): t for t in self.all}

    @cached_property
    def by_label(self) -> dict[str, str]:
        """Commune codes by plain label, current and former, with or without its article.

        A label that two communes share names neither.
        """
        found: dict[str, set[str]] = {}
        for territory in self.all:
            if territory.level == "commune":
                for label in (territory.label, *territory.aliases):
                    name = plain(label)
                    for form in (name, re.sub(r"^(le|la|les|l) ", "", name)):
                        found.setdefault(form, set()).add(territory.code)
        return {label: next(iter(codes)) for label, codes in found.items() if len(codes) == 1}

    @cached_property
    def france_codes(self) -> dict[str, str]:
        return {
            alias: territory.code
            for territory in self.all
            if territory.level == "france"
            for alias in (territory.code, *territory.aliases)
        }

    @cached_property
    def beyond(self) -> tuple[Territory, ...]:
        """Régions and métropoles that go beyond the perimeter: no sum of its communes."""
        made = {t.region for t in self.all if t.level == "commune"}
        return tuple(t for t in self.all if t.level in BEYOND and t.code not in made)

    @property
    def current(self) -> int:
        """The running geography."""
        return self.geographies[-1]

    def geography_of(self, year: int) -> int:
        """The geography in force on 1 January of ``year`` (a COG vintage)."""
        return next((g for g in self.geographies[:-1] if year <= g), self.current)

    def communes(self, geography: int) -> list[Territory]:
        return [t for t in self.all if t.level == "commune" and t.geography == geography]

    @property
    def joined(self) -> dict[tuple[int, str], list[str]]:
        """The communes that became one, by the year and the code of what they became."""
        found: dict[tuple[int, str], list[str]] = {}
        for year, source, target in self.mergers:
            found.setdefault((year, target), []).append(source)
        return found

    @cached_property
    def merged_away(self) -> dict[str, int]:
        """Commune codes that are no more, and the last geography of each: they tell a file’s vintage."""
        last = {t.code: t.geography for g in self.geographies for t in self.communes(g)}
        return {code: geography for code, geography in last.items() if geography != self.current}

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Communes to the wholes they belong to in each geography, and across each merger."""
        inside = [
            Part(t.code, t.geography, parent, t.geography, self.by_key[parent, t.geography].level)
            for t in self.all
            if t.level == "commune"
            for parent in t.parents
        ]
        across: list[Part] = []
        for older, newer in zip(self.geographies, self.geographies[1:], strict=False):
            targets = {source: target for year, source, target in self.mergers if year - 1 == older}
            for t in (t for t in self.all if t.geography == older):
                if (targets.get(t.code, t.code), newer) not in self.by_key:
                    continue  # a neighbourhood of before has no other after
                across.append(Part(t.code, older, targets.get(t.code, t.code), newer, t.level))
                if t.code not in targets:
                    across.append(Part(t.code, newer, t.code, older, t.level))
        return tuple(inside + across)

    @cached_property
    def sums_of_neighbourhoods(self) -> dict[tuple[str, int], list[frozenset[str]]]:
        """Wholes with the neighbourhoods that make all that their level covers of it, one set a level.

        A commune that a neighbourhood is astride is not such a whole: which part is in it is not known.
        In order: what secrecy has decided stands as long as its equations are the same, in any process.
        """
        inside: dict[tuple[str, int, str], set[str]] = {}
        astride: set[tuple[str, int, str]] = set()
        for t in (t for t in self.all if t.communes):
            keys = {(code, t.geography, t.level) for code in t.communes}
            astride |= keys if len(keys) > 1 else set()
            for key in keys | {(t.departement, t.geography, t.level)}:
                inside.setdefault(key, set()).add(t.code)
        found: dict[tuple[str, int], list[frozenset[str]]] = {}
        for key, codes in sorted(inside.items()):
            if key not in astride:
                found.setdefault(key[:2], []).append(frozenset(codes))
        return found

    @cached_property
    def places(self) -> dict[tuple[str, int], tuple[str, int]]:
        """The place of each territory: one that covers the same communes, whatever its geography.

        A commune that no merger touches, an EPT or EPCI, an arrondissement made of the communes of one:
        what holds the same communes is one place, named by the first territory that does.
        """
        oldest = self.geographies[0]
        sources: dict[tuple[str, int], set[tuple[str, int]]] = {}
        for p in self.parts:
            older = p.part_geography <= p.whole_geography
            if older and (p.part, p.part_geography) != (p.whole, p.whole_geography):
                sources.setdefault((p.whole, p.whole_geography), set()).add((p.part, p.part_geography))

        def communes(key: tuple[str, int]) -> frozenset[str]:
            code, geography = key
            if self.by_key[key].level == "commune" and geography == oldest:
                return frozenset([code])
            return frozenset().union(*(communes(part) for part in sources.get(key, ())))

        first: dict[frozenset[str], tuple[str, int]] = {}
        found = {}
        for t in sorted(
            self.all, key=lambda t: (t.level != "commune", t.level not in GROUPS, t.geography)
        ):
            key = (t.code, t.geography)
            found[key] = first.setdefault(communes(key) or frozenset([t.code]), key)
        return found
