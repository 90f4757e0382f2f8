"""Hand-written pages say what is: links lead somewhere, commands parse, the rooms have no circle."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer

from odds_pipeline.cli import app
from odds_pipeline.declarations.project import project_root
from odds_pipeline.documentation import guide
from odds_pipeline.documentation.rooms import arrows, circles, direct, reached

ROOT = project_root()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES += [*sorted((ROOT / "docs/how-to").glob("*.md")), *sorted((ROOT / "docs/decisions").glob("*.md"))]
COMMAND = typer.main.get_command(app)
GRAPH = arrows()
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def lines(program: str) -> list[tuple[str, str]]:
    """Command lines of the pages that call ``program``: the page and what follows the program's name."""
    called = re.compile(rf"^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?{program}( [^#]*)?(#.*)?$")
    found = []
    for page in PAGES:
        for block in BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                if match := called.match(line.strip()):
                    found.append((page.name, (match[1] or "").split(" | ")[0].split(" > ")[0].strip()))
    return found


@pytest.mark.parametrize(("page", "line"), lines("odds"))
def test_every_documented_command_is_one(page: str, line: str) -> None:
    """Parsed by the program itself: name, options, number and kind of arguments."""
    command: click.Command = COMMAND
    context = click.Context(command, info_name="odds")
    words = shlex.split(line)
    while isinstance(command, click.Group):
        name, *words = words
        found = command.get_command(context, name)
        assert found is not None, f"{page}: odds {line}: no command {name}"
        command = found
    command.make_context(line, words, parent=context)


def test_commands_are_documented() -> None:
    assert len(lines("odds")) > 15 and len(lines("make")) > 8


def test_every_documented_target_is_one() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    hosted = (ROOT / ".github/workflows/check.yml").read_text() + (ROOT / ".ci/run").read_text()
    named = {w for _, line in lines("make") for w in line.split()[:1]}
    named |= {w for line in re.findall(r"\bmake ([a-z ]+)$", hosted, re.MULTILINE) for w in line.split()}
    assert named - targets == set()
    told = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = set(re.findall(r"^make (\S+) ", told.stdout, re.MULTILINE))
    assert listed == targets - {"server"} | {"server"}


@pytest.mark.slow
@pytest.mark.parametrize(("page", "line"), lines("python -m pytest"))
def test_every_documented_choice_of_tests_chooses_some(page: str, line: str) -> None:
    """Else pytest ends with 5, and a newcomer with nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-qq", *shlex.split(line)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{page}: {line}: {done.stdout}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [one.partition("#")[0] for one in re.findall(r"\]\(([^)]+)\)", text)]
    gone = [one for one in links if one and "://" not in one and not (page.parent / one).exists()]
    assert gone == []


def test_paths_of_the_architecture_exist() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:odds_pipeline|assets|expectations|resources)/[\w/.]*)", text)
    assert named and [one for one in named if not (ROOT / one).exists()] == []
    rooms = {room for room in GRAPH if (ROOT / "odds_pipeline" / room).is_dir()}
    told = set(re.findall(r"`(\w+)/`", text))
    assert rooms - told == set()


def test_no_room_leads_back_to_itself() -> None:
    assert circles(GRAPH) == []


def test_a_circle_is_seen_and_a_longer_way_is_left_out() -> None:
    graph = {"a": {"b", "c"}, "b": {"c"}, "c": set(), "d": {"e"}, "e": {"d"}}
    assert circles(graph) == ["d", "e"]
    assert direct(graph)["a"] == {"b"}
    assert reached(graph, "a") == {"b", "c"}


def test_the_guide_speaks_of_keys_that_exist() -> None:
    models = {model.__name__: model for chapter in guide.CHAPTERS.values() for model in chapter}
    assert set(guide.WORDS) == set(models)
    for name, words in guide.WORDS.items():
        known = {field.alias or key for key, field in models[name].model_fields.items()}
        assert set(words) - known == set(), name


def test_decisions_have_a_number_a_status_and_a_date() -> None:
    folder = ROOT / "docs/decisions"
    listed = (folder / "README.md").read_text(encoding="utf-8")
    wrong = []
    for path in folder.glob("[0-9]*.md"):
        head = rf"# {int(path.name[:4])}\. .+\n\n\*\*Status\.\*\* (accepted|superseded by .+), 20\d\d-\d\d-\d\d\.\n"
        if not re.match(head, path.read_text(encoding="utf-8")) or f"({path.name})" not in listed:
            wrong.append(path.name)
    assert wrong == []


@pytest.mark.slow
def test_the_fast_tests_load_neither_dagster_nor_great_expectations() -> None:
    script = (
        "import pytest, sys; pytest.main(['--collect-only', '-qq', *sys.argv[1:]]); "
        "print(sorted({'dagster', 'great_expectations'} & set(sys.modules)))"
    )
    folders = ("tests/unit", "tests/spec", "tests/declarations")
    done = subprocess.run(
        [sys.executable, "-c", script, *folders], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "test_docs.py" in done.stdout and done.stdout.splitlines()[-1] == "[]"
