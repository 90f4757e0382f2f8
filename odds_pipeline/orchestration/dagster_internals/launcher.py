"""Launches runs on celery workers, and knows when a worker is gone.

With Dagster's own launcher a run whose worker was killed stays "started": celery remembers the task
as started, or a second delivery of its message is ignored and ends as a success. Here a started run
is healthy while the worker that took it says that it has it; else it ends as failed and is launched
again. That a worker of its name answers is not enough: a killed one is there again after seconds.

Queue and workers are named by the observatory: several may share one redis, none takes another's runs.
"""

from typing import Any

import dagster as dg
from celery.states import READY_STATES
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from odds_pipeline.storage.owner import observatory_id

ANSWER_SECONDS = 5.0
TRIES = 3
"""A worker under load may miss one question."""


def worker_options(name: str, processes: int) -> list[str]:
    """Options of celery's worker, for a worker of this observatory."""
    queue = observatory_id()
    return ["-n", f"{name}.{queue}@%h", "-c", str(processes), "-Q", queue]


class Launcher(CeleryRunLauncher):
    """dagster-celery's launcher, with the health of a run that of its worker."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**{**config, "default_queue": observatory_id()})

    def workers(self, seconds: float) -> list[str]:
        """Names of this observatory's workers that answer within so many seconds."""
        answers = self.celery.control.ping(timeout=seconds)
        names = [name for answer in answers for name in answer]
        return [name for name in names if name.partition("@")[0].endswith(f".{observatory_id()}")]

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Asked by Dagster's daemon of every run that is started and not ended."""
        if why := self.why_gone(run):
            return CheckRunHealthResult(WorkerStatus.FAILED, why)
        return CheckRunHealthResult(WorkerStatus.RUNNING)

    def why_gone(self, run: dg.DagsterRun) -> str | None:
        """What there is to say of a run that no worker has; ``None`` while one has, or is to take it."""
        if DAGSTER_CELERY_TASK_ID_TAG not in run.tags:
            # Run by a command of its own, which ends it itself: no worker to ask.
            return None
        task = self.celery.AsyncResult(run.tags[DAGSTER_CELERY_TASK_ID_TAG])
        state, info = task.state, task.info
        if state == "STARTED":
            return self._lost(task.id, info.get("hostname", "") if isinstance(info, dict) else "")
        if run.status != dg.DagsterRunStatus.STARTED and state not in READY_STATES:
            return None  # in the queue, or about to be tried again
        return f"The worker's task is {state}, the run has not ended."

    def get_run_worker_debug_info(
        self, run: dg.DagsterRun, include_container_logs: bool | None = True
    ) -> str | None:
        """Which task of which worker."""
        task_id = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG, "")
        info: Any = self.celery.AsyncResult(task_id).info
        return f"celery task {task_id}: {info}"

    def _lost(self, task: str, worker: str) -> str | None:
        """Why the worker no longer works at the task; ``None`` when it does."""
        asked = self.celery.control.inspect([worker], timeout=ANSWER_SECONDS)
        for _ in range(TRIES):
            if answers := asked.query_task(task):
                known = any(task in tasks for tasks in answers.values())
                return None if known else f"Worker {worker} has begun anew since it took the run."
        return f"Worker {worker} does not answer."
