"""What a release says that another one does not."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from odds_pipeline.cli.app import (
    AsJson,
    OfClass,
    app,
    fail,
    indicator_named,
    load,
    out,
    print_json,
    table,
    territory_named,
)
from odds_pipeline.storage.home import Home


@app.command()
def diff(before: int, after: int, access: OfClass = "partenaires", as_json: AsJson = False) -> None:
    """What changed from one release to another: indicators and values, and by what cause."""
    from odds_pipeline.release.changes import changed_definitions
    from odds_pipeline.release.value_changes import value_changes

    try:
        found = changed_definitions(Home.from_environment(), before, after, access)
        values = value_changes(Home.from_environment(), before, after, access)
    except LookupError as error:
        fail(str(error))
    if as_json:
        print_json(
            {
                "before": before,
                "after": after,
                "definitions": asdict(found),
                "values": [asdict(change) for change in values],
            }
        )
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
    counts = Counter((v.kind, v.cause, v.files or "") for v in values)
    table(
        f"{len(values)} valeurs",
        ["", "cause", "livraisons", "valeurs"],
        [[kind, cause, files, count] for (kind, cause, files), count in counts.most_common(50)],
    )
    table(
        "Valeurs, les premières",
        ["", "indicateur", "territoire", "mois", "avant", "après", "cause"],
        [[v.kind, v.indicator, v.territory, v.month, v.before, v.after, v.cause] for v in values[:40]],
    )


@app.command()
def history(indicator: str, territory: str, month: str, as_json: AsJson = False) -> None:
    """Each value that was published for a month, and each delivery that changed its figures."""
    from odds_pipeline.french import status_word
    from odds_pipeline.release.history import releases_that_say, revisions
    from odds_pipeline.storage.store import Store

    project, home = load(), Home.from_environment()
    name, code = indicator_named(project, indicator), territory_named(project, territory)
    published = releases_that_say(home, name, code, month)
    with Store(home.warehouse).connect() as connection:
        brought = revisions(project, connection, name, code, month)
    if not published and not brought:
        fail(f"nothing is known of {name} for {territory} in {month}", 1)
    if as_json:
        print_json(
            {"releases": [asdict(e) for e in published], "revisions": [asdict(r) for r in brought]}
        )
        return
    table(
        f"{name}, {territory}, {month}: published",
        ["release", "published", "value", "status", "reserve", "releases"],
        [
            [e.release, e.published_at, e.value, status_word(e.obs_status, e.conf_status), e.reserve,
             e.releases]
            for e in published
        ],
    )  # fmt: skip
    table(
        "Delivered",
        ["variable", "territory", "value", "status", "file", "received", "judgement", "", "corrected"],
        [
            [r.variable, r.territory, r.value, status_word(r.obs_status, r.conf_status), r.file,
             r.received_at, r.judgement, r.what, r.correction]
            for r in brought
        ],
    )  # fmt: skip
