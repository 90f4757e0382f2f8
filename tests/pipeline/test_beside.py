"""Work shared by the two processes of a command, and done by one where there is one."""

import os
from pathlib import Path

import pytest

from odds_pipeline.beside import Second, second_process, side_by_side
from odds_pipeline.cli import running
from odds_pipeline.declarations.project import Project
from odds_pipeline.storage.home import Home


def _where(_: Project, number: int) -> tuple[int, int]:
    return number, os.getpid()


def _ends_elsewhere(_: Project, process: int) -> int:
    """End the process in which it is called, unless it is this one."""
    if os.getpid() != process:
        os._exit(1)
    return process


def _fails(_: Project) -> None:
    raise ValueError("so it is")


def test_without_a_second_process_everything_is_done_here(project: Project) -> None:
    assert side_by_side(project, _where, (1,), (2,)) == [(1, os.getpid()), (2, os.getpid())]
    with second_process(project):  # not started: there is too little to do
        assert side_by_side(project, _where, (1,), (2,)) == [(1, os.getpid()), (2, os.getpid())]
    assert side_by_side(project, _where) == []


def test_the_last_is_done_here_and_the_others_meanwhile(project: Project, second: Second) -> None:
    (first, there), (middle, too), (last, here) = side_by_side(project, _where, (1,), (2,), (3,))
    assert (first, middle, last) == (1, 2, 3)
    assert here == os.getpid() != there == too


def test_what_a_second_process_leaves_undone_is_done_here(project: Project, second: Second) -> None:
    assert side_by_side(project, _ends_elsewhere, (os.getpid(),), (os.getpid(),)) == [os.getpid()] * 2
    assert side_by_side(project, _where, (1,), (2,)) == [(1, os.getpid()), (2, os.getpid())]


@pytest.mark.parametrize("calls", [((),), ((), ())], ids=["here", "there"])
def test_a_failure_is_told(project: Project, second: Second, calls: tuple[tuple[()], ...]) -> None:
    with pytest.raises(ValueError, match="so it is"):
        side_by_side(project, _fails, *calls)


def test_a_second_process_is_worth_it_for_several_new_files(tmp_path: Path) -> None:
    home = Home(tmp_path / "odds")
    assert not running._several_came(home, [])
    home.landing.mkdir(parents=True)
    (home.landing / "one.csv").touch()
    assert not running._several_came(home, [])
    (tmp_path / "two.csv").touch()
    assert running._several_came(home, [tmp_path / "two.csv"])
    home.releases.mkdir()
    (home.releases / "current").touch()
    assert not running._several_came(home, [tmp_path / "two.csv"])


def test_other_declarations_are_dealt_with_here(
    second: Second,
) -> None:
    changed = Project.load()
    changed.feeds.popitem()
    assert [process for _, process in side_by_side(changed, _where, (1,), (2,))] == [os.getpid()] * 2
