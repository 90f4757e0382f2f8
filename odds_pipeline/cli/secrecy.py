"""The command on secrecy: what a release hides, and what can be derived of it."""

from odds_pipeline.cli.app import TOLD, AsJson, ReleaseNumber, app, fail, out, print_json, table
from odds_pipeline.storage.home import Home

COLUMNS = (
    "edition partner cells hidden_producteur hidden_primaire hidden_secondaire tried recoverable "
    "told_before"
).split()


# Its name until 0.2.0: scheduled checks outside this repository still call it.
@app.command("audit", hidden=True)
@app.command()
def secrecy(release: ReleaseNumber = None, as_json: AsJson = False) -> None:
    """What each access class of a release hides, by partner, and how many hidden cells can be derived.

    Exit status 1 when any can be.
    """
    from odds_pipeline.declarations.access import WIDEST, WIDEST_FIRST
    from odds_pipeline.release.published import open_release

    rows = []
    try:
        for access in WIDEST_FIRST:
            with open_release(Home.from_environment(), release, access) as connection:
                rows += connection.execute(
                    f"SELECT {', '.join(COLUMNS)} FROM audit ORDER BY partner"
                ).fetchall()
    except LookupError as error:
        fail(str(error))
    found = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    hidden = sum(
        row["hidden_primaire"] + row["hidden_secondaire"] for row in found if row["edition"] == WIDEST
    )
    recoverable = sum(row["recoverable"] for row in found)
    told = sum(row["told_before"] for row in found if row["edition"] == WIDEST)
    if as_json:
        print_json(
            {"hidden": hidden, "recoverable": recoverable, "told_before": told, "partners": found}
        )
    else:
        table("Secrecy", COLUMNS, [list(row) for row in rows])
        if told:
            out.print(TOLD.format(told), highlight=False, soft_wrap=True)
    if recoverable:
        fail(f"{recoverable} hidden cell(s) can be derived", 1)
