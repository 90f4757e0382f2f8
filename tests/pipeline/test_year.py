"""A year of operation, day by day: every schedule, late, refused and corrected delivery ends as expected."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import cron_string_iterator

from odds_pipeline.declarations.project import Project
from odds_pipeline.orchestration import runs
from odds_pipeline.orchestration.components.landing import landing_sensor
from odds_pipeline.orchestration.components.partner_feeds import (
    feed_asset,
    feed_schedule,
    gate_jobs,
    gate_of_run,
)
from odds_pipeline.orchestration.components.shared import Warehouse, feed_key
from odds_pipeline.quality.feed_status import feed_status
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

from .test_gate import COMMUNES, populations

pytestmark = pytest.mark.slow

FSL, AME, POP = "conseil_general/fsl", "cpam/ame", "insee/populations_legales"
FEEDS = (FSL, AME, POP)
PARIS = ZoneInfo("Europe/Paris")


def fsl(landing: Path, month: str, first: str = "31") -> None:
    """Monthly file of the housing fund; ``first``: aid given in the first commune, as written."""
    lines = ["code_insee;FSL_ACC;FSL_MAI;FSL_ENE;FSL_MT"]
    # A month whose figures are those of another is refused.
    for number, code in enumerate(COMMUNES, start=int(month[5:])):
        access = str(30 + number) if lines[1:] else first
        lines.append(f"{code};{access};{40 + number};{50 + number};{60000 + number}")
    (landing / f"conseil_general_fsl_{month}.csv").write_text("\n".join(lines) + "\n")


def ame(landing: Path, quarter: str) -> None:
    """Quarterly file of state medical aid: one row, the département."""
    row = f"93;{61000 + int(quarter[-1])};9000;27000;52000000"
    text = f"code_departement;NB_AME;NB_AME_MIN;NB_AME_F;MT_AME\n{row}\n"
    (landing / f"cpam_ame_{quarter}.csv").write_text(text)


def stray(landing: Path) -> None:
    (landing / "divers.csv").write_text("couleur;nombre\nrouge;3\n")


ARRIVALS: dict[str, list[Callable[[Path], object]]] = {
    "2024-01-03": [lambda f: populations(f, 2021)],
    "2024-01-04": [lambda f: fsl(f, "2023-11")],
    "2024-02-05": [lambda f: fsl(f, "2023-12")],
    "2024-02-12": [stray],
    "2024-03-01": [lambda f: ame(f, "2023-T4")],
    "2024-03-05": [lambda f: fsl(f, "2024-01")],
    # Nothing in April nor in early May; then both months at once.
    "2024-05-21": [lambda f: fsl(f, "2024-02"), lambda f: fsl(f, "2024-03")],
    "2024-06-04": [lambda f: fsl(f, "2024-04"), lambda f: ame(f, "2024-T1")],
    # A cell of text; the partner sends the file again.
    "2024-07-04": [lambda f: fsl(f, "2024-05", "à vérifier")],
    "2024-07-15": [lambda f: fsl(f, "2024-05")],
    "2024-08-05": [lambda f: fsl(f, "2024-06")],
    "2024-09-05": [lambda f: fsl(f, "2024-07")],
    # June corrected.
    "2024-09-18": [lambda f: fsl(f, "2024-06", "33")],
    "2024-10-04": [lambda f: fsl(f, "2024-08")],
    # The second quarter, five weeks late.
    "2024-10-14": [lambda f: ame(f, "2024-T2")],
    "2024-11-05": [lambda f: fsl(f, "2024-09")],
    "2024-12-03": [lambda f: ame(f, "2024-T3")],
    "2024-12-05": [lambda f: fsl(f, "2024-10")],
    # A correction of a month in use, wrong: the figures in use stay.
    "2024-12-10": [lambda f: fsl(f, "2024-10", "-4")],
}

YEAR = """
2024-01-03 received insee/populations_legales 2021-01: accepted
2024-01-04 received conseil_general/fsl 2023-11: accepted
2024-01-06 due conseil_general/fsl 2023-11: in use
2024-01-06 due insee/populations_legales 2021-01: in use
2024-02-05 received conseil_general/fsl 2023-12: accepted
2024-02-06 due conseil_general/fsl 2023-12: in use
2024-02-12 received divers.csv: set aside
2024-03-01 received cpam/ame 2023-12: accepted
2024-03-05 received conseil_general/fsl 2024-01: accepted
2024-03-06 due conseil_general/fsl 2024-01: in use
2024-03-06 due cpam/ame 2023-12: in use
2024-04-06 due conseil_general/fsl 2024-02: not in use
2024-04-06 conseil_general/fsl is late since 2024-04-06, 2024-02 missing
2024-05-06 due conseil_general/fsl 2024-03: not in use
2024-05-06 conseil_general/fsl is overdue since 2024-04-06, 2024-02 2024-03 missing
2024-05-21 received conseil_general/fsl 2024-02: accepted
2024-05-21 received conseil_general/fsl 2024-03: accepted
2024-05-21 conseil_general/fsl is up to date
2024-06-04 received conseil_general/fsl 2024-04: accepted
2024-06-04 received cpam/ame 2024-03: accepted
2024-06-06 due conseil_general/fsl 2024-04: in use
2024-06-06 due cpam/ame 2024-03: in use
2024-07-04 received conseil_general/fsl 2024-05: refused
2024-07-04 conseil_general/fsl is up to date, 2024-05 in quarantine
2024-07-06 due conseil_general/fsl 2024-05: not in use
2024-07-06 conseil_general/fsl is late since 2024-07-06, 2024-05 missing, 2024-05 in quarantine
2024-07-15 received conseil_general/fsl 2024-05: accepted
2024-07-15 conseil_general/fsl is up to date
2024-08-05 received conseil_general/fsl 2024-06: accepted
2024-08-06 due conseil_general/fsl 2024-06: in use
2024-09-05 received conseil_general/fsl 2024-07: accepted
2024-09-06 due conseil_general/fsl 2024-07: in use
2024-09-06 due cpam/ame 2024-06: not in use
2024-09-06 cpam/ame is late since 2024-09-06, 2024-06 missing
2024-09-18 received conseil_general/fsl 2024-06: accepted
2024-10-04 received conseil_general/fsl 2024-08: accepted
2024-10-06 due conseil_general/fsl 2024-08: in use
2024-10-14 received cpam/ame 2024-06: accepted
2024-10-14 cpam/ame is up to date
2024-11-05 received conseil_general/fsl 2024-09: accepted
2024-11-06 due conseil_general/fsl 2024-09: in use
2024-12-03 received cpam/ame 2024-09: accepted
2024-12-05 received conseil_general/fsl 2024-10: accepted
2024-12-06 due conseil_general/fsl 2024-10: in use
2024-12-06 due cpam/ame 2024-09: in use
2024-12-10 received conseil_general/fsl 2024-10: refused
2024-12-10 conseil_general/fsl is up to date, 2024-10 in quarantine
""".strip().splitlines()


class Year:
    """The observatory of three feeds with its schedules, its landing sensor and its instance."""

    def __init__(self, project: Project, home: Home, instance: dg.DagsterInstance) -> None:
        self.project, self.home, self.instance = project, home, instance
        self.resources = {"warehouse": Warehouse(database=str(home.warehouse)), "gate": gate_of_run}
        self.schedules = {feed: feed_schedule(project.feeds[feed]) for feed in FEEDS}
        self.sensor = landing_sensor([feed_key(feed) for feed in FEEDS])
        self.definitions = dg.Definitions(
            assets=[feed_asset(project.feeds[feed]) for feed in FEEDS],
            jobs=gate_jobs([project.feeds[feed] for feed in FEEDS]),
            schedules=list(self.schedules.values()),
            sensors=[self.sensor],
            resources=self.resources,
        )
        self.cursor: str | None = None
        self.said = dict.fromkeys(FEEDS, "up to date")
        self.judged = 0

    def ask(self, query: str) -> list[tuple[str, ...]]:
        with Store(self.home.warehouse).connect() as connection:
            return connection.execute(query).fetchall()

    def landing(self) -> Iterator[str]:
        """Two ticks: a file seen unchanged twice is taken; then the runs asked for, as Dagster does."""
        for _ in range(2):
            with dg.build_sensor_context(
                self.instance, cursor=self.cursor, resources=self.resources
            ) as context:
                result = self.sensor(context)
            assert isinstance(result, dg.SensorResult)
            self.cursor = result.cursor
        job = self.definitions.resolve_implicit_global_asset_job_def()
        for request in result.run_requests or []:
            job.execute_in_process(
                instance=self.instance,
                asset_selection=list(request.asset_selection or []),
                tags=request.tags,
                raise_on_error=False,
            )
        rows = self.ask(
            "SELECT coalesce(m.feed || ' ' || m.month, d.file_name), coalesce(m.state, 'set aside') "
            "FROM deliveries d LEFT JOIN delivered_months m ON m.delivery = d.id "
            f"WHERE d.received_order > {self.judged} ORDER BY 1"
        )
        self.judged = int(self.ask("SELECT max(received_order) FROM deliveries")[0][0])
        yield from (f"received {what}: {state}" for what, state in rows)

    def due(self, feed: str, moment: datetime) -> Iterator[str]:
        """What the feed's schedule asks for at that moment, run."""
        schedule = self.schedules[feed]
        context = dg.build_schedule_context(
            scheduled_execution_time=moment, repository_def=self.definitions.get_repository_def()
        )
        for request in schedule.evaluate_tick(context).run_requests or []:
            job = self.definitions.resolve_job_def(schedule.job_name)
            result = job.execute_in_process(
                instance=self.instance,
                partition_key=request.partition_key,
                asset_selection=list(request.asset_selection or []),
                tags=request.tags,
                raise_on_error=False,
            )
            assert result.success
            accepted = self.instance.get_materialized_partitions(feed_key(feed))
            state = "in use" if request.partition_key in accepted else "not in use"
            yield f"due {feed} {request.partition_key}: {state}"

    def changed(self, today: date) -> Iterator[str]:
        """Feeds, received once, that stand otherwise than when it was last said."""
        for row in feed_status(self.project, self.home, today):
            if row.feed not in FEEDS or row.last_accepted is None:
                continue
            words = [row.state + (f" since {row.since}" if row.since else "")]
            words += [f"{' '.join(row.missing)} missing"] if row.missing else []
            words += [f"{' '.join(row.refused)} in quarantine"] if row.refused else []
            if (state := ", ".join(words)) != self.said[row.feed]:
                self.said[row.feed] = state
                yield f"{row.feed} is {state}"


