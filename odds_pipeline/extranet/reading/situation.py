"""What is said of a value in words: its place among the communes, where it goes, how old it is.

Silent where nothing can be said: too few territories, no favourable direction, an interval that holds
the reference, a break between two periods.
"""

from dataclasses import dataclass
from itertools import pairwise

from odds_pipeline.extranet import words
from odds_pipeline.extranet.reading.serving import Row
from odds_pipeline.french import FAVOURABLE, GLYPHS, VALUES
from odds_pipeline.months import month_index, month_of_index

LONGEST = 11 * 12
"""Months over which a change is told: beyond, too much else has changed."""


@dataclass(frozen=True)
class Words:
    """A glyph, which a style sheet may colour by ``kind``, and the words that stand without it."""

    kind: str
    glyph: str
    text: str


NOTHING = Words("aucun", "", "")


def situation(row: Row, sheet: Row) -> Words:
    """The quarter of the communes that a value is in; in a favourable sense where there is one."""
    quarter = row.get("quartile")
    if row["value"] is None or quarter is None:
        return NOTHING
    if _not_told_apart(row):
        return Words("egal", "≈", "ne se distingue pas du département")
    if sheet["direction"] == "neutral":
        return Words(f"neutre{quarter}", "", VALUES[quarter])
    return Words(f"quart{quarter}", GLYPHS[quarter], FAVOURABLE[quarter])


def _not_told_apart(row: Row) -> bool:
    """Whether the département's value lies in the value's own interval."""
    low, high, reference = row["ci_low"], row["ci_high"], row["departement_value"]
    return None not in (low, high, reference) and low <= reference <= high


def trend(row: Row, sheet: Row) -> Words:
    """From the first comparable period to the row's own.

    Comparable: the same month of the year, the same side of every break, surveys that share no answers.
    """
    if row["value"] is None:
        return NOTHING
    if "evolution" in sheet["indicator"]:
        return Words("aucun", "", "déjà une évolution")
    breaks = [month_index(b["month"]) for b in sheet["breaks"]]
    end = month_index(row["month"])
    after = max((b for b in breaks if b <= end), default=-1)
    apart = max(12, sheet.get("years_apart", 0) * 12 or 12)
    known = [
        (month_index(month), value)
        for month, value in zip(row["months"], row["points"], strict=True)
        if value is not None
    ]
    since = [
        (month, value)
        for month, value in known
        if after <= month <= end - apart and (end - month) % 12 == 0 and end - month <= LONGEST
    ]
    if not since:
        cut = any(month < after for month, _ in known)
        alone = "une seule période" if len(known) < 2 else "une seule période comparable"
        return Words("aucun", "", "rupture de série" if cut else alone)
    run = [value for month, value in known if month >= since[0][0] and (end - month) % 12 == 0]
    if _irregular(run):
        low, high = words.figure(min(run), sheet), words.figure(max(run), sheet)
        return Words("aucun", "", f"irrégulier, de {low} à {high} depuis {_year(since[0][0])}")
    return _told(row, sheet, since[0][1], since[0][0])


def _year(index: int) -> str:
    return month_of_index(index)[:4]


def _irregular(run: list[float]) -> bool:
    """Whether eight yearly values or more move by over a third of their level from one to the next."""
    level = sum(abs(value) for value in run) / len(run)
    moves = [abs(later - sooner) for sooner, later in pairwise(run)]
    return len(run) >= 8 and sum(moves) / len(moves) > 0.35 * level


def _told(row: Row, sheet: Row, start: float, first: int) -> Words:
    change = row["value"] - start
    since = f"depuis {_year(first)}"
    relative = sheet["change_unit"] == "pct_evolution"
    least = _least(row, sheet, start)
    if abs(change) < least:
        return Words("stable", "→", f"stable {since}")
    shown = words.change(100 * change / start if relative and start else change, sheet)
    # Prices rise too: what money bought may have fallen.
    shown += " en euros courants" if "€" in (sheet["symbol"] or "") else ""
    return Words(
        "hausse" if change > 0 else "baisse",
        "↗" if change > 0 else "↘",
        f"en {'hausse' if change > 0 else 'baisse'}, {shown} {since}",
    )


def _least(row: Row, sheet: Row, start: float) -> float:
    """The least change worth a word: half a point, 2 % of anything else, what intervals leave open.

    Two percentages that their producer gives to the unit may differ by a point and be the same.
    """
    least = 0.5 if sheet["symbol"] == "%" else 0.02 * abs(start)
    if sheet["symbol"] == "%" and start == round(start) and row["value"] == round(row["value"]):
        least = 1.01
    if row["ci_low"] is not None and row["ci_high"] is not None:
        least = max(least, 1.4 * (row["ci_high"] - row["ci_low"]) / 2)  # 1.4: both ends are uncertain
    return least


def age(month: str, published_at: str) -> str:
    """« il y a 6 ans », from eighteen months before the release; nothing before."""
    months = month_index(published_at[:7]) - month_index(month)
    return f"il y a {round(months / 12)} ans" if months >= 18 else ""


def quarters(rows: dict[str, Row], definitions: dict[str, Row]) -> dict[str, list[str]]:
    """Indicators that have a favourable sense and a quarter, by what is said of them."""
    found: dict[str, list[str]] = {}
    for name, row in rows.items():
        told = situation(row, definitions[name]).kind
        if told.startswith("quart") or told == "egal":
            found.setdefault(told, []).append(name)
    return found
