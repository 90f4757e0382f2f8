"""The guide's way back, in its own words and commands: back-up, two roles, new databases, a new month.

A minute of processor: `make cluster` runs it, `make test` does not.
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from odds_pipeline.declarations.project import project_root

from ... import services
from ..test_gate import populations
from .cluster import Cluster

pytestmark = pytest.mark.long
GUIDE = project_root() / "docs" / "how-to" / "deploy-on-a-server.md"


def odds(environment: dict[str, str], *command: str, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "odds_pipeline.cli", *command],
        env=environment, capture_output=True, text=True, check=False, timeout=540,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def test_restored_by_the_guide_for_a_role_that_owns_its_databases(
    postgres: services.Postgres, tmp_path: Path
) -> None:
    """Both databases were another role's, a superuser's; the new owner is none."""
    own = Cluster(tmp_path, postgres, services.Server([], services.free_port())).environment("one")
    (tmp_path / "shared").mkdir()
    odds(own, "prepare")
    odds(own, "run", "--from", str(populations(tmp_path / "first", 2019)))
    odds(own, "backup", str(tmp_path / "kept"))
    (kept,) = (tmp_path / "kept").iterdir()
    for folder in ("one", "shared", "lake"):
        shutil.move(tmp_path / folder, tmp_path / f"lost-{folder}")

    (said,) = re.findall(
        r"`(createdb -O odds odds_lake && createdb -O odds odds_dagster)`", GUIDE.read_text()
    )
    postgres.execute("CREATE ROLE service LOGIN")
    names = []
    for line in said.split("&&"):
        command, option, _, name = shlex.split(line)
        names.append(f"restored_{name}")
        postgres.run(command, *postgres.here, option, "service", names[-1])
    lake, state = names
    restored = {
        **own,
        "ODDS_CATALOGUE": postgres.dsn(lake).replace("user=odds", "user=service"),
        "ODDS_DAGSTER_DATABASE": postgres.url(state).replace("//odds@", "//service@"),
    }
    odds(restored, "restore", str(kept))
    answers = json.loads(odds(restored, "verify", "--json", status=1))
    assert {a["name"] for a in answers if not a["ok"]} == {"workers", "coordinator"}  # none is started
    odds(restored, "run", "--from", str(populations(tmp_path / "second", 2020)))
    assert (tmp_path / "shared" / "releases" / "current").read_text().strip() == "2"
    runs = "SELECT count(*) FROM runs WHERE status = 'SUCCESS' AND pipeline_name = 'publish_recueil'"
    assert postgres.execute(runs, state) == [(2,)]  # the history of runs came back, and goes on
