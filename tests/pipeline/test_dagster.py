"""Dagster: one code location however it is named, runs that tell accepted months from refused ones."""

import importlib
import subprocess
import sys
import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import duckdb
import pytest
import yaml
from dagster_duckdb import DuckDBResource
from typer.testing import CliRunner

from odds_pipeline.cli import app
from odds_pipeline.declarations.project import Project, project_root
from odds_pipeline.declarations.read_publications import load_publications
from odds_pipeline.orchestration import defs as dg_defs
from odds_pipeline.orchestration import runs
from odds_pipeline.orchestration.components.publications import PORTRAIT, study_key
from odds_pipeline.orchestration.components.recueil import INDICATORS, PROVENANCE, SUITE
from odds_pipeline.orchestration.components.shared import (
    RECEPTION,
    RECUEIL,
    feed_key,
    indicator_key,
    partitions_of,
    published_keys,
)
from odds_pipeline.orchestration.definitions import build_defs, defs
from odds_pipeline.quality.outstanding import outdated, waiting
from odds_pipeline.reception.kept import archive_path
from odds_pipeline.reception.receive import receive
from odds_pipeline.release import stages as publishing
from odds_pipeline.release.published import current_number, open_release
from odds_pipeline.secrecy.protect import SecrecyError
from odds_pipeline.storage.home import Home

from .test_gate import FEED, populations

DEFS = Path(dg_defs.__file__).parent


def test_both_configurations_name_the_same_location() -> None:
    root = project_root()
    workspace = yaml.safe_load((root / "workspace.yaml").read_text())["load_from"][0]["python_module"]
    dg_toml = tomllib.loads((root / "dg.toml").read_text())["project"]
    assert workspace["module_name"] == dg_toml["code_location_target_module"]
    assert workspace["location_name"] == dg_toml["code_location_name"]
    assert dg_toml["defs_module"] == dg_defs.__name__  # else `dg check` finds no folder


def test_every_declaration_is_an_asset(project: Project) -> None:
    keys = set(defs().resolve_asset_graph().get_all_asset_keys())
    expected = {feed_key(feed) for feed in project.feeds}
    expected |= {indicator_key(entry.path) for entry in project.indicators.values()}
    published = {key for key in keys if key.path[0] in ("portrait", "studies", "comites")}
    studies = load_publications(project).studies
    assert {PORTRAIT, *(study_key(name) for name in studies)} <= published
    assert keys - published == expected | {*published_keys(), RECEPTION}


@pytest.fixture
def emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Releases without one value, which the suite of the catalogue refuses."""
    hide = publishing.hide_values

    def emptied(connection: duckdb.DuckDBPyConnection, project: Project) -> None:
        hide(connection, project)
        connection.execute("DELETE FROM protected")

    monkeypatch.setattr(publishing, "hide_values", emptied)


@pytest.mark.usefixtures("emptied")
def test_the_command_says_which_rule_refused_the_release_and_what_was_accepted(
    home: Home, tmp_path: Path
) -> None:
    populations(tmp_path / "in", 2019)
    result = CliRunner().invoke(app, ["run", "--from", str(tmp_path / "in")])
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    assert "No release: contenu_non_vide :" in said and "lire les verdicts des indicateurs" in said
    assert "Deliveries" in said and FEED in said  # the table of what was accepted stands all the same
    assert current_number(home) is None


def test_where_nothing_was_accepted_nothing_is_published(home: Home) -> None:
    result = CliRunner().invoke(app, ["run"])
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    assert "L'édition n'aurait aucune valeur" in said and "déposer les fichiers des partenaires" in said
    assert current_number(home) is None


@pytest.mark.parametrize("command", [["run"], ["backfill", "insee"]])
def test_a_file_that_is_not_opened_is_named(home: Home, tmp_path: Path, command: list[str]) -> None:
    home.landing.mkdir(parents=True)
    (home.landing / "raccourci.csv").symlink_to(tmp_path / "ailleurs.csv")
    said = CliRunner().invoke(app, command).output
    assert "Not received" in said and "raccourci.csv" in said


def test_the_job_of_everything_logs_the_file_that_is_not_opened(home: Home, tmp_path: Path) -> None:
    home.landing.mkdir(parents=True)
    (home.landing / "raccourci.csv").symlink_to(tmp_path / "ailleurs.csv")
    with runs.instance_of(home) as instance:
        result = (
            build_defs()
            .resolve_job_def("everything")
            .execute_in_process(instance=instance, raise_on_error=False)
        )
        logs = [r.user_message for r in instance.event_log_storage.get_logs_for_run(result.run_id)]
    assert any("raccourci.csv was not received" in said for said in logs)


@pytest.fixture
def derivable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures of which the attack finds one that is hidden."""

    def broken(*_: Any) -> None:
        raise SecrecyError("une cellule cachée se calcule")

    monkeypatch.setattr(publishing, "protect", broken)


