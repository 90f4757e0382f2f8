"""Commands that keep an observatory: back it up, restore it, verify it, make it again."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from odds_pipeline.cli.app import AsJson, app, load, out, print_json, table
from odds_pipeline.storage.home import Home


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="where back-ups are kept, on another disk")],
    as_json: AsJson = False,
) -> None:
    """Copy the observatory to a new folder of FOLDER, while it goes on working."""
    from odds_pipeline.operations.backup import back_up

    made = back_up(Home.from_environment(), folder.absolute())
    if as_json:
        print_json({**asdict(made), "files": len(made.files)})
        return
    release = f"release {made.release}" if made.release else "no release yet"
    out.print(f"{made.path}: {len(made.files)} files, {release}", highlight=False, soft_wrap=True)


@app.command()
def restore(
    back_up: Annotated[Path, typer.Argument(metavar="BACKUP", help="a folder made by `odds backup`")],
) -> None:
    """Put a back-up where there is nothing: into an empty ODDS_HOME (and empty databases)."""
    from odds_pipeline.operations.backup import restore as put_back

    home = Home.from_environment()
    kept = put_back(home, back_up.absolute())
    out.print(f"{home.path}: as it was on {kept.made_at}; `odds verify` reads it all", highlight=False)
    since = f"Releases made since, after number {kept.release or 0}, are unknown to secrecy here"
    out.print(
        f"{since}: before the next `odds run` copy their folders, and their files of releases/memory, "
        "from what is left of the former disk.",
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def verify(as_json: AsJson = False) -> None:
    """Read every byte: archive, tables, releases, accounts, Dagster. `odds health` asks lightly."""
    from odds_pipeline.cli.server import tell
    from odds_pipeline.operations.health import health

    tell(health(Home.from_environment(), deep=True), as_json)


@app.command()
def rebuild(as_json: AsJson = False) -> None:
    """Make the tables again from the archive: every file and decision, in the order of then."""
    from odds_pipeline.operations.rebuild import rebuild as make_again

    done = make_again(load(), Home.from_environment())
    if as_json:
        print_json(asdict(done))
    else:
        out.print(f"{done.deliveries} deliveries, {done.decisions} decisions", highlight=False)
        if done.former:
            out.print(f"the former tables are kept in {done.former}", highlight=False, soft_wrap=True)
        if done.differences:
            table("Otherwise than then", ["what"], [[line] for line in done.differences])
    raise typer.Exit(1 if done.differences else 0)
