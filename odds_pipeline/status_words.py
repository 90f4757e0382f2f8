"""French words for SDMX statuses, as readers see them, and numbers in French format."""

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


def french_number(value: float, decimals: int) -> str:
    """``12 345,6`` with narrow no-break spaces (U+202F)."""
    shown = f"{value:,.{decimals}f}"
    return shown.replace(",", "\u202f").replace(".", ",")
