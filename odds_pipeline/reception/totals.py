"""Rows that are the sum of others under whatever label: recognised by what they add up to."""

from collections import defaultdict
from collections.abc import Iterable

import pandas as pd

from odds_pipeline.declarations.project import FeedEntry
from odds_pipeline.geography.territories import Territories, plain

TOTAL = "total"
"""Level of the figures of rows that are no territory's: compared with the sum, then left out."""

_WORDS = {"total", "ensemble", "tous", "toutes", "somme", "departement", "commune", "communes"}


def says_total(label: str) -> bool:
    """Whether a label says that its row is a total."""
    return bool(_WORDS & set(plain(label).split()))


def wholes(territories: Territories) -> dict[str, frozenset[str] | None]:
    """By code and by plain label, the communes of each whole; ``None`` for the region and France."""
    inside: dict[str, set[str]] = defaultdict(set)
    for commune in territories.all:
        for parent in commune.parents if commune.level == "commune" else ():
            inside[parent].add(commune.code)
    found: dict[str, frozenset[str] | None] = {}
    for whole in territories.all:
        if whole.level == "commune":
            continue
        communes = None if whole.level in ("region", "france") else frozenset(inside[whole.code])
        for name in (whole.code, whole.label, *whole.aliases):
            found.setdefault(plain(name), communes)
    return found


def _tolerance(entry: FeedEntry, variable: str, values: "pd.Series[float]") -> float:
    """Half a step of rounding for each part and for the total, or what decimals lose."""
    declared = entry.feed.variables[variable.partition(".")[2]].rounded_to or entry.secrecy.rounding
    return (len(values) + 1) * declared / 2 if declared else max(0.5, 0.0005 * abs(values.sum()))


def _adds_up(entry: FeedEntry, total: pd.Series, parts: pd.DataFrame) -> bool:
    """Whether a total is the sum of its parts, or at least that of those that are shown."""
    values = parts["value"].dropna()
    margin = _tolerance(entry, str(total["variable"]), values)
    if len(values) < len(parts):
        return bool(total["value"] >= values.sum() - margin)
    return bool(abs(total["value"] - values.sum()) <= margin)


def unlike_their_sum(
    entry: FeedEntry,
    territories: Territories,
    frame: pd.DataFrame,
    columns: dict[str, str],
    partial: bool,
) -> Iterable[tuple[int, str]]:
    """Rows of no territory whose figures are not the sum of the communes', each with its line.

    ``partial``: rows of other départements were left out, a total of them all is not known.
    """
    known = wholes(territories)
    communes = frame[frame["level"] == "commune"]
    totals = frame[frame["level"] == TOTAL].astype({"line": "int64"})
    for line, label in totals[["line", "territory"]].drop_duplicates().itertuples(index=False):
        row = totals[(totals["line"] == line) & (totals["territory"] == label)]
        inside = known.get(plain(str(label)), frozenset())
        if inside is None or (not inside and partial):
            continue
        for _, total in row[row["value"].notna()].iterrows():
            if entry.feed.variables[str(total["variable"]).partition(".")[2]].aggregation != "sum":
                continue
            parts = communes[
                (communes["variable"] == total["variable"]) & (communes["month"] == total["month"])
            ]
            parts = parts[parts["territory"].isin(inside)] if inside else parts
            if parts.empty or not _adds_up(entry, total, parts):
                yield int(line), _said(str(label), total, parts, columns)
                break


def _said(label: str, total: pd.Series, parts: pd.DataFrame, columns: dict[str, str]) -> str:
    who = f"« {label} »" if label else "une ligne sans code"
    column = columns.get(str(total["variable"]), str(total["variable"]))
    return (
        f"{who} n'est pas un code de territoire, et n'est pas un total : {column} y vaut "
        f"{total['value']:g}, la somme des communes {parts['value'].sum():g}"
    )
