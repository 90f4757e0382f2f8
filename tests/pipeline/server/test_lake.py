"""The same figures whichever engine keeps them; two writers, cut connections and S3."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from odds_pipeline.declarations.deployment import LakeStorage, deployment
from odds_pipeline.declarations.project import Project
from odds_pipeline.extranet.identity.accounts import Accounts
from odds_pipeline.fetch.fetch import fetch
from odds_pipeline.operations.backup import back_up, restore
from odds_pipeline.operations.compact import compact
from odds_pipeline.operations.health import _ask, health
from odds_pipeline.operations.postgres import DatabaseRefused
from odds_pipeline.operations.rebuild import NotRebuilt, rebuild
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import describe
from odds_pipeline.storage.home import Home, NotMounted
from odds_pipeline.storage.lake import TwoLakes, locked
from odds_pipeline.storage.manifest import Unread
from odds_pipeline.storage.store import Overtaken, Store, check_unique, transaction

from ... import services
from ...conftest import copied_lake
from ..test_gate import FEED, populations
from ..test_kept_open import an_error_starts_anew, is_kept, one_that_waits_gets_in

pytestmark = pytest.mark.slow

HEAD = "SELECT count(*), count(DISTINCT delivery || month || variable || territory) FROM observations"


def arrive(project: Project, home: Home, source: Path) -> None:
    list(receive(project, home, [source]))
    judge_pending(project, home, FEED)


def observatory(project: Project, home: Home, source: Path) -> str:
    """Receive, judge, publish; the content of the release."""
    with Store(home.warehouse).kept_open():
        arrive(project, home, source)
        return publish(project, home).content


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source") / "in"
    for year in (2018, 2019, 2020):
        populations(folder, year, (lambda rows: rows.pop(4)) if year == 2019 else None)
    return folder


@pytest.fixture(scope="module")
def embedded(project: Project, tmp_path_factory: pytest.TempPathFactory, source: Path) -> str:
    return observatory(project, Home(tmp_path_factory.mktemp("embedded")), source)


@pytest.fixture(scope="module")
def filled_once(
    project: Project, postgres: services.Postgres, opened_once: str, source: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[str, Path, str]:  # fmt: skip
    """A server deployment that holds a release: its database, its folder, the release's content."""
    folder = tmp_path_factory.mktemp("filled")
    with pytest.MonkeyPatch.context() as patch:
        database = copied_lake(postgres, opened_once, folder, patch)
        return database, folder, observatory(project, Home(folder / "odds"), source)


