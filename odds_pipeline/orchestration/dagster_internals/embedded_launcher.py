"""Dagster's own launcher on one machine, which knows when the process of a run is gone.

Dagster's never asks: after a kill of the whole tree a started run stayed "started" and kept its slot.
Here such a run ends as failed, and is launched again. Leans on internals of Dagster 1.13.27.
"""

import dagster as dg
from dagster._core.errors import (
    DagsterUserCodeUnreachableError,
    DagsterUserCodeUnreachableTimeoutError,
)
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

from odds_pipeline.orchestration.process import PROCESS_TAG, is_gone

RUNNING = CheckRunHealthResult(WorkerStatus.RUNNING)


class EmbeddedLauncher(DefaultRunLauncher):
    """A run is healthy while the server that forked its process has it, or its command lives."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Asked by Dagster's daemon of every started run, and by `odds` of every unfinished one."""
        if PROCESS_TAG in run.tags:
            gone = is_gone(run.tags[PROCESS_TAG])
            return _failed("The process of this run was killed.") if gone else RUNNING
        client = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]  # untyped in Dagster
        if client is None:  # its process is not asked for yet
            return RUNNING
        try:
            answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id))
        except DagsterUserCodeUnreachableTimeoutError:  # alive, under load
            return RUNNING
        except DagsterUserCodeUnreachableError:
            return _failed("The server that executed this run is gone.")
        started = run.status == dg.DagsterRunStatus.STARTED  # else the server may be about to fork it
        if not started or deserialize_value(answer, CanCancelExecutionResult).can_cancel:
            return RUNNING
        return _failed("The process of this run is gone.")

    def why_gone(self, run: dg.DagsterRun) -> str | None:
        """What there is to say of a run whose process is gone; ``None`` while it lives."""
        health = self.check_run_worker_health(run)
        return health.msg if health.status == WorkerStatus.FAILED else None


def _failed(message: str) -> CheckRunHealthResult:
    return CheckRunHealthResult(WorkerStatus.FAILED, message)
