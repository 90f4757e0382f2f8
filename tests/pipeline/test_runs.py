"""Runs of the command line are the interface's too; a run whose process died does not stay for ever."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration
from dagster_graphql.test.utils import execute_dagster_graphql

from odds_pipeline.declarations.project import Project
from odds_pipeline.orchestration import runs
from odds_pipeline.orchestration.process import PROCESS_TAG, WatchedAlready, watch_alone
from odds_pipeline.quality.outstanding import waiting
from odds_pipeline.reception.receive import receive
from odds_pipeline.storage.home import Home

from .test_gate import populations

TIMELINE = """
{ repositoriesOrError { ... on RepositoryConnection { nodes { name jobs { name
    runs(limit: 5) { runId status } } } } } }
"""
STATES = """
{ assetNodes(assetKeys: [{path: ["partners", "insee", "populations_legales"]}]) {
    partitionStats { numMaterialized numFailed }
    assetPartitionStatuses { ... on TimePartitionStatuses { ranges { status startKey endKey } } } } }
"""
AGAIN = """
mutation ($run: String!) {
  launchRunReexecution(reexecutionParams: {parentRunId: $run, strategy: ALL_STEPS}) {
    __typename
    ... on PythonError { message }
    ... on LaunchRunSuccess { run { jobName assetSelection { path } } }
  }
}
"""


@pytest.fixture
def workspace(project: Project, home: Home) -> Iterator[WorkspaceProcessContext]:
    with (
        runs.instance_of(home) as instance,
        WorkspaceProcessContext(
            instance, WorkspaceFileTarget([str(project.root / "workspace.yaml")])
        ) as context,
    ):
        yield context


def test_a_run_of_the_command_is_the_interfaces_and_its_refused_month_is_failed_there(
    project: Project, home: Home, tmp_path: Path, workspace: WorkspaceProcessContext
) -> None:
    populations(tmp_path / "in", 2018, lambda rows: rows.pop(4))
    list(receive(project, home, [tmp_path / "in", populations(tmp_path / "in", 2019)]))
    (batch,) = waiting(project, home)
    assert not runs.run_feeds(workspace.instance, batch)
    (run,) = workspace.instance.get_runs()
    request = workspace.create_request_context()
    (repository,) = execute_dagster_graphql(request, TIMELINE).data["repositoriesOrError"]["nodes"]
    of_jobs = {job["name"]: job["runs"] for job in repository["jobs"]}
    assert of_jobs["gate_annual_1"] == [{"runId": run.run_id, "status": "FAILURE"}]
    (node,) = execute_dagster_graphql(request, STATES).data["assetNodes"]
    assert node["partitionStats"] == {"numMaterialized": 1, "numFailed": 1}
    assert node["assetPartitionStatuses"]["ranges"] == [
        {"status": "FAILED", "startKey": "2018-01", "endKey": "2018-01"},
        {"status": "MATERIALIZED", "startKey": "2019-01", "endKey": "2019-01"},
    ]
    answer = execute_dagster_graphql(request, AGAIN, {"run": run.run_id}).data["launchRunReexecution"]
    assert answer == {
        "__typename": "LaunchRunSuccess",
        "run": {
            "jobName": "gate_annual_1",
            "assetSelection": [{"path": ["partners", "insee", "populations_legales"]}],
        },
    }


def _started(instance: dg.DagsterInstance, tags: dict[str, str]) -> str:
    run = dg.DagsterRun("gate_monthly", tags=tags, status=dg.DagsterRunStatus.STARTED)
    instance.add_run(run)
    return run.run_id


def test_a_run_whose_process_is_gone_is_ended_and_one_that_lives_is_not(
    workspace: WorkspaceProcessContext, tmp_path: Path
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    machine = os.uname().nodename
    instance = workspace.instance
    server = json.dumps({"host": "localhost", "socket": str(tmp_path / "no-server")})
    dead = [
        _started(instance, {PROCESS_TAG: f"{machine}:{ended.pid}"}),
        _started(instance, {GRPC_INFO_TAG: server}),
    ]
    alive = [
        _started(instance, {PROCESS_TAG: f"{machine}:{os.getpid()}"}),
        _started(instance, {PROCESS_TAG: f"elsewhere:{ended.pid}"}),
    ]
    list(execute_run_monitoring_iteration(workspace, logging.getLogger("monitoring")))
    statuses = {run.run_id: run.status for run in instance.get_runs()}
    assert {statuses[run] for run in dead} == {dg.DagsterRunStatus.FAILURE}
    assert {statuses[run] for run in alive} == {dg.DagsterRunStatus.STARTED}


HOLDER = """
import sys
from pathlib import Path
from odds_pipeline.orchestration.process import watch_alone
watch_alone(Path(sys.argv[1]))
print("alone", flush=True)
sys.stdin.read()
"""


def test_a_second_daemon_on_one_home_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "dagster"
    home.mkdir()
    first = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert first.stdout is not None and first.stdout.readline() == b"alone\n"
    with pytest.raises(WatchedAlready, match=f"process {first.pid}"):
        watch_alone(home)
    first.communicate()
    watch_alone(home)  # the lock dies with its process, however it ended


def test_dagster_dev_without_a_variable_uses_the_observatory_of_the_checkout(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `dagster dev` does: a temporary instance with the configuration of the folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setenv("ODDS_HOME", str(tmp_path / "data"))
    (tmp_path / "temporary").mkdir()
    reference = InstanceRef.from_dir(str(tmp_path / "temporary"), config_dir=str(project.root))
    with dg.DagsterInstance.from_ref(reference) as instance:
        assert instance.get_runs() == []
        for storage in (instance.run_storage, instance.schedule_storage):
            with storage.connect() as connection:  # type: ignore[union-attr]  # both are SQLite's
                waits = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
            assert waits == 60_000  # milliseconds; another process may be writing
    assert (tmp_path / "data/dagster/event_log.db").exists()
