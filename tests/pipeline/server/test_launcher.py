"""A run is healthy while the worker that took it has it, not while one of its name answers."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus

from ... import services

pytest.importorskip("dagster_celery")
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from odds_pipeline.orchestration.components.workers import lost_runs
from odds_pipeline.orchestration.dagster_internals import launcher as launcher_module
from odds_pipeline.orchestration.dagster_internals.launcher import Launcher, worker_options

pytestmark = pytest.mark.slow
TASKS = """
import threading
from odds_pipeline.orchestration.dagster_internals.launcher import Launcher
app = Launcher(broker={address!r}, backend={address!r}).celery
app.task(name="never_ends", track_started=True)(threading.Event().wait)
"""


@contextmanager
def worker(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "celery", "-A", "endless", "worker", *worker_options("one", 1)]
    with (folder / "worker.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.usefixtures("postgres")  # what a server needs is there
def test_a_run_whose_worker_was_killed_and_is_there_again_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it had begun or not; one in the queue is not."""
    monkeypatch.setattr(launcher_module, "ANSWER_SECONDS", 1.0)
    with services.redis(tmp_path) as redis:
        address = f"redis://127.0.0.1:{redis.port}/0"
        (tmp_path / "endless.py").write_text(TASKS.format(address=address))
        own = {"module": Launcher.__module__, "class": "Launcher"}
        config = {"broker": address, "backend": address}
        with dg.DagsterInstance.local_temp(
            overrides={"run_launcher": {**own, "config": config}}
        ) as instance:
            launcher = instance.run_launcher
            assert isinstance(launcher, Launcher)
            task = launcher.celery.send_task("never_ends", queue=launcher.default_queue)
            tags = {DAGSTER_CELERY_TASK_ID_TAG: task.id}
            begun = dg.DagsterRun("gate", tags=tags, status=dg.DagsterRunStatus.STARTED)
            handed = dg.DagsterRun("gate", tags=tags, status=dg.DagsterRunStatus.STARTING)
            instance.add_run(handed)

            def answers() -> bool:
                return launcher.workers(1) != []

            def looked() -> dg.DagsterRunStatus:
                lost_runs(dg.build_sensor_context(instance))
                found = instance.get_run_by_id(handed.run_id)
                assert found is not None
                return found.status

            assert looked() == dg.DagsterRunStatus.STARTING
            with worker(tmp_path):
                services.until(answers, 60, "the worker answers")
                services.until(lambda: task.state == "STARTED", 30, "the task has begun")
                assert launcher.check_run_worker_health(begun).status == WorkerStatus.RUNNING
                assert looked() == dg.DagsterRunStatus.STARTING
            with worker(tmp_path):
                services.until(answers, 60, "the worker answers again")
                health = launcher.check_run_worker_health(begun)
                assert health.status == WorkerStatus.FAILED and "has begun anew" in str(health.msg)
                assert looked() == dg.DagsterRunStatus.FAILURE
            health = launcher.check_run_worker_health(begun)
            assert health.status == WorkerStatus.FAILED and "does not answer" in str(health.msg)
