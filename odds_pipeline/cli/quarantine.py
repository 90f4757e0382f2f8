"""Commands on what was refused: list it, print the notice to send, accept it with a reason."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from odds_pipeline.cli.app import AsJson, app, fail, load, out, print_json, table, tell_dagster
from odds_pipeline.storage.home import Home

quarantine = typer.Typer(invoke_without_command=True, help="What was refused, and what to do with it.")
app.add_typer(quarantine, name="quarantine")

Named = Annotated[str, typer.Argument(help="file name, or beginning of the sha256")]
Month = Annotated[str | None, typer.Option("--month", help="YYYY-MM, when several were refused")]


@quarantine.callback()
def listed(context: typer.Context, as_json: AsJson = False) -> None:
    """List what waits in quarantine."""
    from odds_pipeline.quality.quarantine import cases
    from odds_pipeline.reception.aside import set_aside
    from odds_pipeline.storage.store import Store

    if context.invoked_subcommand is not None:
        return
    with Store(Home.from_environment().warehouse).connect() as connection:
        found, aside = cases(connection), set_aside(connection)
    if as_json:
        print_json([asdict(case) for case in found])
        return
    table(
        f"{len(found)} refused months in quarantine",
        ["delivery", "feed", "month", "file", "received", "why"],
        [[c.delivery[:10], c.feed, c.month, c.file, f"{c.received_at:%Y-%m-%d}", c.why] for c in found],
    )
    if aside:
        table(
            f"{len(aside)} files set aside (`odds quarantine dismiss` ends the reminder)",
            ["delivery", "file", "why"],
            [[delivery[:10], file, why] for delivery, file, why in aside],
        )


@quarantine.command()
def show(
    named: Named,
    month: Month = None,
    page: Annotated[Path | None, typer.Option("--page", help="write the notice as an HTML page")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the rejection notice in French, ready to be sent."""
    from odds_pipeline.quality.notice import as_page, as_text, notice_of
    from odds_pipeline.quality.quarantine import one_case
    from odds_pipeline.storage.store import Store

    project = load()
    with Store(Home.from_environment().warehouse).connect() as connection:
        try:
            notice = notice_of(project, connection, one_case(connection, named, month))
        except LookupError as error:
            fail(str(error))
    if page is not None:
        page.write_text(as_page(notice), encoding="utf-8")
        out.print(f"written to {page}", highlight=False)
    elif as_json:
        print_json(asdict(notice))
    else:
        typer.echo(as_text(notice), nl=False)


@quarantine.command()
def accept(
    named: Named,
    reason: Annotated[str, typer.Option("--reason", help="shown to readers beside every figure")],
    by: Annotated[
        str, typer.Option("--by", help="role of who decides, nobody's name; shown with the reason")
    ],
    month: Month = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="do not ask, when nobody is there to answer")
    ] = False,
) -> None:
    """Accept refused figures all the same; recorded, and told beside every value that rests on them."""
    from odds_pipeline.quality.quarantine import NotAcceptable
    from odds_pipeline.quality.quarantine import accept as accept_case
    from odds_pipeline.quality.reserve import objection, reserve

    if found := objection(reason, by):
        fail(found)
    out.print(
        f"Readers will see, for ever: {reserve(reason, by)}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    if not yes:
        typer.confirm("Is that right?", abort=True)
    try:
        judgement = accept_case(load(), Home.from_environment(), named, month, reason, by)
    except LookupError as error:
        fail(str(error))
    except NotAcceptable as error:
        fail(str(error), 1)
    tell_dagster(Home.from_environment())
    out.print(f"accepted: {judgement.file_name}, {', '.join(judgement.accepted)}. Next: `odds run`.")


@quarantine.command()
def retry(named: Named) -> None:
    """Let refused months be judged again, and unread files be recognised again, after a mending."""
    from odds_pipeline.quality.quarantine import retry as retry_cases
    from odds_pipeline.reception.aside import unread
    from odds_pipeline.reception.receive import recognise_again
    from odds_pipeline.storage.store import Store

    project, home = load(), Home.from_environment()
    with Store(home.warehouse).connect() as connection:
        files = unread(connection, named)
    receipts = recognise_again(project, home, files)
    tell_dagster(home)
    months = sum(len(receipt.months) for receipt in receipts if receipt.reason is None)
    months += len(retry_cases(home, named))
    for receipt in receipts:
        if receipt.reason is not None:
            out.print(f"{receipt.file}: {receipt.reason}", highlight=False, soft_wrap=True)
    if not months:
        fail(f"nothing named {named!r} can be judged again", 1)
    out.print(f"{months} months wait for the gate again. Next: `odds run`.")


@quarantine.command()
def dismiss(
    named: Named,
    reason: Annotated[str, typer.Option("--reason", help="why the file is no delivery")],
    by: Annotated[str, typer.Option("--by", help="name or role of who decides")],
) -> None:
    """Say that a file set aside is no delivery: it is listed no more, unless a contract reads it."""
    from odds_pipeline.reception.aside import dismiss as dismiss_files

    try:
        files = dismiss_files(Home.from_environment(), named, reason, by)
    except LookupError as error:
        fail(str(error))
    tell_dagster(Home.from_environment())
    out.print(f"dismissed: {', '.join(files)}", highlight=False)
