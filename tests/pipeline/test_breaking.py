"""A machine that breaks: a sentence with what to do, never a traceback; reading goes on where it can."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from odds_pipeline.cli import app
from odds_pipeline.declarations.project import Project
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import current_number, describe, numbers
from odds_pipeline.storage.home import Home

from .test_gate import populations
from .test_keeping import damage

pytestmark = pytest.mark.slow

READING = (
    ("status",), ("quarantine",), ("releases",), ("secrecy",),
    ("value", "population_municipale", "Bobigny"), ("explain", "population_municipale", "Bobigny", "2019-01"),
)  # fmt: skip


def odds(home: Home, *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "odds_pipeline.cli", *command],
        env={**os.environ, "ODDS_HOME": str(home.path), "COLUMNS": "400"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def runs(home: Home, *source: Path) -> None:
    """``odds run`` goes well, in this process: Dagster and Great Expectations are loaded already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ODDS_HOME", str(home.path))
        patch.setenv("ODDS_WAREHOUSE", str(home.warehouse))  # the run sets it: not beyond this run
        done = CliRunner().invoke(
            app, ["run", *(word for path in source for word in ("--from", str(path)))]
        )
    assert done.exit_code == 0, done.output


def failed_with(done: "subprocess.CompletedProcess[str]", *words: str) -> None:
    """Status 1 and a sentence that says these words, without a traceback."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """An observatory with one release."""
    folder = tmp_path_factory.mktemp("ready")
    home = Home(folder / "odds")
    runs(home, populations(folder / "in", 2019).parent)
    return home


@pytest.fixture
def own(ready: Home, tmp_path: Path) -> Home:
    shutil.copytree(ready.path, tmp_path / "odds", symlinks=True)
    return Home(tmp_path / "odds")


@pytest.fixture
def disk(ready: Home, tmp_path: Path) -> Iterator[Home]:
    """The same on a disk of its own, of 120 MB."""
    mount = tmp_path / "disk"
    mount.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=120m", "odds", mount], check=False,
                          capture_output=True)  # fmt: skip
    if made.returncode:
        pytest.skip("mounting a disk needs root")
    try:
        shutil.copytree(ready.path, mount / "odds", symlinks=True)
        yield Home(mount / "odds")
    finally:
        subprocess.run(["umount", "-l", mount], check=True)


def test_a_damaged_history_of_runs(own: Home) -> None:
    damage(own.dagster / "event_log.db")
    failed_with(odds(own, "run"), str(own.dagster), "no figure", "move")
    shutil.move(own.dagster, own.path / "dagster.damaged")
    runs(own)
    assert current_number(own) == 1


def test_a_run_that_refuses_ends_with_status_1_and_the_next_one_does_not(
    own: Home, tmp_path: Path
) -> None:
    """Who calls it each night is told once, not until the partner has sent another file."""
    wrong = populations(tmp_path / "in", 2020, lambda rows: rows[3].__setitem__(3, "-12"))
    failed_with(odds(own, "run", "--from", str(wrong.parent)), "this run refused")
    runs(own, wrong.parent)


@pytest.mark.parametrize("command", [("run",), ("status",), ("quarantine",)])
def test_a_damaged_warehouse(own: Home, command: tuple[str, ...]) -> None:
    own.warehouse.write_bytes(own.warehouse.read_bytes()[:5000] + b"x" * 9000)
    failed_with(odds(own, *command), "odds rebuild", "odds restore")


def test_a_damaged_release_or_memory(own: Home, tmp_path: Path) -> None:
    """The sentence and its remedy, of what was raised in a run too: no name of a class."""
    file, new = own.releases / "0001" / "partenaires.duckdb", populations(tmp_path / "new", 2020)
    whole = file.read_bytes()
    damage(file)
    for command in ("run", "releases"):
        done = odds(own, command)
        failed_with(done, str(file), "Take the folder of this release from a back-up")
        assert "IOException" not in done.stdout + done.stderr
    file.write_bytes(whole)
    (own.memory / "0001.parquet").unlink()
    with duckdb.connect(str(own.warehouse)) as connection:
        connection.execute("DELETE FROM published_cells")
    done = odds(own, "run", "--from", str(new.parent))
    failed_with(
        done, "No release: recueil: the memory of release 1 is missing", "Put it back from a back-up"
    )
    assert "Forgotten" not in done.stdout + done.stderr


@pytest.mark.parametrize("mode", ["read_only=True", ""])
def test_a_warehouse_that_another_program_has_open(own: Home, mode: str) -> None:
    """A look into it, by DuckDB itself: nothing is damaged, nor is the disk read-only."""
    held = f"import duckdb, sys; c = duckdb.connect(sys.argv[1], {mode}); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", held, str(own.warehouse)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None and other.stdout.readline()
        failed_with(odds(own, "quarantine"), "open in another program", f"PID {other.pid}", "close it")
        health = odds(own, "health").stdout
        assert ("open in another program" in health) == (not mode)
        assert "damaged" not in health
        other.communicate(b"\n")
    assert odds(own, "quarantine").returncode == 0


def test_a_disk_that_may_only_be_read(disk: Home, tmp_path: Path) -> None:
    expected = {command: odds(disk, *command).stdout for command in READING}
    mount = disk.path.parent
    subprocess.run(["mount", "-o", "remount,ro", mount], check=True)
    for command in READING:
        done = odds(disk, *command)
        assert (done.returncode, done.stdout) == (0, expected[command]), (command, done.stderr)
    failed_with(odds(disk, "run"), "mount")
    new = populations(tmp_path / "new", 2020)
    failed_with(odds(disk, "receive", str(new)), "mount")


def test_a_clock_set_back_is_said_before_anything_is_done(own: Home) -> None:
    with duckdb.connect() as connection:
        for file in own.releases.glob("0001/*.duckdb"):
            file.chmod(0o600)
            connection.execute(f"ATTACH '{file}' AS r")
            connection.execute("UPDATE r.about SET published_at = '2099-01-01T00:00:00+00:00'")
            connection.execute("UPDATE r.audit SET told_before = 2")
            connection.execute("DETACH r")
    done = odds(own, "run")
    assert "timedatectl" in done.stderr and "Traceback" not in done.stderr
    # What the release that readers see is known to have told is said after each run.
    assert "2 figure(s) that are secret now were told by an earlier release" in done.stdout
    assert "hiding them takes nothing back" in done.stdout


def test_a_full_disk(disk: Home, tmp_path: Path) -> None:
    new = populations(tmp_path / "new", 2020)
    filler = disk.path.parent / "filler"
    with filler.open("wb") as file:
        free = shutil.disk_usage(disk.path).free
        file.write(b"x" * (free - 300_000))
    failed_with(odds(disk, "run", "--from", str(new.parent)), "full", "same command")
    assert current_number(disk) == 1
    filler.unlink()
    runs(disk, new.parent)
    elsewhere = Home(tmp_path / "elsewhere")
    both = shutil.copytree(new.parent, tmp_path / "both")
    populations(both, 2019)
    runs(elsewhere, both)
    assert describe(disk, 2).content == describe(elsewhere, 1).content


def test_a_disk_that_is_full_when_readers_are_to_see_the_release(
    project: Project, own: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No release stands there that nobody sees, whose figures count as told."""
    list(receive(project, own, [populations(tmp_path / "new", 2020)]))
    judge_pending(project, own, "insee/populations_legales")
    write = Path.write_text

    def full(path: Path, text: str, **how: str) -> int:
        if path.name == ".current.tmp":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return write(path, text, **how)

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(Path, "write_text", full)
        publish(project, own)
    assert numbers(own) == [1] == [current_number(own)]
    assert publish(project, own).number == 2
