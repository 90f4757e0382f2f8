"""Rows that are the sum of others under whatever label: recognised by what they add up to."""

from collections import defaultdict
from collections.abc import Iterable

import pandas as pd

from odds_pipeline.declarations.project import FeedEntry
from odds_pipeline.french import french_number
from odds_pipeline.geography.territories import Territories, plain

TOTAL = "total"
"""Level of the figures of rows that are no territory's: compared with the sum, then left out."""

_BELOW = r"^\s*<\s*(\d+)\s*$"
"""A mark of secrecy that says what the hidden figure is below."""

FEW = 3
"""Communes without a row that are named where a total is not the sum: more are another fault."""

_WORDS = set("total ensemble tous toutes somme departement commune communes moyenne mediane".split())


def says_total(label: str) -> bool:
    """Whether a label says that its row is a total."""
    return bool(_WORDS & set(plain(label).split()))


def wholes(territories: Territories) -> dict[str, frozenset[str] | None]:
    """By code and by plain label, the communes of each whole; ``None`` for those that go beyond ours."""
    inside: dict[str, set[str]] = defaultdict(set)
    for commune in territories.all:
        for parent in commune.parents if commune.level == "commune" else ():
            inside[parent].add(commune.code)
    found: dict[str, frozenset[str] | None] = {}
    for whole in territories.all:
        if whole.level == "commune" or whole.communes:
            continue
        communes = frozenset(inside[whole.code]) if whole.code in inside else None
        for name in (whole.code, whole.code.zfill(3), whole.label, *whole.aliases):
            found.setdefault(plain(name), communes)
    return found


def _tolerance(entry: FeedEntry, variable: str, values: "pd.Series[float]") -> float:
    """Half a step of rounding for each part and for the total, or what decimals lose."""
    declared = entry.feed.variables[variable.partition(".")[2]].rounded_to or entry.secrecy.rounding
    return (len(values) + 1) * declared / 2 if declared else max(0.5, 0.0005 * abs(values.sum()))


def _adds_up(entry: FeedEntry, total: pd.Series, parts: pd.DataFrame) -> bool:
    """Whether a total is the sum of its parts, of which hidden ones are at most what their mark says."""
    values = parts["value"].dropna()
    margin = _tolerance(entry, str(total["variable"]), values)
    hidden = parts[parts["value"].isna()]
    below = hidden["raw"].where(hidden["lines"] == 1).str.extract(_BELOW, expand=False).astype(float)
    most = (below - 1).sum(skipna=False) if len(below) else 0.0  # unknown where a mark says no number
    over = total["value"] - values.sum()
    return bool(over >= -margin and not over > most + margin)


def unlike_their_sum(
    entry: FeedEntry,
    territories: Territories,
    frame: pd.DataFrame,
    columns: dict[str, str],
    partial: bool,
) -> Iterable[tuple[int, str]]:
    """Rows of no territory that are not known to be the sum of the communes, each with its line.

    ``partial``: rows of other départements were left out, a total of them all is not known.
    """
    known = wholes(territories)
    communes = frame[frame["level"] == "commune"]
    totals = frame[(frame["level"] == TOTAL) & frame["value"].notna()].astype({"line": "int64"})
    for line, label in totals[["line", "territory"]].drop_duplicates().itertuples(index=False):
        inside = known.get(plain(label), frozenset())
        if inside is None or (not inside and partial and _elsewhere(label, territories)):
            continue
        row = totals[(totals["line"] == line) & (totals["territory"] == label)]
        sums = row[[_is_sum(entry, variable) for variable in row["variable"]]]
        if not inside and (partial or (sums.empty and not says_total(label))):
            yield line, _unknown(label, row.iloc[0], columns)
            continue
        for _, total in sums.iterrows():
            parts = _parts(communes, total, inside)
            if parts.empty or not _adds_up(entry, total, parts):
                absent = _absent(territories, inside, set(communes["territory"]))
                yield line, f"{_said(label, total, parts, columns, plain(label) in known)}{absent}"
                break


def _absent(territories: Territories, inside: frozenset[str], present: set[str]) -> str:
    """The few communes of a whole, in whatever geography, that have no row: the cause of the gap."""
    each = [{t.code: t.label for t in territories.communes(g)} for g in territories.geographies]
    places, lacking = each[-1], set[str].intersection(*map(set, each)) - present
    lacking &= inside or lacking
    if not 0 < len(lacking) <= FEW:
        return ""
    shown = ", ".join(f"{places[code]} ({code})" for code in sorted(lacking))
    return f" ; {shown} {'est' if len(lacking) == 1 else 'sont'} sans ligne"


def _elsewhere(label: str, territories: Territories) -> bool:
    """Whether a label of a wider file is not of the perimeter: a total, or a place without a code."""
    return bool(label) and not label.startswith(territories.departements)


def _is_sum(entry: FeedEntry, variable: str) -> bool:
    return entry.feed.variables[variable.partition(".")[2]].aggregation == "sum"


def _parts(communes: pd.DataFrame, total: pd.Series, inside: frozenset[str]) -> pd.DataFrame:
    same = (communes["variable"] == total["variable"]) & (communes["month"] == total["month"])
    parts: pd.DataFrame = communes[same]
    return parts[parts["territory"].isin(inside)] if inside else parts


def _who(label: str) -> str:
    return f"« {label} » n'est pas un code de territoire" if label else "la ligne n'a pas de code"


def _unknown(label: str, row: pd.Series, columns: dict[str, str]) -> str:
    column = columns.get(str(row["variable"]), str(row["variable"]))
    figures = f"{column} : {_number(row['value'])}"
    return f"{_who(label)} et porte des chiffres ({figures}) : de quel territoire sont-ils ?"


def _said(
    label: str, total: pd.Series, parts: pd.DataFrame, columns: dict[str, str], whole: bool
) -> str:
    column = columns.get(str(total["variable"]), str(total["variable"]))
    found, expected = _number(total["value"]), _number(parts["value"].sum())
    said = f"{column} y vaut {found}, la somme des communes {expected}"
    who = f"« {label} »" if whole else f"{_who(label)}, et"
    return f"{who} n'est pas le total : {said}"


def _number(value: float) -> str:
    return french_number(value, 0 if float(value).is_integer() else 2)
