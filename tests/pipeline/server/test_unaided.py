"""Files dropped in the shared folder become a release by themselves, the same as on one machine.

Minutes: `make cluster` runs it, `make test` does not. It prints what it costs beside one machine.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.demo.deliveries import write_deliveries
from odds_pipeline.release.published import current_number, describe
from odds_pipeline.storage.home import Home

from ... import services
from .cluster import Cluster, cluster

pytestmark = pytest.mark.long
SESSIONS = "SELECT sum(sessions) FROM pg_stat_database WHERE datname LIKE 'odds_%'"
DATA_FILES, CONNECTIONS = 60, 500
"""What a month of everything may leave in the lake, and open in PostgreSQL: each costs a later one time."""


def _sessions(postgres: services.Postgres) -> int:
    return int(str(postgres.execute(SESSIONS)[0][0]))


def _on_one_machine(home: Home, folder: Path) -> tuple[str, float, float]:
    """The content of the release that `odds run` makes; its wall and CPU seconds."""
    begin, before = time.monotonic(), os.times()
    command = [sys.executable, "-m", "odds_pipeline.cli", "run", "--from", str(folder)]
    subprocess.run(
        command, env={**os.environ, "ODDS_HOME": str(home.path)}, check=True, stdout=subprocess.DEVNULL
    )
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return describe(home, 1).content, time.monotonic() - begin, cpu


def _until_published(running: Cluster, home: Home, content: str) -> None:
    def published() -> bool:
        return current_number(home) is not None and describe(home, 1).content == content

    services.until(published, 900, f"the release of one machine ({running.statuses()})")


def test_nobody_touches_anything(
    project: Project, postgres: services.Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write_deliveries(project, tmp_path / "month", "2024-12", "2024-12", faults=False).paths
    content, wall, cpu = _on_one_machine(Home(tmp_path / "embedded"), tmp_path / "month")

    with cluster(tmp_path, postgres) as running:
        for name, value in running.environment("two").items():
            monkeypatch.setenv(name, value)
        home = Home.from_environment()
        begin, sessions, spent = time.monotonic(), _sessions(postgres), running.cpu_seconds()
        for path in paths:
            shutil.copy(path, running.shared / "landing" / path.name)
        _until_published(running, home, content)
        seconds, spent = time.monotonic() - begin, running.cpu_seconds() - spent
        ended = running.until_ended()
        files = sum(1 for _ in (tmp_path / "lake").rglob("*.parquet"))
        opened = _sessions(postgres) - sessions
        print(
            f"{len(paths)} files unaided: {seconds:.0f} s and {spent:.0f} CPU s ({wall:.0f} s and "
            f"{cpu:.0f} CPU s on one machine), {dict(ended)}, {files} data files, {opened} connections"
        )
        assert set(ended) == {"SUCCESS"}
        assert files <= DATA_FILES and opened <= CONNECTIONS
