"""Names of places after « à » and « de »: contraction of Le and Les, elision before a vowel.

A group of communes is named by its kind, which is feminine: « dans la CA de Cambrai ».
"""

import unicodedata
from collections.abc import Callable, Sequence

_CONTRACTED = {"à": {"Le ": "au ", "Les ": "aux "}, "de": {"Le ": "du ", "Les ": "des "}}
_KINDS = ("CA ", "CC ", "CU ", "Communauté ", "Métropole ")
_VOWELS = "aeiouy"
"""H is not among them: most communes in H- have an aspirate one (« de Houilles »)."""


def at_place(label: str) -> str:
    """« à Lille », « au Havre », « aux Ulis », « à L’Île-Rousse », « à La Rochelle »."""
    if label.startswith(_KINDS):
        return f"dans la {label}"
    return _contracted("à", label) or f"à {label}"


def of_place(label: str) -> str:
    """« de Lille », « du Havre », « des Ulis », « de L’Île-Rousse », « d’Évreux »."""
    if label.startswith(_KINDS):
        return f"de la {label}"
    elided = not label.startswith(("L’", "L'")) and _initial(label) in _VOWELS
    return _contracted("de", label) or (f"d’{label}" if elided else f"de {label}")


def _contracted(preposition: str, label: str) -> str | None:
    for article, joined in _CONTRACTED[preposition].items():
        if label.startswith(article):
            return joined + label.removeprefix(article)
    return None


def _initial(label: str) -> str:
    return unicodedata.normalize("NFD", label.replace("Œ", "O"))[0].lower()


def enumerated(words: Sequence[str]) -> str:
    """« à Lille, au Havre et à Évreux »."""
    return " et ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


NAMED: dict[str, Callable[[str], str]] = {"": str, "à": at_place, "de": of_place}
"""What may stand after a place's slot."""
