"""The event log answers as Dagster's own does, survives kills, and takes twelve writers at once."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage

from odds_pipeline.orchestration.dagster_internals.event_log import EventLog
from odds_pipeline.orchestration.dagster_internals.recording import record
from odds_pipeline.orchestration.dagster_internals.storage import Storage

pytestmark = pytest.mark.slow

MONTHS = dg.StaticPartitionsDefinition([f"2020-{m:02d}" for m in range(1, 13)])
FIGURES, SHARES, CHECK = dg.AssetKey(["figures"]), dg.AssetKey(["shares", "one"]), "seen"


@dg.multi_asset(
    specs=[dg.AssetSpec(FIGURES, skippable=True)],
    partitions_def=MONTHS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec(CHECK, asset=FIGURES)],
    can_subset=True,
)
def figures(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult]:
    months = [m for m in context.partition_keys if m != "2020-05"]
    record(context, [dg.AssetMaterialization(FIGURES, partition=m, metadata={"rows": i}, tags={"k": "v"}) for i, m in enumerate(months)])  # fmt: skip
    yield dg.AssetCheckResult(
        asset_key=FIGURES, check_name=CHECK, passed="2020-05" not in context.partition_keys
    )
    if "2020-12" in context.partition_keys:
        raise dg.Failure("the last month is refused", allow_retries=False)


@dg.asset(
    key=SHARES, deps=[FIGURES], partitions_def=MONTHS, backfill_policy=dg.BackfillPolicy.single_run()
)
def shares(context: dg.AssetExecutionContext) -> None:
    context.log.info("shares are computed")


def _instance(folder: Path, storage: type) -> dg.DagsterInstance:
    folder.mkdir()
    (folder / "dagster.yaml").write_text(
        "telemetry: {enabled: false}\n"
        f"event_log_storage: {{module: {storage.__module__}, class: {storage.__name__}, config: {{base_dir: '{folder}/log'}}}}\n"
    )
    return dg.DagsterInstance.from_config(str(folder))


def _run(instance: dg.DagsterInstance, first: str, last: str) -> str:
    job = dg.Definitions(assets=[figures, shares]).resolve_implicit_global_asset_job_def()
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False, run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}).run_id  # fmt: skip


def _answers(instance: dg.DagsterInstance, runs: list[str]) -> dict[str, Any]:
    """What the interface asks of the log, without run ids and times."""
    log = instance.event_log_storage
    found: dict[str, Any] = {}
    for key in (FIGURES, SHARES):
        latest = instance.get_latest_materialization_event(key)
        records = log.fetch_materializations(key, limit=100).records
        by_partition = log.get_latest_storage_id_by_partition(
            key, dg.DagsterEventType.ASSET_MATERIALIZATION
        )
        found[str(key)] = {
            "partitions": instance.get_materialized_partitions(key),
            "latest": latest and latest.asset_materialization and (latest.asset_materialization.partition, latest.asset_materialization.metadata),
            "history": [(r.partition_key, r.asset_materialization and r.asset_materialization.tags) for r in records],
            "ordered": sorted(by_partition, key=lambda k: by_partition[k]),
            "planned": (planned := log.get_latest_planned_materialization_info(key)) and runs.index(planned.run_id),
            "failed": log.get_latest_asset_partition_materialization_attempts_without_materializations(key).keys(),
            "last run": [runs.index(e.last_run_id) for r in instance.get_asset_records([key]) if (e := r.asset_entry).last_run_id],
        }  # fmt: skip
    history = log.get_asset_check_execution_history(dg.AssetCheckKey(FIGURES, CHECK), limit=20)
    found["checks"] = [(h.status.value, h.partition, runs.index(h.run_id)) for h in history]
    for number, run in enumerate(runs):
        entries = instance.all_logs(run)
        found[f"run {number}"] = [
            (
                e.dagster_event_type,
                e.dagster_event.asset_key if e.dagster_event else e.user_message,
                e.level,
            )
            for e in entries
            if e.dagster_event is None
            or e.dagster_event_type.value.startswith(("ASSET", "STEP", "PIPELINE"))
        ]
        found[f"stats {number}"] = (
            instance.get_run_stats(run).steps_failed,
            instance.get_run_by_id(run).status,
        )  # type: ignore[union-attr]
    return found


@pytest.mark.parametrize("batch", ["0", "1000"])
def test_it_answers_as_the_stock_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: str
) -> None:
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", batch)
    answers = []
    for name, storage in (("stock", SqliteEventLogStorage), ("ours", EventLog)):
        with _instance(tmp_path / name, storage) as instance:
            assert type(instance.event_log_storage) is storage
            runs = [_run(instance, "2020-01", "2020-03"), _run(instance, "2020-04", "2020-12"), _run(instance, "2020-02", "2020-02")]  # fmt: skip
            before = _answers(instance, runs)
            instance.wipe_assets([SHARES])
            after = _answers(instance, runs)
            instance.delete_run(runs[1])
            answers.append((before, after, instance.get_materialized_partitions(FIGURES)))
    stock, ours = answers
    assert stock[0][str(FIGURES)]["partitions"] == {
        m for m in MONTHS.get_partition_keys() if m != "2020-05"
    }
    assert ours == stock


WRITER = """
import sys, time
import dagster as dg
from dagster._core.events import DagsterEvent, StepMaterializationData
from dagster._core.events.log import EventLogEntry
from odds_pipeline.orchestration.dagster_internals.event_log import EventLog
log, name = EventLog(sys.argv[1]), sys.argv[2]
def entry(i):
    event = DagsterEvent("ASSET_MATERIALIZATION", "job", event_specific_data=StepMaterializationData(
        dg.AssetMaterialization(dg.AssetKey([name]), partition=str(i))))
    return EventLogEntry(None, 10, "", name, time.time(), dagster_event=event, job_name="job")
