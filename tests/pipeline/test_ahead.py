"""Audits made ahead in a second process: the same verdicts, used only for what they were made of."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from odds_pipeline.beside import Second
from odds_pipeline.declarations.project import Project
from odds_pipeline.demo.deliveries import write_deliveries
from odds_pipeline.quality import ahead, gate
from odds_pipeline.quality.ahead import audit_ahead
from odds_pipeline.quality.outstanding import Batch as Waiting
from odds_pipeline.reception.receive import receive
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

from .test_gate import FEED, populations

VERDICTS = (
    "SELECT delivery, month, rule, severity, passed, message, failing, rows FROM verdicts ORDER BY ALL"
)
WAITING = [Waiting((FEED,), "0000-00", "9999-99")]


@pytest.fixture
def audits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The feeds that the gate itself audited."""
    found: list[str] = []
    audit = gate.audit

    def counted(project: Project, entry: Any, *given: Any) -> Any:
        found.append(entry.id)
        return audit(project, entry, *given)

    monkeypatch.setattr(gate, "audit", counted)
    return found


def _receive(project: Project, home: Home, folder: Path, *years: int, wrong: bool = False) -> None:
    edit = (lambda rows: rows.pop(7)) if wrong else None
    list(receive(project, home, [populations(folder / str(wrong), year, edit) for year in years]))


def _verdicts(home: Home) -> list[tuple[Any, ...]]:
    with Store(home.warehouse).connect() as connection:
        return connection.execute(VERDICTS).fetchall()


def test_verdicts_are_those_of_the_gate_itself(
    project: Project, tmp_path: Path, second: Second, audits: list[str]
) -> None:
    found = []
    for name in ("alone", "ahead"):
        home = Home(tmp_path / name)
        for years, wrong in (((2018, 2019), False), ((2020, 2021), True)):
            _receive(project, home, tmp_path / "in", *years, wrong=wrong)
            if name == "ahead":
                audit_ahead(second, project, home, WAITING)
            gate.judge_pending(project, home, FEED)
        found.append(_verdicts(home))
    assert found[0] == found[1]
    assert not all(passed for _, _, _, _, passed, *_ in found[0])
    assert audits == [FEED, FEED]  # those of the first observatory


def test_what_was_accepted_meanwhile_is_audited_anew(
    project: Project, home: Home, tmp_path: Path, second: Second, audits: list[str]
) -> None:
    _receive(project, home, tmp_path, 2019)
    gate.judge_pending(project, home, FEED)
    _receive(project, home, tmp_path, 2020)
    audit_ahead(second, project, home, WAITING)
    with Store(home.warehouse).connect() as connection:
        connection.execute("UPDATE observations SET value = 10 * value WHERE month = '2019-01'")
    gate.judge_pending(project, home, FEED)
    assert audits == [FEED, FEED]


def test_another_delivery_is_audited_by_the_gate(
    project: Project, home: Home, tmp_path: Path, second: Second, audits: list[str]
) -> None:
    _receive(project, home, tmp_path, 2019)
    audit_ahead(second, project, home, WAITING)
    _receive(project, home, tmp_path, 2020)
    assert len(gate.judge_pending(project, home, FEED)) == 2
    assert audits == [FEED]


def test_figures_are_sent_as_there_is_room_for_them(
    project: Project, home: Home, tmp_path: Path, second: Second, audits: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    feeds = ("caf/allocataires", "caf/rsa")
    for month in ("2024-11", "2024-12"):
        written = write_deliveries(project, tmp_path / month, month, month, faults=False).paths
        names = {f"{feed.replace('/', '_')}_{month}.csv" for feed in feeds}
        assert len(list(receive(project, home, [p for p in written if p.name in names]))) == 2
        if month == "2024-12":
            audit_ahead(second, project, home, [Waiting(feeds, "0000-00", "9999-99")])
        for feed in feeds:
            assert gate.judge_pending(project, home, feed)
        with Store(home.warehouse).connect() as connection:
            prints = ahead.prints_of(connection, [project.feeds[feed] for feed in feeds])
            (first, _), (other, _) = (prints[feed] for feed in feeds)
        monkeypatch.setattr(ahead, "SENT", first)
    assert first >= other > 0
    assert audits == [*feeds]  # those of the first month


def test_what_is_too_much_to_send_is_audited_by_the_gate(
    project: Project, home: Home, tmp_path: Path, second: Second, audits: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(ahead, "SENT", 1)
    for year, by_itself in ((2019, 0), (2020, 1)):
        _receive(project, home, tmp_path, year)
        audit_ahead(second, project, home, WAITING)
        gate.judge_pending(project, home, FEED)
        assert len(audits) == by_itself


def test_a_second_process_that_is_killed_changes_nothing(
    project: Project, home: Home, tmp_path: Path, second: Second, audits: list[str]
) -> None:
    _receive(project, home, tmp_path, 2019)
    process = second.submit(project, _process)
    assert process is not None
    audit_ahead(second, project, home, WAITING)
    os.kill(process.result(), signal.SIGKILL)
    (judgement,) = gate.judge_pending(project, home, FEED)
    assert judgement.accepted == ("2019-01",)
    audit_ahead(second, project, home, WAITING)  # and nothing is asked of it any more


def _process(_: Project) -> int:
    return os.getpid()


def test_other_declarations_are_not_those_of_the_second_process(
    project: Project, second: Second
) -> None:
    same = Project.load()
    future = second.submit(same, _process)
    assert future is not None and future.result() != os.getpid()
    del same.feeds[FEED]
    assert second.submit(Project.load(), _process) is not None
    assert second.submit(same, _process) is None


def test_a_gate_of_other_declarations_audits_by_itself(
    project: Project, home: Home, tmp_path: Path, second: Second, audits: list[str]
) -> None:
    for year, declares, by_itself in ((2019, Project.load(), 0), (2020, Project.load(), 1)):
        _receive(project, home, tmp_path, year)
        audit_ahead(second, project, home, WAITING)
        if by_itself:
            del declares.feeds["caf/iris"]
        gate.judge_pending(declares, home, FEED)
        assert len(audits) == by_itself


COMMAND = """
import os, signal
from odds_pipeline.beside import second_process
from odds_pipeline.declarations.project import Project
from odds_pipeline.quality.ready import ready

if __name__ == "__main__":
    os.cpu_count = lambda: 2
    project = Project.load()
    with second_process(project) as second:
        second.start(ready)
        second.submit(project, id).result()
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_command_leaves_no_process(tmp_path: Path) -> None:
    script = tmp_path / "command.py"
    script.write_text(COMMAND)
    command = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, cwd=tmp_path)
    assert command.stdout is not None
    # The second process has the same output: it is closed when both have ended.
    assert command.communicate(timeout=60)[0] == b""
    assert command.returncode == -signal.SIGKILL
