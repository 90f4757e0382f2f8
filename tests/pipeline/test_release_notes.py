"""An indicator is added, changed and retired by YAML alone; the next release says so."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from odds_pipeline.cli import app
from odds_pipeline.declarations.project import Project, project_root
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.publish import publish
from odds_pipeline.storage.home import Home

from .test_gate import populations

FAMILY = """
id: essai
theme: cadrage
label: Essai
description: Une famille d'indicateurs qui n'existe que dans ce test.
defaults:
  population: Habitants des communes
  levels: [commune, departement]
  owner: Observatoire, pôle études
  direction: neutral
  limits: Aucune limite connue hors de ce test.
  decimals: 1
  cautions: [Rien à en conclure]
  breaks: []
indicators:
"""
PART = """
  part_municipale:
    label: Part de la population municipale dans la totale
    short_label: Part municipale
    definition: Part des habitants comptés une seule fois dans la population totale de la commune.
    unit: pct
    formula: 100 * insee.population_municipale / insee.population_totale
    numerator: Population municipale
    denominator: Population totale
    example: {inputs: {insee.population_municipale: 45, insee.population_totale: 50}, value: 90}
"""
DOUBLE = """
  {name}:
    label: {label}
    short_label: {label}
    definition: Population totale multipliée, pour les besoins de ce seul test.
    unit: habitants
    formula: {factor} * insee.population_totale
    numerator: Population totale
    example: {{inputs: {{insee.population_totale: 50}}, value: {value}}}
"""


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own: Insee's contracts, and no family yet."""
    own = tmp_path / "project"
    for folder in ("assets", "expectations", "resources"):
        shutil.copytree(project_root() / folder, own / folder)
    for partner in own.glob("*/partners/*/"):
        if partner.is_dir() and partner.name != "insee":
            shutil.rmtree(partner)
    for family in own.glob("*/indicators/*/*.yaml"):
        family.unlink()
    monkeypatch.setenv("ODDS_PROJECT", str(own))
    return own


def test_added_changed_and_retired(copied: Path, home: Home, tmp_path: Path) -> None:
    family = copied / "assets" / "indicators" / "cadrage" / "essai.yaml"
    double = DOUBLE.format(name="double", label="Population en double", factor=2, value=100)
    family.write_text(FAMILY + PART + double, encoding="utf-8")
    project = Project.load()
    list(receive(project, home, [populations(tmp_path / "in", 2019)]))
    judge_pending(project, home, "insee/populations_legales")
    publish(project, home)

    triple = DOUBLE.format(name="triple", label="Population en triple", factor=3, value=150)
    clearer = PART.replace("Part des habitants", "Pour cent habitants, ceux qui sont")
    family.write_text(FAMILY + clearer + triple, encoding="utf-8")
    release = publish(Project.load(), home)

    assert release.number == 2
    found = CliRunner().invoke(app, ["diff", "1", "2", "--json"])
    assert found.exit_code == 0, found.output
    definitions = json.loads(found.output)["definitions"]
    assert definitions["added"] == {"triple": "Population en triple"}
    assert definitions["retired"] == {"double": "Population en double"}
    (changed,) = definitions["changed"]
    assert changed["indicator"] == "part_municipale"
    assert changed["fields"] == [
        {
            "field": "definition",
            "before": "Part des habitants comptés une seule fois dans la population totale de la commune.",
            "after": "Pour cent habitants, ceux qui sont comptés une seule fois dans la population totale de la commune.",
        }
    ]
    shown = CliRunner().invoke(app, ["diff", "1", "2"])
    assert "1 added, 1 changed, 1 retired" in shown.output
    value = CliRunner().invoke(app, ["value", "triple", "Bobigny", "--month", "2019-01", "--json"])
    assert value.exit_code == 0, value.output


def test_a_release_that_does_not_exist(home: Home) -> None:
    found = CliRunner().invoke(app, ["diff", "1", "2"])
    assert found.exit_code == 2
    assert "no release 1" in found.output + found.stderr
