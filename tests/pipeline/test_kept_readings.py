"""A command reads a file once, and judges it as if it had read it again."""

from pathlib import Path

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.quality import gate, waiting
from odds_pipeline.quality.waiting import DamagedArchive
from odds_pipeline.reception import kept
from odds_pipeline.reception.kept import readings_kept
from odds_pipeline.reception.receive import archive_path, receive
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

from .test_gate import FEED, populations


@pytest.fixture
def read_again(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The feeds of files that a gate read again."""
    found: list[str] = []
    read = waiting.read

    def counted(project: Project, match: waiting.Match) -> waiting.Reading:
        found.append(match.entry.id)
        return read(project, match)

    monkeypatch.setattr(waiting, "read", counted)
    return found


def _judged(project: Project, home: Home, folder: Path, *years: int) -> list[gate.Judgement]:
    list(receive(project, home, [populations(folder, year) for year in years]))
    return gate.judge_pending(project, home, FEED)


def test_the_verdicts_are_the_same(project: Project, tmp_path: Path, read_again: list[str]) -> None:
    homes = Home(tmp_path / "again"), Home(tmp_path / "once")
    again = _judged(project, homes[0], tmp_path / "in", 2018, 2019)
    assert read_again == [FEED, FEED]
    with readings_kept(project):
        assert _judged(project, homes[1], tmp_path / "in", 2018, 2019) == again
        # What was judged is not kept: a second judgement reads the archive.
        with Store(homes[1].warehouse).connect() as connection:
            connection.execute("UPDATE delivered_months SET state = 'pending'")
        assert read_again == [FEED, FEED]
        assert gate.judge_pending(project, homes[1], FEED) == again
    assert read_again == [FEED] * 4
    rows = []
    for home in homes:
        with Store(home.warehouse).connect() as connection:
            figures = "SELECT * EXCLUDE (known_from, known_to) FROM observations WHERE known_to IS NULL"
            rows.append(connection.execute(f"{figures} ORDER BY ALL").fetchall())
    assert rows[0] == rows[1] != []


def test_other_declarations_read_again(
    project: Project, home: Home, tmp_path: Path, read_again: list[str]
) -> None:
    with readings_kept(project):
        list(receive(project, home, [populations(tmp_path, 2019)]))
        assert gate.judge_pending(Project.load(), home, FEED)
    assert read_again == [FEED]


def test_what_there_is_no_room_for_is_read_again(
    project: Project, home: Home, tmp_path: Path, read_again: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "ROWS", 10)
    with readings_kept(project):
        assert _judged(project, home, tmp_path, 2019)
    assert read_again == [FEED]


def test_bytes_that_are_no_longer_those_received_are_told(
    project: Project, home: Home, tmp_path: Path
) -> None:
    with readings_kept(project):
        (receipt,) = receive(project, home, [populations(tmp_path, 2019)])
        path = archive_path(home, receipt.delivery)
        path.chmod(0o644)
        path.write_bytes(b"other bytes")
        with pytest.raises(DamagedArchive):
            gate.judge_pending(project, home, FEED)
