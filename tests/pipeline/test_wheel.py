"""The wheel, away from the checkout: the same definitions, the deployment's files, the interface."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

from odds_pipeline.declarations.project import project_root
from odds_pipeline.orchestration.definitions import defs
from tests.services import answers, free_port, until

pytestmark = pytest.mark.slow
LISTING = (
    "import odds_pipeline.orchestration.definitions as d; "
    "print('\\n'.join(sorted(k.to_user_string() for k in d.defs().resolve_asset_graph().get_all_asset_keys())))"
)
LOCATIONS = """
{ workspaceOrError { ... on Workspace { locationEntries {
    name loadStatus locationOrLoadError { __typename ... on PythonError { message } } } } } }
"""
ASSETS = "{ assetNodes { assetKey { path } } }"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel; its dependencies are those of this one."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(project_root())],
        check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "empty", with_pip=False)
    site = next(iter((folder / "empty" / "lib").glob("python*"))) / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # Their own .pth files are not read there, so that this checkout is not among them.
    (site / "dependencies.pth").write_text(
        "".join(f"{path}\n" for path in sys.path if path.endswith("site-packages"))
    )
    python = folder / "empty" / "bin" / "python"
    command = python.with_name("dagster")
    command.write_text(f"#!{python}\nfrom dagster._cli import main\nmain()\n")
    command.chmod(0o755)
    return python


def listed() -> list[str]:
    return sorted(k.to_user_string() for k in defs().resolve_asset_graph().get_all_asset_keys())


def test_the_wheel_loads_the_same_definitions(python: Path, tmp_path: Path) -> None:
    where = "import odds_pipeline; print(odds_pipeline.__file__)"
    found = subprocess.run([str(python), "-c", where], capture_output=True, text=True, cwd=tmp_path)
    assert found.stdout.startswith(str(python.parents[1]))
    there = subprocess.run(
        [str(python), "-c", LISTING], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert there.stdout.splitlines() == listed() != []


def test_the_interface_of_the_wheel_answers_and_has_loaded_the_code(
    python: Path, tmp_path: Path
) -> None:
    port, home = free_port(), tmp_path / "home"

    def asked(query: str) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/graphql",
            json.dumps({"query": query}).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]

    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ODDS_", "DAGSTER_"))}
    with (tmp_path / "said").open("wb") as said:
        interface = subprocess.Popen(
            [str(python), "-m", "odds_pipeline.cli", "ui", "--port", str(port)],
            cwd=tmp_path, env={**environment, "ODDS_HOME": str(home)},
            stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip
    try:
        until(lambda: interface.poll() is not None or answers(port), 120, "the interface")
        assert interface.poll() is None, (tmp_path / "said").read_text()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as page:
            assert b"Dagster" in page.read()
        (location,) = asked(LOCATIONS)["workspaceOrError"]["locationEntries"]
        assert location == {
            "name": "odds_pipeline",
            "loadStatus": "LOADED",
            "locationOrLoadError": {"__typename": "RepositoryLocation"},
        }
        nodes = asked(ASSETS)["assetNodes"]
        assert sorted("/".join(node["assetKey"]["path"]) for node in nodes) == listed()
    finally:
        interface.terminate()
        # Started where interrupts are ignored, in the background of a shell, it ignores this too.
        with contextlib.suppress(subprocess.TimeoutExpired):
            interface.wait(15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(interface.pid, signal.SIGKILL)
    # What `odds demo`, `odds run` and `odds ui` do first: an instance with the deployment's configuration.
    assert (home / "dagster/dagster.yaml").read_text() == (project_root() / "dagster.yaml").read_text()
