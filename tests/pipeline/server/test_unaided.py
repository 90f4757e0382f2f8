"""Files dropped in the shared folder become a release by themselves, the same as on one machine.

Minutes: `make cluster` runs it, `make test` does not.
"""

import shutil
import time
from pathlib import Path

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import current_number, describe
from odds_pipeline.storage.home import Home

from ... import services
from .cluster import TWELVE, cluster, deliveries

pytestmark = pytest.mark.long
SESSIONS = "SELECT sum(sessions) FROM pg_stat_database WHERE datname LIKE 'odds_%'"


def test_nobody_touches_anything(
    project: Project, postgres: services.Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = deliveries(project, tmp_path / "month", "2024-12")
    embedded = Home(tmp_path / "embedded")
    begin = time.monotonic()
    list(receive(project, embedded, paths))
    for feed in TWELVE:
        judge_pending(project, embedded, feed)
    content = publish(project, embedded).content
    alone = time.monotonic() - begin

    with cluster(tmp_path, postgres) as running:
        for name, value in running.environment("two").items():
            monkeypatch.setenv(name, value)
        home = Home.from_environment()
        begin, sessions = time.monotonic(), int(str(postgres.execute(SESSIONS)[0][0]))
        for path in paths:
            shutil.copy(path, running.shared / "landing" / path.name)
        services.until(
            lambda: current_number(home) is not None and describe(home, 1).content == content,
            900, f"the release of one machine ({running.statuses()})",
        )  # fmt: skip
        seconds = time.monotonic() - begin
        files = sum(1 for _ in (tmp_path / "lake").rglob("*.parquet"))
        opened = int(str(postgres.execute(SESSIONS)[0][0])) - sessions
        print(
            f"{len(paths)} files: {seconds:.0f} s unaided ({alone:.0f} s on one machine in one process), "
            f"{dict(running.until_ended())}, {files} data files, {opened} connections"
        )
