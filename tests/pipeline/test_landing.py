"""The landing sensor and the schedules: when a file is taken, and which month is asked for."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import cron_string_iterator
from pydantic import ValidationError

from odds_pipeline.declarations.calendar import Calendar
from odds_pipeline.declarations.project import Project, project_root
from odds_pipeline.demo.deliveries import write_deliveries
from odds_pipeline.orchestration import runs
from odds_pipeline.orchestration.components import landing, shared
from odds_pipeline.orchestration.components.landing import landing_sensor
from odds_pipeline.orchestration.components.partner_feeds import (
    expected_cron,
    feed_schedule,
)
from odds_pipeline.orchestration.components.shared import (
    RHYTHM,
    Warehouse,
    feed_key,
    partitions_of,
)
from odds_pipeline.quality.feed_status import expected_month
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.quality.outstanding import waiting
from odds_pipeline.quality.quarantine import cases
from odds_pipeline.reception import receive as receiving
from odds_pipeline.reception.receive import receive
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store, writer_lock

from .test_gate import COMMUNES, FEED, populations

PARIS = ZoneInfo("Europe/Paris")


def _tick(
    home: Home,
    cursor: str | None,
    instance: dg.DagsterInstance | None = None,
    feeds: tuple[str, ...] = (FEED, "caf/rsa", "caf/logement"),
) -> dg.SensorResult | dg.SkipReason:
    sensor = landing_sensor([feed_key(feed) for feed in feeds])
    resources = {"warehouse": Warehouse(database=str(home.warehouse))}
    instance = instance or dg.DagsterInstance.ephemeral()
    with dg.build_sensor_context(instance, cursor, resources=resources) as context:
        result = sensor(context)
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def _ticks(
    home: Home, instance: dg.DagsterInstance | None = None, **feeds: tuple[str, ...]
) -> Iterator[list[dg.RunRequest]]:
    """What the landing sensor asks for at each tick, for ever."""
    cursor: str | None = None
    while True:
        result = _tick(home, cursor, instance, **feeds)
        assert isinstance(result, dg.SensorResult)
        cursor = result.cursor
        yield list(result.run_requests or [])


def test_a_file_is_taken_once_it_is_written(home: Home) -> None:
    ticks = _ticks(home)
    asked: list[int] = []
    path = populations(home.landing, 2019)
    content = path.read_bytes()

    def tick() -> int:
        return len(next(ticks))

    path.write_bytes(content[:400])
    asked.append(tick())
    path.write_bytes(content)
    asked += [tick(), tick(), tick()]
    populations(home.landing, 2019, lambda rows: rows[5].__setitem__(4, "11"))
    asked += [tick(), tick(), tick()]
    assert asked == [0, 0, 1, 0, 0, 1, 0]


def test_a_tick_with_no_time_left_receives_one_file_and_asks_when_all_are_received(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster drops what a long tick asks for: a hundred files would be received and never judged."""
    monkeypatch.setattr(landing, "RECEIVING", 0)
    for year in (2019, 2020, 2021):
        populations(home.landing, year)
    cursor, seen = None, []
    for _ in range(4):
        result = _tick(home, cursor)
        assert isinstance(result, dg.SensorResult)
        cursor = result.cursor
        with Store(home.warehouse).connect() as connection:
            count = connection.execute("SELECT count(*) FROM deliveries").fetchone()
        seen.append((count, len(result.run_requests or [])))
    assert seen == [((0,), 0), ((1,), 0), ((2,), 0), ((3,), 0)]
    monkeypatch.setattr(landing, "RECEIVING", 3600)
    last = _tick(home, cursor)
    assert isinstance(last, dg.SensorResult) and len(last.run_requests or []) == 1


def test_a_tick_beside_one_still_at_work_does_nothing(home: Home) -> None:
    """Dagster makes the next one after 60 s, in the same process: both would receive the same files."""
    resources = {"warehouse": Warehouse(database=str(home.warehouse))}
    answers: list[object] = []

    def look(context: dg.SensorEvaluationContext, *_: object) -> dg.SkipReason:
        answers.append(sensor(context))
        return dg.SkipReason("looked")

    sensor = shared.warehouse_sensor("twice", [], "", look)
    with dg.build_sensor_context(resources=resources) as context:
        answers += [sensor(context), sensor(context)]
    words = [getattr(answer, "skip_message", None) for answer in answers]
    assert words == ["The last tick is still at work: the next one looks."] * 2 + ["looked"] * 2


