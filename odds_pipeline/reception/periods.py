"""Reference months read from file names, headers and cells."""

import re
from functools import cache, lru_cache

from odds_pipeline.french import MONTHS
from odds_pipeline.geography.territories import plain

_MONTHS = [plain(month) for month in MONTHS]


def month_number(label: str) -> int | None:
    """The month a French label stands for, short or long: ``févr``, ``août``, ``Septembre``."""
    name = plain(label)
    if len(name) < 3:
        return None
    found = [i for i, month in enumerate(_MONTHS, start=1) if month.startswith(name)]
    return found[0] if len(found) == 1 else None


_NAMES = (
    r"janv(?:ier)?|f[ée]v(?:r(?:ier)?)?|mars|avr(?:il)?|mai|juin|juil(?:let)?|ao[ûu]t"
    r"|sept(?:embre)?|oct(?:obre)?|nov(?:embre)?|d[ée]c(?:embre)?"
)
SHAPES = (
    ("monthly", r"(?P<year>20\d\d)[-_]?(?P<month>0[1-9]|1[0-2])(?!\d)"),
    ("monthly", r"(?P<year>20\d\d)-(?P<month>0[1-9]|1[0-2])-[0-3]\d(?!\d)"),
    ("monthly", r"[0-3]\d/(?P<month>0[1-9]|1[0-2])/(?P<year>20\d\d)(?!\d)"),
    ("monthly", r"(?<!\d)(?P<month>0[1-9]|1[0-2])[-/](?P<year>20\d\d)(?!\d)"),
    ("monthly", rf"(?<![^\W\d_])(?P<mois>{_NAMES})\.?[-_ ]?(?P<year>20\d\d)(?!\d)"),
    ("quarterly", r"(?P<year>20\d\d)[-_ ]?[TtQq](?P<quarter>[1-4])(?!\d)"),
    ("quarterly", r"(?<![^\W\d_])[TtQq](?P<quarter>[1-4])[-_ ]?(?P<year>20\d\d)(?!\d)"),
    ("annual", r"(?<!\d)(?P<year>20\d\d)(?!\d)"),
)
"""Periods as names and columns write them, the finest first, each with its cadence."""


def in_any_name(name: str) -> list[dict[str, str]]:
    """The periods that a file's name tells, by no contract's pattern, the finest first."""
    return [groups for _, shape in SHAPES if (groups := groups_of(shape, name))]


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def groups_of(pattern: str | None, text: str) -> dict[str, str]:
    """The named groups that ``pattern`` finds in ``text``; empty when it does not match."""
    match = _compiled(pattern).search(text) if pattern else None
    return {k: v for k, v in match.groupdict().items() if v is not None} if match else {}


def year_of(groups: dict[str, str]) -> int | None:
    """The year of the groups ``year`` or ``yy``."""
    if "year" in groups:
        return int(groups["year"])
    return 2000 + int(groups["yy"]) if "yy" in groups else None


def month_of(groups: dict[str, str], default_month: int, year_shift: int = 0) -> str | None:
    """``YYYY-MM`` from the groups year or yy, month, mois or quarter; ``None`` without a year."""
    year = year_of(groups)
    if year is None:
        return None
    month: int | None = default_month
    if "month" in groups:
        month = int(groups["month"])
    elif "mois" in groups:
        month = month_number(groups["mois"])
    elif "quarter" in groups:
        month = int(groups["quarter"]) * 3
    if month is None or not 1 <= month <= 12:
        return None
    return f"{year + year_shift:04d}-{month:02d}"


@lru_cache(4096)
def with_year(name: str, year: int | None) -> str:
    """Fill ``{yyyy}`` and ``{yy}`` in a column name; ``{yyyy-2}`` is two years before."""
    if year is None or "{" not in name:
        return name

    def written(found: re.Match[str]) -> str:
        shifted = year - int(found[2] or 0)
        return f"{shifted:04d}" if found[1] == "yyyy" else f"{shifted % 100:02d}"

    return re.sub(r"\{(yyyy|yy)(?:-(\d))?\}", written, name)