def fires(schedule: dg.ScheduleDefinition, moment: datetime) -> bool:
    """Whether the schedule's own cron falls at that moment."""
    following = cron_string_iterator(
        moment.timestamp() - 1, str(schedule.cron_schedule), str(schedule.execution_timezone)
    )
    return next(following) == moment


def test_a_year_reads_as_a_person_expects(project: Project, home: Home) -> None:
    log: list[str] = []
    home.landing.mkdir(parents=True)
    with runs.instance_of(home) as instance:
        year = Year(project, home, instance)
        for number in range(366):
            today = date(2024, 1, 1) + timedelta(days=number)
            morning = datetime(today.year, today.month, today.day, 6, tzinfo=PARIS)
            asked = [feed for feed in FEEDS if fires(year.schedules[feed], morning)]
            arrived = ARRIVALS.get(today.isoformat(), [])
            if not asked and not arrived:
                continue
            lines = [line for feed in asked for line in year.due(feed, morning)]
            for write in arrived:
                write(home.landing)
            lines += year.landing() if arrived else ()
            lines += year.changed(today)
            log += [f"{today} {line}" for line in lines]
        assert log == YEAR

        months = ["2023-11", "2023-12", *(f"2024-{m:02d}" for m in range(1, 11))]
        assert instance.get_materialized_partitions(feed_key(FSL)) == set(months)
        quarters = {"2023-12", "2024-03", "2024-06", "2024-09"}
        assert instance.get_materialized_partitions(feed_key(AME)) == quarters
    # Of the first commune: June as corrected, its first figure kept; October as first accepted.
    figures = year.ask(
        "SELECT month, value, known_to IS NULL FROM observations WHERE territory = '93001' "
        "AND variable LIKE '%fsl_acces' AND month IN ('2024-06', '2024-10') ORDER BY 1, 3"
    )
    assert figures == [("2024-06", 31, False), ("2024-06", 33, True), ("2024-10", 31, True)]
    assert year.ask("SELECT feed FROM delivered_months WHERE state = 'pending'") == []
