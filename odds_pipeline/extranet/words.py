"""Values and comparisons in French, each with the unit of its indicator, as pages say them."""

import re
from collections.abc import Mapping
from typing import Any, Protocol

from odds_pipeline.declarations.observatory import Observatory
from odds_pipeline.extranet.reading.serving import Place
from odds_pipeline.french import NONE, decimals_of, french_number, licence_words, status_word, with_unit
from odds_pipeline.publications.periods import Said, period_words
from odds_pipeline.publications.statements.places import of_place

DIRECTIONS = {
    "higher_is_better": "une valeur élevée est plutôt favorable",
    "lower_is_better": "une valeur basse est plutôt favorable",
    "neutral": "une valeur élevée n’est ni favorable ni défavorable",
}


def figure(value: float | None, sheet: dict[str, Any]) -> str:
    """A value with its unit's symbol; a dash for none."""
    if value is None:
        return NONE
    shown = decimals_of(value, sheet["decimals"], sheet.get("to_the_unit", False))
    return with_unit(french_number(value, shown), sheet["symbol"] or "")


def of(place: Place, observatory: Observatory) -> str:
    """A territory after a noun: « d’Évreux », « du Havre », « de la Seine-Maritime »."""
    whole = observatory.departements == [place.code]
    return observatory.of_territory if whole else of_place(place.label)


def period(month: str | None, sheet: dict[str, Any], said: Said = "bref") -> str:
    """A month as the period it stands for: a year, a first of January, a school year, a month."""
    return period_words(month, sheet["cadence"], said) if month else ""


_VARIABLE = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")


def formula(text: str, labels: Mapping[str, str]) -> str:
    """A formula with its variables by the labels they have today: « Foyers au RSA » / « Foyers »."""
    told = _VARIABLE.sub(
        lambda found: f"« {labels[found[0]]} »" if found[0] in labels else found[0], text
    )
    return told.replace(" * ", " × ")


def licences(text: str) -> str:
    """The licences of a source by their names."""
    return " ; ".join(licence_words(one) for one in text.split(" ; "))


def delivered(value: float) -> str:
    """A raw figure as it was given: whole, or with the decimals it has, six at most."""
    _, _, decimals = f"{value:.6f}".rstrip("0").partition(".")
    return french_number(value, len(decimals))


def signed(value: float | None, decimals: int, unit: str) -> str:
    """A difference or a change with its sign; a dash for none."""
    if value is None:
        return NONE
    return with_unit(french_number(value, decimals, "+"), unit)


def difference_unit(sheet: dict[str, Any]) -> str:
    """Points for percentages, else the unit's symbol."""
    return "pts" if sheet["symbol"] == "%" else sheet["symbol"] or ""


def change(value: float | None, sheet: dict[str, Any]) -> str:
    """A change over years: per cent for what adds up, points for percentages."""
    word = {"points": "pts", "pct_evolution": "%"}.get(sheet["change_unit"], sheet["symbol"] or "")
    shown = 1 if word in ("%", "pts") else sheet["decimals"]
    return signed(value, decimals_of(value or 0.0, shown, sheet.get("to_the_unit", False)), word)


def counted(sheet: dict[str, Any]) -> str:
    """What follows a bare number: the things counted. A mean, a ratio and an index have no such word."""
    return "" if sheet["symbol"] or sheet.get("kind") != "count" else str(sheet["unit_label"])


def rank_ends(sheet: dict[str, Any]) -> tuple[str, str]:
    """The first and the last of a ranking."""
    if sheet["direction"] == "neutral":
        return "la plus haute valeur", "la plus basse"
    return "la plus favorable", "la moins favorable"


def rank_words(row: dict[str, Any], tied: int) -> str:
    """``3e sur 40``, ``34e ex æquo sur 40`` where so many communes share that rank; a dash for none."""
    if row.get("rank") is None:
        return NONE
    number = "1er" if row["rank"] == 1 else f"{row['rank']}e"
    return f"{number}{' ex æquo' if tied > 1 else ''} sur {row['ranked']}"


def bare_rank(row: dict[str, Any], ranks: Mapping[int, int]) -> str:
    """``34``, ``34 ex.`` where ``ranks`` counts several of it; a dash for none."""
    if row["rank"] is None:
        return NONE
    return f"{row['rank']}{' ex.' if ranks[row['rank']] > 1 else ''}"


def place_words(row: dict[str, Any], ranks: Mapping[int, int], sheet: dict[str, Any]) -> str:
    """The place from the nearer end: ``6e plus haute valeur des 40 communes, ex æquo``."""
    tied = ranks[row["rank"]]
    other = row["ranked"] - row["rank"] - tied + 2
    highest, lowest = (
        (other, row["rank"]) if sheet["direction"] == "lower_is_better" else (row["rank"], other)
    )
    number, end = min((highest, "haute"), (lowest, "basse"))
    first = "la" if number == 1 else f"{number}e"
    return f"{first} plus {end} valeur des {row['ranked']} communes{', ex æquo' if tied > 1 else ''}"


class Statused(Protocol):
    """Anything that has the two statuses of a value."""

    obs_status: str
    conf_status: str


def status(row: dict[str, Any] | Statused) -> str:
    """The statuses of a value in words."""
    if isinstance(row, dict):
        return status_word(row["obs_status"], row["conf_status"])
    return status_word(row.obs_status, row.conf_status)