@pytest.fixture
def filled(
    postgres: services.Postgres, filled_once: tuple[str, Path, str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:  # fmt: skip
    """A copy of it; the catalogue's database."""
    shutil.copytree(filled_once[1], tmp_path, symlinks=True, dirs_exist_ok=True)
    return copied_lake(postgres, filled_once[0], tmp_path, monkeypatch)


def test_the_content_is_that_of_the_embedded_run(
    project: Project, embedded: str, filled_once: tuple[str, Path, str], filled: str, tmp_path: Path,
    source: Path,
) -> None:  # fmt: skip
    home = Home(tmp_path / "odds")
    assert filled_once[2] == embedded
    assert not home.warehouse.exists()
    # A second reception, judgement and publication change nothing.
    assert observatory(project, home, source) == embedded
    assert [p.name for p in (tmp_path / "shared" / "releases").glob("0*")] == ["0001"]


def inlined(postgres: services.Postgres, lake: str) -> int:
    """Rows of current versions that the catalogue holds itself."""
    tables = postgres.execute("SELECT table_name FROM ducklake_inlined_data_tables", lake)
    counted = (f"SELECT count(*) FROM {name} WHERE end_snapshot IS NULL" for (name,) in tables)
    return sum(int(str(postgres.execute(query, lake)[0][0])) for query in counted)


def test_small_files_become_few_and_the_content_stays(
    project: Project, postgres: services.Postgres, embedded: str, lake: str, tmp_path: Path, source: Path
) -> None:
    home = Home(tmp_path / "odds")
    for n, path in enumerate(sorted(source.iterdir())):
        arrive(project, home, path)
        if n == 0:
            publish(project, home)
        waiting = inlined(postgres, lake)
        done = compact(Store(home.warehouse), keep_days=0)
        assert done.rows >= waiting > 0 == inlined(postgres, lake)
    assert done.after < done.before
    assert publish(project, home).content == embedded
    assert compact(Store(home.warehouse), keep_days=30).deleted == 0


def test_data_on_s3(
    project: Project, embedded: str, bare_lake: str, tmp_path: Path, source: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with services.object_store() as address:
        monkeypatch.setenv("ODDS_LAKE", "s3://odds/lake")
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        assert observatory(project, Home(tmp_path / "odds"), source) == embedded
        with Store(tmp_path).connect() as connection:
            files = "FROM glob('s3://odds/lake/**/*.parquet')"
            assert not connection.execute(files).fetchall(), "a small month is in the catalogue"
        compact(Store(tmp_path), keep_days=0)
        with Store(tmp_path).connect() as connection:
            assert connection.execute(files).fetchall()


def test_two_processes_receive_and_judge_the_same_files_at_once(
    project: Project, embedded: str, lake: str, tmp_path: Path, source: Path
) -> None:
    code = (
        "import sys; from pathlib import Path; from odds_pipeline.storage.home import Home; "
        "from odds_pipeline.declarations.project import Project; "
        "from odds_pipeline.quality.gate import judge_pending; "
        "from odds_pipeline.reception.receive import receive; p = Project.load(); "
        f"h = Home(Path(sys.argv[1])); list(receive(p, h, [Path({str(source)!r})])); "
        f"judge_pending(p, h, {FEED!r})"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / f"home{i}")], env=os.environ.copy())
        for i in range(2)
    ]
    assert [worker.wait() for worker in workers] == [0, 0]
    home = Home(tmp_path / "home0")
    assert publish(project, home).content == embedded
    with Store(home.warehouse).connect() as connection:
        rows, distinct = connection.execute(HEAD).fetchone() or (0, 1)
    assert rows == distinct > 0


def _cut_the_writer(cluster: services.Postgres, database: str) -> None:
    """End the connection that holds the writer's lock; the others stay."""
    cluster.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted "
        f"AND database = (SELECT oid FROM pg_database WHERE datname = '{database}')"
    )


