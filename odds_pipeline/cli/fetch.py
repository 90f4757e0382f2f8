"""The command that fetches what the portals publish."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from odds_pipeline.cli.app import AsJson, app, errors, fail, load, print_json, table
from odds_pipeline.storage.home import Home


@app.command()
def fetch(
    name: Annotated[
        str | None, typer.Argument(metavar="PARTNER[/FEED]", help="all that has an origin without")
    ] = None,
    mirror: Annotated[
        str | None, typer.Option("--from", help="address of a mirror that serves the portals")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what is new, take nothing")] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch what the portals have that is new, each file with its origin, into the landing folder."""
    from odds_pipeline.fetch.download import Progress as Told
    from odds_pipeline.fetch.fetch import fetch as fetch_files

    project = load()
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=errors, transient=True) as shown:

        def progress(file: str) -> Told:
            task = shown.add_task(file, total=None)
            return lambda done, size: shown.update(task, completed=done, total=size)

        try:
            home = Home.from_environment()
            found = list(fetch_files(project, home, name, mirror, dry_run, progress))
        except LookupError as error:
            fail(str(error))
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        rows = [[o.feed, o.portal, o.file, o.state, o.why or o.late] for o in found]
        table("Fetched", ["feed", "portal", "file", "", ""], rows)
    raise typer.Exit(1 if any(one.state == "failed" for one in found) else 0)
