"""The configurations that ship are accepted by Dagster, and hold no password."""

import json
import logging
import re
from pathlib import Path

import pytest
import yaml
from dagster._config import process_config
from dagster._core.instance.config import dagster_instance_config

from odds_pipeline.declarations.deployment import named_deployment
from odds_pipeline.declarations.problems import DeclarationError
from odds_pipeline.declarations.project import project_root
from odds_pipeline.operations.logs import JsonFormatter
from odds_pipeline.orchestration.components.landing import landing_sensor

from ... import services

FOLDER = project_root() / "resources" / "deployments"


def test_dagster_accepts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODDS_REDIS", "redis://127.0.0.1/0")
    text = (FOLDER / "dagster-server.yaml").read_text()
    (tmp_path / "dagster.yaml").write_text(text)
    dagster_instance_config(str(tmp_path))
    launcher = yaml.safe_load(text)["run_launcher"]
    pytest.importorskip("dagster_celery", reason="make server")
    module = __import__(launcher["module"], fromlist=[launcher["class"]])
    outcome = process_config(getattr(module, launcher["class"]).config_type(), launcher["config"])
    assert outcome.success, outcome.errors


def test_queue_and_workers_are_named_by_the_observatory() -> None:
    """Two on one redis: `test_side_by_side.py`."""
    pytest.importorskip("dagster_celery", reason="make server")
    from odds_pipeline.orchestration.dagster_internals.launcher import Launcher, worker_options

    assert Launcher(broker="memory://", default_queue="dagster").default_queue == "odds93"
    assert worker_options("w1", 2) == ["-n", "w1.odds93@%h", "-c", "2", "-Q", "odds93"]


def test_no_secret_is_written_down() -> None:
    for path in FOLDER.glob("*.yaml"):
        assert not re.search(r"(?i)password\s*[:=]\s*[^\s#{]", path.read_text()), path


def test_the_deployments_are_read() -> None:
    assert named_deployment("local").storage.kind == "duckdb"
    assert named_deployment("server").storage.kind == "ducklake"
    assert named_deployment("server").look_seconds < named_deployment("local").look_seconds == 60


def test_a_deployment_says_how_often_sensors_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (FOLDER / "local.yaml").read_text()
    (tmp_path / "site.yaml").write_text(f"{text}\nlook_seconds: 30\n")
    monkeypatch.setenv("ODDS_DEPLOYMENT", str(tmp_path / "site.yaml"))
    assert landing_sensor([]).minimum_interval_seconds == 30


def test_a_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("label: Essai\nstorage: {kind: duckdb}\ndagster: dagster.yaml\nperimetre: all\n")
    with pytest.raises(DeclarationError, match=r"site.yaml:4: unknown key 'perimetre'"):
        named_deployment(str(path))


def test_a_log_line_is_one_object() -> None:
    record = logging.LogRecord("odds", logging.INFO, "x.py", 1, "mois %s", ("2024-12",), None)
    record.dagster_meta = {"run_id": "r1", "step_key": None}
    line = json.loads(JsonFormatter().format(record))
    assert (line["message"], line["run_id"], "step_key" in line) == ("mois 2024-12", "r1", False)


def test_the_instances_of_a_process_share_its_connections(postgres: services.Postgres) -> None:
    """Each tick and each run has an instance of its own; each opened six connections."""
    from odds_pipeline.orchestration.dagster_internals.postgres_storage import PooledStorage

    url, backends = postgres.url(postgres.new_database()), set()
    for _ in range(3):
        storage = PooledStorage.from_config_value(None, {"postgres_url": url})
        assert storage.schedule_storage.all_instigator_state() == []
        for part in (storage._run_storage, storage._event_log_storage, storage._schedule_storage):
            with part._engine.connect() as connection:
                backends.add(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar())
    assert len(backends) == 1
