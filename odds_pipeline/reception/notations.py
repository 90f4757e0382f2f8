"""Why cells of figures are no numbers: the one habit of a program that explains them all."""

import re
from collections import Counter
from collections.abc import Collection

_DIGITS = r"\d+(?:[.,]\d+)?"
_SPACE = r"[ \u00a0\u2000-\u200a\u202f\u205f]"


def _grouped(mark: str) -> str:
    """Numbers whose thousands are set apart by ``mark``."""
    return rf"[-−]?\d{{1,3}}(?:{mark}\d{{3}})+(?:[.,]\d+)?"


_ANY = rf"(?:{_DIGITS}|{_grouped(_SPACE)})"

_CAUSES = (
    (r"(?=.*[^\D0-9])[-−\s\d.,]+", "des chiffres d'une autre écriture (pleine chasse, arabes…)", None),
    (r"[-−]?\d+\.\d+", "un point dans le nombre, là où le contrat attend une virgule décimale", ","),
    (r"[-−]?\d+,\d+", "une virgule dans le nombre, là où le contrat attend un point décimal", "."),
    (_grouped(_SPACE), "une espace fine, ou d'une autre sorte, entre les milliers", None),
    (_grouped("['’]"), "une apostrophe entre les milliers", None),
    (_grouped("_"), "un tiret bas entre les milliers", None),
    (_grouped(","), "une virgule entre les milliers", None),
    (_grouped("[.]"), "un point entre les milliers", None),
    (rf"-?{_ANY}\s*(€|EUR|euros?|k€|M€)", "leur unité (€) dans la cellule", None),
    (rf"(€|EUR)\s*-?{_ANY}", "leur unité (€) dans la cellule", None),
    (rf"[−–—]\s*{_ANY}", "un signe moins qui est un tiret (−, –)", None),
    (rf"{_ANY}\s*[-−]", "un signe moins après le nombre", None),
    (rf"\(\s*{_ANY}\s*\)", "un nombre entre parenthèses, qui en comptabilité est négatif", None),
    (rf"[“”„«»]\s*-?{_ANY}\s*[“”„«»]", "des guillemets autour du nombre", None),
    (rf"['’`]\s*-?{_DIGITS}", "une apostrophe devant le nombre, qui en fait du texte", None),
    (r'="?-?[\d.,]+"?', "une formule de tableur au lieu d'un nombre", None),
    (r"-?\d+([.,]\d+)?E\+?\d+", "une notation scientifique, qui a perdu des chiffres", None),
    (r"-?\d{16,}([.,]\d*)?", "plus de chiffres qu'un nombre ne peut en garder", None),
    (r"#[A-ZÀ-Ü/0!?]+", "une erreur de tableur (#REF!, #N/A…)", None),
    (r"nan|inf|-inf|null|none", "une absence de nombre écrite par un programme (nan, null)", None),
    (rf"[-−]?{_ANY}\s*%", "un signe % dans une colonne qui n'est pas de pourcentages", None),
    (
        rf"[-+]?{_ANY}\s*(?:[(\[]\w{{1,3}}[)\]]|[a-zé*()²³¹⁰⁴-⁹]+\d*)",
        "un appel de note ou un mot après le nombre",
        None,
    ),
)
"""What a cell is written as, the words for it, and the decimal mark it speaks of, if it does."""


def cause_of(cell: str, decimal: str) -> str | None:
    """The one thing that keeps a cell from being a number, in French; ``None`` for a mere text."""
    shown = cell.strip()
    for pattern, words, mark in _CAUSES:
        if mark in (None, decimal) and re.fullmatch(pattern, shown, re.IGNORECASE):
            return words
    return None


MANY = 10
"""Cells from which one cause is told once, instead of each cell."""


def common_cause(cells: Collection[str], decimal: str) -> str | None:
    """The cause of nearly all of many cells, in French."""
    causes = Counter(cause_of(cell, decimal) for cell in cells)
    cause, count = causes.most_common(1)[0] if causes else (None, 0)
    return cause if count >= max(MANY, 0.9 * len(cells)) else None
