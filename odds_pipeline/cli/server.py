"""Commands of a server deployment: its tables, its workers, the move up to it."""

import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from odds_pipeline.cli.app import AsJson, app, fail, out, print_json, table
from odds_pipeline.cli.become import become, workspace
from odds_pipeline.declarations.deployment import (
    LakeStorage,
    deployment,
    from_environment,
    named_deployment,
)
from odds_pipeline.storage.home import Home

if TYPE_CHECKING:
    from odds_pipeline.operations.health import Answer

JSON = ("--log-format", "json")


def _server_only() -> None:
    if not isinstance(deployment().storage, LakeStorage):
        fail("this is the embedded deployment; ODDS_DEPLOYMENT=server names the other one")


@app.command()
def prepare() -> None:
    """Make the landing folder and the tables of catalogue and Dagster, once, before anything starts."""
    from odds_pipeline.orchestration import runs
    from odds_pipeline.storage.store import Store

    home = Home.from_environment()
    home.make_landing()
    with Store(home.warehouse).connect(), runs.instance_of(home) as instance:
        instance.get_runs(limit=1)
        assert instance.schedule_storage is not None
        instance.schedule_storage.all_instigator_state()


@app.command()
def health(as_json: AsJson = False) -> None:
    """Ask tables, release, archive, accounts, disk, clock, workers … whether they are in order."""
    from odds_pipeline.operations.health import health as ask

    tell(ask(Home.from_environment()), as_json)


@app.command()
def metrics() -> None:
    """What health asks, and counts, as Prometheus reads them (for its textfile collector)."""
    _server_only()
    from odds_pipeline.operations.metrics import metrics as gauges

    print(gauges(Home.from_environment()), end="")


def tell(answers: "list[Answer]", as_json: bool) -> None:
    """Print the answers; status 1 when one is not in order."""
    if as_json:
        print_json([asdict(answer) for answer in answers])
    else:
        rows = [[a.name, "ok" if a.ok else "WRONG", a.detail] for a in answers]
        table("Health", ["what", "", "detail"], rows)
    raise typer.Exit(0 if all(answer.ok for answer in answers) else 1)


@app.command()
def migrate(
    to: Annotated[str, typer.Option(help="deployment to carry this observatory to: its name or file")],
    as_json: AsJson = False,
) -> None:
    """Carry this observatory to another deployment, compare both, leave this one as it is."""
    from odds_pipeline.operations.migrate import migrate as carry

    try:
        carried = carry(Home.from_environment(), deployment(), named_deployment(to))
    except LookupError as error:
        fail(str(error), 1)
    if as_json:
        print_json([asdict(each) for each in carried])
        return
    rows = [[each.what, each.count, each.fingerprint] for each in carried]
    table("Carried, equal on both sides", ["what", "count", "fingerprint"], rows)


@app.command()
def compact(
    keep_days: Annotated[int, typer.Option(min=0, help="days for which old versions are kept")] = 30,
) -> None:
    """Make few files of the lake's small ones and of the catalogue's rows (server deployment)."""
    _server_only()
    from odds_pipeline.operations.compact import compact as merge
    from odds_pipeline.storage.store import Store

    done = merge(Store(Home.from_environment().warehouse), keep_days)
    out.print(
        f"{done.rows} rows left the catalogue; {done.before} files became {done.after}; "
        f"{done.deleted} old ones deleted"
    )


@app.command()
def worker(
    name: Annotated[str, typer.Option(help="of this worker on this machine")] = "odds",
    processes: Annotated[int, typer.Option(help="runs at a time")] = 2,
) -> None:
    """Take runs from the queue and execute them, until stopped (server deployment)."""
    _server_only()
    from odds_pipeline.orchestration import runs
    from odds_pipeline.orchestration.dagster_internals.launcher import worker_options

    runs.dagster_home(Home.from_environment())
    celery = [sys.executable, "-m", "celery", "-A", "odds_pipeline.operations.worker", "worker"]
    os.execv(sys.executable, [*celery, *worker_options(name, processes), "-l", "INFO"])


@app.command("code-server")
def code_server() -> None:
    """Serve the project's code to coordinator and UI of this machine (server deployment)."""
    _server_only()
    try:
        port = from_environment("$ODDS_CODE_SERVER")
    except LookupError as error:
        fail(str(error))
    module = ["-m", "odds_pipeline.orchestration.definitions", "--location-name", "odds_pipeline"]
    become("dagster", "code-server", "start", "-h", "127.0.0.1", "-p", port, *module, *JSON)


@app.command()
def coordinator() -> None:
    """Watch the landing folder, keep schedules, queue and watch over runs (server deployment)."""
    _server_only()
    become("dagster-daemon", "run", *workspace(), *JSON, alone=True)
