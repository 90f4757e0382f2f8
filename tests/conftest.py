"""Shared fixtures: an observatory in a temporary folder, the real deliveries, a small project."""

import gc
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import hypothesis
import pytest
from filelock import FileLock

from odds_pipeline.declarations.project import Project, project_root
from odds_pipeline.reception.receipt import Receipt
from odds_pipeline.release.publish import publish
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

from . import services
from .judged import received_and_judged

# Modules and declarations stay to the end: nothing of them is looked for again among what may be freed.
gc.disable()

# A loaded machine is slow, not wrong.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

REALDATA = Path(__file__).resolve().parents[2] / "shared" / "realdata"
PRODUCERS = REALDATA.with_name("producers")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: two workers end together, where one that was given the longest file
    last would end alone."""
    long_files = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long_files)


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@cache
def declared() -> Project:
    """The project of this repository, read once: also for what is asked before a fixture is there."""
    return Project.load()


@pytest.fixture(scope="session")
def project() -> Project:
    return declared()


@pytest.fixture(scope="session")
def realdata() -> Path:
    if not REALDATA.is_dir():
        if os.environ.get("ODDS_REQUIRE_REALDATA"):
            pytest.fail(f"{REALDATA} is required here and absent")
        pytest.skip(f"real deliveries are not in {REALDATA}")
    return REALDATA


@pytest.fixture(scope="session")
def producers() -> Path:
    """Real files under the names that their producers give them."""
    if not PRODUCERS.is_dir():
        if os.environ.get("ODDS_REQUIRE_REALDATA"):
            pytest.fail(f"{PRODUCERS} is required here and absent")
        pytest.skip(f"real files are not in {PRODUCERS}")
    return PRODUCERS


MadeOnce = Callable[[str, Callable[[Path], None]], Path]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """Makes a folder once a run, by whichever worker asks first; who gets it changes nothing in it."""
    base = tmp_path_factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def folder(name: str, make: Callable[[Path], None]) -> Path:
        made = root / name
        with FileLock(f"{made}.lock"):
            if not made.exists():
                unfinished = made.with_name(f"{name}.unfinished")
                shutil.rmtree(unfinished, ignore_errors=True)
                make(unfinished)
                unfinished.rename(made)
        return made

    return folder


@pytest.fixture(scope="session")
def real_release(project: Project, realdata: Path, made_once: MadeOnce) -> tuple[Home, list[Receipt]]:
    """All real deliveries, received, judged and published, and their receipts."""

    def make(folder: Path) -> None:
        home = Home(folder)
        receipts, _ = received_and_judged(project, home, [realdata])
        publish(project, home)
        (folder / "receipts").write_bytes(pickle.dumps(receipts))

    made = made_once("real", make)
    return Home(made), pickle.loads((made / "receipts").read_bytes())


@pytest.fixture(scope="session")
def awkward(realdata: Path) -> Path:
    """Awkward deliveries, a folder each, beside the real ones and required with them."""
    folder = realdata.parent / "cases"
    if not folder.is_dir():
        if os.environ.get("ODDS_REQUIRE_REALDATA"):
            pytest.fail(f"{folder} is required here and absent")
        pytest.skip(f"awkward deliveries are not in {folder}")
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[services.Postgres]:
    if absent := services.missing():
        message = f"a server deployment needs {', '.join(absent)}; see docs/how-to/deploy-on-a-server.md"
        if os.environ.get("ODDS_REQUIRE_SERVER"):
            pytest.fail(message)
        pytest.skip(message)
    with services.postgres() as cluster:
        yield cluster


def _serve(folder: Path, dsn: str, patch: pytest.MonkeyPatch) -> None:
    """The server deployment, Dagster embedded, on this catalogue and this folder."""
    server = (project_root() / "resources" / "deployments" / "server.yaml").read_text()
    site = folder / "site.yaml"
    site.write_text(server.replace("resources/deployments/dagster-server.yaml", "dagster.yaml"))
    patch.setenv("ODDS_DEPLOYMENT", str(site))
    patch.setenv("ODDS_CATALOGUE", dsn)
    patch.setenv("ODDS_LAKE", str(folder / "lake"))
    patch.setenv("ODDS_SHARED", str(folder / "shared"))
    (folder / "shared" / "landing").mkdir(parents=True, exist_ok=True)  # a share that is mounted


@pytest.fixture
def bare_lake(postgres: services.Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A server deployment that was never opened; the catalogue's database."""
    database = postgres.new_database()
    _serve(tmp_path, postgres.dsn(database), monkeypatch)
    return database


@pytest.fixture(scope="session")
def opened_once(postgres: services.Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The database of a catalogue whose tables are there, empty: a copy costs less than making them."""
    database, folder = postgres.new_database(), tmp_path_factory.mktemp("lake")
    with pytest.MonkeyPatch.context() as patch:
        _serve(folder, postgres.dsn(database), patch)
        with Store(folder).connect():
            pass
    return database


def copied_lake(
    postgres: services.Postgres, database: str, folder: Path, patch: pytest.MonkeyPatch
) -> str:
    """A copy of a catalogue whose files are in ``folder``, served; its database."""
    copy = postgres.new_database(database)
    where = f"UPDATE ducklake_metadata SET value = '{folder / 'lake'}/' WHERE key = 'data_path'"
    postgres.execute(where, copy)
    _serve(folder, postgres.dsn(copy), patch)
    return copy


@pytest.fixture
def lake(
    postgres: services.Postgres, opened_once: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A server deployment that holds nothing; the catalogue's database."""
    return copied_lake(postgres, opened_once, tmp_path, monkeypatch)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Home:
    """An empty observatory: embedded, or on a server with ``ODDS_TEST_ON=server``."""
    if os.environ.get("ODDS_TEST_ON") == "server":
        request.getfixturevalue("lake")
    monkeypatch.setenv("ODDS_HOME", str(tmp_path / "odds"))
    made = Home.from_environment()
    monkeypatch.setenv("ODDS_WAREHOUSE", str(made.warehouse))  # a run of a test before names its own
    return made
