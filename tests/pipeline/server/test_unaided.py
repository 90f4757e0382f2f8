"""Files dropped in the shared folder become a release by themselves, the same as on one machine.

Minutes: `make cluster` runs it, `make test` does not. It prints what it costs beside one machine.
"""

import shutil
import time
from pathlib import Path

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.demo.deliveries import write_deliveries
from odds_pipeline.storage.home import Home

from ... import services
from .cluster import cluster
from .unaided import content_of, embedded

pytestmark = pytest.mark.long
SESSIONS = "SELECT sum(sessions) FROM pg_stat_database WHERE datname LIKE 'odds_%'"
DATA_FILES, CONNECTIONS = 60, 500
"""What a month of everything may leave in the lake, and open in PostgreSQL: each costs a later one time."""


def _sessions(postgres: services.Postgres) -> int:
    return int(str(postgres.execute(SESSIONS)[0][0]))


def test_nobody_touches_anything(project: Project, postgres: services.Postgres, tmp_path: Path) -> None:
    paths = write_deliveries(project, tmp_path / "month", "2024-12", "2024-12", faults=False).paths
    beside = embedded(Home(tmp_path / "embedded"), tmp_path / "month")

    with cluster(tmp_path, postgres) as running:
        begin, sessions, spent = time.monotonic(), _sessions(postgres), running.cpu_seconds()
        for path in paths:
            shutil.copy(path, running.shared / "landing" / path.name)
        services.until(lambda: content_of(running) == beside.content, 900, "the release of one machine")
        seconds, spent = time.monotonic() - begin, running.cpu_seconds() - spent
        ended = running.until_ended()
        files = sum(1 for _ in (tmp_path / "lake").rglob("*.parquet"))
        opened = _sessions(postgres) - sessions
        print(
            f"{len(paths)} files unaided: {seconds:.0f} s and {spent:.0f} CPU s ({beside.wall:.0f} s and "
            f"{beside.cpu:.0f} CPU s on one machine), {dict(ended)}, {files} data files, {opened} connections"
        )
        assert set(ended) == {"SUCCESS"}
        assert files <= DATA_FILES and opened <= CONNECTIONS
