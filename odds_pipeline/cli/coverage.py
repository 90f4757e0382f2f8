"""The command that says which indicators have a real value."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from odds_pipeline.cli.app import AsJson, ReleaseNumber, app, fail, load, out, print_json, table
from odds_pipeline.storage.home import Home


@app.command()
def coverage(
    release: ReleaseNumber = None,
    page: Annotated[Path | None, typer.Option("--page", help="write the whole as a page too")] = None,
    as_json: AsJson = False,
) -> None:
    """Indicators with a real value, by theme, partner and level; --page says what is missing."""
    from odds_pipeline.indicators import coverage as covered
    from odds_pipeline.release.published import open_release

    project = load()
    try:
        with open_release(Home.from_environment(), release) as connection:
            rows = covered.coverage(project, connection)
    except LookupError as error:
        fail(str(error), 1)
    if page is not None:
        page.write_text(covered.page(project, rows), encoding="utf-8")
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    themes = project.observatory.themes.items()
    groups = {label: [r for r in rows if r.theme == theme] for theme, label in themes}
    groups |= {p.id: [r for r in rows if p.id in r.partners] for p in project.partners.values()}
    names = ["", "indicators", "real value", "communes", "département", "France", "public source"]
    table(
        "Coverage",
        names,
        [[label, *covered.counts(own)] for label, own in (*groups.items(), ("all", rows))],
    )
    out.print(f"communes: a value for {covered.ENOUGH} communes or more", highlight=False)
    wanted = [f"{project.feeds[f].feed.label} (+{n})" for f, n in covered.first_wanted(rows, 5)]
    if wanted:
        out.print(f"public files that the communes lack most: {' ; '.join(wanted)}", highlight=False)
