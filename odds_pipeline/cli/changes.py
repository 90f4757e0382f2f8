"""What a release says that another one does not."""

from dataclasses import asdict
from typing import Any

from odds_pipeline.cli.app import AsJson, Edition, app, fail, out, print_json, table
from odds_pipeline.home import Home


@app.command()
def diff(before: int, after: int, edition: Edition = "partenaires", as_json: AsJson = False) -> None:
    """What changed from one release to another: indicators added, changed, retired."""
    from odds_pipeline.warehouse.changes import changed_definitions

    try:
        found = changed_definitions(Home.from_environment(), before, after, edition)
    except LookupError as error:
        fail(str(error))
    if as_json:
        print_json({"before": before, "after": after, "definitions": asdict(found)})
        return
    rows: list[list[Any]] = [["ajouté", name, label] for name, label in found.added.items()]
    rows += [["retiré", name, label] for name, label in found.retired.items()]
    table(f"Indicateurs, de l'édition {before} à l'édition {after}", ["", "indicateur", "libellé"], rows)
    table(
        "Définitions modifiées",
        ["indicateur", "champ", "avant", "après"],
        [[c.indicator, f.field, f.before, f.after] for c in found.changed for f in c.fields],
    )
    out.print(
        f"{len(found.added)} added, {len(found.changed)} changed, {len(found.retired)} retired",
        highlight=False,
    )
