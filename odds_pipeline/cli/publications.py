"""Commands that make what members and partners read: portraits, studies, committees' pages."""

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
from odds_pipeline.declarations.access import Access
from odds_pipeline.declarations.committee import Committee
from odds_pipeline.declarations.problems import nearest
from odds_pipeline.declarations.read_publications import load_publications
from odds_pipeline.storage.home import Home

Folder = Annotated[Path | None, typer.Option("--out", help="folder to write in")]
OfEdition = Annotated[Access | None, typer.Option("--edition", help="the declared one when not given")]


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
    from odds_pipeline.publications.portrait.publish import publish_portrait

    project = load()
    portrait = load_publications(project).portrait
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
    except (LookupError, FileExistsError) as error:
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
def study(
    name: Annotated[str, typer.Argument(help="id of the study")] = "logement_fragile",
    release: ReleaseNumber = None,
    edition: OfEdition = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="write a draft even if the gate forbids publishing")
    ] = False,
    folder: Annotated[Path, typer.Option("--out", help="folder of the draft")] = Path("brouillon"),
    as_json: AsJson = False,
) -> None:
    """Publish a study from a release, or say what forbids it.

    With --partial, a study that is refused is written as a draft, marked as such on every page.
    """
    from odds_pipeline.publications.studies.publish import publish_study
    from odds_pipeline.publications.studies.study import StudyRefused

    project = load()
    studies = load_publications(project).studies
    if name not in studies:
        fail(f"no study {name!r}{nearest(name, studies)}")
    try:
        written = publish_study(
            project,
            studies[name],
            Home.from_environment(),
            release=release,
            edition=edition,
            draft_in=folder if partial else None,
        )
    except StudyRefused as error:
        fail(str(error), 1)
    except (LookupError, FileExistsError) as error:
        fail(str(error))
    if as_json:
        ranks = {code: int(rank) for code, rank in written.result.ranks.items()}
        print_json({"folder": written.folder, "draft": written.draft, "ranks": ranks})
    else:
        what = "draft" if written.draft else "published"
        out.print(f"{what}: {written.folder}", highlight=False, soft_wrap=True)


@app.command()
def pack(
    committee: Annotated[Committee, typer.Argument(help="technique: a month; pilotage: a half-year")],
    period: Annotated[
        str | None, typer.Option("--period", help="YYYY-MM or YYYY-S1; the last whole one by default")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the page of a committee: technique every month, pilotage every half-year."""
    from datetime import date

    from odds_pipeline.publications.committees.period import Period
    from odds_pipeline.publications.committees.publish import publish_pack

    of_month = committee == "technique"
    default = Period.month_before if of_month else Period.half_year_before
    try:
        chosen = Period.named(period) if period else default(date.today())
    except ValueError as error:
        fail(str(error))
    if ("S" in chosen.name) == of_month:
        fail(f"{committee}: {chosen.name} is not a {'month' if of_month else 'half-year'}")
    written = publish_pack(load(), Home.from_environment(), committee, chosen)
    if as_json:
        print_json({"folder": written.folder, "documents": written.documents, "size": written.size})
    else:
        out.print(str(written.folder), highlight=False, soft_wrap=True)


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
