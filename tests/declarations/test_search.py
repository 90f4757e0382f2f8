"""Readers find an indicator by the words they have for it."""

import json

import pytest
from typer.testing import CliRunner

from odds_pipeline.cli import app
from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.search import find


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("taux de pauvreté", "taux_pauvrete"),
        ("TAUX PAUVRETE", "taux_pauvrete"),
        ("bébés", None),
        ("population municipale", "population_municipale"),
        ("foyers_allocataires", "foyers_allocataires"),
    ],
)
def test_words(project: Project, words: str, first: str | None) -> None:
    found = find(project, words)
    assert (found[0].id if found else None) == first


def test_accents_case_and_plural_do_not_matter(project: Project) -> None:
    found = [
        [e.id for e in find(project, words)]
        for words in ("décès", "DECES", "deces", "Ménages", "menage")
    ]
    assert found[0] and found[0] == found[1] == found[2]
    assert found[3] and found[3] == found[4]


def test_a_word_is_not_found_inside_another(project: Project) -> None:
    """« eau » is in « niveau » and in « bureau »."""
    assert not [e.id for e in find(project, "iveau")]
    assert find(project, "niveau")


def test_labels_come_first_then_short_labels_then_definitions_and_sources(project: Project) -> None:
    found = find(project, "rsa")
    by_label = ["RSA" in e.indicator.label for e in found]
    assert by_label == sorted(by_label, reverse=True)
    assert True in by_label and False in by_label


@pytest.mark.parametrize("words", ["filosofi", "cpam", "Pôle emploi", "état civil"])
def test_sources_partners_and_families_are_found(project: Project, words: str) -> None:
    assert find(project, words)


def test_by_theme(project: Project) -> None:
    themes = [{e.family.theme for e in find(project, theme=theme)} for theme in ("sante", "logement")]
    assert themes == [{"sante"}, {"logement"}]


def test_the_command() -> None:
    found = CliRunner().invoke(
        app, ["indicators", "--search", "taux pauvrete", "--theme", "cadrage", "--json"]
    )
    assert json.loads(found.output)[0]["id"] == "taux_pauvrete"
    wrong = CliRunner().invoke(app, ["indicators", "--theme", "santé"])
    assert wrong.exit_code == 2
