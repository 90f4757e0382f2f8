"""Two observatories on the same PostgreSQL, redis and machine: each makes its own release, by itself.

Minutes: `make cluster` runs it, `make test` does not. `benchmarks/side_by_side.py` measures four.
"""

import json
import shutil
from pathlib import Path

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.storage.home import Home

from ... import services
from .cluster import Cluster, deliveries, observatory, started
from .unaided import content_of, embedded

pytestmark = pytest.mark.long


def test_none_takes_what_is_another_s(
    project: Project, postgres: services.Postgres, tmp_path: Path
) -> None:
    months, contents, machines = {"odds93": "2024-12", "odds59": "2023-12"}, {}, {}
    for name, month in months.items():
        folder = tmp_path / name
        deliveries(project, folder / "month", month)
        contents[name] = embedded(Home(folder / "embedded"), folder / "month").content
    assert len(set(contents.values())) == 2
    with services.redis(tmp_path) as redis:
        for name in months:
            declared = observatory(tmp_path / name / "declared", name)
            machines[name] = Cluster(tmp_path / name, postgres, redis, declared)
        with started(machines["odds93"], ("one",)), started(machines["odds59"], ("one",)):
            for name, running in machines.items():
                for path in (tmp_path / name / "month").iterdir():
                    shutil.copy(path, running.shared / "landing" / path.name)
            for name, running in machines.items():
                services.until(
                    lambda running=running, wanted=contents[name]: content_of(running) == wanted,
                    600,
                    f"the release of {name}",
                )
                assert set(running.until_ended()) == {"SUCCESS"}
                said = {a["name"]: a for a in json.loads(running.odds("one", "health", "--json").stdout)}
                assert said["workers"]["detail"] == "1 answer"
            # Lines of the environment left as they were copied from the other's.
            ours = machines["odds93"].environment("one")
            for left in (("ODDS_CATALOGUE", "ODDS_LAKE"), ("ODDS_SHARED",)):
                others = {name: ours[name] for name in left}
                mixed = machines["odds59"].odds("one", "receive", str(tmp_path), **others)
                told = " ".join(mixed.stderr.split())
                assert mixed.returncode == 1 and "is of the observatory odds93" in told, told
                assert f"({left[0]}" in told
