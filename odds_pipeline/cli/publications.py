"""Commands that make what members and partners read: portraits, studies, committees' pages."""

from dataclasses import asdict
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
    table,
    territory_named,
)
from odds_pipeline.declarations.access import Access
from odds_pipeline.declarations.problems import nearest
from odds_pipeline.storage.home import Home

Folder = Annotated[Path | None, typer.Option("--out", help="folder to write in")]
DeclaredClass = Annotated[Access | None, typer.Option("--access", help="the declared one if not given")]


@app.command()
def portrait(
    territories: Annotated[list[str] | None, typer.Argument(help="codes or names; all without")] = None,
    release: ReleaseNumber = None,
    access: DeclaredClass = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Write the Portrait social of territories, as HTML and PDF, from one release.

    A few territories go to --out, by default ./portraits; all of them go to the observatory's
    publications.
    """
    from odds_pipeline.declarations.read_publications import load_publications
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
            access=access,
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
def sentences(
    territory: Annotated[str, typer.Argument(help="code or name")],
    release: ReleaseNumber = None,
    access: DeclaredClass = None,
    as_json: AsJson = False,
) -> None:
    """What the portrait says of a territory, the figures behind each sentence, or why it is silent."""
    from odds_pipeline.declarations.read_publications import load_publications
    from odds_pipeline.publications.portrait.publish import read_contents
    from odds_pipeline.publications.statements.speaker import Said

    project = load()
    portrait = load_publications(project).portrait
    if portrait is None:
        fail("no portrait is declared: assets/portrait_social.yaml is missing")
    place = project.territories.by_key.get((territory_named(project, territory), portrait.geography))
    if place is None:
        fail(f"{territory} is not a territory of the portrait's geography, {portrait.geography}")
    try:
        home = Home.from_environment()
        made = read_contents(project, portrait, home, release, access or portrait.access)
    except LookupError as error:
        fail(str(error))
    found = [made.speaker.say(name, place) for name in made.declared.statements]
    if as_json:
        print_json([asdict(one) for one in found])
        return
    table(
        f"{place.label}, release {made.figures.about.release}",
        ["sentence", "said, or why silent", "figures"],
        [
            [one.statement, one.text, ", ".join(f"{k}: {v}" for k, v in one.figures.items())]
            if isinstance(one, Said)
            else [one.statement, f"({one.reason})", ""]
            for one in found
        ],
    )


@app.command()
def study(
    name: Annotated[str | None, typer.Argument(help="id of the study, when there are several")] = None,
    release: ReleaseNumber = None,
    access: DeclaredClass = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="write a draft even if the gate forbids publishing")
    ] = False,
    folder: Annotated[Path, typer.Option("--out", help="folder of the draft")] = Path("brouillon"),
    as_json: AsJson = False,
) -> None:
    """Publish a study from a release, or say what forbids it.

    With --partial, a study that is refused is written as a draft, marked as such on every page.
    """
    from odds_pipeline.declarations.read_publications import load_publications
    from odds_pipeline.publications.studies.publish import publish_study
    from odds_pipeline.publications.studies.study import StudyRefused

    project = load()
    studies = load_publications(project).studies
    if name is None and len(studies) == 1:
        (name,) = studies
    if name not in studies:
        fail(f"no study {name!r}{nearest(name or '', studies)}; there are: {', '.join(studies)}")
    try:
        written = publish_study(
            project,
            studies[name],
            Home.from_environment(),
            release=release,
            access=access,
            draft_in=folder if partial else None,
        )
    except StudyRefused as error:
        fail(str(error), 1)
    except LookupError as error:
        fail(str(error))
    if as_json:
        ranks = {code: int(rank) for code, rank in written.result.ranks.items()}
        print_json({"folder": written.folder, "draft": written.draft, "ranks": ranks})
    else:
        what = "draft" if written.draft else "published"
        out.print(f"{what}: {written.folder}", highlight=False, soft_wrap=True)


@app.command()
def pack(
    committee: Annotated[str, typer.Argument(help="a committee of assets/observatory.yaml")],
    period: Annotated[
        str | None, typer.Option("--period", help="YYYY-MM or YYYY-S1; the last whole one by default")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the page of a committee, for the last whole month or half-year."""
    from datetime import date

    from odds_pipeline.publications.committees.publish import publish_pack
    from odds_pipeline.publications.committees.span import Span

    project = load()
    committees = project.observatory.committees
    if committee not in committees:
        fail(f"no committee {committee!r}{nearest(committee, committees)}")
    every = committees[committee].every
    try:
        chosen = Span.named(period) if period else Span.before(date.today(), every)
    except ValueError as error:
        fail(str(error))
    if chosen.every != every:
        fail(f"{committee}: {chosen.name} is not a {every.replace('_', '-')}")
    written = publish_pack(project, Home.from_environment(), committee, chosen)
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
