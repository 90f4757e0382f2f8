"""Tables that give the territory of a finer code."""

import csv
from pathlib import Path


def nomenclature(root: Path, name: str) -> dict[str, list[str]]:
    """Territories of each finer code, from ``resources/reference/nomenclatures/<name>.csv``."""
    path = root / "resources" / "reference" / "nomenclatures" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {r["code"]: r["territories"].split("|") for r in csv.DictReader(file, delimiter=";")}