@pytest.mark.parametrize("year", [2001, 2090])
def test_a_month_that_is_no_partition_is_refused_by_the_run_that_is_asked(
    project: Project, home: Home, year: int
) -> None:
    """It would wait for ever, in a run that Dagster refuses to start."""
    populations(home.landing, year)
    ticks = _ticks(home)
    assert next(ticks) == []
    (request,) = next(ticks)
    keys = partitions_of(Project.load().feeds[FEED].feed.calendar).get_partition_keys()
    asked = [request.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end")]
    assert asked == [keys[0] if year == 2001 else keys[-1]] * 2
    with runs.instance_of(home) as instance:
        (batch,) = waiting(project, home)
        assert not runs.run_feeds(instance, batch)
        assert waiting(project, home) == []
        (run,) = instance.get_runs()
        assert run.status == dg.DagsterRunStatus.FAILURE
    with Store(home.warehouse).connect() as connection:
        (case,) = cases(connection)
    assert case.month == f"{year}-01"
    assert case.rules == (("calendrier",) if year == 2001 else ("periode_future",))


@pytest.mark.parametrize(
    ("calendar", "today", "month"),
    [
        ({"cadence": "monthly", "first": "2018-01", "lag": 2}, "2024-03-06", "2024-01"),
        ({"cadence": "monthly", "first": "2018-01", "lag": 2}, "2018-02-28", None),
        ({"cadence": "quarterly", "first": "2018-03", "lag": 3}, "2024-06-06", "2024-03"),
        ({"cadence": "quarterly", "first": "2018-03", "lag": 3}, "2024-05-31", "2023-12"),
        ({"cadence": "annual", "first": "2012-12", "lag": 12}, "2024-12-05", "2022-12"),
        ({"cadence": "annual", "first": "2012-12", "lag": 12}, "2024-12-06", "2023-12"),
        ({"cadence": "school_year", "first": "2016-09", "lag": 9}, "2024-06-06", "2023-09"),
        ({"cadence": "school_year", "first": "2016-09", "lag": 9}, "2024-05-31", "2022-09"),
    ],
)
def test_the_month_that_is_due(calendar: dict[str, object], today: str, month: str | None) -> None:
    assert expected_month(Calendar.model_validate(calendar), date.fromisoformat(today)) == month


def test_a_school_year_is_known_by_its_september() -> None:
    calendar = Calendar.model_validate({"cadence": "school_year", "first": "2016-09", "lag": 9})
    keys = partitions_of(calendar).get_partition_keys(datetime(2024, 10, 1, tzinfo=PARIS))
    assert keys[-2:] == ["2023-09", "2024-09"]
    assert expected_cron(calendar) == "0 6 6 6 *"
    with pytest.raises(ValidationError, match="September"):
        Calendar.model_validate({"cadence": "school_year", "first": "2016-09", "lag": 9, "month": 3})


def test_every_schedule_of_a_year_asks_for_the_month_that_is_due(project: Project) -> None:
    """Day by day over 2024 at 6:00 in Paris, from each schedule's own cron; the log reads as a year does."""
    log: list[str] = []
    for entry in project.feeds.values():
        schedule = feed_schedule(entry)
        partitions = partitions_of(entry.feed.calendar)
        ticks = [
            t
            for m in range(1, 13)
            for t in [datetime(2024, m, 6, 6, tzinfo=PARIS)]
            if _fires(schedule, t)
        ]
        for tick in ticks:
            context = dg.build_schedule_context(scheduled_execution_time=tick)
            for request in schedule(context):
                assert request.partition_key in partitions.get_partition_keys(tick)
                log.append(f"{tick:%Y-%m-%d %H:%M} {entry.id} {request.partition_key}")
        step = entry.feed.calendar.step
        assert len(ticks) == 12 // step
    assert f"2024-12-06 06:00 {'caf/allocataires'} 2024-10" in log
    assert len(log) == len(set(log))


def _fires(schedule: dg.ScheduleDefinition, moment: datetime) -> bool:
    assert schedule.execution_timezone == "Europe/Paris"
    cron = str(schedule.cron_schedule)
    return next(cron_string_iterator(moment.timestamp() - 1, cron, "Europe/Paris")) == moment


def test_what_was_received_by_hand_is_asked_for(project: Project, home: Home, tmp_path: Path) -> None:
    list(receive(project, home, [populations(tmp_path / "in", 2019)]))
    ticks = _ticks(home)
    (request,) = next(ticks)
    assert request.asset_selection == [feed_key(FEED)]
    assert next(ticks) == []


KILLED = """
import os, signal, sys
import dagster as dg
from odds_pipeline.orchestration.components import landing
from tests.pipeline.test_landing import _ticks
from odds_pipeline.storage.home import Home

landing.waiting = lambda *given, **also: os.kill(os.getpid(), signal.SIGKILL) if sys.argv.pop() == "now" else []
ticks = _ticks(Home.from_environment())
for _ in range(3):
    next(ticks)
"""


def test_a_process_killed_between_reception_and_request_loses_nothing(
    project: Project, home: Home
) -> None:
    populations(home.landing, 2019)
    populations(home.landing, 2020)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, "now", "later"], cwd=project_root(), check=False
    )
    assert done.returncode == -signal.SIGKILL
    with Store(home.warehouse).connect() as connection:
        waits = connection.execute(
            "SELECT month FROM delivered_months WHERE state = 'pending' ORDER BY 1"
        )
        assert waits.fetchall() == [("2019-01",), ("2020-01",)]
    (request,) = next(_ticks(home))  # its cursor was lost with it
    assert request.tags["dagster/asset_partition_range_start"] == "2019-01"
    assert request.tags["dagster/asset_partition_range_end"] == "2020-01"


