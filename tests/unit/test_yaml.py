"""What a declaration file may not say."""

from pathlib import Path

import pytest

from odds_pipeline.declarations.yaml_file import YamlFile, read_yaml


def read(tmp_path: Path, text: str) -> YamlFile:
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    return read_yaml(path, tmp_path)


def test_an_alias_is_refused_at_its_line(tmp_path: Path) -> None:
    file = read(tmp_path, "a: &one [x]\nb:\n  c: *one\n")
    (problem,) = file.problems
    assert (problem.line, "write it out" in problem.message) == (3, True)


@pytest.mark.parametrize("merged", ["base: &b {x: 1}\na:\n  <<: *b\n", "- &b [1]\n- *b\n"])
def test_so_is_a_merge_and_an_item(tmp_path: Path, merged: str) -> None:
    assert len(read(tmp_path, merged).problems) == 1


def test_a_bomb_of_one_kilobyte_costs_nothing(tmp_path: Path) -> None:
    """Followed, its last line stands for 9 to the 25th values."""
    levels = [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 26)]
    file = read(tmp_path, "l0: &l0 [x]\n" + "\n".join(levels) + "\n")
    assert len(file.problems) == 25 * 9
    assert sum(len(value) for value in file.data.values()) == 1 + 25 * 9


def test_an_anchor_alone_is_harmless(tmp_path: Path) -> None:
    assert read(tmp_path, "a: &one [x]\n").problems == []
