"""Commands on the declarations: check them, list indicators, write their schemas."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from odds_pipeline.cli.app import AsJson, Root, app, fail, load, out, print_json, table
from odds_pipeline.declarations.deployment import deployment_problems
from odds_pipeline.declarations.problems import Problem, nearest

if TYPE_CHECKING:
    from odds_pipeline.declarations.project import Project


def problems_of(project: "Project") -> list[Problem]:
    """Every mistake of the declarations: first what a file shows by itself, the cause of others."""
    from odds_pipeline.declarations.checks.observatory import observatory_problems
    from odds_pipeline.declarations.checks.reach import reach_problems
    from odds_pipeline.declarations.extranet import extranet_problems
    from odds_pipeline.declarations.read_publications import read_publications
    from odds_pipeline.declarations.read_simulations import read_simulations
    from odds_pipeline.quality.rules import suite_problems

    found = [*read_publications(project).problems, *read_simulations(project)[1]]
    found += [*deployment_problems(project.root), *extranet_problems(project.root)]
    found += [*observatory_problems(project), *reach_problems(project)]
    return [*project.problems, *sorted([*found, *suite_problems(project)])]


@app.command()
def check(
    root: Root = None,
    as_json: AsJson = False,
    unused: Annotated[bool, typer.Option("--unused", help="list variables that nothing reads")] = False,
) -> None:
    """Check every declaration; list all mistakes with file and line."""
    from odds_pipeline.declarations.project import Project

    project = Project.read(root)
    if unused:
        _list_unused(project, as_json)
        return
    problems = problems_of(project)
    counts = {
        "partners": len(project.partners),
        "feeds": len(project.feeds),
        "variables": len(project.variables),
        "families": len(project.families),
        "indicators": len(project.indicators),
        "problems": len(problems),
    }
    if as_json:
        print_json({**counts, "problems": [asdict(p) for p in problems]})
    else:
        for problem in problems:
            out.print(str(problem), highlight=False, markup=False, soft_wrap=True)
        *declared, wrong = (f"{count} {name}" for name, count in counts.items())
        last = wrong if len(problems) != 1 else "1 problem"
        out.print(", ".join([*declared, last]), highlight=False)
    raise typer.Exit(1 if problems else 0)


def _list_unused(project: "Project", as_json: bool) -> None:
    """The variables that are delivered and feed no indicator, by feed."""
    from odds_pipeline.declarations.checks.unused import unused_variables

    rows = [
        (project.variables[v][0].id, v, project.variables[v][1].label) for v in unused_variables(project)
    ]
    if as_json:
        print_json([dict(zip(("feed", "variable", "label"), row, strict=True)) for row in rows])
        return
    for feed, variable, label in rows:
        out.print(f"{feed}: {variable} – {label}", highlight=False, markup=False, soft_wrap=True)
    out.print(f"{len(rows)} of {len(project.variables)} variables feed no indicator", highlight=False)


@app.command()
def schemas(folder: Annotated[Path, typer.Argument(help="where to write them")]) -> None:
    """Write JSON Schemas of the declarations, for editors."""
    from odds_pipeline.declarations.schemas import write_schemas

    for path in write_schemas(folder):
        out.print(str(path), highlight=False)


@app.command()
def docs(
    folder: Annotated[Path, typer.Argument(help="where to write them")] = Path("docs/reference"),
) -> None:
    """Write the reference pages: indicators and declarations in French, this command, the schemas."""
    from typer.cli import get_docs_for_click

    from odds_pipeline.declarations.schemas import write_schemas
    from odds_pipeline.documentation import dictionary, guide, rooms
    from odds_pipeline.documentation.reference import theme_pages

    command = typer.main.get_command(app)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name="odds")
    pages = {
        **theme_pages(load()),
        "cli.md": text.rstrip() + "\n",
        "declarations.md": guide.page(),
        "dictionary.md": dictionary.page(),
        "rooms.md": rooms.page(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in pages.items():
        (folder / name).write_text(page, encoding="utf-8")
        out.print(str(folder / name), highlight=False)
    write_schemas(folder / "schemas")


@app.command()
def indicators(
    theme: Annotated[
        str | None, typer.Option("--theme", help="a theme of assets/observatory.yaml")
    ] = None,
    search: Annotated[
        str | None, typer.Option("--search", help="words, accents and case ignored")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the indicators, by theme or by words of their sheet; those found by label come first."""
    from odds_pipeline.indicators.search import find

    project = load()
    themes = project.observatory.themes
    if theme is not None and theme not in themes:
        fail(f"no theme {theme!r}{nearest(theme, themes)}")
    found = find(project, search or "", theme)
    if as_json:
        print_json(
            [
                {
                    "id": e.id,
                    "theme": e.family.theme,
                    "family": e.family.id,
                    "label": e.indicator.label,
                    "short_label": e.indicator.short_label,
                    "unit": e.indicator.unit,
                    "formula": e.indicator.formula,
                }
                for e in found
            ]
        )
        return
    table(
        f"{len(found)} indicators",
        ["id", "theme", "label", "unit"],
        [[e.id, e.family.theme, e.indicator.label, e.indicator.unit] for e in found],
    )
    counts = Counter(e.family.theme for e in found)
    out.print(", ".join(f"{name} {count}" for name, count in counts.items()), highlight=False)
