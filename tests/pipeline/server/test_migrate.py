"""The move up to a server: nothing lost, nothing changed at the source, the same figures afterwards."""

import hashlib
from pathlib import Path

import pytest

from odds_pipeline.declarations.deployment import named_deployment
from odds_pipeline.declarations.project import Project
from odds_pipeline.operations.migrate import NotMigrated, migrate
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.quality.quarantine import cases
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import describe
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.owner import AnotherObservatory
from odds_pipeline.storage.store import Store

from ..test_gate import FEED, populations

pytestmark = pytest.mark.slow


def everything(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.suffix != ".lock"
    }


def deliver(project: Project, home: Home, *paths: Path) -> str:
    list(receive(project, home, paths))
    judge_pending(project, home, FEED)
    return publish(project, home).content


def _one_more(rows: list[list[str]]) -> None:
    """An inhabitant more in one commune, in its total as well."""
    for column in (3, 5):
        rows[5][column] = str(int(rows[5][column]) + 1)


@pytest.fixture
def demo(project: Project, tmp_path: Path) -> Home:
    """Two releases, a revised month, a month in quarantine."""
    home = Home(tmp_path / "odds")
    deliver(project, home, populations(tmp_path / "a", 2019), populations(tmp_path / "a", 2020))
    revised = populations(tmp_path / "b", 2019, _one_more)
    refused = populations(tmp_path / "b", 2021, lambda rows: rows.pop(7))
    deliver(project, home, revised, refused)
    return home


def test_up_and_on_and_back(
    project: Project, demo: Home, tmp_path: Path, request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    before = everything(demo.path)
    request.getfixturevalue("lake")
    site = str(tmp_path / "site.yaml")
    local, server = named_deployment("local"), named_deployment(site)
    first = migrate(demo, local, server)
    assert {c.what: c.count for c in first}["observations"] > 240
    assert migrate(demo, local, server) == first  # again: nothing to do, the same answer
    assert everything(demo.path) == before
    assert (tmp_path / "shared" / "landing" / ".observatory").read_text() == "odds93\n"

    # On the server: the same quarantine and releases, and the next delivery gives the same content.
    with Store(demo.warehouse, server.storage).connect() as connection:
        assert [(c.month, c.rules) for c in cases(connection)] == [("2021-01", ("toutes_les_communes",))]
    mended = populations(tmp_path / "c", 2021)
    assert describe(demo, 1).content != describe(demo, 2).content
    there = deliver(project, demo, mended)
    with pytest.raises(NotMigrated, match="1 deliveries that the source lacks"):
        migrate(demo, local, server)

    # Back on one machine, all of it; and the embedded run of the same delivery says the same.
    back = Home(tmp_path / "back")
    migrate(back, server, local)
    monkeypatch.delenv("ODDS_DEPLOYMENT")
    assert describe(back, 3).content == there == publish(project, back).content
    assert deliver(project, demo, mended) == there


def test_a_home_without_observatory_is_told(lake: str, tmp_path: Path) -> None:
    with pytest.raises(NotMigrated, match="no observatory in"):
        migrate(
            Home(tmp_path / "odds"),
            named_deployment("local"),
            named_deployment(str(tmp_path / "site.yaml")),
        )


def test_the_share_of_another_observatory_receives_nothing(
    demo: Home, lake: str, tmp_path: Path
) -> None:
    share = tmp_path / "shared"
    (share / "landing" / ".observatory").write_text("odds59\n")
    before = everything(share)
    with pytest.raises(AnotherObservatory, match="landing is of the observatory odds59"):
        migrate(demo, named_deployment("local"), named_deployment(str(tmp_path / "site.yaml")))
    assert everything(share) == before
