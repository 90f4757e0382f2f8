"""What a release takes over from the last one is what deciding everything anew would have said."""

import shutil
from pathlib import Path

import pytest

from odds_pipeline.declarations.access import WIDEST_FIRST
from odds_pipeline.declarations.project import Project
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import open_release
from odds_pipeline.secrecy import protect as protection
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

from .test_attack import FEED, MONTH, PARTS, TOTAL, Attacker, file_of, truth
from .test_class_files import deliver


def month(project: Project, home: Home, folder: Path, month: str, revised: bool = False) -> None:
    """Deliver a month of benefits of home care: as many small counts as in the others, other figures."""
    folder.mkdir()
    later = int(month[5:]) - 3

    def figure(code: str, variable: str) -> str:
        if variable == TOTAL:
            return str(sum(int(figure(code, part)) for part in PARTS))
        value = truth(code, variable, revised)
        return str(value if value < 20 else round(value * (1 + 0.02 * later)) + later)

    deliver(project, home, folder / file_of(project, month), FEED, figure)


@pytest.fixture(scope="module")
def one_month(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One month accepted, and published."""
    folder = tmp_path_factory.mktemp("one_month")
    made = Home(folder / "odds")
    month(project, made, folder / "first", MONTH)
    publish(project, made)
    return made


@pytest.fixture
def published(one_month: Home, home: Home) -> Home:
    """A copy of one's own."""
    shutil.copytree(one_month.path, home.path, symlinks=True)
    return home


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """Months that each publication decided anew."""
    found: list[set[str]] = []
    decide = protection._decide

    def counted(*given):  # type: ignore[no-untyped-def]  # hands on what it is given
        found.append(set(given[-1]["month"]))
        return decide(*given)

    monkeypatch.setattr(protection, "_decide", counted)
    return found


def content(home: Home) -> list[object]:
    """All values and observations of the current release, hidden or not, and its audit."""
    found: list[object] = []
    for access in WIDEST_FIRST:
        with open_release(home, access=access) as connection:
            for table in ("indicator_values", "observations", "audit"):
                found += connection.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()
    return found


@pytest.mark.parametrize("revised", [False, True], ids=["a new month", "a month revised"])
def test_only_what_changed_is_decided_and_the_release_is_that_of_deciding_all(
    project: Project, published: Home, tmp_path: Path, decided: list[set[str]], revised: bool
) -> None:
    home = published
    month(project, home, tmp_path / "second", "2024-04")
    publish(project, home)
    if revised:
        month(project, home, tmp_path / "third", MONTH, revised=True)
    else:
        month(project, home, tmp_path / "third", "2024-05")
    anew = Home(tmp_path / "anew")
    shutil.copytree(home.path, anew.path)
    with Store(anew.warehouse).connect() as connection:
        connection.execute("DELETE FROM settled_blocks")
    publish(project, home)
    publish(project, anew)
    changed = {MONTH} if revised else {"2024-05"}
    assert decided == [{"2024-04"}, changed, {MONTH, "2024-04", *changed}]
    assert content(home) == content(anew)
    assert Attacker(project, home, WIDEST_FIRST).recovered() == []


def test_a_rule_that_changes_decides_every_month_anew(
    project: Project,
    published: Home,
    tmp_path: Path,
    decided: list[set[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    month(project, published, tmp_path / "second", "2024-04")
    monkeypatch.setattr("odds_pipeline.secrecy.settled._code", lambda: b"another version")
    publish(project, published)
    assert decided == [{MONTH, "2024-04"}]


def test_a_publication_that_was_killed_settles_nothing(
    project: Project, published: Home, decided: list[set[str]]
) -> None:
    """Killed after its records and before its release was in place."""
    home = published
    shutil.rmtree(home.releases / "0001")
    (home.releases / "current").unlink()
    told = home.memory / "0001.parquet"
    told.rename(told.with_suffix(".half"))
    assert publish(project, home).number == 1
    assert decided == [{MONTH}]


def test_nothing_to_decide_is_decided_at_once(project: Project, published: Home, tmp_path: Path) -> None:
    """A release for another feed's sake: the systems of secrecy are empty."""
    home = published
    path = tmp_path / "caf_allocataires_2024-03.csv"
    deliver(project, home, path, "caf/allocataires", lambda c, v: "1000")
    assert publish(project, home).number == 2
