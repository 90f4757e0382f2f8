"""Files recorded together and feeds judged together: the warehouse holds what one by one gives."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.demo.deliveries import write_deliveries
from odds_pipeline.indicators.staleness import ALL
from odds_pipeline.quality import gate
from odds_pipeline.quality.gate import judge_pending, judge_together
from odds_pipeline.reception import receive as receiving
from odds_pipeline.reception.kept import archive_path
from odds_pipeline.reception.receive import receive
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

FEEDS = ("caf/allocataires", "caf/logement", "caf/rsa", "caf/enfance", "prefecture/expulsions")
DAY = 86_400
TABLES = {
    "deliveries": "SELECT * EXCLUDE (received_at) FROM deliveries ORDER BY received_order",
    "arrivals": "SELECT * FROM arrivals ORDER BY ALL",
    "origins": "SELECT * FROM origins ORDER BY ALL",
    "months": "SELECT * EXCLUDE (judged_at) FROM delivered_months ORDER BY ALL",
    "verdicts": "SELECT delivery, month, rule, severity, passed, message, failing FROM verdicts ORDER BY ALL",
    "observations": "SELECT * FROM observations ORDER BY ALL",
    "replaced": "SELECT * FROM observations WHERE known_to IS NOT NULL ORDER BY ALL",
    "staged": "SELECT * FROM staged ORDER BY ALL",
}


def _held(home: Home) -> dict[str, list[tuple[Any, ...]]]:
    with Store(home.warehouse).connect() as connection:
        return {name: connection.execute(query).fetchall() for name, query in TABLES.items()}


def _months(project: Project, folder: Path) -> list[list[Path]]:
    """Two months of five feeds, each file dated; then the second month again, figures raised, one file a
    commune short, and two files of the first month, dated before those received: one says otherwise."""
    rounds = []
    for number, month in enumerate(("2024-10", "2024-11")):
        written = write_deliveries(project, folder / month, month, month, faults=False, feeds=FEEDS)
        rounds.append([path for path in written.paths if path.suffix == ".csv"])
        for path in rounds[-1]:
            os.utime(path, (DAY * (20_000 + number),) * 2)
    again = []
    for place, path in enumerate(rounds[1]):
        lines = path.read_bytes().splitlines(keepends=True)
        lines = [*lines[:5], *lines[6:]] if place == 0 else [*lines[:-1], *_raised(lines[-1:])]
        again.append(_written(folder / "again" / path.name, lines, 20_010))
    lines = rounds[0][-1].read_bytes().splitlines(keepends=True)
    again.append(
        _written(folder / "older" / rounds[0][-1].name, [*lines[:-1], *_raised(lines[-1:])], 19_990)
    )
    same = [rounds[0][0].read_bytes(), b"\n"]
    again.append(_written(folder / "older" / rounds[0][0].name, same, 19_990))
    return [*rounds, again]


def _raised(lines: list[bytes]) -> list[bytes]:
    """The third figure of each line, one more."""
    found = []
    for line in lines:
        cells = line.split(b";")
        cells[2] = str(int(cells[2]) + 1).encode()
        found.append(b";".join(cells))
    return found


def _written(path: Path, lines: list[bytes], day: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(lines))
    os.utime(path, (DAY * day,) * 2)
    return path


def _one_by_one(project: Project, home: Home, feeds: list[str]) -> None:
    for feed in feeds:
        judge_pending(project, home, feed)


def _together(project: Project, home: Home, feeds: list[str]) -> None:
    with Store(home.warehouse).connect() as connection:
        judge_together(project, home, connection, feeds, ALL)


def _run(
    project: Project,
    home: Home,
    rounds: list[list[Path]],
    judge: Callable[[Project, Home, list[str]], None],
) -> list[dict[str, list[tuple[Any, ...]]]]:
    held = []
    for paths in rounds:
        receipts = list(receive(project, home, paths))
        assert all(receipt.feed for receipt in receipts)
        held.append(_held(home))
        judge(project, home, sorted({str(receipt.feed) for receipt in receipts}))
        held.append(_held(home))
    return held


def test_the_warehouse_is_what_one_by_one_gives(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = _months(project, tmp_path / "in")
    together = _run(project, Home(tmp_path / "together"), rounds, _together)
    monkeypatch.setattr(gate, "MONTHS", 1)  # each feed in a transaction of its own, by the same way
    assert _run(project, Home(tmp_path / "apart"), rounds, _together) == together
    monkeypatch.setattr(receiving, "PORTION", -1)  # each file is recorded before the next is read
    alone = _run(project, Home(tmp_path / "alone"), rounds, _one_by_one)
    for number, (one, other) in enumerate(zip(together, alone, strict=True)):
        for name in TABLES:
            assert one[name] == other[name], f"{name}, step {number}"
    states = {state for *_, state in ((row[0], row[3]) for row in together[-1]["months"])}
    assert states == {"accepted", "refused"}
    assert [row[2] for row in together[-1]["verdicts"]].count("plus_ancien") == 1
    assert together[-1]["replaced"] and together[-1]["staged"] == []


def test_files_are_recorded_in_one_transaction_and_feeds_judged_in_one(
    project: Project, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a lake takes minutes where it takes seconds."""
    calls = {"record": 0, "judge": 0}

    def counted(module: Any, name: str) -> None:
        called = getattr(module, name)

        def once(*given: Any) -> Any:
            calls[name] += 1
            return called(*given)

        monkeypatch.setattr(module, name, once)

    counted(receiving, "record")
    counted(gate, "judge")
    (paths, *_) = _months(project, tmp_path / "in")
    feeds = sorted({str(receipt.feed) for receipt in receive(project, home, paths)})
    _together(project, home, feeds)
    assert len(feeds) >= len(FEEDS) and len(paths) >= len(FEEDS)
    assert calls == {"record": 1, "judge": 1}


