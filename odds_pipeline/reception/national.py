"""Whether the rows of a file are those of every commune of a territory that goes beyond the perimeter.

Their sum is then its figure: of France, and of the régions and métropoles whose communes are listed in
``resources/reference/communes_beyond.csv`` (``territory``, ``commune``, ``until``: the day it was merged
into another one; a file that still has a row of it counts it).
"""

import csv
from collections import defaultdict
from pathlib import Path

from odds_pipeline.geography.territories import Territories
from odds_pipeline.reception.nomenclatures import nomenclature

SHARE = 0.999
"""Least share of the communes of France: the 17 of Mayotte have a census of their own."""


class National:
    """The communes that a file has rows for; Paris, Lyon and Marseille count once, whole or in parts."""

    def __init__(self, root: Path, territories: Territories) -> None:
        self._seen: set[str] = set()
        self._parts = nomenclature(root, "arrondissements_municipaux")
        self._france = territories.france_codes["FRANCE"]
        self._counts = {int(r["year"]): int(r["communes"]) for r in _rows(root, "communes_of_france")}
        self.levels = {t.code: t.level for t in territories.beyond} | {self._france: "france"}
        self._within: dict[str, list[str]] = defaultdict(list)
        self._members: dict[str, set[str]] = {code: set() for code in self.levels}
        for row in _rows(root, "communes_beyond"):
            if row["territory"] in self.levels:
                self._within[row["commune"]].append(row["territory"])
                if not row["until"]:
                    self._members[row["territory"]].add(row["commune"])

    def add(self, code: str) -> list[str]:
        """A row of that commune is read: the territories that it counts in."""
        self._seen.add(code)
        communes = self._parts.get(code, [code])
        return [self._france, *(whole for one in communes for whole in self._within.get(one, ()))]

    def complete(self, month: str | None) -> set[str]:
        """The territories of which no commune is missing; none where one is there twice.

        Of France, at any date from that month on.
        """
        parts = self._seen & self._parts.keys()
        wholes = {commune for part in parts for commune in self._parts[part]}
        if not month or wholes & self._seen:
            return set()
        seen, year = self._seen - parts | wholes, int(month[:4])
        later = [n for y, n in self._counts.items() if y >= year] or [min(self._counts.values())]
        found = {code for code, members in self._members.items() if members and members <= seen}
        return found | {self._france} if len(seen) >= SHARE * min(later) else found


def _rows(root: Path, name: str) -> list[dict[str, str]]:
    path = root / "resources" / "reference" / f"{name}.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))
