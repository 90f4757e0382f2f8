"""Runs assets through Dagster from the command line, on the same instance that the UI shows."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import dagster as dg

from odds_pipeline.components.partner_feeds import range_tags
from odds_pipeline.components.shared import (
    RECUEIL,
    WRITER_POOL,
    feed_key,
    indicator_key,
    partitions_of,
    project,
)
from odds_pipeline.home import Home
from odds_pipeline.model.deployment import deployment
from odds_pipeline.model.project import project_root
from odds_pipeline.warehouse.store import Store


@dataclass(frozen=True)
class Range:
    """A feed and the first and last month to run."""

    feed: str
    first: str
    last: str


@contextmanager
def instance_of(home: Home) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of the observatory, made ready on first use.

    The pool's limit is set before the first run: runs already queued would escape it.
    """
    home.dagster.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(project_root() / deployment().dagster, home.dagster / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ["ODDS_HOME"] = str(home.path)
    # One planned event per asset instead of one per partition: half the event log.
    os.environ.setdefault("DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS", "true")
    # Planned events of a run in one transaction.
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")
    with dg.DagsterInstance.get() as instance:
        instance.event_log_storage.set_concurrency_slots(WRITER_POOL, 1)
        _end_killed_runs(instance)
        yield instance


PID_TAG = "odds/pid"
UNFINISHED = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _end_killed_runs(instance: dg.DagsterInstance) -> None:
    """Mark as failed the runs of this command whose process is gone, and give back their place.

    A killed run keeps its slot of the pool: the next one would wait for it for ever.
    """
    for record in instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED)):
        run = record.dagster_run
        pid = run.tags.get(PID_TAG)
        if pid is not None and not _alive(int(pid)):
            instance.report_run_failed(run, "The process of this run was killed.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


@cache
def _all_assets() -> dg.JobDefinition:
    from odds_pipeline.definitions import defs

    return defs().resolve_implicit_global_asset_job_def()


def _execute(instance: dg.DagsterInstance, keys: list[dg.AssetKey], tags: dict[str, str]) -> bool:
    job = _all_assets()
    result = job.execute_in_process(
        instance=instance,
        asset_selection=keys,
        tags={**tags, PID_TAG: str(os.getpid())},
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    return result.success


def waiting(home: Home, month: str | None = None) -> list[Range]:
    """Feeds with months that wait for the gate, each with its first and last one."""
    with Store(home.warehouse).connect() as connection:
        rows = connection.execute(
            "SELECT feed, min(month), max(month) FROM delivered_months "
            "WHERE state = 'pending' AND ($month IS NULL OR month = $month) "
            "GROUP BY feed ORDER BY feed",
            {"month": month},
        ).fetchall()
    return [Range(*row) for row in rows if row[0] in project().feeds]


def run_feed(instance: dg.DagsterInstance, span: Range) -> bool:
    """Run the gate of one feed over its months; false when some month was refused."""
    keys = partitions_of(project().feeds[span.feed].feed.calendar).get_partition_keys()
    inside = [key for key in keys if span.first <= key <= span.last]
    if not inside:
        # No partition: the calendar rule refuses what waits, so that nothing is left pending.
        from odds_pipeline.quality.gate import judge_pending

        judge_pending(project(), Home.from_environment(), span.feed, span.first, span.last)
        return False
    return _execute(instance, [feed_key(span.feed)], range_tags(inside[0], inside[-1]))


def indicator_ranges(feeds: set[str], home: Home) -> list[tuple[Range, list[str]]]:
    """Indicators that read one of ``feeds``, grouped by driving feed with its accepted months."""
    with Store(home.warehouse).connect() as connection:
        spans = {
            feed: (first, last)
            for feed, first, last in connection.execute(
                "SELECT feed, min(month), max(month) FROM trusted_months GROUP BY feed"
            ).fetchall()
        }
    groups: dict[str, list[str]] = {}
    for entry in project().indicators.values():
        driving = project().feed_of(entry.indicator).id
        read = {project().variables[v][0].id for v in entry.indicator.parsed.variables}
        if read & feeds and driving in spans:
            groups.setdefault(driving, []).append(entry.id)
    return [(Range(feed, *spans[feed]), names) for feed, names in sorted(groups.items())]


def run_indicators(instance: dg.DagsterInstance, span: Range, indicators: list[str]) -> bool:
    """Compute indicators that share a calendar over a range of months, in one run."""
    entries = project().indicators
    keys = [indicator_key(entries[name].path) for name in indicators]
    return _execute(instance, keys, range_tags(span.first, span.last))


def run_recueil(instance: dg.DagsterInstance) -> bool:
    """Publish a release."""
    return _execute(instance, [RECUEIL], {})


def dagster_home(home: Home) -> Path:
    """Make the instance ready and return its folder, for ``dagster dev``."""
    with instance_of(home):
        return home.dagster
