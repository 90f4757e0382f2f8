"""What the components share: the project, the warehouse resource, calendars as partitions."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from odds_pipeline.declarations.calendar import Calendar
from odds_pipeline.declarations.deployment import deployment
from odds_pipeline.declarations.project import IndicatorEntry, Project, project_root
from odds_pipeline.orchestration.dagster_internals.jobs import AssetJob
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Overtaken, Store

TIMEZONE = "Europe/Paris"


@cache
def project() -> Project:
    """The declarations, read once per process; a mistake stops Dagster with the text of them all."""
    return Project.load(project_root())


class Warehouse(DuckDBResource):
    """dagster-duckdb's resource, behind the lock that keeps one writer at a time."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Warehouse"]:
        """A run opens the warehouse once for all its steps, and gives it up to another that waits."""
        if context.run is None:  # a sensor's tick, which says for how long it waits
            yield self
            return
        with Store(Path(self.database)).kept_open():
            yield self

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with opened(self) as connection:
            yield connection


def home_of(warehouse: DuckDBResource) -> Home:
    """The observatory that a warehouse is of, dagster-duckdb's own resource or ours."""
    return Home(Path(warehouse.database).parent)


@contextmanager
def opened(warehouse: DuckDBResource) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, tables in place and behind its lock, whichever resource names it."""
    with Store(Path(warehouse.database)).connect() as connection:
        yield connection


@contextmanager
def tried_again() -> Iterator[None]:
    """Let Dagster take the step again when another writer, or a cut connection, undid its work."""
    try:
        yield
    except Overtaken as error:
        raise dg.RetryRequested(max_retries=3, seconds_to_wait=5) from error


class Months(dg.TimeWindowPartitionsDefinition):
    """The months of a rhythm, counted once an hour.

    Dagster counts them from the first one for each dependency of a step: some 180 for each of the
    recueil's 698, 2 CPU seconds a release.
    """

    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: Any = None
    ) -> Sequence[str]:
        """A month begins on the hour, whatever the time zone."""
        with dg.partition_loading_context(current_time, dynamic_partitions_store) as context:
            return list(_counted(self, context.effective_dt.replace(minute=0, second=0, microsecond=0)))


@lru_cache(maxsize=64)
def _counted(months: Months, hour: datetime) -> Sequence[str]:
    return tuple(dg.TimeWindowPartitionsDefinition.get_partition_keys(months, hour))


@cache
def _partitions(name: str) -> dg.TimeWindowPartitionsDefinition:
    calendars = [e.feed.calendar for e in project().feeds.values() if e.feed.calendar.rhythm == name]
    cadence, step = calendars[0].cadence, calendars[0].step
    # A run takes assets of one definition only: with one for each first month, 61 feeds took 27 runs.
    first, months = min(c.first for c in calendars), range((calendars[0].month - 1) % step + 1, 13, step)
    # A quarter or a year is known by the month of its situation, before its window has ended.
    partitions = Months(
        start=first,
        fmt="%Y-%m",
        cron_schedule=f"0 0 1 {'*' if step == 1 else ','.join(map(str, months))} *",
        timezone=TIMEZONE,
        end_offset=0 if cadence == "monthly" else 1,
    )
    return partitions


def partitions_of(calendar: Calendar) -> dg.TimeWindowPartitionsDefinition:
    """One partition per reference month, keyed ``YYYY-MM``, shared by the feeds of a same rhythm.

    It begins with the earliest of them; the months before a feed's own first stay without figures.
    """
    return _partitions(calendar.rhythm)


def covering(calendar: Calendar, first: str, last: str) -> tuple[str, str]:
    """The partitions from that of ``first`` to that of ``last``, or the nearest ones around them.

    A run over months that are no partitions would be refused by Dagster, and they would wait for ever.
    """
    keys = partitions_of(calendar).get_partition_keys()
    start = max((key for key in keys if key <= first), default=keys[0])
    return start, max(start, min((key for key in keys if key >= last), default=keys[-1]))


def partitions_within(calendar: Calendar, first: str, last: str) -> tuple[str, str] | None:
    """The first and last partition from month ``first`` to month ``last``; none when there is none."""
    keys = [key for key in partitions_of(calendar).get_partition_keys() if first <= key <= last]
    return (keys[0], keys[-1]) if keys else None


def range_tags(first: str, last: str) -> dict[str, str]:
    """Dagster's tags for one run over a range of partitions."""
    return {
        "dagster/asset_partition_range_start": first,
        "dagster/asset_partition_range_end": last,
    }


