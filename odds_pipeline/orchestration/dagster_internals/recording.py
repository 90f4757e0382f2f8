"""Records many materialisations at once.

``context.log_event`` sends each one through Python's logging and stores it alone. A range of months
has thousands: they are built alike and given to the event log as batches. Leans on internals of
Dagster 1.13.27.
"""

import logging
import os
import time
from collections.abc import Sequence

import dagster as dg
from dagster._core.events import (
    AssetMaterializationPlannedData,
    DagsterEvent,
    DagsterEventType,
    StepMaterializationData,
)
from dagster._core.events.log import EventLogEntry

BATCH = 1000
"""Materialisations stored in one transaction: other processes wait for it some 0.1 s."""


def record(
    context: dg.AssetExecutionContext, materializations: Sequence[dg.AssetMaterialization]
) -> None:
    """Store ``materializations`` as events of the step that runs in ``context``, in their order."""
    _store(
        context,
        DagsterEventType.ASSET_MATERIALIZATION,
        [StepMaterializationData(one) for one in materializations],
        "Materialized value.",
    )


def record_attempts(context: dg.AssetExecutionContext, key: dg.AssetKey, months: Sequence[str]) -> None:
    """Store that the run was to materialise each of ``months``: when it fails, they show as failed.

    Dagster plans a range as a whole, and such a plan marks no month.
    """
    _store(
        context,
        DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        [AssetMaterializationPlannedData(key, partition=month) for month in months],
        "Refused.",
    )


def _store(
    context: dg.AssetExecutionContext,
    kind: DagsterEventType,
    data: Sequence[StepMaterializationData | AssetMaterializationPlannedData],
    message: str,
) -> None:
    step = context.get_step_execution_context()
    run_id = context.run.run_id
    storage = context.instance.event_log_storage
    # The interface groups events of one millisecond into one line.
    now = time.time() - len(data) / 1000
    entries = [
        EventLogEntry(  # type: ignore[no-untyped-call]  # untyped in Dagster
            user_message="",
            level=logging.DEBUG,
            job_name=step.job_name,
            run_id=run_id,
            error_info=None,
            timestamp=now + number / 1000,
            step_key=step.step.key,
            dagster_event=DagsterEvent(
                event_type_value=kind.value,
                job_name=step.job_name,
                step_handle=step.step.handle,
                node_handle=step.step.node_handle,
                step_kind_value=step.step.kind.value,
                logging_tags=step.event_tags,
                event_specific_data=one,
                message=message,
                pid=os.getpid(),
            ),
        )
        for number, one in enumerate(data)
    ]
    for start in range(0, len(entries), BATCH):
        storage.store_event_batch(entries[start : start + BATCH])
