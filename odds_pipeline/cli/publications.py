"""Commands that make what members and partners read: portraits, and the outlines of the maps."""

from pathlib import Path
from typing import Annotated

import typer

from odds_pipeline.cli.app import (
    AsJson,
    ReleaseNumber,
    app,
    fail,
    load,
    out,
    print_json,
    territory_named,
)
from odds_pipeline.home import Home
from odds_pipeline.model.access import Access
from odds_pipeline.model.problems import DeclarationError
from odds_pipeline.model.project import Project
from odds_pipeline.model.publication import Publications, load_publications

Folder = Annotated[Path | None, typer.Option("--out", help="folder to write in")]
OfEdition = Annotated[Access | None, typer.Option("--edition", help="the declared one when not given")]


def declared(project: Project) -> Publications:
    """The publications declared, or the list of their mistakes and exit status 1."""
    try:
        return load_publications(project)
    except DeclarationError as error:
        fail(str(error), 1)


@app.command()
def portrait(
    territories: Annotated[list[str] | None, typer.Argument(help="codes or names; all without")] = None,
    release: ReleaseNumber = None,
    edition: OfEdition = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Write the Portrait social of territories, as HTML and PDF, from one release.

    A few territories go to --out, by default ./portraits; all of them go to the observatory's
    publications.
    """
    from odds_pipeline.portrait.publish import publish_portrait

    project = load()
    portrait = declared(project).portrait
    if portrait is None:
        fail("no portrait is declared: assets/portrait_social.yaml is missing")
    codes = [territory_named(project, name) for name in territories or []]
    if codes and folder is None:
        folder = Path("portraits")
    try:
        written = publish_portrait(
            project,
            portrait,
            Home.from_environment(),
            release=release,
            edition=edition,
            territories=codes or None,
            folder=folder,
        )
    except LookupError as error:
        fail(str(error))
    if as_json:
        print_json({"folder": written.folder, "documents": written.documents, "size": written.size})
    else:
        out.print(
            f"{written.documents} documents (HTML, PDF), {written.size / 1e6:.1f} MB: {written.folder}",
            highlight=False,
            soft_wrap=True,
        )


@app.command()
def outlines(file: Annotated[Path, typer.Argument(help="GeoJSON of the communes")]) -> None:
    """Keep the communes' outlines for the maps; without them, maps are tiles."""
    from odds_pipeline.charts import store_outlines

    if not file.is_file():
        fail(f"no such file: {file}")
    try:
        used = store_outlines(load().territories, Home.from_environment(), file)
    except ValueError as error:
        fail(str(error), 1)
    out.print(f"{used} outlines kept", highlight=False)
