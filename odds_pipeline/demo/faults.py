"""Faults planted in simulated deliveries, as partners really make them, for the gate to catch."""

from collections.abc import Callable

Rows = list[list[str]]
Fault = Callable[[Rows, int, int], None]


def _drop_commune(rows: Rows, code: int, value: int) -> None:
    del rows[8]


def _double_commune(rows: Rows, code: int, value: int) -> None:
    rows.insert(6, list(rows[5]))


def _unknown_code(rows: Rows, code: int, value: int) -> None:
    rows[4][code] = "93999"


def _negative(rows: Rows, code: int, value: int) -> None:
    rows[7][value] = "-12"


def _ten_times(rows: Rows, code: int, value: int) -> None:
    for row in rows[1:]:
        if row[value].replace("\u202f", "").isdigit():
            row[value] = row[value].replace("\u202f", "") + "0"


def _renamed(rows: Rows, code: int, value: int) -> None:
    rows[0][value] = rows[0][value] + "_V2"


def _text(rows: Rows, code: int, value: int) -> None:
    rows[3][value] = "à vérifier"


FAULTS: dict[str, Fault] = {
    "une commune manque": _drop_commune,
    "une commune figure deux fois": _double_commune,
    "un code de commune n'existe pas (93999)": _unknown_code,
    "un effectif est négatif": _negative,
    "une colonne est multipliée par dix": _ten_times,
    "une colonne est renommée": _renamed,
    "une cellule contient du texte": _text,
}
