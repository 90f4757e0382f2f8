"""Back-up, restoration, verification, rebuilding: what is lost is told, and the way back gives the same."""

import errno
import os
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.extranet.identity.accounts import Accounts
from odds_pipeline.operations.backup import NotRestored, back_up, back_ups, restore
from odds_pipeline.operations.failures import explained
from odds_pipeline.operations.health import health
from odds_pipeline.operations.rebuild import NotRebuilt, rebuild
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.quality.quarantine import accept
from odds_pipeline.reception.aside import dismiss
from odds_pipeline.reception.kept import archive_path
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.publish import ClockBehind, publish
from odds_pipeline.release.published import current_number, describe, numbers
from odds_pipeline.secrecy.memory import Forgotten, remembered
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.manifest import NoManifest, Unread, manifest_path
from odds_pipeline.storage.store import Store

from .test_gate import FEED, populations

KILLS = int(os.environ.get("ODDS_KILLS", "2"))
REASON = "Commune recensée à part cette année, confirmé par l'Insee"


def deliver(project: Project, home: Home, *paths: Path) -> None:
    with Store(home.warehouse).kept_open():
        list(receive(project, home, paths))
        judge_pending(project, home, FEED)


def _one_more(rows: list[list[str]]) -> None:
    """An inhabitant more in one commune, in its total as well."""
    for column in (3, 5):
        rows[5][column] = str(int(rows[5][column]) + 1)


@pytest.fixture(scope="module")
def kept(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two releases: a month revised, one taken back, one accepted by a person, one in quarantine."""
    folder = tmp_path_factory.mktemp("kept")
    home = Home(folder / "odds")
    first = populations(folder / "a", 2019)
    deliver(project, home, first, populations(folder / "a", 2020))
    publish(project, home)
    deliver(project, home, populations(folder / "b", 2019, _one_more))
    refused = populations(folder / "b", 2021, lambda rows: rows.pop(4))
    deliver(project, home, refused)
    accept(project, home, refused.name, None, REASON, "responsable qualité")
    deliver(project, home, populations(folder / "b", 2022, lambda rows: rows.pop(7)))
    (folder / "b" / "note.txt").write_text("Bonjour,\nle fichier suit.\n")
    list(receive(project, home, [folder / "b" / "note.txt"]))
    dismiss(home, "note.txt", "courrier d'accompagnement", "responsable qualité")
    list(receive(project, home, [first], again=True))
    judge_pending(project, home, FEED)
    publish(project, home)
    accounts = Accounts(home.path / "extranet" / "accounts.sqlite")
    accounts.save_organisation("CCAS", "membres")
    home.path.chmod(0o700)
    return home


TABLES = (
    "deliveries", "delivered_months", "verdicts", "overrulings", "observations", "arrivals", "dismissals",
)  # fmt: skip


def content(home: Home) -> dict[str, list[tuple[object, ...]]]:
    """What the warehouse says, but when and in which order it was judged."""
    hidden = "* EXCLUDE ({})"
    left = {
        "delivered_months": hidden.format("judgement, judged_at"),
        "observations": hidden.format("known_from, known_to"),
        "arrivals": hidden.format("contracts"),
    }
    with Store(home.warehouse).connect() as connection:
        return {
            t: connection.execute(f"SELECT {left.get(t, '*')} FROM {t} ORDER BY ALL").fetchall()
            for t in TABLES
        }


def wrong(home: Home, deep: bool = True) -> dict[str, str]:
    return {a.name: a.detail for a in health(home, deep) if not a.ok}


@pytest.fixture
def embedded(kept: Home, home: Home) -> Home:
    """A copy of one's own, to damage."""
    if os.environ.get("ODDS_TEST_ON") == "server":
        pytest.skip("files of the embedded deployment")
    shutil.copytree(kept.path, home.path, symlinks=True)
    return home


# ── rebuilding ───────────────────────────────────────────────────────────────────────────────────


def test_the_tables_are_made_again_from_the_archive(project: Project, embedded: Home) -> None:
    before, release = content(embedded), describe(embedded, 2).content
    embedded.warehouse.unlink()
    done = rebuild(project, embedded)
    assert (done.differences, done.former) == ((), None)
    assert (done.deliveries, done.decisions) == (7, 2)
    after = content(embedded)
    for table in TABLES:
        assert after[table] == before[table], table
    again = publish(project, embedded)
    assert (again.number, again.new, again.content) == (2, False, release)


def test_a_damaged_warehouse_is_kept_beside_the_new_one(project: Project, embedded: Home) -> None:
    damage(embedded.warehouse)
    done = rebuild(project, embedded)
    assert done.former is not None and done.former.exists()
    assert publish(project, embedded).number == 2
    assert wrong(embedded) == {}


def test_a_year_that_only_the_folder_told_is_told_again(
    project: Project, embedded: Home, tmp_path: Path
) -> None:
    """Insee gives each year's file the same name; where it was taken from is kept too."""
    path = populations(tmp_path / "2018", 2018).rename(tmp_path / "2018" / "donnees_communes.csv")
    deliver(project, embedded, path)
    publish(project, embedded)
    origins = "SELECT origin FROM origins ORDER BY delivery"
    with Store(embedded.warehouse).connect() as connection:
        before = connection.execute(origins).fetchall()
    assert rebuild(project, embedded).differences == ()
    with Store(embedded.warehouse).connect() as connection:
        assert connection.execute(origins).fetchall() == before
        states = "SELECT state FROM delivered_months WHERE month = '2018-01'"
        assert connection.execute(states).fetchall() == [("accepted",)]


def test_nothing_is_rebuilt_from_an_archive_that_lacks_bytes(project: Project, embedded: Home) -> None:
    with Store(embedded.warehouse).connect() as connection:
        ((lost,),) = connection.execute(
            "SELECT sha256 FROM deliveries WHERE file_name LIKE '%2020%'"
        ).fetchall()
    archive_path(embedded, lost).unlink()
    with pytest.raises(NotRebuilt, match=r"1 files are not in .*pop2020"):
        rebuild(project, embedded)


def test_nothing_is_rebuilt_from_bytes_that_were_not_received(project: Project, embedded: Home) -> None:
    """One byte changed is another file: its figures would have been believed."""
    with Store(embedded.warehouse).connect() as connection:
        ((changed,),) = connection.execute(
            "SELECT sha256 FROM deliveries WHERE file_name LIKE '%2020%'"
        ).fetchall()
    path = archive_path(embedded, changed)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"#")
    before = content(embedded)
    with pytest.raises(NotRebuilt, match=r"1 files of .* no longer hold the bytes received: .*pop2020"):
        rebuild(project, embedded)
    assert content(embedded) == before


