"""A run killed at any moment leaves the last release whole, and running again ends in the same content."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from odds_pipeline.release.published import current_number, describe, open_release
from odds_pipeline.storage.home import Home

from .test_gate import populations

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("ODDS_KILLS", "4"))


def _run(home: Path, source: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "odds_pipeline.cli", "run", "--from", str(source)],
        env={**os.environ, "ODDS_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def test_killed_and_run_again(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for year in range(2014, 2018):
        populations(first, year)
        populations(second, year + 4)
    never = tmp_path / "never"
    begin = time.monotonic()
    assert _run(never, first).wait() == 0
    length = time.monotonic() - begin
    home = tmp_path / "killed"
    shutil.copytree(never, home, symlinks=True)
    assert _run(never, second).wait() == 0
    expected = describe(Home(never), 2).content

    before = describe(Home(home), 1).content
    draw = random.Random(93)
    for _ in range(KILLS):
        process = _run(home, second)
        try:
            process.wait(timeout=draw.uniform(0.2, length))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        with duckdb.connect(str(Home(home).warehouse)) as connection:
            connection.execute("SELECT count(*) FROM observations").fetchone()
        number = current_number(Home(home))
        with open_release(Home(home)) as release:
            assert release.execute("SELECT number FROM about").fetchone() == (number,)
        assert describe(Home(home), 1).content == before
    assert _run(home, second).wait() == 0
    last = current_number(Home(home))
    assert last is not None
    assert describe(Home(home), last).content == expected
