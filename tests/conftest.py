"""Shared fixtures: an observatory in a temporary folder, the real deliveries, a small project."""

import os
from pathlib import Path

import pytest

from odds_pipeline.home import Home
from odds_pipeline.model.project import Project

REALDATA = Path(__file__).resolve().parents[2] / "shared" / "realdata"


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


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("ODDS_HOME", str(tmp_path / "odds"))
    return Home.from_environment()
