"""The command itself, and what its modules share: options, tables, JSON, exit status."""

import gc
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import click
import typer
from rich.console import Console
from typer.core import TyperGroup

from odds_pipeline import __version__
from odds_pipeline.cli.tables import print_table
from odds_pipeline.declarations.access import Access
from odds_pipeline.declarations.problems import Explained, nearest
from odds_pipeline.geography.territories import plain
from odds_pipeline.storage.home import Home, private_files

if TYPE_CHECKING:  # `odds --help` reads no declarations: 0.15 of its 0.5 s
    from odds_pipeline.declarations.project import Project

HELP = """Everything a data engineer does without the UI.

Commands that read take --json.

Exit status: 0 done, 1 something was refused or is wrong, 2 misused, or what is named does not exist.
"""
GROUPS = {
    "From files to a release": "demo fetch receive run backfill status quarantine ui",
    "What a release says": "value explain indicators coverage secrecy releases diff history",
    "What is published": "portrait sentences study pack outlines extranet account",
    "Declarations": "check new-partner new-feed new-observatory schemas docs",
    "Nothing is lost": "health verify backup restore rebuild metrics",
    "Several machines": "prepare coordinator code-server worker compact migrate",
}
"""The commands in the order in which ``odds --help`` shows them."""
FAULT = (
    "This is a fault of this software, not of your files; nothing half-written is read. `odds verify` "
    "says whether something is damaged; if all is well, report what follows to who maintains it."
)
NEW_OBJECTS = 200_000
"""Objects made between two looks for unused ones; Python's own setting is 700. Declarations are half a
million that live as long as the command: looking took 0.23 of the 1.1 s of `odds value`."""
# Lines are broken for a terminal alone.
out = Console(soft_wrap=not sys.stdout.isatty())
errors = Console(stderr=True, soft_wrap=not sys.stderr.isatty())


class _Explaining(TyperGroup):
    """Says what a failure explains, where a traceback would hide it; lists its commands by group."""

    def list_commands(self, ctx: Any) -> list[str]:
        grouped = {name: group for group, names in GROUPS.items() for name in names.split()}
        for name, command in self.commands.items():
            command.rich_help_panel = grouped.get(name)  # type: ignore[attr-defined]
        return [*grouped, *(self.commands.keys() - grouped.keys())]

    def invoke(self, ctx: Any) -> Any:
        gc.set_threshold(NEW_OBJECTS)
        private_files()
        try:
            return super().invoke(ctx)
        except Explained as error:
            fail(str(error), 1)
        except (typer.Exit, typer.Abort, click.ClickException):
            raise
        except Exception as error:
            from odds_pipeline.operations.failures import explained

            sentence = explained(error, Home.from_environment())
            if sentence is None:
                errors.print(FAULT, style="red", highlight=False, soft_wrap=True)
                raise
            fail(sentence, 1)


app = typer.Typer(cls=_Explaining, no_args_is_help=True, add_completion=False)

AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
ReleaseNumber = Annotated[int | None, typer.Option("--release", help="number of a release")]
OfClass = Annotated[Access, typer.Option("--access", help="what this class of readers may see")]
Root = Annotated[Path | None, typer.Option("--root", help="project folder", hidden=True)]


def _version(wanted: bool) -> None:
    if wanted:
        out.print(f"odds-pipeline {__version__}", highlight=False)
        raise typer.Exit


@app.callback(help=HELP)
def _options(
    _wanted: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="which version this is")
    ] = False,
) -> None: ...


def fail(message: str, status: int = 2) -> NoReturn:
    """Say what is wrong and exit."""
    errors.print(message, style="red", highlight=False, markup=False)
    raise typer.Exit(status)


def print_json(data: Any) -> None:
    """Write ``data`` as JSON."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2, default=str) + "\n")


def tell_dagster(home: Home) -> None:
    """Let the interface show what was received or decided by a command."""
    from odds_pipeline.orchestration import runs
    from odds_pipeline.orchestration.components.told import tell_receptions

    with runs.instance_of(home) as instance:
        tell_receptions(instance, home)


def load() -> "Project":
    """The declarations, or the list of their mistakes and exit status 1."""
    from odds_pipeline.declarations.project import Project

    return Project.load()


def table(title: str, columns: list[str], rows: list[list[Any]]) -> None:
    """Print a table; ``None`` is an empty cell."""
    print_table(out, title, columns, rows)


def indicator_named(project: "Project", name: str) -> str:
    """The indicator, or the nearest known one and exit status 2."""
    if name not in project.indicators:
        fail(f"no indicator {name!r}{nearest(name, project.indicators)}")
    return name


def territory_named(project: "Project", name: str) -> str:
    """The code of a territory given by code or label, or the nearest known one and exit status 2."""
    codes = {t.code for t in project.territories.all}
    if name in codes:
        return name
    # Several neighbourhoods are called Centre Ville: each is asked for by its code.
    wide = (t for t in project.territories.all if not t.communes)
    labels = {plain(t.label): t.code for t in wide} | project.territories.by_label
    if plain(name) in labels:
        return labels[plain(name)]
    fail(f"no territory {name!r}{nearest(plain(name), labels)}")


TOLD = (
    "{} figure(s) that are secret now were told by an earlier release, or follow from it: hiding them "
    "takes nothing back. Tell the partners they come from: `odds secrecy` counts them (told_before)."
)
