"""Mistakes in the declarations of studies and of the portrait are told with file and line."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.read_publications import read_publications

STUDY = "assets/studies/logement_fragile.yaml"


def test_the_declared_publications_are_right(project: Project) -> None:
    assert read_publications(project).problems == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "taux_pauvrete: {}",
            "taux_pauvrette: {}",
            "no indicator 'taux_pauvrette' (did you mean taux_pauvrete?)",
        ),
        ("taux_pauvrete: {}", "foyers_bas_revenus: {}", "foyers_bas_revenus is a number, not a rate"),
        ("part_une_piece: {}", "taux_pauvrete: {}", "taux_pauvrete is in two dimensions"),
        ("geography: 2024", "geography: 2023", "geography 2023 is not one of 2024, 2025"),
        ("id: logement_fragile", "id: autre", "id 'autre' differs from the name of its file"),
        ("fragile: low", "fragile: bas", "fragile: 'bas' is not one of high, low"),
        ("coverage: 0.6", "coverage: 6", "less than or equal to 1"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(
    project: Project, tmp_path: Path, old: str, new: str, message: str
) -> None:
    folder = tmp_path / "assets" / "studies"
    folder.mkdir(parents=True)
    text = (project.root / STUDY).read_text(encoding="utf-8")
    assert old in text
    (folder / "logement_fragile.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    shutil.copytree(project.root / "expectations", tmp_path / "expectations")
    problems = read_publications(replace(project, root=tmp_path)).problems
    assert any(message in p.message for p in problems), problems
    assert all(str(p.file) == STUDY and p.line >= 1 for p in problems)


def test_a_mistake_of_a_template_is_told_with_its_line(project: Project, tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    text = (project.root / "assets" / "modeles.yaml").read_text(encoding="utf-8")
    wrong = text.replace("  ctg:", "  logement:", 1).replace("[apl_generalistes", "[apl_generaliste", 1)
    (tmp_path / "assets" / "modeles.yaml").write_text(wrong, encoding="utf-8")
    problems = read_publications(replace(project, root=tmp_path)).problems
    assert ["is a theme" in p.message for p in problems] == [False, True], problems
    assert "did you mean apl_generalistes?" in problems[0].message
    assert all(wrong.splitlines()[p.line - 1].strip() for p in problems)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("statement: pauvrete_etendue", "statement: pauvrete_etandue", "did you mean pauvrete_etendue?"),
        ("place: '93'", "place: '94'", "no territory '94'"),
        ("action: replace", "action: strike", "strike has no text"),
        ("    by: Comité technique\n", "", "'by' is missing"),
        ("on: '2026-11-20'", "on: hier", "on: 'hier' does not match"),
    ],
)
def test_a_mistake_in_the_texts_of_an_edition_is_told(
    project: Project, tmp_path: Path, old: str, new: str, message: str
) -> None:
    page = (project.root / "docs" / "how-to" / "write-a-sentence.md").read_text(encoding="utf-8")
    text = page.split("```yaml\n")[2].split("```")[0]
    assert old in text
    shutil.copytree(project.root / "assets" / "statements", tmp_path / "assets" / "statements")
    (tmp_path / "assets" / "texts").mkdir()
    (tmp_path / "assets" / "texts" / "12.yaml").write_text(text, encoding="utf-8")
    assert read_publications(replace(project, root=tmp_path)).problems == []
    (tmp_path / "assets" / "texts" / "12.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    problems = read_publications(replace(project, root=tmp_path)).problems
    assert any(message in p.message for p in problems), problems
