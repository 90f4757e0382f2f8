"""One month by hand, by schedule, by sensor, by backfill, by command: one content, so many runs."""

from collections.abc import Callable, Sequence
from datetime import datetime

import dagster as dg
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.staleness import ALL
from odds_pipeline.orchestration import runs
from odds_pipeline.orchestration.components.computing import computing_sensor
from odds_pipeline.orchestration.components.landing import landing_sensor
from odds_pipeline.orchestration.components.partner_feeds import feed_schedule
from odds_pipeline.orchestration.components.shared import (
    BACKFILL,
    PUBLISH_JOB,
    Warehouse,
    feed_key,
    gate_job,
    indicator_key,
    indicators_job,
    published_keys,
    range_tags,
)
from odds_pipeline.orchestration.definitions import defs
from odds_pipeline.orchestration.everything import everything
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import current_number, describe
from odds_pipeline.storage.home import Home

from .test_gate import populations
from .test_year import AME, FSL, PARIS, POP, ame, fsl

pytestmark = pytest.mark.slow

MONTHS = {FSL: "2024-09", AME: "2024-09", POP: "2021-01"}


def delivered(home: Home) -> None:
    home.landing.mkdir(parents=True)
    fsl(home.landing, MONTHS[FSL])
    ame(home.landing, "2024-T3")
    populations(home.landing, 2021)


class Observatory:
    """A home with one file of each of three rhythms in its landing folder, and its Dagster instance."""

    def __init__(self, project: Project, home: Home, instance: dg.DagsterInstance) -> None:
        self.project, self.home, self.instance = project, home, instance
        delivered(home)

    def rhythm(self, feed: str) -> str:
        return self.project.feeds[feed].feed.calendar.rhythm

    def received(self) -> None:
        list(receive(self.project, self.home, [self.home.landing]))

    def run(self, job: str, keys: Sequence[dg.AssetKey], tags: dict[str, str]) -> None:
        assert runs._execute(self.instance, job, list(keys), tags).success

    def ticks(self, sensor: dg.SensorDefinition, times: int) -> None:
        """Execute what so many ticks ask for, as the daemon does."""
        cursor = None
        for _ in range(times):
            resources = {"warehouse": Warehouse(database=str(self.home.warehouse))}
            with dg.build_sensor_context(self.instance, cursor, resources=resources) as context:
                result = sensor(context)
            assert isinstance(result, dg.SensorResult)
            cursor = result.cursor
            for request in result.run_requests or []:
                keys = list(request.asset_selection or published_keys())
                self.run(str(request.job_name), keys, dict(request.tags))

    def follows(self) -> None:
        """Values, then a release: the sensor that computes asks for them, however the gate was run."""
        rhythms = sorted(map(self.rhythm, MONTHS))
        names = [*map(indicators_job, rhythms), PUBLISH_JOB]
        self.ticks(computing_sensor([dg.define_asset_job(name) for name in names]), 3)


def command(own: Observatory) -> None:
    done = everything(own.project, own.home, own.instance, [], None, ALL, lambda *_: None)
    assert done.failed == []


def sensor(own: Observatory) -> None:
    own.ticks(landing_sensor([feed_key(feed) for feed in own.project.feeds]), 2)
    own.follows()


def schedule(own: Observatory) -> None:
    own.received()
    due = {FSL: (2024, 11), AME: (2024, 12), POP: (2024, 1)}
    for feed, (year, month) in due.items():
        context = dg.build_schedule_context(
            scheduled_execution_time=datetime(year, month, 6, 6, tzinfo=PARIS),
            repository_def=defs().get_repository_def(),
        )
        (request,) = feed_schedule(own.project.feeds[feed]).evaluate_tick(context).run_requests or []
        tags = {**request.tags, "dagster/partition": str(request.partition_key)}
        own.run(gate_job(own.rhythm(feed)), request.asset_selection or [], tags)
    own.follows()


def backfill(own: Observatory) -> None:
    own.received()
    for feed, month in MONTHS.items():
        tags = {BACKFILL: "essai", **range_tags(month, month)}
        own.run(gate_job(own.rhythm(feed)), [feed_key(feed)], tags)
    own.follows()


def by_hand(own: Observatory) -> None:
    """Every asset of each rhythm, in the month that was delivered, then the recueil."""
    own.received()
    entries = own.project.indicators.values()
    for feed, month in MONTHS.items():
        own.run(gate_job(own.rhythm(feed)), [feed_key(feed)], {"dagster/partition": month})
    for feed, month in MONTHS.items():
        driven = [
            e for e in entries if own.rhythm(own.project.feed_of(e.indicator).id) == own.rhythm(feed)
        ]
        keys = [indicator_key(entry.path) for entry in driven]
        own.run(indicators_job(own.rhythm(feed)), keys, {"dagster/partition": month})
    own.run(PUBLISH_JOB, published_keys(), {})


@pytest.fixture(scope="module")
def expected(project: Project, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the functions behind it all publish of the same three files, without Dagster."""
    home = Home(tmp_path_factory.mktemp("plain") / "odds")
    delivered(home)
    list(receive(project, home, [home.landing]))
    for feed in MONTHS:
        judge_pending(project, home, feed)
    return publish(project, home).content


@pytest.mark.parametrize("way", [by_hand, schedule, sensor, backfill, command])
def test_one_month_five_ways(
    project: Project, home: Home, expected: str, way: Callable[[Observatory], None]
) -> None:
    with runs.instance_of(home) as instance:
        way(Observatory(project, home, instance))
        count = instance.get_runs_count()
    number = current_number(home)
    assert number == 1
    assert describe(home, number).content == expected
    assert count == 7  # a gate and a computation a rhythm, one release
