"""Twelve sources at once on two workers; kills in mid-run lose and double nothing, and hang nothing.

Some ten minutes and more with kills: `make cluster` runs it, `make test` does not.
``ODDS_SERVER_KILLS`` is the number of kills: a worker, the connections to PostgreSQL, redis, the
coordinator, in turn.
"""

import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import describe, numbers, open_release
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store, check_unique

from ... import services
from .cluster import TWELVE, Cluster, cluster, deliveries

pytestmark = pytest.mark.long
KILLS = int(os.environ.get("ODDS_SERVER_KILLS", "4"))
OBSERVATIONS = (
    "SELECT count(*), bit_xor(md5_number_lower(concat_ws('|', variable, month, territory, level, "
    "geography, value, obs_status, conf_status, lower_bound, delivery))) FROM observations"
)
EVERY_VERDICT_ONCE = "SELECT count(*) - count(DISTINCT (delivery, month, rule)) FROM verdicts"


def facts(home: Home) -> tuple[object, ...]:
    """Number and fingerprint of all observations, replaced ones included."""
    with Store(home.warehouse).connect() as connection:
        check_unique(connection)
        assert connection.execute(EVERY_VERDICT_ONCE).fetchone() == (0,)
        return connection.execute(OBSERVATIONS).fetchone() or ()


def _worker(running: Cluster) -> None:
    running.kill("one")
    running.start("one")


def _coordinator(running: Cluster) -> None:
    running.kill("coordinator")
    running.start("coordinator")


def _postgresql(running: Cluster) -> None:
    running.cut_connections()


def _redis(running: Cluster) -> None:
    running.redis.kill()
    running.redis.start()


KILLED: tuple[Callable[[Cluster], None], ...] = (_worker, _postgresql, _redis, _coordinator)


def _round(
    running: Cluster, paths: list[Path], kill: Callable[[Cluster], None] | None, after: int
) -> None:
    """Deliver files, kill once ``after`` of their runs have begun, wait until no run is left."""
    begin, before = time.monotonic(), running.total()
    for path in paths:
        shutil.copy(path, running.shared / "landing" / f".{path.name}")
        (running.shared / "landing" / f".{path.name}").rename(running.shared / "landing" / path.name)
    running.until_started(after, before)
    if kill is not None:
        kill(running)
    ended = running.until_ended()
    name = kill.__name__ if kill else "nothing"
    print(
        f"{name} killed: {ended.total() - before} runs, {time.monotonic() - begin:.0f} s, {dict(ended)}"
    )


def _added(home: Home, number: int, before: set[str]) -> list[str]:
    """The files that a release has and those before it had not, in the order of their arrival."""
    with open_release(home, number) as release:
        rows = release.execute("SELECT file_name FROM deliveries ORDER BY id").fetchall()
    return [name for name in dict.fromkeys(str(name) for (name,) in rows) if name not in before]


def test_the_twelve_sources_and_kills(
    project: Project, postgres: services.Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    months = ["2024-12", *(f"2024-{1 + n % 11:02d}" for n in range(min(KILLS, 11)))]
    rounds = [deliveries(project, tmp_path / month, month) for month in dict.fromkeys(months)]
    assert len({path.name for path in rounds[0]}) >= len(TWELVE)

    draw = random.Random(93)
    with cluster(tmp_path, postgres) as running:
        _round(running, rounds[0], None, 1)
        for number, paths in enumerate(rounds[1:]):
            _round(running, paths, KILLED[number % len(KILLED)], draw.randint(1, 3))
        # What a run that failed has left is run from a machine's command line.
        done = running.odds("two", "run")
        assert done.returncode == 0, done.stdout + done.stderr
        for machine in ("one", "two"):
            assert "execute_job" in (tmp_path / f"{machine}.log").read_text()
        with monkeypatch.context() as there:
            for name, value in running.environment("two").items():
                there.setenv(name, value)
            home = Home.from_environment()
            assert not publish(project, home).new
            published = [describe(home, number).content for number in numbers(home)]
            found = facts(home)
            steps: list[list[str]] = []
            for number in numbers(home):
                steps.append(_added(home, number, {name for step in steps for name in step}))

    # What a release hides depends on what those before it told: one machine publishes in the same steps.
    embedded = Home(tmp_path / "embedded")
    delivered = {path.name: path for paths in rounds for path in paths}
    assert {name for step in steps for name in step} == set(delivered)
    alone = []
    for step in steps:
        list(receive(project, embedded, [delivered[name] for name in step]))
        for feed in TWELVE:
            judge_pending(project, embedded, feed)
        alone.append(publish(project, embedded).content)
    assert (published, found) == (alone, facts(embedded))
