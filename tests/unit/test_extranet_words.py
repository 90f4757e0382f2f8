"""Figures in words, as members read them."""

from typing import Any

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.extranet.reading.serving import Place
from odds_pipeline.extranet.words import change, figure, formula, licences, of, rank_words


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


def test_a_rate_that_its_producer_gives_to_the_unit_has_no_tenth(project: Project) -> None:
    sheet: dict[str, Any] = {"symbol": "%", "decimals": 1, "change_unit": "points", "to_the_unit": True}
    assert [figure(v, sheet) for v in (36.0, 27.6)] == ["36\u00a0%", "27,6\u00a0%"]
    assert [change(v, sheet) for v in (-2.0, -1.4)] == ["−2\u00a0pts", "−1,4\u00a0pts"]
    assert figure(36.0, sheet | {"to_the_unit": False}) == "36,0\u00a0%"
    declared = {name for name, entry in project.indicators.items() if entry.indicator.to_the_unit}
    assert {"taux_pauvrete", "part_menages_imposes"} < declared and "part_minima_sociaux" not in declared


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("93001", "d’Aubervilliers"),
        ("93013", "du Bourget"),
        ("93045", "des Lilas"),
        ("93031", "d’Épinay-sur-Seine"),
        ("93027", "de La Courneuve"),
        ("200057875", "d’Est Ensemble"),
        ("93", "de la Seine-Saint-Denis"),
    ],
)
def test_the_name_of_a_territory_follows_a_noun_in_french(
    project: Project, code: str, said: str
) -> None:
    found = next(t for t in project.territories.all if t.code == code)
    place = Place(code, found.label, found.label, found.level, "", "", "", (found.geography,), ())
    assert of(place, project.observatory) == said


def test_formulas_and_licences_are_told_by_their_names() -> None:
    labels = {"caf.foyers_rsa": "Foyers au RSA", "caf.foyers": "Foyers allocataires"}
    told = formula("100 * caf.foyers_rsa / caf.foyers + insee.autre", labels)
    assert told == "100 × « Foyers au RSA » / « Foyers allocataires » + insee.autre"
    assert licences("convention-odds ; etalab-2.0") == (
        "Convention avec l’observatoire ; Licence Ouverte 2.0 (Etalab)"
    )


def test_communes_of_one_value_are_ex_aequo() -> None:
    row = {"rank": 3, "ranked": 40}
    assert [rank_words(row, tied) for tied in (1, 2)] == ["3e sur 40", "3e ex æquo sur 40"]
    assert rank_words({"rank": None}, 0) == "—"
