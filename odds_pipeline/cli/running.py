"""Commands that do the work: receive, run, simulate, watch."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from odds_pipeline.cli.app import (
    TOLD,
    AsJson,
    app,
    errors,
    fail,
    load,
    out,
    print_json,
    table,
    tell_dagster,
)
from odds_pipeline.cli.become import become, workspace
from odds_pipeline.declarations.deployment import LakeStorage, deployment
from odds_pipeline.declarations.problems import DeclarationError, nearest
from odds_pipeline.months import shifted
from odds_pipeline.storage.home import Home

if TYPE_CHECKING:  # reception brings pandas: half a second that other commands need not wait
    from odds_pipeline.declarations.project import Project
    from odds_pipeline.indicators.staleness import Months
    from odds_pipeline.orchestration.everything import Done
    from odds_pipeline.reception.receipt import Receipt


@app.command()
def receive(
    paths: list[Path],
    again: Annotated[
        bool, typer.Option(help="a file sent before and replaced since counts as sent anew")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Receive files or folders: archive, recognise, record. The gate judges them on `odds run`."""
    from odds_pipeline.reception.receive import receive as receive_files

    for path in paths:
        if not path.exists():
            fail(f"no such file or folder: {path}")
    home = Home.from_environment()
    receipts = list(receive_files(load(), home, paths, again))
    tell_dagster(home)
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
                    _known(r) if r.known else " ".join([r.reason or "", *r.rest]).strip(),
                ]
                for r in receipts
            ],
        )
    raise typer.Exit(1 if any(r.reason for r in receipts) else 0)


def _known(receipt: "Receipt") -> str:
    if receipt.replaced_by is not None:
        return f"already known, replaced since by {receipt.replaced_by}: --again takes it back"
    if receipt.refused:
        named = receipt.delivery[:10]
        return (
            f"already known, in quarantine: `odds quarantine show {named}` tells why, "
            f"`odds quarantine retry {named}` judges it again"
        )
    return "already known"


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
    """Receive the landing folder, run the gate and the indicators, publish a release.

    Status 1 also when this run refused a month or a file, its release being published all the same; what
    was refused before and still waits in quarantine is listed, and is no news.
    """
    from odds_pipeline.orchestration.components.shared import project  # the one that Dagster reads

    if run_all(project(), Home.from_environment(), source or [], month):
        fail("this run refused months or files, listed above; what was accepted is in use", 1)


def run_all(project: "Project", home: Home, sources: list[Path], month: str | None = None) -> bool:
    """The whole way, through Dagster, with progress; then what happened, as tables.

    Whether months or files were refused on the way.
    """
    from odds_pipeline.indicators.staleness import ALL

    months = (month, month) if month else ALL
    _look_first(home)
    done = _go(project, home, sources, None, months)
    report(home, done.receipts)
    _stop_if_undone(project, home, done.failed, None, months)
    return done.refused


def _look_first(home: Home) -> None:
    """Say what would spoil a run: a damaged history of runs or release, a clock behind the last one."""
    from odds_pipeline.operations.checks import Wrong, clock, dagster
    from odds_pipeline.release.published import current_number, describe

    dagster(home, deep=False)
    if number := current_number(home):
        describe(home, number)
    try:
        clock(home, deep=False)
    except Wrong as wrong:
        errors.print(f"[bold red]The clock of this machine is wrong:[/] {wrong}", soft_wrap=True)


def _stop_if_undone(
    project: "Project", home: Home, failed: list[str], feeds: set[str] | None, months: "Months"
) -> None:
    """Say what failed and why, and which months still wait for the gate, and end with status 1."""
    from odds_pipeline.operations.failures import said
    from odds_pipeline.quality.outstanding import waiting

    for message in failed:
        errors.print(f"[red]{escape(message)}[/]", highlight=False, soft_wrap=True)
    for sentence in sorted({said(message, home) or "" for message in failed} - {""}):
        errors.print(f"[bold red]{escape(sentence)}[/]", highlight=False, soft_wrap=True)
    left = [name for work in waiting(project, home, feeds, months) for name in work.names]
    if left:
        errors.print(f"Months still wait for the gate: {', '.join(sorted(set(left)))}.", soft_wrap=True)
    if failed or left:
        fail(
            "not everything was done: the same command goes on with what is left; report a fault of "
            "this software with what `odds ui` shows of its run",
            1,
        )


def _go(
    project: "Project", home: Home, sources: list[Path], feeds: set[str] | None, months: "Months"
) -> "Done":
    """Everything that is to do, with progress."""
    from odds_pipeline.orchestration import runs
    from odds_pipeline.orchestration.everything import everything

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with (
        Progress(*columns, console=errors, transient=True) as progress,
        runs.instance_of(home) as instance,
    ):
        tasks: dict[str, TaskID] = {}

        def tell(stage: str, words: str, at: int, of: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage)
            progress.update(tasks[stage], description=f"{stage} {words}".strip(), completed=at, total=of)

        done = everything(project, home, instance, sources, feeds, months, tell)
        errors.print(f"{done.gates} gate, {done.groups} indicator and 1 release runs", highlight=False)
    return done


