"""A version is made only of what is written down, dated today."""

import importlib.util
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHANGELOG = "# Changelog\n\n## 0.3.0 – 1 December 2026\n\n- A thing.\n\n## 0.2.0 – 28 November 2026\n\n- Older.\n"


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("release", ROOT / ".ci" / "release.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tag_says_what_the_changelog_says() -> None:
    assert script().section(CHANGELOG, "0.3.0", date(2026, 12, 1)) == "- A thing."


@pytest.mark.parametrize(
    ("version", "day"), [("0.3.1", date(2026, 12, 1)), ("0.3.0", date(2026, 12, 2))]
)
def test_what_is_not_written_or_not_of_today_is_refused(version: str, day: date) -> None:
    with pytest.raises(SystemExit, match=f"no section « ## {version} –"):
        script().section(CHANGELOG, version, day)


def test_the_version_of_the_package_has_its_section() -> None:
    import odds_pipeline

    assert f"## {odds_pipeline.__version__} – " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
