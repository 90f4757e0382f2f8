"""Shared fixtures: an observatory in a temporary folder, the real deliveries, a small project."""

import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from filelock import FileLock

from odds_pipeline.declarations.project import Project, project_root
from odds_pipeline.reception.receipt import Receipt
from odds_pipeline.release.publish import publish
from odds_pipeline.storage.home import Home

from . import services
from .judged import received_and_judged

# A loaded machine is slow, not wrong.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

REALDATA = Path(__file__).resolve().parents[2] / "shared" / "realdata"
PRODUCERS = REALDATA.with_name("producers")


@pytest.fixture(scope="session")
def project() -> Project:
    return Project.load()


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


@pytest.fixture
def lake(postgres: services.Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The server deployment with an empty catalogue, Dagster embedded; the catalogue's database."""
    server = (project_root() / "resources" / "deployments" / "server.yaml").read_text()
    site = tmp_path / "site.yaml"
    site.write_text(server.replace("resources/deployments/dagster-server.yaml", "dagster.yaml"))
    database = postgres.new_database()
    monkeypatch.setenv("ODDS_DEPLOYMENT", str(site))
    monkeypatch.setenv("ODDS_CATALOGUE", postgres.dsn(database))
    monkeypatch.setenv("ODDS_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("ODDS_SHARED", str(tmp_path / "shared"))
    return database


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Home:
    """An empty observatory: embedded, or on a server with ``ODDS_TEST_ON=server``."""
    if os.environ.get("ODDS_TEST_ON") == "server":
        request.getfixturevalue("lake")
    monkeypatch.setenv("ODDS_HOME", str(tmp_path / "odds"))
    made = Home.from_environment()
    monkeypatch.setenv("ODDS_WAREHOUSE", str(made.warehouse))  # a run of a test before names its own
    return made
