"""French words for SDMX statuses, as readers see them, and numbers in French format."""

from typing import Literal

WORDS = {
    "A": "",
    "P": "provisoire",
    "E": "estimé",
    "B": "rupture de série",
    "L": "non disponible",
    "M": "sans objet",
    "O": "manquant",
    "Q": "secret",
}


def status_word(obs_status: str, conf_status: str = "F") -> str:
    """What to say of a status; an empty string for a normal, public value."""
    return "secret" if conf_status != "F" else WORDS[obs_status]


MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()


def french_month(month: str) -> str:
    """``2024-03`` as ``mars 2024``."""
    return f"{MONTHS[int(month[5:]) - 1]} {month[:4]}"


def french_number(value: float, decimals: int, sign: Literal["", "+"] = "") -> str:
    """``12 345,6`` with narrow no-break spaces (U+202F); ``sign`` "+" also marks what is above zero."""
    shown = f"{value:{sign},.{decimals}f}"
    return shown.replace(",", "\u202f").replace(".", ",")
