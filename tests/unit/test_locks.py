"""What is pinned: all that pyproject.toml asks for, by hash, from no named index; known vulnerabilities."""

import importlib.util
import io
import json
import re
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = {
    "requirements.lock": ("dev",),
    "requirements-server.lock": ("dev", "server", "server-dev"),
}


def pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)", text, re.MULTILINE)
    return {canonicalize_name(package): version for package, version in found}


@pytest.mark.parametrize(("lock", "extras"), LOCKS.items())
def test_all_that_is_asked_for_is_pinned_within_its_bounds(lock: str, extras: tuple[str, ...]) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*declared["dependencies"]]
    for extra in extras:
        asked += declared["optional-dependencies"][extra]
    found = pins(lock)
    for requirement in map(Requirement, asked):
        version = found.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement}: run `make lock`"
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement}: {version}"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes_and_no_index_is_named(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    for block in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[A-Za-z0-9._-]+(\[[^]]*\])?==\S+", block), block[:80]
        assert "--hash=sha256:" in block, f"{block[:60]}: run `make lock`"
    assert "://" not in text and "--index" not in text and "--find-links" not in text


def test_both_locks_pin_the_same_versions() -> None:
    one, other = pins("requirements.lock"), pins("requirements-server.lock")
    assert {name: other.get(name) for name in one} == one


# ── vulnerabilities ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def scan() -> ModuleType:
    spec = importlib.util.spec_from_file_location("vulnerabilities", ROOT / ".ci" / "vulnerabilities.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# As OSV publishes it (abridged): Jinja2 before 3.1.3 (GHSA-h5c8-rqwp-cp95).
JINJA = {
    "id": "GHSA-h5c8-rqwp-cp95",
    "summary": "Jinja vulnerable to HTML attribute injection",
    "affected": [
        {"package": {"ecosystem": "PyPI", "name": "jinja2"}, "versions": ["3.1.1", "3.1.2"]}
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("line", "withdrawn", "status"),
    [("Jinja2==3.1.2 \\", False, 1), ("Jinja2==3.1.3 \\", False, 0), ("Jinja2==3.1.2", True, 0)],
)
def test_a_known_vulnerability_is_found_without_a_network(
    scan: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, withdrawn: bool,
    status: int,
) -> None:  # fmt: skip
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        record = JINJA | ({"withdrawn": "2024-02-01T00:00:00Z"} if withdrawn else {})
        archive.writestr("GHSA-h5c8-rqwp-cp95.json", json.dumps(record))
    (tmp_path / "osv.zip").write_bytes(content.getvalue())
    (tmp_path / "lock").write_text(f"{line}\n    --hash=sha256:00\n")
    monkeypatch.setenv("ODDS_OSV", str(tmp_path / "osv.zip"))
    assert scan.main([tmp_path / "lock"]) == status


def test_without_data_the_scan_says_that_it_asked_nothing(
    scan: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ODDS_OSV", raising=False)
    monkeypatch.setattr(scan, "ADDRESS", "http://127.0.0.1:9/none.zip")
    assert scan.main([ROOT / "requirements.lock"]) == 0
    assert "NOT LOOKED FOR" in capsys.readouterr().out
