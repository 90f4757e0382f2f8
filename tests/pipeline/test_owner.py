"""A warehouse and a landing folder are of one observatory: another's declarations are refused there."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from odds_pipeline.declarations.project import project_root
from odds_pipeline.storage import store
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.migrations import Migration
from odds_pipeline.storage.owner import AnotherObservatory
from odds_pipeline.storage.schema import version_of
from odds_pipeline.storage.store import Store

from .server.cluster import observatory


def _named(folder: Path, name: str) -> Path:
    """Declarations of which only the observatory's own page is needed."""
    (folder / "assets").mkdir(parents=True)
    text = (project_root() / "assets" / "observatory.yaml").read_text(encoding="utf-8")
    (folder / "assets" / "observatory.yaml").write_text(text.replace("id: odds93", f"id: {name}"))
    return folder


def test_another_observatory_opens_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "ours")
    home.make_landing()
    with Store(home.warehouse).connect():
        pass
    before = hashlib.sha256(home.warehouse.read_bytes()).hexdigest()

    monkeypatch.setenv("ODDS_PROJECT", str(_named(tmp_path / "nord", "odds59")))
    said = r"is of the observatory odds93.* are of odds59: nothing .*\(ODDS_HOME\).* odds93 \(ODDS_PROJECT\)"
    with pytest.raises(AnotherObservatory, match=said), Store(home.warehouse).connect():
        raise AssertionError("opened to write")
    with pytest.raises(AnotherObservatory, match=said), Store(home.warehouse).reading():
        raise AssertionError("opened to read")
    with pytest.raises(AnotherObservatory, match=r"landing is of the observatory odds93"):
        home.make_landing()
    assert hashlib.sha256(home.warehouse.read_bytes()).hexdigest() == before

    monkeypatch.delenv("ODDS_PROJECT")
    with Store(home.warehouse).reading() as connection:
        assert connection.execute("FROM observatory").fetchall() == [("odds93",)]


def test_the_warehouse_of_another_is_refused_before_it_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "ours")
    with Store(home.warehouse).connect():
        pass
    newer = [
        *store.MIGRATIONS,
        Migration(len(store.MIGRATIONS) + 1, "later", "CREATE TABLE later (x INT)"),
    ]
    monkeypatch.setattr(store, "MIGRATIONS", newer)
    monkeypatch.setenv("ODDS_PROJECT", str(_named(tmp_path / "nord", "odds59")))
    with pytest.raises(AnotherObservatory), Store(home.warehouse).connect():
        raise AssertionError("opened")
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        assert version_of(connection) == len(newer) - 1
    monkeypatch.delenv("ODDS_PROJECT")
    with Store(home.warehouse).connect() as connection:
        assert version_of(connection) == len(newer)


def test_the_share_of_another_observatory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site.yaml").write_text(
        "label: Essai\nstorage: {kind: duckdb}\ndagster: dagster.yaml\nperimeter: all\n"
        f"shared: {tmp_path / 'share'}\n"
    )
    monkeypatch.setenv("ODDS_DEPLOYMENT", str(tmp_path / "site.yaml"))
    home = Home(tmp_path / "one")
    home.make_landing()
    home.check_share()
    monkeypatch.setenv("ODDS_PROJECT", str(_named(tmp_path / "nord", "odds59")))
    with pytest.raises(AnotherObservatory, match=r"\(ODDS_SHARED, ODDS_HOME\)"):
        home.check_share()
    (home.landing / ".observatory").unlink()  # a share of before it was asked whose it is
    home.check_share()


def test_a_warehouse_of_before_is_ours_from_its_next_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    with Store(home.warehouse).connect() as connection:
        connection.execute("DELETE FROM observatory")
    with Store(home.warehouse).reading():  # says nothing yet, and is only read
        pass
    monkeypatch.setenv("ODDS_PROJECT", str(_named(tmp_path / "nord", "odds59")))
    with Store(home.warehouse).connect() as connection:
        assert connection.execute("FROM observatory").fetchall() == [("odds59",)]
    monkeypatch.delenv("ODDS_PROJECT")
    with pytest.raises(AnotherObservatory), Store(home.warehouse).connect():
        raise AssertionError("opened")


def test_two_observatories_on_one_machine(tmp_path: Path) -> None:
    """As a person types it: the other one's declarations, this one's folder."""
    home = Home(tmp_path / "ours")
    home.make_landing()
    with Store(home.warehouse).connect():
        pass
    environment = {
        **os.environ,
        "ODDS_HOME": str(home.path),
        "ODDS_PROJECT": str(observatory(tmp_path / "nord", "odds59")),
    }
    for command in (["run"], ["status"], ["receive", str(home.landing)], ["health"]):
        done = subprocess.run(
            [sys.executable, "-m", "odds_pipeline.cli", *command],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        said = " ".join((done.stdout + done.stderr).split())
        assert done.returncode == 1 and "is of the observatory odds93" in said, said
        assert "Traceback" not in said
