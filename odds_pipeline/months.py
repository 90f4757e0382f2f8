"""Arithmetic on reference months, written ``YYYY-MM``."""

from datetime import date


def month_index(month: str) -> int:
    """Months since the year 0: ``year * 12 + month``."""
    return year_of(month) * 12 + number_of(month)


def month_of_index(index: int) -> str:
    """The month of a count of months, the inverse of :func:`month_index`."""
    return f"{(index - 1) // 12:04d}-{(index - 1) % 12 + 1:02d}"


def months_between(first: str, last: str) -> list[str]:
    """Consecutive months, both included."""
    return [month_of_index(i) for i in range(month_index(first), month_index(last) + 1)]


def shifted(month: str, months: int = 0, *, years: int = 0) -> str:
    """The month so many months and years later, or earlier when they are negative."""
    return month_of_index(month_index(month) + months + 12 * years)


def month_of(day: date) -> str:
    """The month that a day is in."""
    return f"{day:%Y-%m}"


def year_of(month: str) -> int:
    """2024 of ``2024-03``."""
    return int(month[:4])


def number_of(month: str) -> int:
    """3 of ``2024-03``."""
    return int(month[5:])
