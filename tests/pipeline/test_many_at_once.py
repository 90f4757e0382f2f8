"""Twelve sources in the same minute, each a run in a process of its own, on the embedded storage."""

import os
import random
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from odds_pipeline.cli import app
from odds_pipeline.declarations.project import Project
from odds_pipeline.orchestration import runs
from odds_pipeline.orchestration.components.shared import feed_key
from odds_pipeline.quality.outstanding import outdated, waiting
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.published import current_number, describe
from odds_pipeline.storage import store
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Overtaken, Store

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("ODDS_ROUNDS", "1"))
SOURCES = int(os.environ.get("ODDS_SOURCES", "3"))

# What a schedule's run does: its own process, its own connection to the instance, one feed.
ONE = """
import sys
from odds_pipeline.orchestration import runs
from odds_pipeline.storage.home import Home
from odds_pipeline.declarations.project import Project
from odds_pipeline.quality.outstanding import waiting
home = Home.from_environment()
with runs.instance_of(home) as instance:
    (batch,) = waiting(Project.load(), home, {sys.argv[1]})
    sys.exit(0 if runs.run_feeds(instance, batch) else 3)
"""


def _files(project: Project, folder: Path) -> list[Path]:
    """One simulated file of each of as many feeds as there are sources."""
    from odds_pipeline.demo.deliveries import write_deliveries

    written = write_deliveries(project, folder, "2024-11", "2024-11", faults=False).paths
    monthly = [path for path in written if "2024-11" in path.name]
    assert len(monthly) >= SOURCES
    return monthly[:SOURCES]


def _receive(project: Project, home: Home, files: list[Path]) -> list[str]:
    return [str(receipt.feed) for receipt in receive(project, home, files)]


def _finish(project: Project, home: Home) -> str:
    """Indicators and release, one after the other; the fingerprint of all that was published."""
    with runs.instance_of(home) as instance:
        for batch in outdated(project, home):
            assert runs.run_indicators(instance, batch)
        assert runs.run_recueil(instance)
    number = current_number(home)
    assert number is not None
    return describe(home, number).content


def _trusted(home: Home) -> int:
    with Store(home.warehouse).connect() as connection:
        row = connection.execute("SELECT count(*) FROM observations WHERE known_to IS NULL").fetchone()
    return row[0] if row else 0


def test_as_many_as_there_are_sources(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(93)
    contents: set[str] = set()
    counts: set[int] = set()
    files = _files(project, tmp_path / "deliveries")
    for number in range(ROUNDS + 1):
        home = Home(tmp_path / f"round{number}")
        monkeypatch.setenv("ODDS_HOME", str(home.path))
        feeds = _receive(project, home, files)
        assert len(set(feeds)) == SOURCES
        if number == 0:
            # The round that the others must equal: one after the other.
            with runs.instance_of(home) as instance:
                for batch in waiting(project, home, feeds):
                    assert runs.run_feeds(instance, batch)
        else:
            draw.shuffle(feeds)
            environment = {**os.environ, "ODDS_HOME": str(home.path)}
            processes = [
                subprocess.Popen([sys.executable, "-W", "ignore", "-c", ONE, feed], env=environment, stderr=subprocess.PIPE, text=True)
                for feed in feeds
            ]  # fmt: skip
            for process in processes:
                _, said = process.communicate()
                assert process.returncode == 0, said
                assert "locked" not in said
            with runs.instance_of(home) as instance:
                statuses = {r.status for r in instance.get_runs()}
                assert statuses == {dg.DagsterRunStatus.SUCCESS}
                for feed in feeds:
                    assert instance.get_materialized_partitions(feed_key(feed))
        counts.add(_trusted(home))
        contents.add(_finish(project, home))
    assert len(counts) == 1
    assert len(contents) == 1


def test_a_warehouse_that_another_writer_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the longest wait the step is taken again by Dagster, for it ends as one overtaken."""
    path = tmp_path / "warehouse.duckdb"
    monkeypatch.setattr(store, "LOCK_SECONDS", 0)
    with Store(path).connect(), pytest.raises(Overtaken, match="another writer"), Store(path).connect():
        pass
    with Store(path).connect() as connection:
        assert connection.execute("FROM deliveries").fetchall() == []


def test_a_command_says_that_another_writer_keeps_the_warehouse(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "LOCK_SECONDS", 0)
    with Store(home.warehouse).connect():
        answer = CliRunner().invoke(app, ["status"])
    assert answer.exit_code == 1
    assert "another writer has kept it for 0 s" in " ".join(answer.output.split())
    assert "Traceback" not in answer.output