def test_what_would_be_judged_otherwise_today_is_told(project: Project, embedded: Home) -> None:
    path = manifest_path(embedded)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"state": "refused"', '"state": "accepted"'), encoding="utf-8")
    done = rebuild(project, embedded)
    assert done.differences == ("donnees_communes_pop2022.csv 2022-01: accepted then, refused now",)


# ── what is damaged is told, with the way back ───────────────────────────────────────────────────


def damage(path: Path) -> None:
    """Flip a fifth of a file's bytes, in every part of it but its head."""
    path.chmod(0o600)
    size = path.stat().st_size
    with path.open("r+b") as file:
        for place in range(min(size // 3, 20_000), size, 20_000):
            file.seek(place)
            found = file.read(4000)
            file.seek(place)
            file.write(bytes(byte ^ 0xFF for byte in found))


def test_an_observatory_in_order_has_nothing_to_say(embedded: Home) -> None:
    assert wrong(embedded) == {} and wrong(embedded, deep=False) == {}


def test_one_byte_of_the_archive(embedded: Home) -> None:
    path = next(embedded.archive.glob("??/*"))
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"#")
    assert path.name in wrong(embedded)["archive"] and "back-up" in wrong(embedded)["archive"]


def test_a_file_of_the_archive(embedded: Home) -> None:
    next(embedded.archive.glob("??/*")).unlink()
    assert "mounted" in wrong(embedded, deep=False)["archive"]


def test_bytes_of_a_release(embedded: Home) -> None:
    path = embedded.releases / "0001" / "public.duckdb"
    damage(path)
    assert str(path) in wrong(embedded)["release"]
    damage(embedded.releases / "0002" / "partenaires.duckdb")
    assert {*wrong(embedded)} == {"release"}


def test_the_memory_of_a_release(embedded: Home) -> None:
    path = embedded.memory / "0001.parquet"
    damage(path)
    assert str(path) in wrong(embedded)["memory"]
    path.unlink()
    assert "back-up" in wrong(embedded, deep=False)["memory"]


def test_the_end_of_a_memory_is_written_again_or_nothing_is_published(
    project: Project, embedded: Home, tmp_path: Path
) -> None:
    path = embedded.memory / "0001.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert str(path) in wrong(embedded, deep=False)["memory"]
    assert not publish(project, embedded).new
    assert path.read_bytes() == whole
    path.write_bytes(whole[:-9])
    embedded.warehouse.unlink()
    with pytest.raises(Forgotten, match=r"memory of release 1 .* or damaged"):
        publish(project, embedded)


def test_the_release_that_readers_see(embedded: Home) -> None:
    shutil.rmtree(embedded.releases / "0002")
    assert "back-up" in wrong(embedded, deep=False)["release"]
    assert {*wrong(embedded, deep=False)} == {"release"}
    (embedded.releases / "current").write_text("x\n")
    assert "write there the number" in wrong(embedded, deep=False)["release"]


def test_the_names_beside_the_archive(project: Project, embedded: Home) -> None:
    path = manifest_path(embedded)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert "take it from a back-up" in wrong(embedded, deep=False)["manifest"]
    for command in (rebuild, publish):
        with pytest.raises(NoManifest, match="is damaged: take it from a back-up"):
            command(project, embedded)
    path.unlink()
    publish(project, embedded)
    assert path.read_bytes() == whole


def test_bytes_of_the_warehouse(embedded: Home) -> None:
    damage(embedded.warehouse)
    assert "odds rebuild" in wrong(embedded)["warehouse"]


def test_a_warehouse_that_is_gone_is_told_and_nothing_is_published_without_it(
    project: Project, embedded: Home
) -> None:
    embedded.warehouse.unlink()
    assert "odds rebuild" in wrong(embedded, deep=False)["warehouse"]
    with pytest.raises(Unread, match=r"files received are not in the warehouse.*odds rebuild"):
        publish(project, embedded)
    # Publishing opened an empty one.
    assert "odds rebuild" in wrong(embedded, deep=False)["warehouse"]
    rebuild(project, embedded)
    assert wrong(embedded) == {}
    assert publish(project, embedded).number == 2


def test_bytes_of_the_accounts(embedded: Home) -> None:
    path = embedded.path / "extranet" / "accounts.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damage(path)
    assert "damaged" in wrong(embedded)["accounts"]
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 9000)
    listed = subprocess.run(
        [sys.executable, "-m", "odds_pipeline.cli", "account", "list"],
        env={**os.environ, "ODDS_HOME": str(embedded.path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert listed.returncode == 1 and "Traceback" not in listed.stdout + listed.stderr
    assert "accounts are in the way" in listed.stdout + listed.stderr


def test_bytes_of_dagsters_history(embedded: Home) -> None:
    path = embedded.dagster / "storage" / "event_log.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE t AS WITH RECURSIVE n(i) AS "
                         "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) SELECT i FROM n")  # fmt: skip
        database.commit()
    damage(path)
    assert "move" in wrong(embedded, deep=False)["dagster"]


def test_what_others_may_read(embedded: Home) -> None:
    embedded.path.chmod(0o755)
    embedded.archive.chmod(0o755)
    assert "chmod -R go=" in wrong(embedded, deep=False)["private"]


def test_a_clock_set_back(project: Project, embedded: Home, tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        for file in embedded.releases.glob("0002/*.duckdb"):
            file.chmod(0o600)
            connection.execute(f"ATTACH '{file}' AS r")
            connection.execute("UPDATE r.about SET published_at = '2099-01-01T00:00:00+00:00'")
            connection.execute("DETACH r")
    assert "timedatectl" in wrong(embedded, deep=False)["clock"]
    assert not publish(project, embedded).new
    deliver(project, embedded, populations(tmp_path / "n", 2016))
    with pytest.raises(ClockBehind, match=r"release 2 is of 2099-.*nothing is published"):
        publish(project, embedded)
    # The release was made under a wrong clock: the way back that is told.
    (embedded.releases / "current").write_text("1\n")
    assert publish(project, embedded).number == 3


# ── back-up and restoration ──────────────────────────────────────────────────────────────────────


def test_a_back_up_is_the_observatory_elsewhere(
    project: Project, embedded: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(embedded)
    made = back_up(embedded, tmp_path / "kept")
    monkeypatch.setenv("ODDS_HOME", str(tmp_path / "elsewhere"))
    other = Home.from_environment()
    restore(other, made.path)
    assert content(other) == before
    assert wrong(other) == {"private": wrong(other).get("private", "")} or wrong(other) == {}
    assert publish(project, other).content == describe(embedded, 2).content
    assert [o.name for o in Accounts(other.path / "extranet" / "accounts.sqlite").organisations()] == [
        "CCAS"
    ]
    deliver(project, other, populations(tmp_path / "c", 2017))
    assert publish(project, other).number == 3


def test_a_second_back_up_links_what_never_changes(embedded: Home, tmp_path: Path) -> None:
    first, second = (back_up(embedded, tmp_path / str(i)) for i in (1, 2))
    moved = tmp_path / "1" / "2000-01-01T000000Z"
    first.path.rename(moved)
    again = back_up(embedded, tmp_path / "1")
    assert again.files.keys() == second.files.keys()
    linked = {name for name in again.files if (again.path / name).stat().st_nlink > 1}
    assert {Path(name).parts[1] for name in linked} == {"archive", "releases"}


def test_a_back_up_holds_the_releases_that_were_taken_back_by_hand(
    project: Project, embedded: Home, tmp_path: Path
) -> None:
    (embedded.releases / "current").write_text("1\n")
    restore(other := Home(tmp_path / "elsewhere"), back_up(embedded, tmp_path / "kept").path)
    assert (current_number(other), numbers(other), remembered(other.memory)) == (1, [1, 2], [1, 2])
    shutil.rmtree(other.releases / "0002")
    assert "release 2 is not in" in wrong(other, deep=False)["release"]


def test_a_damaged_back_up_or_an_inhabited_home_is_refused(embedded: Home, tmp_path: Path) -> None:
    made = back_up(embedded, tmp_path / "kept")
    with pytest.raises(NotRestored, match="not empty"):
        restore(embedded, made.path)
    damage(next((made.path / "home" / "archive").glob("??/*")))
    with pytest.raises(NotRestored, match="damaged"):
        restore(Home(tmp_path / "elsewhere"), made.path)
    assert not (tmp_path / "elsewhere").exists()
    with pytest.raises(NotRestored, match="no back-up"):
        restore(Home(tmp_path / "elsewhere"), tmp_path / "kept")


def test_nothing_of_a_back_up_is_open_to_others(embedded: Home, tmp_path: Path) -> None:
    former = os.umask(0o077)
    try:
        made = back_up(embedded, tmp_path / "kept")
    finally:
        os.umask(former)
    folders = [made.path, *(p for p in made.path.rglob("*") if p.is_dir())]
    assert all(stat.S_IMODE(folder.stat().st_mode) == 0o700 for folder in folders)


def test_a_back_up_before_a_receipt_has_its_name_is_whole_once_restored(
    project: Project, embedded: Home, tmp_path: Path
) -> None:
    receipts = receive(project, embedded, [populations(tmp_path / "n", 2016)])
    next(receipts)
    one = back_up(embedded, tmp_path / "kept")
    other = Home(tmp_path / "restored")
    restore(other, one.path)
    assert set(wrong(other)) <= {"private"}


@pytest.mark.slow
def test_a_back_up_while_runs_go_on_is_of_one_moment(
    project: Project, embedded: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is received, judged or published meanwhile, a back-up verifies and can go on."""
    running = _odds(embedded.path, "run", "--from", str(populations(tmp_path / "n", 2016).parent))
    made = []
    while running.poll() is None or not made:
        made.append(back_up(embedded, tmp_path / f"kept-{len(made)}"))
    assert running.wait() == 0
    for number, one in enumerate(made[:: max(1, len(made) // 4)]):
        other = Home(tmp_path / f"restored-{number}")
        restore(other, one.path)
        assert set(wrong(other)) <= {"private"}
        assert current_number(other) == one.release


# ── killed at any moment ─────────────────────────────────────────────────────────────────────────


def _odds(home: Path, *command: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "odds_pipeline.cli", *command],
        env={**os.environ, "ODDS_HOME": str(home)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def _kill(draw: random.Random, length: float, home: Path, *command: str) -> None:
    process = _odds(home, *command)
    try:
        process.wait(timeout=draw.uniform(length * 0.4, length))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _length(home: Path, *command: str) -> float:
    begin = time.monotonic()
    assert _odds(home, *command).wait() == 0
    return time.monotonic() - begin


@pytest.mark.slow
def test_killed_while_backing_up_or_restoring(embedded: Home, tmp_path: Path) -> None:
    draw = random.Random(7)
    folder, other = tmp_path / "kept", tmp_path / "elsewhere"
    length = _length(embedded.path, "backup", str(folder))
    for _ in range(KILLS):
        _kill(draw, length, embedded.path, "backup", str(folder))
        for one in back_ups(folder):
            restore(Home(tmp_path / "read"), one.path)
            shutil.rmtree(tmp_path / "read")
    last = str(back_ups(folder)[-1].path)
    for _ in range(KILLS):
        _kill(draw, length, other, "restore", last)
        assert not other.exists() or set(wrong(Home(other))) <= {"private"}
        shutil.rmtree(other, ignore_errors=True)


@pytest.mark.slow
def test_killed_while_rebuilding(project: Project, embedded: Home) -> None:
    draw = random.Random(8)
    before = content(embedded)
    length = _length(embedded.path, "rebuild")
    for _ in range(KILLS):
        _kill(draw, length, embedded.path, "rebuild")
        assert content(embedded) == before
    assert rebuild(project, embedded).differences == ()
    assert content(embedded) == before


def test_the_full_disk_is_that_of_the_file_that_is_written(tmp_path: Path) -> None:
    copied = OSError(errno.ENOSPC, "No space left on device", "/read/here", None, "/written/there")
    assert (explained(copied, Home(tmp_path)) or "").startswith("The disk of /written/there is full")
