"""Runs assets through Dagster from the command line, on the same instance that the UI shows."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import dagster as dg
from filelock import FileLock

from odds_pipeline.declarations.deployment import deployment
from odds_pipeline.declarations.project import project_root
from odds_pipeline.orchestration.components.shared import (
    COMPUTES,
    PUBLISH_JOB,
    RHYTHM,
    calendar_of,
    covering,
    feed_key,
    gate_job,
    indicator_key,
    indicators_job,
    partitions_within,
    project,
    published_keys,
    range_tags,
)
from odds_pipeline.orchestration.dagster_internals.embedded_launcher import EmbeddedLauncher
from odds_pipeline.orchestration.dagster_internals.in_process import execute
from odds_pipeline.orchestration.process import PROCESS_TAG, is_gone, this_process
from odds_pipeline.orchestration.refusals import words
from odds_pipeline.quality.outstanding import Work
from odds_pipeline.storage.home import Home


@contextmanager
def instance_of(home: Home) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of the observatory, made ready on first use."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    # Replaced whole: another process may be reading it.
    own = home.dagster / f".dagster.yaml.{os.getpid()}"
    shutil.copyfile(project_root() / deployment().dagster, own)
    own.replace(home.dagster / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ["ODDS_HOME"] = str(home.path)
    os.environ["ODDS_COMPUTE_LOGS"] = str(home.shared / "compute_logs")
    os.environ["ODDS_WAREHOUSE"] = str(home.warehouse)
    # One planned event per asset instead of one per partition: half the event log.
    os.environ.setdefault("DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS", "true")
    # Planned events of a run in one transaction.
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")
    # Twelve runs may be the first: each would make Dagster's tables, and eleven fail.
    with FileLock(str(home.dagster / "instance.lock")):
        ready = dg.DagsterInstance.get()
    with ready as instance:
        _end_killed_runs(instance)
        yield instance


UNFINISHED = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


def _end_killed_runs(instance: dg.DagsterInstance) -> None:
    """Mark as failed the runs whose process is gone, at once: the daemon may not be there to see it."""
    for record in instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED)):
        run, launcher = record.dagster_run, instance.run_launcher
        if is_gone(run.tags.get(PROCESS_TAG, "")):
            instance.report_run_failed(run, "The process of this run was killed.")
        elif isinstance(launcher, EmbeddedLauncher) and (why := launcher.why_gone(run)):
            instance.report_run_failed(run, why)


@cache
def _definitions(home: str) -> dg.Definitions:
    """The code location, whose warehouse is that of ``home``. To build it takes 0.6 CPU seconds."""
    from odds_pipeline.orchestration.definitions import defs

    return defs()


def _execute(
    instance: dg.DagsterInstance, job: str, keys: list[dg.AssetKey], tags: dict[str, str]
) -> dg.ExecuteInProcessResult:
    own = _definitions(os.environ["ODDS_HOME"]).resolve_job_def(job)
    return execute(instance, own, keys, {**tags, PROCESS_TAG: this_process()})


def run_feeds(instance: dg.DagsterInstance, work: Work) -> bool:
    """Run the gate of feeds over their months; false when some month was refused.

    Raises :class:`GateFailed` when it failed for another reason, once the other feeds are judged.
    """
    calendar = project().feeds[work.names[0]].feed.calendar
    months = covering(calendar, work.first, work.last)
    keys = [feed_key(feed) for feed in work.names]
    tags = {RHYTHM: calendar.rhythm, **range_tags(*months)}
    result = _execute(instance, gate_job(calendar.rhythm), keys, tags)
    if broken := _broken(result):
        raise GateFailed(f"{', '.join(work.names)}: {' ; '.join(broken)}")
    return result.success


class GateFailed(RuntimeError):
    """A gate ended on an error of the software or of the machine, not on a refusal."""


def _broken(result: dg.ExecuteInProcessResult) -> list[str]:
    """What failed in a run besides refusals, which the gate raises as :class:`dagster.Failure`."""
    steps = [(e.step_key, e.step_failure_data) for e in result.all_events if e.is_step_failure]
    errors = [
        f"{step}: {words((data.error.cause or data.error).message)}"
        for step, data in steps
        if data.user_failure_data is None and data.error is not None
    ]
    if not result.success and not steps:
        errors.append("the run failed before its first step")
    return errors


@dataclass(frozen=True)
class Outcome:
    """True when a run went through; else ``reasons`` says what stopped it: rule, cells, remedy."""

    reasons: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return not self.reasons


def _outcome(result: dg.ExecuteInProcessResult) -> Outcome:
    """Refusals, in the words of those who refused, and what broke."""
    failed = [e.step_failure_data.user_failure_data for e in result.all_events if e.is_step_failure]
    refused = [data.description or data.label for data in failed if data is not None]
    return Outcome((*refused, *_broken(result)))


def run_indicators(instance: dg.DagsterInstance, work: Work) -> Outcome:
    """Compute indicators that share a calendar over a range of months, in one run."""
    entries = project().indicators
    calendar = calendar_of(entries[work.names[0]])
    span = partitions_within(calendar, work.first, work.last)
    if span is None:
        return Outcome()
    keys_of = [indicator_key(entries[name].path) for name in work.names]
    job = indicators_job(calendar.rhythm)
    return _outcome(_execute(instance, job, keys_of, {COMPUTES: calendar.rhythm, **range_tags(*span)}))


def run_recueil(instance: dg.DagsterInstance) -> Outcome:
    """Publish a release."""
    return _outcome(_execute(instance, PUBLISH_JOB, published_keys(), {}))


def dagster_home(home: Home) -> Path:
    """Make the instance ready and return its folder, for ``dagster dev``."""
    with instance_of(home):
        return home.dagster
