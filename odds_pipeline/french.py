"""What is said in French of months, days, numbers, statuses, levels and access, wherever it is read."""

from typing import Literal

NBSP, THIN = "\u00a0", "\u202f"
NONE = "—"
"""What stands where there is no value."""

STATUSES = {
    "A": "",
    "P": "provisoire",
    "E": "estimé",
    "B": "rupture de série",
    "L": "non disponible",
    "M": "sans objet",
    "O": "manquant",
    "Q": "secret",
}
NOT_DELIVERED = "non livré"
"""Of a territory that has no row at all: no file of the release tells anything of it."""
CONFIDENTIAL = {"N": "non diffusé"}
"""A rate over too few is no secret: the figures it rests on may be read."""
LEVELS = {
    "commune": "commune",
    "ept": "établissement public territorial",
    "epci": "intercommunalité",
    "arrondissement": "arrondissement",
    "departement": "département",
    "region": "région",
    "metropole": "métropole",
    "zone_emploi": "zone d’emploi",
    "france": "France",
    "iris": "Iris",
    "qpv_2015": "quartier prioritaire (2015-2023)",
    "qpv_2024": "quartier prioritaire (depuis 2024)",
}
LEVELS_PLURAL = {
    "commune": "communes",
    "ept": "établissements publics territoriaux",
    "epci": "intercommunalités",
    "arrondissement": "arrondissements",
    "departement": "département",
    "region": "région",
    "metropole": "métropole",
    "zone_emploi": "zones d’emploi",
    "france": "France",
    "iris": "Iris",
    "qpv_2015": "quartiers prioritaires (2015-2023)",
    "qpv_2024": "quartiers prioritaires (depuis 2024)",
}
ACCESS = {
    "public": "tout public",
    "membres": "membres de l’observatoire",
    "partenaires": "partenaires habilités",
}
EVENTS = {
    "connexion": "Connexion",
    "connexion_refusee": "Connexion refusée",
    "deconnexion": "Déconnexion",
    "telechargement": "Téléchargement",
    "api": "Lecture par l’API",
    "compte": "Gestion des comptes",
}
"""What the journal of the members' site keeps."""
FAVOURABLE = (
    "",
    "parmi les plus favorables",
    "plutôt favorable",
    "plutôt difficile",
    "parmi les plus difficiles",
)
"""Said of the quarters of the communes, the first being the most favourable."""
VALUES = ("", "valeur haute", "valeur plutôt haute", "valeur plutôt basse", "valeur basse")
"""The same where no value is favourable."""
GLYPHS = ("", "▲", "△", "▽", "▼")
MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
SHORT_MONTHS = "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.".split()


def status_word(obs_status: str, conf_status: str = "F") -> str:
    """What to say of a status; an empty string for a normal, public value."""
    return CONFIDENTIAL.get(conf_status, "secret") if conf_status != "F" else STATUSES[obs_status]


def french_month(month: str | None) -> str:
    """``2024-03`` as ``mars 2024``; an empty string for no month."""
    return f"{MONTHS[int(month[5:7]) - 1]} {month[:4]}" if month else ""


def short_month(month: str | None) -> str:
    """``déc. 2024``, unbreakable, for the cells of a table."""
    return f"{SHORT_MONTHS[int(month[5:7]) - 1]}{NBSP}{month[:4]}" if month else ""


def numeric_month(month: str) -> str:
    """``2020-12`` as ``12/2020``, for narrow columns."""
    return f"{month[5:7]}/{month[:4]}"


def french_day(moment: str) -> str:
    """``3 janvier 2025`` from an ISO date or moment."""
    day = int(moment[8:10])
    return f"{'1er' if day == 1 else day} {french_month(moment[:7])}"


def numeric_day(moment: str) -> str:
    """``03/01/2025`` from an ISO date or moment."""
    return f"{moment[8:10]}/{numeric_month(moment)}"


def french_number(value: float, decimals: int, sign: Literal["", "+"] = "") -> str:
    """``−12 345,6``: narrow no-break spaces, a true minus; ``sign`` "+" also marks what is above zero.

    What rounds to zero has no sign. A half goes up, as in a spreadsheet: 5.25 is ``5,3``; 0.285, which a
    double holds as 0.28499…, is ``0,29``: it tells 15 figures.
    """
    shown = f"{abs(value) * (1 + 1e-15):,.{decimals}f}".replace(",", THIN).replace(".", ",")
    zero = not shown.strip("0,")
    return ("" if zero else "−" if value < 0 else sign) + shown


def decimals_of(value: float, decimals: int, to_the_unit: bool) -> int:
    """Those of an indicator, but none for a whole value where its producer rounds to the unit: 36 %, not
    36,0 %, which would be told to a tenth."""
    return 0 if to_the_unit and value == round(value) else decimals


def with_unit(number: str, symbol: str) -> str:
    """A number with its unit's symbol, unless there is none."""
    return f"{number}{NBSP}{symbol}" if symbol else number


def uncapital(text: str) -> str:
    """With a small first letter, unless it begins with initials."""
    return text if text[:2].isupper() else text[0].lower() + text[1:]


def licence_words(licence: str) -> str:
    """What a partner's licence is called; one that has no name here is told as it is declared."""
    if licence.startswith("convention"):
        return "Convention avec l’observatoire"
    return {"etalab-2.0": "Licence Ouverte 2.0 (Etalab)"}.get(licence, licence)
