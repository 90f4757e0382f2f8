"""Commands that declare a new partner and its feeds, without Python."""

import os
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from odds_pipeline.cli.app import app, fail, out
from odds_pipeline.cli.declarations import problems_of


@app.command("new-partner")
def new_partner(
    partner: Annotated[str, typer.Argument(help="its id: lower case letters, digits and _")],
    label: Annotated[str, typer.Option("--label", help="its name, in French")],
    since: Annotated[
        str | None, typer.Option("--since", help="month it joined, YYYY-MM; this month by default")
    ] = None,
) -> None:
    """Declare a partner. What it does not know is the most protective choice, marked `confirm`."""
    from odds_pipeline.declarations.project import Project
    from odds_pipeline.onboarding.declarations import new_partner as declare
    from odds_pipeline.onboarding.period import CannotPropose

    project = Project.read()
    try:
        written = declare(project, partner, label, since or f"{date.today():%Y-%m}")
    except CannotPropose as error:
        fail(str(error), 1)
    _report(project.root, written, f"odds new-feed {partner}/FEED --from SAMPLE")


@app.command("new-feed")
def new_feed(
    feed: Annotated[str, typer.Argument(help="PARTNER/FEED")],
    sample: Annotated[Path, typer.Option("--from", help="a file as the partner delivers it")],
    geography: Annotated[
        int | None,
        typer.Option("--geography", help="year of the communes it is written in, when asked for"),
    ] = None,
) -> None:
    """Propose a contract from a sample: writes contract and simulation, guesses marked `confirm`.

    The contract proposed reads the sample whole, or nothing is written and the reason is told.
    """
    from odds_pipeline.declarations.project import Project
    from odds_pipeline.onboarding.declarations import new_feed as declare
    from odds_pipeline.onboarding.period import CannotPropose

    partner, slash, name = feed.partition("/")
    if not (slash and partner and name):
        fail(f"{feed!r} is not PARTNER/FEED")
    if not sample.is_file():
        fail(f"no such file: {sample}")
    project = Project.read()
    try:
        written, proposal = declare(project, partner, name, sample, geography)
    except CannotPropose as error:
        fail(str(error), 1)
    out.print(
        f"{sample.name}: header in line {proposal.header_line}, {proposal.level} in "
        f"{' + '.join(proposal.territory)}, {proposal.cadence} from {proposal.month}, decimal mark "
        f"{proposal.decimal!r}, {len(proposal.figures)} variables, "
        f"{len(proposal.left_out)} columns left out",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    for told in proposal.told:
        out.print(
            f"the gate would refuse this sample: {told} Ask the partner, correct the unit proposed, or "
            f"write the feed's own rules in expectations/partners/{feed}.yaml",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    _report(project.root, written, "put the partner's files in landing/ and `odds run`")


def _report(root: Path, written: list[Path], then: str) -> None:
    """Files written, guesses to confirm, problems of the whole project, and what to do next."""
    from odds_pipeline.declarations.project import Project

    def say(text: str) -> None:
        out.print(text, highlight=False, markup=False, soft_wrap=True)

    for path in written:
        shown = path.relative_to(root)
        say(f"written: {shown}")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if "# confirm" in line:
                say(f"  {shown}:{number}: {line.strip()}")
    problems = problems_of(Project.read(root))
    for problem in problems:
        say(str(problem))
    say(f"\n{len(problems)} problems. Next: confirm or mend the lines above, `odds check`, then {then}.")
    raise typer.Exit(1 if problems else 0)


@app.command("new-observatory")
def new_observatory(
    departements: Annotated[
        list[str], typer.Argument(help="codes of the départements: 59, or 59 62; of a région: r11")
    ],
    label: Annotated[str, typer.Option("--label", help="the observatory's name, in French")],
    reference: Annotated[
        Path, typer.Option("--reference", help="folder of Insee's code officiel géographique")
    ],
    outlines: Annotated[
        Path, typer.Option("--outlines", help="GeoJSON file of its communes, for the tile map")
    ],
    folder: Annotated[Path, typer.Option("--to", help="a folder that there is not yet")],
) -> None:
    """Write the declarations of other départements' observatory, and what a person still has to do."""
    from odds_pipeline.declarations.project import Project
    from odds_pipeline.onboarding.national import Reference
    from odds_pipeline.onboarding.observatory import new_observatory as declare
    from odds_pipeline.onboarding.period import CannotPropose

    project = Project.load()
    os.environ["ODDS_DEPLOYMENT"] = str(folder.absolute() / "resources" / "deployments" / "local.yaml")
    try:
        national = Reference.of(reference, departements)
        made = declare(project, national, label, outlines, folder.absolute(), problems_of)
    except CannotPropose as error:
        fail(str(error), 1)
    for line in made.left_out:
        out.print(f"left out {line}", highlight=False, markup=False, soft_wrap=True)
    for path in sorted(made.folder.rglob("partner.yaml")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if "# confirm" in line:
                said = f"{path.relative_to(made.folder)}: {line}"
                out.print(said, highlight=False, markup=False, soft_wrap=True)
    out.print(f"{made.folder}: {len(made.left_out)} things of the former observatory left out")
    if national.year < date.today().year:
        out.print(
            f"Communes are those of {national.year}: a file in which some have merged since is refused "
            "as incomplete. Insee publishes the year's communes in spring."
        )
    out.print(f"Next: export ODDS_PROJECT={made.folder} ODDS_HOME={made.folder / 'data'}, then")
    out.print(f"odds check, odds outlines {outlines} and odds run")
