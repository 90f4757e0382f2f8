"""Figures in words, as members read them."""

from typing import Any

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.extranet.words import change


@pytest.mark.parametrize(
    ("indicator", "value", "shown"),
    [
        ("foyers_allocataires", -25.04, "−25,0\u00a0%"),  # a count changes by per cent, and says so
        ("taux_pauvrete", 1.5, "+1,5\u00a0pts"),
        ("taux_natalite", -0.5, "−0,5\u00a0‰"),
        ("taux_pauvrete", None, "—"),
        ("taux_pauvrete", 0.0, "0,0\u00a0pts"),
    ],
)
def test_a_change_says_its_unit(
    project: Project, indicator: str, value: float | None, shown: str
) -> None:
    declared = project.indicators[indicator].indicator
    unit = project.units[declared.unit]
    sheet: dict[str, Any] = {
        "symbol": unit.symbol,
        "decimals": declared.decimals,
        "change_unit": unit.change_unit,
    }
    assert change(value, sheet) == shown