def test_a_damaged_archive_is_left_to_its_own_gate(project: Project, home: Home, tmp_path: Path) -> None:
    (paths, *_) = _months(project, tmp_path / "in")
    *sound, damaged = list(receive(project, home, paths))
    archived = archive_path(home, damaged.delivery)
    archived.chmod(0o644)
    archived.write_bytes(b"other bytes")
    _together(project, home, [str(one.feed) for one in (*sound, damaged)])
    with Store(home.warehouse).connect() as connection:
        waiting = connection.execute(
            "SELECT DISTINCT feed FROM delivered_months WHERE state = 'pending'"
        ).fetchall()
    assert waiting == [(damaged.feed,)]
    with pytest.raises(Exception, match="no longer holds the bytes received"):
        judge_pending(project, home, str(damaged.feed))


def test_what_cannot_be_judged_together_waits_whole(
    project: Project, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error may be of one feed: nothing of the others is half-written, and each is judged by itself."""
    (paths, *_) = _months(project, tmp_path / "in")
    feeds = sorted({str(receipt.feed) for receipt in receive(project, home, paths)})
    before = _held(home)

    def failing(connection: Any, states: Any) -> None:
        raise KeyError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(gate, "_record", failing)
        _together(project, home, feeds)
    after = _held(home)
    assert after["months"] == before["months"] and after["observations"] == []
    _one_by_one(project, home, feeds)
    assert {row[3] for row in _held(home)["months"]} == {"accepted"}


def test_a_copy_among_files_read_together_is_known(project: Project, home: Home, tmp_path: Path) -> None:
    (paths, *_) = _months(project, tmp_path / "in")
    copies = [_written(tmp_path / "copies" / p.name, [p.read_bytes()], 20_000) for p in paths]
    receipts = list(receive(project, home, [*paths, *copies]))
    assert [receipt.known for receipt in receipts].count(True) == len(paths)
    with Store(home.warehouse).connect() as connection:
        assert connection.execute("SELECT count(*) FROM deliveries").fetchone() == (len(paths),)
