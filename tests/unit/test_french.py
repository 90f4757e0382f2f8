"""Months and numbers in words, and that they are said in one place."""

import re
from datetime import date
from pathlib import Path
from typing import Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

import odds_pipeline
from odds_pipeline import french
from odds_pipeline.declarations.access import ACCESS
from odds_pipeline.declarations.feed import Level
from odds_pipeline.months import month_index, month_of, month_of_index, months_between, shifted

ENGINE = Path(odds_pipeline.__file__).parent


@pytest.mark.parametrize(
    ("value", "decimals", "sign", "shown"),
    [
        (1234567.5, 0, "", "1\u202f234\u202f568"),
        (-12345.61, 1, "", "−12\u202f345,6"),
        (-0.04, 1, "", "0,0"),
        (0.0, 1, "+", "0,0"),
        (0.04, 1, "+", "0,0"),
        (0.25, 2, "+", "+0,25"),
        (-0.5, 1, "+", "−0,5"),
        (5.25, 1, "", "5,3"),
        (-2.5, 0, "", "−3"),
        (0.285, 2, "", "0,29"),
        (0.2849999, 2, "", "0,28"),
        (0.05, 1, "+", "+0,1"),
        (6_800_000_000_123, 0, "", "6\u202f800\u202f000\u202f000\u202f123"),
    ],
)
def test_numbers(value: float, decimals: int, sign: Literal["", "+"], shown: str) -> None:
    assert french.french_number(value, decimals, sign) == shown


def test_a_rate_given_to_the_unit_is_not_told_to_a_tenth() -> None:
    assert [french.decimals_of(value, 1, True) for value in (36.0, 27.6, -2.0)] == [0, 1, 0]
    assert french.decimals_of(36.0, 1, False) == 1


def test_months_and_days() -> None:
    assert french.french_month("2024-03") == "mars 2024"
    assert french.french_month(None) == ""
    assert french.short_month("2024-12") == "déc.\u00a02024"
    assert french.short_month("2024-05") == "mai\u00a02024"
    assert french.numeric_month("2020-12") == "12/2020"
    assert french.french_day("2025-08-01T10:00:00+00:00") == "1er août 2025"
    assert french.numeric_day("2025-01-03T10:00:00+00:00") == "03/01/2025"


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.integers(-600, 600))
def test_shifting_is_the_calendars(day: date, months: int) -> None:
    """Counted one month at a time, as on a wall calendar."""
    year, month = day.year, day.month
    for _ in range(abs(months)):
        month += 1 if months > 0 else -1
        if month in (0, 13):
            year, month = (year - 1, 12) if month == 0 else (year + 1, 1)
    assert shifted(month_of(day), months) == f"{year:04d}-{month:02d}"
    assert month_of_index(month_index(month_of(day))) == month_of(day)


def test_months_between_are_both_included() -> None:
    assert months_between("2023-11", "2024-02") == ["2023-11", "2023-12", "2024-01", "2024-02"]


def test_every_level_and_class_has_its_word() -> None:
    assert set(get_args(Level)) == set(french.LEVELS) == set(french.LEVELS_PLURAL)
    assert set(ACCESS) == set(french.ACCESS)


@pytest.mark.parametrize(
    "said",
    [
        r"janvier.{1,6}f[ée]vrier",  # names of months
        r"""replace\(["']-["'], ["']−["']\)""",  # a minus
        r"\[:4\]\) *[-+*] *\d|\[5:7?\]\) *[-+%/]",  # arithmetic on months
        r"membres de l.observatoire\"|partenaires habilit",  # classes of access
        r"\"[ée]tablissements? publics? territoria(l|ux)\"",  # levels
    ],
)
def test_said_once(said: str) -> None:
    """Months, numbers, levels and classes of access are put in words by french.py and months.py."""
    found = [
        f"{path.relative_to(ENGINE)}:{number}"
        for path in ENGINE.rglob("*.py")
        if path.name not in ("french.py", "months.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(said, line, re.IGNORECASE)
    ]
    assert found == []