@app.command()
def backfill(
    names: Annotated[list[str], typer.Argument(help="PARTNER or PARTNER/FEED")],
    first: Annotated[str, typer.Option("--from", help="first month, YYYY-MM")] = "0000-00",
    last: Annotated[str, typer.Option("--to", help="last month, YYYY-MM")] = "9999-99",
) -> None:
    """Load the past of partners or feeds: their months received, what depends on them, one release.

    Put the files in the landing folder first. Stop it at any time; the same command goes on with what
    is left. It also runs months received before and not judged yet.
    """
    project, home = load(), Home.from_environment()
    aliases = {alias: p.id for p in project.partners.values() for alias in p.aliases}
    feeds: set[str] = set()
    for name in names:
        partner, slash, rest = name.partition("/")
        whole = f"{aliases.get(partner, partner)}{slash}{rest}"
        found = {f for f in project.feeds if f == whole or f.startswith(f"{whole}/")}
        if not found:
            fail(f"no partner or feed {name!r}{nearest(name, [*project.partners, *project.feeds])}")
        feeds |= found
    done = _go(project, home, [], feeds, (first, last))
    rows = [row for row in _loaded(home) if row[0] in feeds]
    table("Backfilled", ["feed", "months accepted", "first", "last", "in quarantine"], rows)
    _tell_unopened(done.receipts)
    _stop_if_undone(project, home, done.failed, feeds, (first, last))
    raise typer.Exit(1 if any(row[4] for row in rows) else 0)


def _tell_unopened(receipts: "list[Receipt]") -> None:
    """The files of which no delivery was made, links among them, which nothing else names."""
    unopened: list[list[object]] = [[r.file, r.reason] for r in receipts if not r.delivery]
    if unopened:
        table("Not received", ["file", "why"], unopened)


def _loaded(home: Home) -> list[list[object]]:
    from odds_pipeline.storage.store import Store

    with Store(home.warehouse).connect() as connection:
        rows = connection.execute(
            "SELECT feed, count(DISTINCT month), min(month), max(month), "
            "(SELECT string_agg(DISTINCT q.month, ', ' ORDER BY q.month) FROM quarantine q "
            "WHERE q.feed = m.feed) FROM trusted_months m GROUP BY feed ORDER BY feed"
        ).fetchall()
    return list(map(list, rows))


def report(home: Home, receipts: "list[Receipt]") -> None:
    """Deliveries accepted and refused and why, files not received, and the release, as tables."""
    from odds_pipeline.reception.aside import set_aside
    from odds_pipeline.release.published import current_number, describe, told_before
    from odds_pipeline.storage.store import Store

    with Store(home.warehouse).connect() as connection:
        feeds = connection.execute(
            "SELECT feed, count(DISTINCT delivery), count(*) FILTER (WHERE state = 'accepted'), "
            "count(*) FILTER (WHERE state = 'refused') FROM delivered_months GROUP BY feed ORDER BY feed"
        ).fetchall()
        refused = connection.execute(
            "SELECT d.file_name, m.feed, m.month, string_agg(DISTINCT v.message, ' ') "
            "FROM quarantine m JOIN deliveries d ON d.id = m.delivery "
            "LEFT JOIN failing_verdicts v ON v.delivery = m.delivery AND v.month = m.month "
            "GROUP BY ALL ORDER BY 2, 3"
        ).fetchall()
        aside = [(file, why) for _, file, why in set_aside(connection)]
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
            list(map(list, aside)),
        )
    _tell_unopened(receipts)
    number = current_number(home)
    if number is not None:
        release = describe(home, number)
        simulated = " [bold red]SIMULATED DATA[/]" if release.simulated else ""
        out.print(
            f"[bold]Release {number}[/]: {release.indicators} indicators, "
            f"{release.values} values{simulated}"
        )
        if told := told_before(home, number):
            out.print(TOLD.format(told), highlight=False, soft_wrap=True)


@app.command()
def demo(
    months: Annotated[int, typer.Option(help="how many months to simulate")] = 13,
    last: Annotated[str, typer.Option(help="last month")] = "2024-12",
) -> None:
    """Write simulated deliveries, then do everything `odds run` does with them."""
    from odds_pipeline.declarations.read_simulations import read_simulations
    from odds_pipeline.demo.deliveries import write_deliveries

    project, home = load(), Home.from_environment()
    simulation_problems = read_simulations(project)[1]
    if simulation_problems:
        raise DeclarationError(simulation_problems)
    first = shifted(last, 1 - months)
    deliveries = write_deliveries(project, home.landing, first, last)
    out.print(
        f"{len(deliveries.paths)} simulated deliveries written to {home.landing}, "
        f"{len(deliveries.planted)} of them with a planted fault:"
    )
    for planted in deliveries.planted:
        out.print(f"  {planted.path.name}: {planted.description}", highlight=False)
    run_all(project, home, [])
    name, place = (
        next(iter(project.indicators)),
        project.territories.communes(project.territories.current)[0],
    )
    out.print(f"\nGo on with:\n  odds ui\n  odds value {name} {place.code}", highlight=False)


@app.command()
def status(as_json: AsJson = False) -> None:
    """For each feed: last accepted month, late since when, missing months, what waits in quarantine."""
    from datetime import date

    from odds_pipeline.quality.feed_status import feed_status

    rows = feed_status(load(), Home.from_environment(), date.today())
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table(
        "Feeds",
        ["feed", "cadence", "last accepted", "expected", "state", "missing", "in quarantine"],
        [
            [
                r.feed,
                r.cadence,
                r.last_accepted,
                r.expected,
                f"{r.state} since {r.since}" if r.since else r.state,
                _few(r.missing),
                _few(r.refused),
            ]
            for r in rows
        ],
    )


def _few(months: tuple[str, ...]) -> str:
    """The latest three months, and how many more there are."""
    more = f" and {len(months) - 3} before" if len(months) > 3 else ""
    return ", ".join(months[-3:]) + more


@app.command()
def ui(port: Annotated[int, typer.Option(help="port on 127.0.0.1")] = 3000) -> None:
    """Start the Dagster UI on this observatory; its daemon as well, unless a coordinator is one."""
    address = (*workspace(), "-h", "127.0.0.1", "-p", str(port))
    if isinstance(deployment().storage, LakeStorage):
        become("dagster-webserver", *address, "--log-format", "json")
    become("dagster", "dev", *address, alone=True)
