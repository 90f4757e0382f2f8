"""Search forgives accents, case and typing errors, and finds nothing one may not see."""

import pytest

from .conftest import Site


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("population municipale", "population_municipale"),
        ("POPULATION MUNICIPALE", "population_municipale"),
        ("populasion municipal", "population_municipale"),
        ("foyers alocataires", "foyers_allocataires"),
        ("la population de la commune", "population_municipale"),
    ],
)
def test_indicators(site: Site, words: str, found: str) -> None:
    answer = site.client("ccas").get("/api/v1/recherche", params={"q": words}).json()
    assert found in answer["indicateurs"][:12]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("bobigny", "93008"),
        ("bobgny", "93008"),
        ("epinay", "93031"),
        ("Épinay-sur-Seine", "93031"),
        ("st denis", "93066"),
        ("93008", "93008"),
        ("ile saint denis", "93039"),
        ("est ensemble", "200057875"),
    ],
)
def test_territories(site: Site, words: str, code: str) -> None:
    assert code in site.client().get("/api/v1/recherche", params={"q": words}).json()["territoires"][:3]


@pytest.mark.parametrize(
    "words", ["%", "'", '"; DROP TABLE definitions', "\x00", "🙂", "de la", "x" * 200]
)
def test_odd_words_do_no_harm(site: Site, words: str) -> None:
    assert site.client().get("/api/v1/recherche", params={"q": words}).status_code == 200
    assert site.client().get("/recherche", params={"q": words}).status_code == 200


def test_every_level_has_french_words() -> None:
    from odds_pipeline.declarations.feed import LEVELS
    from odds_pipeline.extranet.words import LEVELS as WORDS
    from odds_pipeline.extranet.words import LEVELS_PLURAL

    assert set(WORDS) == set(LEVELS_PLURAL) == set(LEVELS)
