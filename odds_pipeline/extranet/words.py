"""Figures, months and comparisons in French, as pages and exports say them."""

from typing import Any

from odds_pipeline.french import french_number, status_word

MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
LEVELS = {
    "commune": "commune",
    "ept": "établissement public territorial",
    "arrondissement": "arrondissement",
    "departement": "département",
    "region": "région",
    "france": "France",
}
LEVELS_PLURAL = {
    "commune": "communes",
    "ept": "établissements publics territoriaux",
    "arrondissement": "arrondissements",
    "departement": "département",
    "region": "région",
    "france": "France",
}
DIRECTIONS = {
    "higher_is_better": "une valeur élevée est plutôt favorable",
    "lower_is_better": "une valeur basse est plutôt favorable",
    "neutral": "une valeur élevée n’est ni favorable ni défavorable",
}
ACCESS_WORDS = {
    "public": "tout public",
    "membres": "membres de l’observatoire",
    "partenaires": "partenaires habilités",
}
NBSP = "\u00a0"
SHORT = {
    "janvier": "janv.",
    "février": "févr.",
    "avril": "avr.",
    "juillet": "juil.",
    "septembre": "sept.",
    "octobre": "oct.",
    "novembre": "nov.",
    "décembre": "déc.",
}


def month_words(month: str | None) -> str:
    """``décembre 2024``; an empty string for no month."""
    return f"{MONTHS[int(month[5:7]) - 1]} {month[:4]}" if month else ""


def month_short(month: str | None) -> str:
    """``déc. 2024``, unbreakable, for table cells."""
    if not month:
        return ""
    name = MONTHS[int(month[5:7]) - 1]
    return f"{SHORT.get(name, name)}{NBSP}{month[:4]}"


def day_words(moment: str) -> str:
    """``3 janvier 2025`` from an ISO date or moment."""
    day = int(moment[8:10])
    return f"{'1er' if day == 1 else day} {month_words(moment[:7])}"


def figure(value: float | None, sheet: dict[str, Any]) -> str:
    """A value with its unit's symbol; a dash for none."""
    if value is None:
        return "—"
    symbol = sheet["symbol"] or ""
    return french_number(value, sheet["decimals"]) + (NBSP + symbol if symbol else "")


def signed(value: float | None, decimals: int, unit: str) -> str:
    """A difference or a change with its sign; a dash for none."""
    if value is None:
        return "—"
    shown = french_number(abs(value), decimals)
    zero = not any(c in "123456789" for c in shown)
    return ("" if zero else "+" if value > 0 else "−") + shown + (NBSP + unit if unit else "")


def difference_unit(sheet: dict[str, Any]) -> str:
    """Points for percentages, else the unit's symbol."""
    return "pts" if sheet["symbol"] == "%" else sheet["symbol"] or ""


def change(value: float | None, sheet: dict[str, Any]) -> str:
    """A change over years: per cent for what adds up, points for percentages."""
    word = {"points": "pts", "pct_evolution": "%"}.get(sheet["change_unit"], sheet["symbol"] or "")
    return signed(value, 1 if word in ("%", "pts") else sheet["decimals"], word)


def rank_words(row: dict[str, Any]) -> str:
    """``3ᵉ sur 40``; a dash for none."""
    if row.get("rank") is None:
        return "—"
    number = "1er" if row["rank"] == 1 else f"{row['rank']}e"
    return f"{number} sur {row['ranked']}"


def status(row: dict[str, Any]) -> str:
    """The statuses of a value in words."""
    return status_word(row["obs_status"], row["conf_status"])
