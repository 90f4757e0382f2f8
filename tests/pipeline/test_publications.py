"""Publications from a release: what the gate forbids is not written, and what was published stays."""

import csv
import re
from pathlib import Path

import dagster as dg
import pypdf
import pytest
from typer.testing import CliRunner

from odds_pipeline.cli import app
from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.read_publications import load_publications
from odds_pipeline.declarations.study import Study
from odds_pipeline.orchestration.components.publications import GATE, PORTRAIT, study_key
from odds_pipeline.orchestration.definitions import defs
from odds_pipeline.publications.studies.publish import publish_study
from odds_pipeline.publications.studies.study import StudyRefused
from odds_pipeline.storage.home import Home
from tests.class_file import write_class_file
from tests.unit.test_study import figures

pytestmark = pytest.mark.slow

STUDY = study_key("logement_fragile")


@pytest.fixture(scope="module")
def study(project: Project) -> Study:
    return load_publications(project).studies["logement_fragile"]


@pytest.fixture
def rows(project: Project, study: Study) -> list[dict[str, object]]:
    return figures(project, study).to_dict("records")  # type: ignore[return-value]


def without_occupation(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return [r for r in rows if r["indicator"] not in ("taux_suroccupation", "part_une_piece")]


def materialize(key: dg.AssetKey) -> dg.ExecuteInProcessResult:
    job = defs().resolve_implicit_global_asset_job_def()
    return job.execute_in_process(asset_selection=[key])


def test_a_study_is_published_with_its_tables(
    project: Project, study: Study, home: Home, rows: list[dict[str, object]]
) -> None:
    homes = {"indicator": "residences_principales", "month": "2018-01", "value": 1000.0}
    rows += [{**homes, "territory": t.code} for t in project.territories.communes(2024)]
    write_class_file(home, project, rows, access="membres")
    written = publish_study(project, study, home)
    assert not written.draft
    assert {p.name for p in written.folder.iterdir()} == {
        "etude.html",
        "etude.pdf",
        "communes.csv",
        "classes.csv",
    }
    with (written.folder / "communes.csv").open(encoding="utf-8") as file:
        table = list(csv.DictReader(file, delimiter=";"))
    assert len(table) == 40 and table[0]["rang"] == "1" and table[0]["classe"] == "1"
    html = (written.folder / "etude.html").read_text(encoding="utf-8")
    assert "BROUILLON" not in html and "DONNÉES SIMULÉES" in html
    assert (
        html.index("Cohérence") < html.index("Classement des communes") < html.index("quand la méthode")
    )
    assert "Alpha de Cronbach" in html and "avec les premiers axes" in html
    # A thousand households a commune: each class has as many thousands as communes.
    counted = re.findall(r"(\d+) communes?, (\d+)\u202f000 ménages", html)
    assert sum(int(n) for n, _ in counted) == 40 and all(n == thousands for n, thousands in counted)
    assert "plus fragile\u00a0: " in html and "Ménages</th>" in html
    pages = pypdf.PdfReader(written.folder / "etude.pdf").pages
    assert all("DONNÉES SIMULÉES" in page.extract_text() for page in pages)
    before = {p.name: p.read_bytes() for p in written.folder.iterdir()}
    again = publish_study(project, study, home)
    assert {p.name: p.read_bytes() for p in again.folder.iterdir()} == before


def test_a_refused_study_writes_nothing_and_a_draft_says_what_it_is(
    project: Project, study: Study, home: Home, rows: list[dict[str, object]], tmp_path: Path
) -> None:
    write_class_file(home, project, without_occupation(rows), access="membres")
    with pytest.raises(StudyRefused, match="Conditions d'occupation : 0 indicateur"):
        publish_study(project, study, home)
    assert not (home.path / "publications").exists()
    draft = publish_study(project, study, home, draft_in=tmp_path / "brouillon")
    assert draft.draft and not (home.path / "publications").exists()
    pages = pypdf.PdfReader(draft.folder / "brouillon.pdf").pages
    assert all("BROUILLON NON PUBLIABLE" in page.extract_text() for page in pages)


def test_the_commands(
    project: Project, home: Home, rows: list[dict[str, object]], tmp_path: Path
) -> None:
    write_class_file(home, project, without_occupation(rows), access="membres")
    runner = CliRunner()
    refused = runner.invoke(app, ["study"])
    assert refused.exit_code == 1 and "pas publiée" in re.sub(r"\s+", " ", refused.output)
    draft = runner.invoke(app, ["study", "--partial", "--out", str(tmp_path / "d"), "--json"])
    assert draft.exit_code == 0 and '"draft": true' in draft.output
    assert runner.invoke(app, ["study", "autre"]).exit_code == 2
    one = runner.invoke(
        app, ["portrait", "Bobigny", "--access", "membres", "--out", str(tmp_path / "p")]
    )
    assert one.exit_code == 0 and (tmp_path / "p" / "93008-bobigny.pdf").exists()
    assert runner.invoke(app, ["portrait", "Nullepart"]).exit_code == 2
    told = runner.invoke(app, ["sentences", "Bobigny", "--access", "membres", "--json"])
    assert told.exit_code == 0 and "l’indicateur n’a aucune valeur" in told.output
    assert runner.invoke(app, ["portrait", "--release", "9"]).exit_code == 2
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "lettre.docx").write_text("à moi")
    kept = runner.invoke(
        app, ["portrait", "Bobigny", "--access", "membres", "--out", str(tmp_path / "mine")]
    )
    assert kept.exit_code == 0 and (tmp_path / "mine" / "93008-bobigny.pdf").exists()
    assert (tmp_path / "mine" / "lettre.docx").read_text() == "à moi"


def test_in_dagster_a_refused_study_is_a_failed_check_and_the_former_one_stays(
    project: Project, home: Home, rows: list[dict[str, object]]
) -> None:
    write_class_file(home, project, rows, access="membres")
    first = materialize(STUDY)
    assert [e.asset_key for e in first.get_asset_materialization_events()] == [STUDY]
    folder = home.path / "publications" / "0001" / "membres" / "logement_fragile"
    before = (folder / "etude.pdf").read_bytes()
    write_class_file(home, project, without_occupation(rows), access="membres")
    second = materialize(STUDY)
    assert second.success and not second.get_asset_materialization_events()
    check = second.get_asset_check_evaluations()[0]
    assert (
        check.check_name == GATE
        and not check.passed
        and "Conditions d'occupation" in (check.description or "")
    )
    assert (folder / "etude.pdf").read_bytes() == before


def test_in_dagster_the_portrait(project: Project, home: Home, rows: list[dict[str, object]]) -> None:
    write_class_file(home, project, rows)
    event = materialize(PORTRAIT).get_asset_materialization_events()[0]
    assert event.materialization.metadata["documents"].value == 46
