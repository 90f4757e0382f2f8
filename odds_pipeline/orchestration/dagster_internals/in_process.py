"""Runs a job in this process as one of the code location's: seen in the timeline, run again from there.

Dagster's ``execute_in_process`` gives a run no origin: the interface shows it under no job and cannot
execute it again. This is that function with an origin. Leans on internals of Dagster 1.13.27.
"""

import os
from collections.abc import Sequence
from functools import cache

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.execution.api import (
    ExecuteRunWithPlanIterable,
    create_execution_plan,
    job_execution_iterator,
)
from dagster._core.execution.context_creation_job import (
    PlanOrchestrationContextManager,
    orchestration_context_event_generator,
)
from dagster._core.remote_origin import RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.workspace.load_target import WorkspaceFileTarget

from odds_pipeline.declarations.deployment import LakeStorage, deployment
from odds_pipeline.declarations.project import project_root


@cache
def _repository() -> RemoteRepositoryOrigin | None:
    """The one that the interface loads; unknown on a machine of a server that has no code server."""
    if isinstance(deployment().storage, LakeStorage) and "ODDS_CODE_SERVER" not in os.environ:
        return None
    workspace = project_root() / deployment().workspace
    (location,) = WorkspaceFileTarget([str(workspace)]).create_origins()
    return RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME)


def execute(
    instance: dg.DagsterInstance,
    job: dg.JobDefinition,
    keys: Sequence[dg.AssetKey],
    tags: dict[str, str],
) -> dg.ExecuteInProcessResult:
    """Run the assets ``keys`` of ``job``; what fails is told by the result."""
    config = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    own = job.as_ephemeral_job(
        resource_defs={}, input_values={}, op_selection=None, asset_selection=keys
    )
    wrapped = InMemoryJob(job_def=own)
    plan = create_execution_plan(wrapped, run_config=config, instance_ref=instance.get_ref())
    repository = _repository()
    run = instance.create_run_for_job(
        job_def=own,
        run_config=config,
        tags={**own.run_tags, **tags},
        asset_selection=frozenset(keys),
        execution_plan=plan,
        remote_job_origin=RemoteJobOrigin(repository, job.name) if repository else None,
    )
    events = ExecuteRunWithPlanIterable(
        execution_plan=plan,
        iterator=job_execution_iterator,
        execution_context_manager=PlanOrchestrationContextManager(
            context_event_generator=orchestration_context_event_generator,
            job=wrapped,
            execution_plan=plan,
            dagster_run=run,
            instance=instance,
            run_config=config,
            raise_on_error=False,
            executor_defs=None,
            output_capture=None,
        ),
    )
    found = list(events)
    ended = instance.get_run_by_id(run.run_id)
    assert ended is not None
    return dg.ExecuteInProcessResult(found, ended, None, own)
