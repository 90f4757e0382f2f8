"""Whether the rows of a file are those of every commune of France, so that their sum is its total."""

import csv
from pathlib import Path

from odds_pipeline.reception.nomenclatures import nomenclature

SHARE = 0.999
"""Least share of the communes: the 17 of Mayotte have a census of their own."""


class National:
    """The communes that a file has rows for; Paris, Lyon and Marseille count once, whole or in parts."""

    def __init__(self, root: Path) -> None:
        self._seen: set[str] = set()
        self._parts = nomenclature(root, "arrondissements_municipaux")
        path = root / "resources" / "reference" / "communes_of_france.csv"
        with path.open(encoding="utf-8", newline="") as file:
            self._counts = {
                int(r["year"]): int(r["communes"]) for r in csv.DictReader(file, delimiter=";")
            }

    def add(self, code: str) -> None:
        """A row of that commune is read."""
        self._seen.add(code)

    def complete(self, month: str | None) -> bool:
        """Whether no commune is missing, at any date from that month on, and none is there twice."""
        if not month:
            return False
        parts = self._seen & self._parts.keys()
        wholes = {commune for part in parts for commune in self._parts[part]}
        year = int(month[:4])
        later = [n for y, n in self._counts.items() if y >= year] or [min(self._counts.values())]
        return not wholes & self._seen and len(self._seen - parts | wholes) >= SHARE * min(later)