@pytest.mark.parametrize(
    ("how", "why", "broken"),
    [("emptied", "aucune valeur", {SUITE}), ("derivable", "une cellule cachée se calcule", set())],
)
def test_a_release_that_is_refused_fails_the_check_that_refused_it_alone(
    project: Project,
    home: Home,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    how: str,
    why: str,
    broken: set[str],
) -> None:
    """Dagster shows a check without a result, in a run that failed, as failed too."""
    request.getfixturevalue(how)
    list(receive(project, home, [populations(tmp_path / "in", 2019)]))
    with runs.instance_of(home) as instance:
        (batch,) = waiting(project, home)
        assert runs.run_feeds(instance, batch)
        assert not runs.run_recueil(instance)
        assert instance.get_latest_materialization_event(RECUEIL) is None
        found = {}
        for check in (SUITE, PROVENANCE, INDICATORS):
            (record,) = instance.event_log_storage.get_asset_check_execution_history(
                dg.AssetCheckKey(RECUEIL, check), limit=5
            )
            assert record.event is not None and record.event.dagster_event is not None
            found[check] = record.event.dagster_event.asset_check_evaluation_data
    of_indicators = found.pop(INDICATORS)
    assert of_indicators.passed  # its suites were asked before the release was refused
    assert of_indicators.metadata["indicateurs_retenus"].value == 0  # what Dagster draws over time
    assert all(why in str(evaluation.description) for evaluation in found.values())
    errors = {n for n, e in found.items() if e.severity == dg.AssetCheckSeverity.ERROR and not e.passed}
    assert errors == broken
    not_asked = [n for n, e in found.items() if str(e.description).startswith("Non évalué")]
    assert {*not_asked, *broken} == {SUITE, PROVENANCE}
    assert current_number(home) is None


def test_every_feed_has_its_schedule(project: Project) -> None:
    repository = defs().get_repository_def()
    names = {schedule.name for schedule in repository.schedule_defs}
    for entry in project.feeds.values():
        assert f"{entry.partner.id}_{entry.feed.id}_{entry.feed.calendar.cadence}" in names
    assert "landing" in {sensor.name for sensor in repository.sensor_defs}


def by_month(instance: dg.DagsterInstance, check: str) -> dict[str, str]:
    """Each month's own result of a check, as the UI asks for it."""
    key = dg.AssetCheckKey(feed_key(FEED), check)
    infos = instance.event_log_storage.get_asset_check_partition_info([key])
    return {str(info.partition_key): info.latest_execution_status.value for info in infos}


def evaluations(instance: dg.DagsterInstance, check: str) -> dict[str | None, Any]:
    records = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(feed_key(FEED), check), limit=50
    )
    events = [r.event.dagster_event for r in records if r.event]
    data = [
        e.asset_check_evaluation_data
        for e in events
        if e and e.event_type_value == "ASSET_CHECK_EVALUATION"
    ]
    return {evaluation.partition: evaluation for evaluation in data}


def test_a_month_becomes_a_partition_when_it_ends_and_not_before(project: Project) -> None:
    calendars = [entry.feed.calendar for entry in project.feeds.values()]
    months = partitions_of(next(c for c in calendars if c.cadence == "monthly"))
    evening = datetime(2024, 3, 31, 23, 59, tzinfo=ZoneInfo("Europe/Paris"))
    assert list(months.get_partition_keys(evening)[-2:]) == ["2024-01", "2024-02"]
    assert list(months.get_partition_keys(evening + timedelta(minutes=1))[-2:]) == ["2024-02", "2024-03"]
    assert list(months.get_partition_keys(evening)[-2:]) == ["2024-01", "2024-02"]