def simulated_feeds(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Feeds with simulated figures in use."""
    rows = connection.execute(
        "SELECT DISTINCT m.feed FROM trusted_months m JOIN deliveries d ON d.id = m.delivery "
        "WHERE d.simulated"
    ).fetchall()
    return frozenset(feed for (feed,) in rows)


SIMULATED: dict[str, str] = {"données": "SIMULÉES"}
"""Metadata of what rests on simulated figures."""


def code_reference(file: Path, line: int) -> dict[str, object]:
    """Link from the asset to the YAML line that declares it."""
    reference = dg.LocalFileCodeReference(
        file_path=str(project().root / file), line_number=line, label=f"{file}:{line}"
    )
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference])}


def feed_key(feed: str) -> dg.AssetKey:
    """Asset key of a feed ``partner/feed``."""
    return dg.AssetKey(["partners", *feed.split("/")])


def indicator_key(path: str) -> dg.AssetKey:
    """Asset key of an indicator ``theme/id``."""
    return dg.AssetKey(["indicators", *path.split("/")])


def part_key(path: str) -> dg.AssetKey:
    """Asset key of a theme, or of a family ``theme/id``, as the recueil publishes it."""
    return dg.AssetKey(["catalogue", *path.split("/")])


RECEPTION = dg.AssetKey(["reception", "fichiers"])
RECUEIL = dg.AssetKey(["catalogue", "recueil"])
PUBLISH_JOB = "publish_recueil"


def gate_job(rhythm: str) -> str:
    """Name of the job that gates the feeds of a rhythm, all of them or some."""
    return f"gate_{rhythm}"


def indicators_job(rhythm: str) -> str:
    """Name of the job that computes the indicators of a rhythm, all of them or some."""
    return f"indicators_{rhythm}"


def parts() -> dict[str, list[IndicatorEntry]]:
    """The indicators of each family ``theme/id``, then of each theme: a step yields them so."""
    members: dict[str, list[IndicatorEntry]] = {}
    for entry in project().indicators.values():
        members.setdefault(f"{entry.family.theme}/{entry.family.id}", []).append(entry)
    for path, own in list(members.items()):
        members.setdefault(path.partition("/")[0], []).extend(own)
    return members


def published_keys() -> list[dg.AssetKey]:
    """The recueil, its themes and their families, which are published together."""
    return [*map(part_key, sorted(parts())), RECUEIL]


def calendar_of(entry: IndicatorEntry) -> Calendar:
    """The calendar of the feed that drives an indicator: its months."""
    return project().feed_of(entry.indicator).feed.calendar


@cache
def job_of_rhythm(name: str, prefix: str, rhythm: str, description: str) -> AssetJob:
    """The job of the assets under ``prefix`` that have the rhythm, all of them or some."""
    own = dg.AssetSelection.key_prefixes(prefix) & dg.AssetSelection.tag("rhythm", rhythm)
    return dg.define_asset_job(name, own, description=description)


PATIENCE = 10
"""Seconds that a sensor's tick waits for another writer; Dagster ends a tick after 60."""
Answer = dg.SensorResult | dg.SkipReason
Look = Callable[[dg.SensorEvaluationContext, Home, dict[str, Any]], Answer]
"""What a tick does: given its observatory and what the cursor says."""


def warehouse_sensor(
    name: str, jobs: list[AssetJob], description: str, look: Look
) -> dg.SensorDefinition:
    """A sensor that opens the warehouse at each look, once; a tick is skipped while another writes.

    Or while its last tick goes on, which Dagster gave up after 60 s: beside it, it would do the same.
    """
    one_at_a_time = Lock()

    @dg.sensor(
        name=name,
        jobs=jobs,
        minimum_interval_seconds=deployment().look_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=description,
    )
    def sensor(context: dg.SensorEvaluationContext, warehouse: DuckDBResource) -> Answer:
        home = home_of(warehouse)
        if not one_at_a_time.acquire(blocking=False):
            return dg.SkipReason("The last tick is still at work: the next one looks.")
        try:
            with Store(home.warehouse, patience=PATIENCE).kept_open():
                return look(context, home, json.loads(context.cursor or "{}"))
        except Overtaken:
            return dg.SkipReason("The warehouse is being written: the next tick tries again.")
        finally:
            one_at_a_time.release()

    return sensor


RHYTHM = "odds/rhythm"
"""Tag of the gates that sensor and commands ask for, of what waits; a sensor asks for one at a time."""
MADE_OF = "odds/made_of"
"""Metadata of a release, and tag of the runs that publish or refuse to: what it is made of, in short."""
COMPUTES = "odds/computes"
"""Tag of the runs that compute indicators, with their rhythm."""
ACTIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


BACKFILL = "dagster/backfill"
"""Dagster's tag of the runs of a backfill."""


def schedules_status() -> dg.DefaultScheduleStatus:
    """Whether schedules run without being switched on: the deployment says it once."""
    return dg.DefaultScheduleStatus(deployment().schedules.upper())


def rhythm_tag(rhythm: str) -> dict[str, str]:
    """Tag of the assets of a rhythm, by which its job selects them."""
    return {"rhythm": rhythm}


_WHEN = dg.AutomationCondition
AUTOMATION = (
    _WHEN.any_deps_match(_WHEN.newly_updated()).since_last_handled()
    & ~_WHEN.any_deps_match(_WHEN.run_in_progress())
    & ~_WHEN.in_progress()
)
"""Documents follow, once, the release that they are made from."""
