"""The ``odds`` command: everything a data engineer does without the UI.

Reading commands take ``--json``. Exit status: 0 done, 1 something was refused or is wrong, 2 the
command was misused or what it names does not exist.
"""

import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from odds_pipeline.geography.territories import plain
from odds_pipeline.home import Home
from odds_pipeline.model.problems import DeclarationError, nearest
from odds_pipeline.model.project import Project

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
out = Console()
errors = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
ReleaseNumber = Annotated[int | None, typer.Option("--release", help="number of a release")]
Root = Annotated[Path | None, typer.Option("--root", help="project folder", hidden=True)]


def fail(message: str, status: int = 2) -> NoReturn:
    """Say what is wrong and exit."""
    errors.print(message, style="red", highlight=False)
    raise typer.Exit(status)


def print_json(data: Any) -> None:
    """Write ``data`` as JSON."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2, default=str) + "\n")


def load() -> Project:
    """The declarations, or the list of their mistakes and exit status 1."""
    try:
        return Project.load()
    except DeclarationError as error:
        fail(str(error), 1)


def table(title: str, columns: list[str], rows: list[list[Any]]) -> None:
    """Print a table; ``None`` is an empty cell."""
    shown = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*["" if cell is None else str(cell) for cell in row])
    out.print(shown)


@app.command()
def check(root: Root = None, as_json: AsJson = False) -> None:
    """Check every declaration; list all mistakes with file and line."""
    from odds_pipeline.demo.simulation import read_simulations
    from odds_pipeline.quality.rules import suite_problems

    project = Project.read(root)
    problems = sorted(project.problems + suite_problems(project) + read_simulations(project)[1])
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
        out.print(", ".join(f"{count} {name}" for name, count in counts.items()), highlight=False)
    raise typer.Exit(1 if problems else 0)


@app.command()
def schemas(folder: Annotated[Path, typer.Argument(help="where to write them")]) -> None:
    """Write JSON Schemas of the declarations, for editors."""
    from odds_pipeline.model.schemas import write_schemas

    for path in write_schemas(folder):
        out.print(str(path), highlight=False)


@app.command()
def receive(paths: list[Path], as_json: AsJson = False) -> None:
    """Receive files or folders: archive, recognise, record. The gate judges them on `odds run`."""
    from odds_pipeline.reception.receive import receive as receive_files

    for path in paths:
        if not path.exists():
            fail(f"no such file or folder: {path}")
    receipts = list(receive_files(load(), Home.from_environment(), paths))
    if as_json:
        print_json([asdict(r) for r in receipts])
    else:
        table(
            "Received",
            ["file", "feed", "format", "months", ""],
            [
                [
                    r.file,
                    r.feed or "set aside",
                    r.format,
                    _span(r.months),
                    "already known" if r.known else r.reason,
                ]
                for r in receipts
            ],
        )
    raise typer.Exit(1 if any(r.reason for r in receipts) else 0)


def _span(months: tuple[str, ...]) -> str:
    known = [m for m in months if not m.startswith("0000")]
    if not known:
        return ""
    return known[0] if len(known) == 1 else f"{known[0]} … {known[-1]} ({len(known)})"


@app.command()
def run(
    month: Annotated[str | None, typer.Option("--month", help="only this reference month")] = None,
    source: Annotated[
        list[Path] | None, typer.Option("--from", help="receive this folder first")
    ] = None,
) -> None:
    """Receive the landing folder, run the gate and the indicators, publish a release."""
    run_all(load(), Home.from_environment(), source or [], month)


def run_all(project: Project, home: Home, sources: list[Path], month: str | None = None) -> None:
    """The whole way, through Dagster, with progress; then what happened, as tables."""
    from odds_pipeline import runs
    from odds_pipeline.reception.receive import receive as receive_files

    home.landing.mkdir(parents=True, exist_ok=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as progress:
        task = progress.add_task("receiving")
        receipts = []
        for receipt in receive_files(project, home, [home.landing, *sources]):
            receipts.append(receipt)
            progress.update(task, description=f"receiving {receipt.file}")
        with runs.instance_of(home) as instance:
            spans = runs.waiting(home, month)
            for number, span in enumerate(spans, start=1):
                progress.update(task, description=f"gate {number}/{len(spans)} {span.feed}")
                runs.run_feed(instance, span)
            groups = runs.indicator_ranges({span.feed for span in spans}, home)
            for number, (span, names) in enumerate(groups, start=1):
                progress.update(task, description=f"indicators {number}/{len(groups)} {span.feed}")
                if not runs.run_indicators(instance, span, names):
                    fail(f"indicators of {span.feed} failed: see `make ui`", 1)
            progress.update(task, description="publishing")
            if not runs.run_recueil(instance):
                fail("the release failed: see `make ui`", 1)
    report(home, [r.file for r in receipts if r.feed is None and not r.known])


def report(home: Home, set_aside_now: list[str]) -> None:
    """Deliveries accepted and refused and why, and the release, as tables."""
    from odds_pipeline.warehouse.release import current_number, describe
    from odds_pipeline.warehouse.store import Store

    with Store(home.warehouse).connect() as connection:
        feeds = connection.execute(
            "SELECT feed, count(DISTINCT delivery), count(*) FILTER (WHERE state = 'accepted'), "
            "count(*) FILTER (WHERE state = 'refused') FROM delivered_months GROUP BY feed ORDER BY feed"
        ).fetchall()
        refused = connection.execute(
            "SELECT d.file_name, m.feed, m.month, string_agg(DISTINCT v.message, ' ') "
            "FROM delivered_months m JOIN deliveries d ON d.id = m.delivery "
            "LEFT JOIN verdicts v ON v.delivery = m.delivery AND v.month = m.month "
            "AND NOT v.passed AND v.severity = 'critical' "
            "WHERE m.state = 'refused' GROUP BY ALL ORDER BY 2, 3"
        ).fetchall()
        aside = connection.execute(
            "SELECT file_name, reason FROM deliveries WHERE feed IS NULL ORDER BY received_order"
        ).fetchall()
    table(
        "Deliveries",
        ["feed", "deliveries", "months accepted", "months refused"],
        list(map(list, feeds)),
    )
    if refused:
        table("Refused (in quarantine)", ["file", "feed", "month", "why"], list(map(list, refused)))
    if aside:
        table(
            "Set aside",
            ["file", "why"],
            [[name, (why or "").partition(" | ")[0]] for name, why in aside],
        )
    number = current_number(home)
    if number is not None:
        release = describe(home, number)
        simulated = " [bold red]SIMULATED DATA[/]" if release.simulated else ""
        out.print(
            f"[bold]Release {number}[/]: {release.indicators} indicators, "
            f"{release.values} values{simulated}"
        )


@app.command()
def demo(
    months: Annotated[int, typer.Option(help="how many months to simulate")] = 13,
    last: Annotated[str, typer.Option(help="last month")] = "2024-12",
) -> None:
    """Write simulated deliveries, then do everything `odds run` does with them."""
    from odds_pipeline.demo.deliveries import write_deliveries
    from odds_pipeline.demo.simulation import read_simulations

    project, home = load(), Home.from_environment()
    simulation_problems = read_simulations(project)[1]
    if simulation_problems:
        fail(str(DeclarationError(simulation_problems)), 1)
    index = int(last[:4]) * 12 + int(last[5:]) - months
    first = f"{index // 12:04d}-{index % 12 + 1:02d}"
    deliveries = write_deliveries(project, home.landing, first, last)
    out.print(
        f"{len(deliveries.paths)} simulated deliveries written to {home.landing}, "
        f"{len(deliveries.planted)} of them with a planted fault:"
    )
    for planted in deliveries.planted:
        out.print(f"  {planted.path.name}: {planted.description}", highlight=False)
    run_all(project, home, [])
    out.print("\nGo on with:\n  make ui\n  .venv/bin/odds value population_municipale Bobigny")


@app.command()
def status(as_json: AsJson = False) -> None:
    """For each feed: last accepted month, what is late, what waits in quarantine."""
    from datetime import date

    from odds_pipeline.calendar_status import feed_status

    rows = feed_status(load(), Home.from_environment(), date.today())
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table(
        "Feeds",
        ["feed", "cadence", "last accepted", "expected", "state", "refused"],
        [[r.feed, r.cadence, r.last_accepted, r.expected, r.state, ", ".join(r.refused)] for r in rows],
    )


def _indicator(project: Project, name: str) -> str:
    if name not in project.indicators:
        fail(f"no indicator {name!r}{nearest(name, project.indicators)}")
    return name


def _territory(project: Project, name: str) -> str:
    codes = {t.code for t in project.territories.all}
    if name in codes:
        return name
    labels = {plain(t.label): t.code for t in project.territories.all} | project.territories.by_label
    if plain(name) in labels:
        return labels[plain(name)]
    fail(f"no territory {name!r}{nearest(plain(name), labels)}")


@app.command()
def value(
    indicator: str,
    territory: str,
    month: Annotated[str | None, typer.Option("--month", help="YYYY-MM; all months without it")] = None,
    release: ReleaseNumber = None,
    as_json: AsJson = False,
) -> None:
    """Values of one indicator for one territory, from a release."""
    from odds_pipeline.status_words import french_number, status_word
    from odds_pipeline.warehouse.release import open_release

    project = load()
    name, code = _indicator(project, indicator), _territory(project, territory)
    try:
        connection = open_release(Home.from_environment(), release)
    except LookupError as error:
        fail(str(error))
    with connection:
        rows = connection.execute(
            "SELECT v.month, v.geography, v.value, v.obs_status, v.conf_status, v.oldest_input, "
            "a.number, a.simulated FROM indicator_values v CROSS JOIN about a "
            "WHERE v.indicator = ? AND v.territory = ? AND (? IS NULL OR v.month = ?) ORDER BY v.month",
            [name, code, month, month],
        ).fetchall()
        levels = connection.execute(
            "SELECT string_agg(DISTINCT level, ', ') FROM indicator_values WHERE indicator = ?",
            [name],
        ).fetchone()
    if not rows:
        where = f"; it exists at: {levels[0]}" if levels and levels[0] else ""
        fail(f"no value of {name} for {territory}{' in ' + month if month else ''}{where}", 1)
    declared = project.indicators[name].indicator
    symbol = project.units[declared.unit].symbol or project.units[declared.unit].label
    if as_json:
        keys = [
            "month",
            "geography",
            "value",
            "obs_status",
            "conf_status",
            "oldest_input",
            "release",
            "simulated",
        ]
        print_json(
            {
                "indicator": name,
                "territory": code,
                "unit": declared.unit,
                "values": [dict(zip(keys, row, strict=True)) for row in rows],
            }
        )
        return
    title = f"{declared.label} — {territory} (release {rows[0][6]})"
    if rows[0][7]:
        title += " — DONNÉES SIMULÉES"
    table(
        title,
        ["mois", "valeur", "unité", "statut", "géographie", "plus ancienne donnée"],
        [
            [
                m,
                french_number(v, declared.decimals) if v is not None else "—",
                symbol,
                status_word(o, c),
                g,
                oldest,
            ]
            for m, g, v, o, c, oldest, *_ in rows
        ],
    )


@app.command()
def explain(
    indicator: str,
    territory: str,
    month: str,
    release: ReleaseNumber = None,
    as_json: AsJson = False,
) -> None:
    """Where a value comes from: formula, figures, deliveries, file, line, sha256."""
    from odds_pipeline.indicators.explain import explain as explain_value
    from odds_pipeline.status_words import status_word
    from odds_pipeline.warehouse.release import open_release

    project = load()
    name, code = _indicator(project, indicator), _territory(project, territory)
    try:
        with open_release(Home.from_environment(), release) as connection:
            found = explain_value(project, connection, name, code, month)
    except LookupError as error:
        fail(str(error), 1)
    if as_json:
        print_json(asdict(found))
        return
    entry = project.indicators[name]
    out.print(f"[bold]{found.label}[/]  {territory} {month}", highlight=False)
    out.print(f"formula   {found.formula}   ({entry.file}:{entry.line})", highlight=False)
    shown = found.value if found.value is not None else status_word(found.obs_status, found.conf_status)
    out.print(f"value     {shown}   = f({found.numerator} / {found.denominator})", highlight=False)
    rows = [
        [
            term,
            f.territory,
            f.month,
            f.value if f.value is not None else status_word(f.obs_status, f.conf_status),
            f.file,
            f"{f.line}" + (f" (+{f.lines - 1})" if f.lines > 1 else ""),
            f.sha256[:12],
        ]
        for term, figures in found.inputs.items()
        for f in figures
    ]
    table("Figures", ["term", "territory", "month", "value", "file", "line", "sha256"], rows)


@app.command()
def releases(as_json: AsJson = False) -> None:
    """All releases, the current one marked."""
    from odds_pipeline.warehouse.release import current_number, describe, numbers

    home = Home.from_environment()
    current = current_number(home)
    found = [describe(home, number) for number in numbers(home)]
    if as_json:
        print_json([{**asdict(r), "current": r.number == current} for r in found])
        return
    table(
        "Releases",
        ["number", "published", "indicators", "values", "content", ""],
        [
            [
                r.number,
                r.published_at,
                r.indicators,
                r.values,
                r.content,
                ("current" if r.number == current else "") + (" simulated" if r.simulated else ""),
            ]
            for r in found
        ],
    )


@app.command()
def indicators(
    theme: Annotated[str | None, typer.Option("--theme")] = None,
    search: Annotated[
        str | None, typer.Option("--search", help="words, accents and case ignored")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the indicators, by theme or by words of their label and definition."""
    project = load()
    words = plain(search).split() if search else []
    found = []
    for entry in project.indicators.values():
        text = plain(f"{entry.id} {entry.indicator.label} {entry.indicator.definition}")
        if (theme is None or entry.family.theme == theme) and all(word in text for word in words):
            found.append(entry)
    if as_json:
        print_json(
            [
                {
                    "id": e.id,
                    "theme": e.family.theme,
                    "family": e.family.id,
                    "label": e.indicator.label,
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


@app.command()
def ui(port: Annotated[int, typer.Option(help="port on 127.0.0.1")] = 3000) -> None:
    """Start the Dagster UI and its daemon on this observatory."""
    import os

    from odds_pipeline import runs
    from odds_pipeline.model.project import project_root

    runs.dagster_home(Home.from_environment())
    workspace = project_root() / "workspace.yaml"
    executable = str(Path(sys.executable).parent / "dagster")
    os.execv(
        executable,
        [executable, "dev", "-w", str(workspace), "-h", "127.0.0.1", "-p", str(port)],
    )


if __name__ == "__main__":
    app()
