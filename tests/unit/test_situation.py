"""What the site says of a value in words: cases worked by hand."""

import re
from typing import Any

import pytest

from odds_pipeline.charts.strip import Strip, strip
from odds_pipeline.extranet.reading.situation import age, quarters, situation, trend

RATE: dict[str, Any] = {
    "indicator": "taux",
    "symbol": "%",
    "decimals": 1,
    "direction": "lower_is_better",
    "change_unit": "points",
    "breaks": [],
    "years_apart": 1,
}
COUNT = RATE | {"symbol": "", "decimals": 0, "direction": "neutral", "change_unit": "pct_evolution"}


def row(series: dict[str, float | None], **changes: Any) -> dict[str, Any]:
    last = max(series)
    return {
        "month": last,
        "value": series[last],
        "months": list(series),
        "points": list(series.values()),
        "quartile": 4,
        "ci_low": None,
        "ci_high": None,
        "departement_value": 27.6,
    } | changes


@pytest.mark.parametrize(
    ("changes", "sheet", "said"),
    [
        ({}, RATE, "parmi les plus difficiles"),
        ({"quartile": 1}, RATE, "parmi les plus favorables"),
        ({"quartile": 1}, COUNT, "valeur haute"),
        ({"quartile": None}, RATE, ""),  # fewer than eight communes are ranked
        ({"ci_low": 27.0, "ci_high": 43.0}, RATE, "ne se distingue pas du département"),
        ({"ci_low": 28.0, "ci_high": 43.0}, RATE, "parmi les plus difficiles"),
    ],
)  # fmt: skip
def test_where_a_territory_stands(changes: dict[str, Any], sheet: dict[str, Any], said: str) -> None:
    assert situation(row({"2020-12": 35.0}, **changes), sheet).text == said


BREAK = {"breaks": [{"month": "2019-01", "reason": "méthode"}]}


@pytest.mark.parametrize(
    ("series", "sheet", "said"),
    [
        ({"2014-12": 30.0, "2020-12": 35.0}, RATE, "en hausse, +5,0\u00a0pts depuis 2014"),
        ({"2014-12": 35.0, "2020-12": 30.0}, RATE, "en baisse, −5,0\u00a0pts depuis 2014"),
        ({"2014-12": 34.6, "2020-12": 35.0}, RATE, "stable depuis 2014"),  # 0.4 point
        ({"2020-12": 35.0}, RATE, "une seule période"),
        ({"2014-12": 30.0, "2020-12": 35.0}, RATE | BREAK, "rupture de série"),
        ({"2014-12": 30.0, "2019-12": 33.0, "2020-12": 35.0}, RATE | BREAK, "en hausse, +2,0\u00a0pts depuis 2019"),
        ({"2005-12": 10.0, "2020-12": 35.0}, RATE, "une seule période comparable"),  # 15 years: too long ago
        ({"2020-03": 10.0, "2020-12": 35.0}, RATE, "une seule période comparable"),  # nine months, another season
        ({"2018-01": 30.0, "2019-01": 35.0}, RATE | {"years_apart": 5}, "une seule période comparable"),  # shared answers
        ({"2014-12": 1000.0, "2020-12": 1105.0}, COUNT, "en hausse, +10,5\u00a0% depuis 2014"),
        ({"2014-12": 1000.0, "2020-12": 1019.0}, COUNT, "stable depuis 2014"),  # 1.9 %
        (
            {"2014-12": 14319.0, "2020-12": 15910.0},
            COUNT | {"symbol": "€/UC", "change_unit": None},
            "en hausse, +1\u202f591\u00a0€/UC en euros courants depuis 2014",
        ),
        ({"2014-12": None, "2020-12": 35.0}, RATE, "une seule période"),
        (
            {f"{2012 + i}-12": v for i, v in enumerate([2.0, 20.0, 3.0, 18.0, 1.0, 22.0, 4.0, 19.0])},
            RATE,
            "irrégulier, de 1,0\u00a0% à 22,0\u00a0% depuis 2012",
        ),
    ],
)  # fmt: skip
def test_where_it_goes(series: dict[str, float | None], sheet: dict[str, Any], said: str) -> None:
    assert trend(row(series), sheet).text == said


def test_a_change_within_the_intervals_is_no_change() -> None:
    """±2 points at both ends leave 2.8 open: 2.5 points say nothing, 3 points do."""
    wide = {"ci_low": 33.0, "ci_high": 37.0}
    assert trend(row({"2014-12": 32.5, "2020-12": 35.0}, **wide), RATE).kind == "stable"
    assert trend(row({"2014-12": 32.0, "2020-12": 35.0}, **wide), RATE).kind == "hausse"


def test_a_point_between_rates_given_to_the_unit_is_no_change() -> None:
    """35 and 36 may be 35.4 and 35.5; what has a decimal, or two points of difference, is told."""
    assert trend(row({"2020-12": 35.0, "2021-12": 36.0}), RATE).text == "stable depuis 2020"
    assert trend(row({"2020-12": 34.0, "2021-12": 36.0}), RATE).kind == "hausse"
    assert trend(row({"2020-12": 34.9, "2021-12": 36.0}), RATE).kind == "hausse"


def test_what_already_is_a_change_has_no_arrow() -> None:
    told = trend(
        row({"2014-12": 1.0, "2020-12": 9.0}), RATE | {"indicator": "evolution_population_5_ans"}
    )
    assert told.text == "déjà une évolution" and not told.glyph


def test_the_age_of_a_figure_is_said_from_eighteen_months() -> None:
    assert age("2020-12", "2026-11-28") == "il y a 6 ans"
    assert age("2025-05", "2026-11-28") == "il y a 2 ans"
    assert age("2025-06", "2026-11-28") == ""


def test_quarters_count_what_has_a_favourable_sense_only() -> None:
    rows = {
        "a": row({"2020-12": 1.0}),
        "b": row({"2020-12": 1.0}, quartile=1),
        "c": row({"2020-12": 1.0}),
    }
    assert quarters(rows, {"a": RATE, "b": RATE, "c": COUNT}) == {"quart4": ["a"], "quart1": ["b"]}


def test_a_strip_shows_every_value_once_within_its_frame() -> None:
    values = [6.0, 6.0, 12.0, 18.5, 27.0, 27.1, 31.0, 42.0]
    drawn = strip(Strip(values, own=31.0, reference=27.6), "De 6 à 42")
    places = re.findall(r"M([\d.]+) ([\d.]+)h0", drawn)
    assert len(places) == len(values)
    assert {(float(x) >= 7, float(x) <= 193) for x, _ in places} == {(True, True)}
    assert len(set(places)) == len(values)  # a tie stands on the other, and does not hide it
    own = re.search(r'cx="([\d.]+)"', drawn)
    assert own is not None and float(own.group(1)) == pytest.approx(7 + 186 * 25 / 36, abs=0.01)
    assert 'aria-label="De 6 à 42"' in drawn and "style" not in drawn