def test_of_two_writers_without_a_lock_only_the_first_commits(
    postgres: services.Postgres, lake: str, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    insert = "INSERT INTO indicator_bases VALUES (?, 'basis')"
    with pytest.raises(Overtaken), store.connect() as first, transaction(first):
        first.execute("SELECT count(*) FROM indicator_bases").fetchall()
        _cut_the_writer(postgres, lake)
        with store.transaction() as second:
            second.execute(insert, ["second"])
        first.execute(insert, ["first"])
    with store.connect() as connection:
        assert connection.execute("SELECT indicator FROM indicator_bases").fetchall() == [("second",)]


def test_every_connection_cut_is_told_and_changes_nothing(
    postgres: services.Postgres, lake: str, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    with pytest.raises(Overtaken), store.connect() as connection, transaction(connection):
        connection.execute("INSERT INTO indicator_bases VALUES ('x', 'basis')")
        postgres.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{lake}'"
        )
    with store.connect() as connection:
        assert connection.execute("SELECT count(*) FROM indicator_bases").fetchone() == (0,)


def test_a_lake_kept_open_is_given_up_to_one_that_waits(lake: str, tmp_path: Path) -> None:
    one_that_waits_gets_in(Store(tmp_path))


def test_after_an_error_a_lake_kept_open_is_opened_anew(lake: str, tmp_path: Path) -> None:
    an_error_starts_anew(Store(tmp_path))


def test_a_lake_kept_open_whose_lock_was_lost_waits_for_it_again(
    postgres: services.Postgres, lake: str, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    with store.kept_open():
        with store.connect() as connection:
            connection.execute("CREATE TEMP TABLE mark AS SELECT 1")
            _cut_the_writer(postgres, lake)
        with store.connect() as connection:
            assert not is_kept(connection)


def test_who_waits_in_vain_is_told_and_may_try_again(lake: str, tmp_path: Path) -> None:
    """A sensor's tick skips, a step is tried again; PostgreSQL's own error would fail both."""
    with (
        Store(tmp_path).connect(),
        pytest.raises(Overtaken, match="1 s"),
        Store(tmp_path, patience=1).connect(),
    ):
        pass
    with Store(tmp_path, patience=1).connect():
        pass


def test_a_key_that_is_there_twice_stops_the_publication(lake: str, tmp_path: Path) -> None:
    with Store(tmp_path).connect() as connection:
        check_unique(connection)
        for _ in range(2):
            connection.execute("INSERT INTO indicator_bases VALUES ('x', 'basis')")
        with pytest.raises(RuntimeError, match=r"indicator_bases.*there twice"):
            check_unique(connection)


def test_a_variable_that_is_not_set_is_named(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ODDS_CATALOGUE")
    storage = deployment().storage
    assert isinstance(storage, LakeStorage)
    with pytest.raises(LookupError, match="ODDS_CATALOGUE is not set"):
        _ = storage.dsn


def test_a_lake_leaves_no_door_to_the_network(lake: str, tmp_path: Path) -> None:
    with Store(tmp_path).connect() as connection, pytest.raises(duckdb.Error):
        connection.execute("LOAD spatial")


def test_restored_from_a_backup(
    project: Project, postgres: services.Postgres, embedded: str, filled: str, tmp_path: Path
) -> None:
    home, data = Home(tmp_path / "odds"), tmp_path / "lake"
    with Store(tmp_path).connect() as connection:
        before = connection.execute("SELECT sum(hash(o)) FROM observations o").fetchone()
    # As the how-to says: the catalogue first, then the files, which no later commit changes.
    postgres.dump(filled, postgres.folder / "catalogue.dump")
    shutil.copytree(data, tmp_path / "backup")
    later = populations(tmp_path / "later", 2021)
    list(receive(project, home, [later]))
    shutil.rmtree(data)
    postgres.execute(f"DROP DATABASE {filled}")
    postgres.execute(f"CREATE DATABASE {filled}")
    postgres.restore(filled, postgres.folder / "catalogue.dump")
    shutil.copytree(tmp_path / "backup", data)
    with Store(tmp_path).connect() as connection:
        assert connection.execute("SELECT sum(hash(o)) FROM observations o").fetchone() == before
    with pytest.raises(Unread, match="1 of the files received"):
        publish(project, home)  # the archive was not restored with it, and holds what came after
    list(receive(project, home, [later]))
    assert publish(project, home).content == embedded
    assert not publish(project, home).new


def test_backed_up_and_restored_by_the_commands(
    project: Project, postgres: services.Postgres, embedded: str, filled: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Into a new database that belongs to another role; then a new month is received and published."""
    monkeypatch.setenv("ODDS_HOME", str(tmp_path / "odds"))
    home = Home.from_environment()
    Accounts(home.path / "extranet" / "accounts.sqlite").save_organisation("CCAS", "membres")
    made = back_up(home, tmp_path / "kept")
    observatory(project, home, populations(tmp_path / "later", 2021))
    for folder in ("odds", "shared", "lake"):
        shutil.move(tmp_path / folder, tmp_path / f"lost-{folder}")

    with pytest.raises(DatabaseRefused, match="createdb -O"):
        restore(home, made.path)  # the database is still there
    postgres.execute("CREATE ROLE service LOGIN")
    other = postgres.new_database()
    monkeypatch.setenv("ODDS_CATALOGUE", postgres.dsn(other).replace("user=odds", "user=service"))
    with pytest.raises(DatabaseRefused, match="createdb -O"):
        restore(home, made.path)  # it belongs to somebody else: public is closed
    postgres.execute(f"ALTER DATABASE {other} OWNER TO service")
    restore(home, made.path)
    assert publish(project, home).content == embedded
    assert Accounts(home.path / "extranet" / "accounts.sqlite").organisations()
    assert observatory(project, home, populations(tmp_path / "later", 2021)) != embedded


def test_the_tables_are_made_again_in_a_catalogue_of_their_own(
    project: Project, postgres: services.Postgres, embedded: str, filled: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    home = Home(tmp_path / "odds")
    with pytest.raises(NotRebuilt, match="new database"):
        rebuild(project, home)
    monkeypatch.setenv("ODDS_CATALOGUE", postgres.dsn(postgres.new_database()))
    monkeypatch.setenv("ODDS_LAKE", str(tmp_path / "lake-2"))
    assert rebuild(project, home).differences == ()
    again = publish(project, home)
    assert (again.content, again.new) == (embedded, False)


def test_the_server_watches_over_a_writer_that_may_vanish(lake: str) -> None:
    """Its side of the connection ends within half a minute, not after PostgreSQL's two hours."""
    storage = deployment().storage
    assert isinstance(storage, LakeStorage)
    with locked(storage.dsn, 10) as connection, connection.cursor() as cursor:
        for setting, seconds in (("idle", "10"), ("interval", "5"), ("count", "4")):
            cursor.execute(f"SHOW tcp_keepalives_{setting}")
            assert cursor.fetchone() == (seconds,)


def test_health_does_not_wait_for_the_writer(lake: str, tmp_path: Path) -> None:
    home = Home(tmp_path / "odds")
    with Store(home.warehouse).connect():
        (answer,) = [a for a in health(home) if a.name == "warehouse"]
    assert answer.ok and answer.detail == "0 deliveries, 0 months in quarantine"


def test_health_says_which_service_does_not_answer() -> None:
    """Not that nothing of ours says why: each was away for half a minute, and that was told."""
    psycopg2, redis = pytest.importorskip("psycopg2"), pytest.importorskip("redis")

    def retried() -> str:
        try:
            psycopg2.connect(f"host=127.0.0.1 port={services.free_port()}")
        except psycopg2.Error as error:
            raise RuntimeError("too many retries") from error
        return "alive"

    said = _ask("workers", lambda: str(redis.Redis(port=services.free_port()).ping()))
    assert not said.ok and said.detail.startswith("redis does not answer, is it up?")
    said = _ask("coordinator", retried)
    assert not said.ok and said.detail.startswith("PostgreSQL does not answer, is it up?")


def test_nothing_is_written_under_the_mount_point_of_a_share_that_is_away(
    project: Project, filled: str, tmp_path: Path, source: Path
) -> None:
    """A release made there would be the first one again: it knew nothing of what others told."""
    home, shared = Home(tmp_path / "odds"), tmp_path / "shared"
    content = describe(home, 1).content
    shared.rename(tmp_path / "away")
    shared.mkdir()
    for attempt in (
        lambda: list(receive(project, home, [source])),
        lambda: publish(project, home),
        lambda: list(fetch(project, home)),
    ):
        with pytest.raises(NotMounted, match=r"shared mounted\?"):
            attempt()
    (said,) = (one for one in health(home) if one.name == "shared folder")
    assert not said.ok and "mounted" in said.detail
    assert list(shared.iterdir()) == []
    shared.rmdir()
    (tmp_path / "away").rename(shared)
    assert publish(project, home).content == content


def test_health_names_what_is_wrong(lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODDS_HOME", str(tmp_path / "odds"))
    answers = {a.name: a for a in health(Home.from_environment())}
    assert answers["warehouse"].detail == "0 deliveries, 0 months in quarantine"
    assert answers["release"].ok
    assert not answers["workers"].ok  # this deployment has no launcher of workers
    assert "odds coordinator" in answers["coordinator"].detail
    monkeypatch.setenv("ODDS_CATALOGUE", "host=127.0.0.1 port=1 dbname=none")
    (answer,) = [a for a in health(Home.from_environment()) if a.name == "warehouse"]
    assert not answer.ok and "Connection refused" in answer.detail


def test_a_catalogue_and_the_files_of_another_lake_are_refused(
    lake: str, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODDS_LAKE", str(tmp_path / "another"))
    said = r"ODDS_CATALOGUE names the catalogue of another lake than \$ODDS_LAKE .*another\)"
    with pytest.raises(TwoLakes, match=said), Store(home.warehouse).connect():
        raise AssertionError("opened to write")
    with pytest.raises(TwoLakes, match=said), Store(home.warehouse).reading():
        raise AssertionError("opened to read")