def test_a_refused_month_stays_grey_and_the_others_are_published(
    project: Project, home: Home, tmp_path: Path
) -> None:
    for year in (2018, 2019, 2020):
        populations(tmp_path / "in", year, (lambda rows: rows.pop(4)) if year == 2019 else None)
    list(receive(project, home, [tmp_path / "in"]))
    with runs.instance_of(home) as instance:
        (span,) = waiting(project, home)
        assert (span.first, span.last) == ("2018-01", "2020-01")
        assert runs.run_feeds(instance, span) is False
        assert instance.get_materialized_partitions(feed_key(FEED)) == {"2018-01", "2020-01"}
        for own in outdated(project, home):
            assert runs.run_indicators(instance, own)
        assert outdated(project, home) == []
        assert runs.run_recueil(instance)
        key = indicator_key("cadrage/population_municipale")
        assert instance.get_materialized_partitions(key) == {"2018-01", "2020-01"}
        results = by_month(instance, "regles_bloquantes")
        assert results == {"2018-01": "SUCCEEDED", "2019-01": "FAILED", "2020-01": "SUCCEEDED"}
        assert by_month(instance, "avertissements")["2020-01"] == "SUCCEEDED"
        failed = evaluations(instance, "regles_bloquantes")["2019-01"]
        assert "absentes" in str(failed.description)
        assert failed.target_materialization_data is None
        accepted = evaluations(instance, "regles_bloquantes")["2020-01"]
        materialised = instance.get_latest_storage_id_by_partition(
            feed_key(FEED), dg.DagsterEventType.ASSET_MATERIALIZATION
        )
        assert accepted.target_materialization_data.storage_id == materialised["2020-01"]
        (standing,) = evaluations(instance, "rien_en_quarantaine").values()
        assert "2019-01" in str(standing.description)
    with open_release(home) as release:
        months = release.execute(
            "SELECT list(DISTINCT month ORDER BY month) FROM indicator_values "
            "WHERE indicator = 'population_municipale'"
        ).fetchone()
    assert months == (["2018-01", "2020-01"],)


def test_simulated_figures_are_marked_in_the_interface(
    project: Project, home: Home, tmp_path: Path
) -> None:
    def simulated(rows: list[list[str]]) -> None:
        for row, cell in zip(rows, ["DONNEES_SIMULEES", *["oui"] * len(rows)], strict=False):
            row.append(cell)

    populations(tmp_path / "in", 2018, simulated)
    list(receive(project, home, [tmp_path / "in"]))
    with runs.instance_of(home) as instance:
        (span,) = waiting(project, home)
        assert runs.run_feeds(instance, span)
        for own in outdated(project, home):
            assert runs.run_indicators(instance, own)
        for key in (feed_key(FEED), indicator_key("cadrage/population_municipale")):
            event = instance.get_latest_materialization_event(key)
            assert event is not None and event.asset_materialization is not None
            assert event.asset_materialization.metadata["données"].value == "SIMULÉES"


@pytest.mark.parametrize("command", [["check"], ["indicators", "--json"], ["releases"]])
def test_commands_answer(command: list[str], home: Home) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "odds_pipeline.cli", *command],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_gate_that_fails_for_another_reason_than_a_refusal_is_said(
    project: Project, home: Home, tmp_path: Path
) -> None:
    populations(tmp_path / "in", 2018)
    (receipt,) = receive(project, home, [tmp_path / "in"])
    archived = archive_path(home, receipt.delivery)
    archived.chmod(0o644)
    archived.write_bytes(b"other bytes")
    result = CliRunner().invoke(app, ["run"])
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    assert "no longer holds the bytes received" in said
    assert f"Months still wait for the gate: {FEED}." in said


def test_another_team_builds_the_definitions_with_its_own_warehouse(home: Home, tmp_path: Path) -> None:
    """With dagster-duckdb's own resource; the gate reads and writes where that one says."""
    populations(home.landing, 2019)
    elsewhere = tmp_path / "elsewhere"
    list(receive(Project.load(), Home(elsewhere), [home.landing]))
    own = DuckDBResource(database=str(elsewhere / "warehouse.duckdb"))
    result = (
        build_defs(warehouse=own)
        .resolve_job_def("gate_annual_1")
        .execute_in_process(asset_selection=[feed_key(FEED)], partition_key="2019-01")
    )
    assert result.success
    assert waiting(Project.load(), Home(elsewhere)) == []
    assert not home.warehouse.exists()


def test_every_component_is_registered_for_dg() -> None:
    project_file = tomllib.loads((project_root() / "pyproject.toml").read_text())["project"]
    (module,) = project_file["entry-points"]["dagster_dg_cli.registry_modules"].values()
    used = {yaml.safe_load(p.read_text())["type"] for p in DEFS.glob("*/defs.yaml")}
    components = importlib.import_module(module)
    found = {name: getattr(components, name) for name in components.__all__}
    assert used == {f"{module}.{n}" for n, own in found.items() if issubclass(own, dg.Component)}
    assert [name for name in found if f"{module}.{name}" not in used] == ["Contract"]