def test_feeds_of_one_rhythm_share_a_run(project: Project, home: Home, tmp_path: Path) -> None:
    for month in ("2024-11", "2024-12"):
        feeds = {"caf/rsa", "caf/logement"}
        written = write_deliveries(project, tmp_path, month, month, faults=False, feeds=feeds).paths
        list(receive(project, home, written))
    list(receive(project, home, [populations(tmp_path / "in", 2019)]))
    requests = {request.tags[RHYTHM]: request for request in next(_ticks(home))}
    assert len(requests) == 2
    monthly = requests[project.feeds["caf/rsa"].feed.calendar.rhythm]
    assert monthly.asset_selection == [feed_key("caf/logement"), feed_key("caf/rsa")]
    assert monthly.tags["dagster/asset_partition_range_start"] == "2024-11"


def test_a_run_under_way_is_not_asked_for_twice(
    project: Project, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what still waits when it is over, whatever became of it, is asked for again."""
    list(receive(project, home, [populations(tmp_path / "in", 2019)]))
    rhythm = project.feeds[FEED].feed.calendar.rhythm
    with dg.DagsterInstance.ephemeral() as instance:
        run = dg.DagsterRun("gate", tags={RHYTHM: rhythm}, status=dg.DagsterRunStatus.STARTED)
        instance.add_run(run)
        ticks = _ticks(home, instance)
        assert next(ticks) == []
        instance.delete_run(run.run_id)
        assert len(next(ticks)) == 1
        assert next(ticks) == []
        monkeypatch.setattr(landing, "AGAIN", 0)
        assert len(next(ticks)) == 1


def test_a_file_that_a_fault_of_ours_kept_out_is_tried_again_by_another_process(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    populations(home.landing, 2019)
    ticks = _ticks(home)

    def failing(*given: object) -> list[object]:
        raise ZeroDivisionError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(receiving, "deliveries_of", failing)
        assert [next(ticks) for _ in range(3)] == [[], [], []]
    assert next(ticks) == []  # the same process, whose software is the same
    monkeypatch.setattr(landing, "PROCESS", "another")
    assert [len(next(ticks)) for _ in range(3)] == [0, 1, 0]  # seen, then taken as any file is


def test_a_file_that_a_fault_of_ours_keeps_out_leaves_the_ticks_to_the_others(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each tick has time for one file only: the one that always fails is not the first of them all."""
    monkeypatch.setattr(landing, "RECEIVING", 0)
    for year in (2019, 2020):
        path = populations(home.landing, year)
        os.utime(path, (year, year))
    read, tried = receiving.deliveries_of, []

    def failing(project: Project, file: str, *given: Any) -> list[Any]:
        tried.append(file)
        if "2019" in file:
            raise ZeroDivisionError("a bug")
        return read(project, file, *given)

    monkeypatch.setattr(receiving, "deliveries_of", failing)
    ticks = _ticks(home)
    for _ in range(4):
        next(ticks)
    assert ["2019" in file for file in tried] == [True, False]
    monkeypatch.setattr(landing, "RECEIVING", 3600)
    assert len(next(ticks)) == 1


def test_a_tick_does_not_wait_for_a_writer(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "PATIENCE", 0)
    populations(home.landing, 2019)
    first = _tick(home, None)
    assert isinstance(first, dg.SensorResult)
    with writer_lock(home.warehouse):
        assert isinstance(_tick(home, first.cursor), dg.SkipReason)
    after = _tick(home, first.cursor)
    assert isinstance(after, dg.SensorResult)
    assert len(after.run_requests or []) == 1


def test_the_cursor_does_not_grow_with_what_has_landed(home: Home) -> None:
    for year in range(1990, 2020):
        populations(home.landing, year)
    cursor: str | None = None
    for _ in range(3):
        result = _tick(home, cursor)
        assert isinstance(result, dg.SensorResult)
        cursor = result.cursor
    assert cursor is not None
    assert "pop" not in cursor and len(cursor) < 200


FSL = "conseil_general/fsl"
CUT = "2024-02"
"""The month whose workbook was cut on its way."""


def _fsl(folder: Path, month: str, rise: int) -> Path:
    """A month of housing aids in each commune, made up: no two are the same."""
    lines = ["code_insee;FSL_ACC;FSL_MAI;FSL_ENE;FSL_MT"]
    for rank, code in enumerate(COMMUNES, start=1):
        own = [20 + 3 * rank + (rank * rise + column) % 7 for column in range(3)]
        lines.append(";".join(map(str, [code, *own, 900 * sum(own) + rise])))
    path = folder / f"conseil_general_fsl_{month}.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _month(folder: Path) -> list[Path]:
    """Forty files: eighteen years, twenty-two months, one of them a workbook cut on its way."""
    folder.mkdir(parents=True, exist_ok=True)
    months = [f"{year}-{month:02d}" for year in (2023, 2024) for month in range(1, 12)]
    files = [populations(folder, year) for year in range(2006, 2024)]
    files += [_fsl(folder, month, rise) for rise, month in enumerate(months)]
    (whole,) = (path for path in files if CUT in path.name)
    whole.unlink()
    cut = whole.with_suffix(".xlsx")
    cut.write_bytes(b"PK\x03\x04" + b"\x14" * 400)
    return [cut if path == whole else path for path in files]


def _accepted(home: Home) -> list[tuple[object, ...]]:
    with Store(home.warehouse).connect() as connection:
        return connection.execute(
            "SELECT variable, month, territory, level, geography, value, obs_status, conf_status "
            "FROM observations WHERE known_to IS NULL ORDER BY ALL"
        ).fetchall()


@pytest.mark.slow
def test_a_month_of_ticks_judges_what_the_command_does_in_one_run_a_rhythm(
    project: Project, home: Home, tmp_path: Path
) -> None:
    """Killed between reception and request, with its cursor lost, and a damaged workbook on the way."""
    files = _month(home.landing)
    late = [(path, tmp_path / path.name) for path in files[1::2]]
    for path, elsewhere in late:
        path.rename(elsewhere)
    code = KILLED.replace("_ticks(Home", "_ticks_of(Home").replace("import _ticks", "import _ticks_of")
    done = subprocess.run([sys.executable, "-c", code, "now", "later"], cwd=project_root(), check=False)
    assert done.returncode == -signal.SIGKILL
    asked = next(_ticks_of(home))
    for request in asked:
        _run(project, home, request)
    for path, elsewhere in late:
        elsewhere.rename(path)
    ticks = _ticks_of(home)  # another process: the cursor is lost again
    asked += [_run(project, home, request) for _ in range(3) for request in next(ticks)]
    asked = [request for request in asked if _range(request) != 2 * (CUT,)]  # refused: a run says so
    assert sorted(request.tags[RHYTHM] for request in asked) == 2 * ["annual_1"] + 2 * ["monthly"]

    by_hand = Home(tmp_path / "by hand")
    list(receive(project, by_hand, files))
    for feed in (FEED, FSL):
        judge_pending(project, by_hand, feed)
    with Store(home.warehouse).connect() as connection:
        assert [(case.month, case.rules) for case in cases(connection)] == [(CUT, ("illisible",))]
    assert _accepted(home) == _accepted(by_hand)
    assert len({(variable, month) for variable, month, *_ in _accepted(home)}) == 18 * 3 + 21 * 4


def _ticks_of(home: Home) -> Iterator[list[dg.RunRequest]]:
    return _ticks(home, feeds=(FEED, FSL))


def _run(project: Project, home: Home, request: dg.RunRequest) -> dg.RunRequest:
    """What the gate's run does of a request."""
    for key in request.asset_selection or []:
        judge_pending(project, home, "/".join(key.path[1:]), *_range(request))
    return request


def _range(request: dg.RunRequest) -> tuple[str, str]:
    first, last = (request.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end"))
    return first, last
