"""The reference pages say what the declarations say; `make docs` writes them again."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from odds_pipeline.cli import app
from odds_pipeline.declarations.project import Project, project_root
from odds_pipeline.documentation.reference import theme_pages

PAGES = project_root() / "docs" / "reference"


def test_the_pages_have_not_drifted(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["docs", str(tmp_path)])
    assert result.exit_code == 0, result.output
    written, kept = (
        {p.relative_to(f).as_posix(): p.read_text(encoding="utf-8") for p in f.rglob("*") if p.is_file()}
        for f in (tmp_path, PAGES)
    )
    stale = sorted(n for n in written.keys() | kept.keys() if written.get(n) != kept.get(n))
    assert not stale, f"{', '.join(stale)} differ from the declarations: run `make docs`"


def test_every_indicator_has_its_sheet(project: Project) -> None:
    pages = theme_pages(project)
    sheets = [name for page in pages.values() for name in re.findall(r"^`(\w+)`$", page, re.MULTILINE)]
    assert sorted(sheets) == sorted(project.indicators)


def test_every_command_is_described() -> None:
    text = (PAGES / "cli.md").read_text(encoding="utf-8")
    for command in app.registered_commands:
        assert command.callback is not None
        name = command.name or command.callback.__name__.replace("_", "-")
        assert f"## `odds {name}`" in text


@pytest.mark.parametrize(
    "line",
    [
        "| Unité | pourcentage tel que diffusé |",
        "| Formule | `insee.taux_pauvrete` |",
        "| Niveaux | communes, établissements publics territoriaux, département, région, France, Iris, "
        "quartiers prioritaires (2015-2023) |",
        "| Calendrier | annuel, situation de décembre, depuis décembre 2012 ; disponible environ 30 mois après |",
        "| Sens | une valeur basse est favorable ; rang 1 à la plus basse |",
        "| Producteur | Institut national de la statistique et des études économiques |",
        "| Évolutions | en points de pourcentage |",
        "| Ruptures | décembre 2023 : Changement de méthode de Filosofi à partir du millésime 2023 |",
        "| Exemple | Taux de pauvreté au seuil de 60 % : 41 → **41** % |",
    ],
)
def test_a_sheet_says_all_of_it(project: Project, line: str) -> None:
    """Compared with assets/indicators/cadrage/pauvrete.yaml and assets/partners/insee/filosofi.yaml by eye."""
    page = theme_pages(project)["cadrage.md"]
    sheet = page[page.index("`taux_pauvrete`\n") :].split("\n### ")[0]
    assert line in sheet.splitlines()