for batch in range(int(sys.argv[3])):
    log.store_event_batch([entry(batch * 50 + i) for i in range(50)])
    print(batch, flush=True)
"""


def _writer(folder: Path, name: str, batches: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, str(folder), name, str(batches)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_many_processes_lose_nothing_and_a_killed_one_leaves_whole_batches(tmp_path: Path) -> None:
    count = int(os.environ.get("ODDS_WRITERS", "4"))
    writers = [_writer(tmp_path, f"w{n}", 6) for n in range(count)]
    killed = _writer(tmp_path, "killed", 10_000)
    assert killed.stdout is not None
    said = [killed.stdout.readline() for _ in range(4)][-1]
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    with sqlite3.connect(tmp_path / "event_log.db") as log:
        assert log.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = dict(log.execute("SELECT run_id, count(*) FROM event_logs GROUP BY 1").fetchall())
    last = EventLog(str(tmp_path)).get_latest_materialization_events([dg.AssetKey(["w0"])])
    assert {name: n for name, n in found.items() if name != "killed"} == {
        f"w{n}": 300 for n in range(count)
    }
    assert found["killed"] % 50 == 0
    assert found["killed"] >= 50 * (int(said) + 1)
    event = last[dg.AssetKey(["w0"])]
    assert event is not None and event.asset_materialization is not None
    assert event.asset_materialization.partition == "299"


def test_a_folder_thrown_away_is_made_anew_by_the_same_process(tmp_path: Path) -> None:
    """Its tables are made once a process; those of another folder of the same name are not there."""
    for _ in range(3):
        for _ in range(2):
            storage = Storage(str(tmp_path / "dagster"))
            assert storage.run_storage.get_runs_count() == 0
            assert storage.schedule_storage.all_instigator_state() == []
            assert storage.schedule_storage.get_instigator_state("origin", "selector") is None
        shutil.rmtree(tmp_path / "dagster")
