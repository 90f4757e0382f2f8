"""Checks that contracts, nomenclatures and tiles reach the départements that the observatory speaks of.

What was written for another département reads nothing here and says nothing of it: a filter on its
code, a table of its finer codes, the squares of its maps.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from odds_pipeline.declarations.declared import Declared, FeedEntry
from odds_pipeline.declarations.feed import Column, Format, TerritoryKey
from odds_pipeline.declarations.problems import Problem, nearest

Where = dict[str, str | list[str]]
REFERENCE = Path("resources", "reference")
NATIONAL = {
    "nomenclatures/arrondissements_municipaux.csv": "Paris, Lyon and Marseille, which files give by "
    "arrondissement, would not be told from communes (code;territories)",
    "communes_of_france.csv": "a file of all communes would not be known for one (year;communes)",
}
_DEPARTEMENT = re.compile(r"^(code[ _.]?)?d[eé]p", re.IGNORECASE)
_CODE = re.compile(r"0?(\d[\dAB]|97\d)0?")


def reach_problems(declared: Declared) -> Iterator[Problem]:
    """What the perimeter lacks to be read, compared and drawn."""
    wanted = declared.observatory.departements
    yield from _tiles(declared, wanted)
    yield from _national(declared)
    for entry in declared.feeds.values():
        for i, fmt in enumerate(entry.feed.formats):
            yield from _filters(entry, i, fmt, wanted)
            yield from _nomenclatures(declared, entry, i, fmt, wanted)


def _tiles(declared: Declared, wanted: Sequence[str]) -> Iterator[Problem]:
    path = REFERENCE / "tiles.csv"
    with (declared.root / path).open(encoding="utf-8", newline="") as file:
        drawn = {row["code"] for row in csv.DictReader(file, delimiter=";")}
    everywhere = declared.territories.all
    lacking = {
        t.code: t.label
        for t in everywhere
        if t.level == "commune" and t.departement in wanted and t.code not in drawn
    }
    if lacking:
        code, label = next(iter(lacking.items()))
        others = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        yield Problem(path, 1, f"no tile for {code} ({label}){others}: without outlines a map needs one")


def _national(declared: Declared) -> Iterator[Problem]:
    """The tables by which a file of all communes is known, where a contract sums them to France."""
    formats = [fmt for entry in declared.feeds.values() for fmt in entry.feed.formats]
    if not any("france" in fmt.territory.also for fmt in formats):
        return
    for name, what in NATIONAL.items():
        if not (declared.root / REFERENCE / name).exists():
            yield Problem(REFERENCE / name, 1, f"no file: {what}")


def _filters(entry: FeedEntry, i: int, fmt: Format, wanted: Sequence[str]) -> Iterator[Problem]:
    """Filters that keep départements, none of which is ours."""
    for column, value in (pair for where in _wheres(entry, fmt) for pair in where.items()):
        texts = [value] if isinstance(value, str) else value
        codes = {m[1] for text in texts if (m := _CODE.fullmatch(text))}
        if codes and _DEPARTEMENT.match(column) and not codes & set(wanted):
            kept, ours = ", ".join(sorted(codes)), ", ".join(wanted)
            message = f"`where` keeps département {kept} of {column!r}: nothing of {ours} would be read"
            yield entry.file.problem(("formats", i), message)


def _wheres(entry: FeedEntry, fmt: Format) -> Iterator[Where]:
    yield fmt.where
    yield from (key.where for key in _keys(fmt))
    columns: list[Column] = [*fmt.columns.values()]
    if fmt.inherits_columns:
        columns += [c for name, c in entry.feed.columns.items() if name not in fmt.columns]
    yield from (column.where for column in columns)


def _keys(fmt: Format) -> list[TerritoryKey]:
    return [fmt.territory, *fmt.wider]


def _nomenclatures(
    declared: Declared, entry: FeedEntry, i: int, fmt: Format, wanted: Sequence[str]
) -> Iterator[Problem]:
    """Nomenclatures that there are not, or that tell no territory of a département of ours."""
    for name in {key.nomenclature for key in _keys(fmt) if key.nomenclature}:
        folder = declared.root / REFERENCE / "nomenclatures"
        path = folder / f"{name}.csv"
        if not path.exists():
            near = nearest(name, [p.stem for p in folder.glob("*.csv")])
            yield entry.file.problem(("formats", i), f"no nomenclature {name!r}{near}")
            continue
        for code in _untold(declared, path, wanted):
            message = f"nomenclature {name} tells no territory of {code}: its files would say nothing"
            yield entry.file.problem(("formats", i), message)


def _untold(declared: Declared, path: Path, wanted: Sequence[str]) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter=";")
        told = {code for row in rows for code in row["territories"].split("|")}
    within = {t.departement for t in declared.territories.all if t.code in told}
    return [code for code in wanted if code not in within]
