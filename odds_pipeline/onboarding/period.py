"""Finds the month a sample describes, in a column or the name of its file, and how to find it again."""

import re
from dataclasses import dataclass

from odds_pipeline.reception.periods import SHAPES, groups_of, month_of

DIGITS = {"year": r"20\d\d", "month": r"\d\d", "quarter": "[1-4]", "mois": r"[^\W\d_]+"}


class CannotPropose(ValueError):
    """No contract can be proposed from the sample; the text says why and what to do."""


@dataclass(frozen=True)
class PeriodFound:
    """The first month, the pattern of file names, ``period`` as declared and the column it is in.

    ``example``: the sample's own name, and its first cell when the period is in a column.
    """

    cadence: str
    month: str
    file: str
    example: dict[str, str]
    declared: dict[str, str]
    column: str | None = None


def find_period(name: str, columns: dict[str, list[str]]) -> PeriodFound:
    """From a column that changes with the period, else the file's name, else a column of one period.

    A column counts when each of its cells is a period. Raises :class:`CannotPropose`.
    """
    in_columns = []
    for title, cells in columns.items():
        for cadence, shape in SHAPES:
            if cells and all(re.search(f"^{shape}$", cell, re.IGNORECASE) for cell in cells):
                months = sorted({month_of(_groups(shape, cell), 12) or "" for cell in cells})
                in_columns.append((len(months), title, cadence, shape, months[0], cells[0]))
                break
    changing = [c for c in in_columns if c[0] > 1]
    matches = ((cadence, re.search(shape, name, re.IGNORECASE)) for cadence, shape in SHAPES)
    in_name = next(((cadence, match) for cadence, match in matches if match), None)
    if changing or (in_columns and in_name is None):
        _, title, cadence, shape, month, first = (changing or in_columns)[0]
        match = re.search(shape, first, re.IGNORECASE)
        pattern = f"{_written(match, first)}$" if match else shape
        if not all(re.search(pattern, cell, re.IGNORECASE) for cell in columns[title]):
            pattern = f"^{shape}$"  # the cells differ by more than their period: a day
        stem = re.split(r"\d{2,}", name.rsplit(".", 1)[0])[0]
        example = {"file": name, "cell": first}
        return PeriodFound(
            cadence, month, _literal(stem), example, {"column": title, "pattern": pattern}, title
        )
    if in_name is None:
        raise CannotPropose(
            f"{name}: no period, neither in the file's name nor in a column. Rename the file with its "
            "year or its month, as in allocataires_2024-12.csv, and agree on it with the partner"
        )
    cadence, match = in_name
    years = sorted(set(re.findall(r"(?<!\d)20\d\d(?=\D|$|0[1-9]|1[0-2])", name)))
    if len(years) > 1:
        raise CannotPropose(
            f"{name}: the name has several years ({', '.join(years)}): which one do the figures "
            "describe? Rename the file with that one only"
        )
    file = _written(match, name)
    return PeriodFound(
        cadence, month_of(match.groupdict(), 12) or "", file, {"file": name}, {"file": file}
    )


def _groups(shape: str, cell: str) -> dict[str, str]:
    return groups_of(f"^{shape}$", cell)


def _literal(start: str) -> str:
    """A pattern for names that start so."""
    return "^" + re.sub(r"\\([- ])", r"\1", re.escape(start))


def _written(match: re.Match[str], name: str) -> str:
    """The pattern of names written as ``name`` is, with the period that was found in it."""
    found, at = _literal(name[: match.start()]), match.start()
    for group in sorted(match.groupdict(), key=match.start):
        found += _literal(name[at : match.start(group)])[1:] + f"(?P<{group}>{DIGITS[group]})"
        at = match.end(group)
    return found
