"""What ``odds`` alone says."""

from importlib.metadata import version

from typer.main import get_command
from typer.testing import CliRunner

from odds_pipeline.cli import app
from odds_pipeline.cli.app import GROUPS


def test_every_command_is_in_one_group() -> None:
    shown = [name for name, command in get_command(app).commands.items() if not command.hidden]  # type: ignore[attr-defined]
    assert sorted(shown) == sorted(" ".join(GROUPS.values()).split())


def test_help_lists_them_in_the_order_of_use() -> None:
    said = CliRunner().invoke(app, ["--help"]).output
    places = [
        said.index(f" {name} ") for name in ("demo", "receive", "run", "value", "portrait", "check")
    ]
    assert places == sorted(places)


def test_the_version_is_that_of_the_package() -> None:
    said = CliRunner().invoke(app, ["--version"])
    assert (said.exit_code, said.output.strip()) == (0, f"odds-pipeline {version('odds-pipeline')}")
