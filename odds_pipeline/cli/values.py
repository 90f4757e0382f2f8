"""Commands that read a release: values, where they come from, releases."""

from dataclasses import asdict
from typing import Annotated

import typer

from odds_pipeline.cli.app import (
    AsJson,
    Edition,
    ReleaseNumber,
    app,
    fail,
    indicator_named,
    load,
    out,
    print_json,
    table,
    territory_named,
)
from odds_pipeline.home import Home


@app.command()
def value(
    indicator: str,
    territory: str,
    month: Annotated[str | None, typer.Option("--month", help="YYYY-MM; all months without it")] = None,
    release: ReleaseNumber = None,
    edition: Edition = "partenaires",
    as_json: AsJson = False,
) -> None:
    """Values of one indicator for one territory, from a release."""
    from odds_pipeline.status_words import french_number, status_word
    from odds_pipeline.warehouse.release import open_release

    project = load()
    name, code = indicator_named(project, indicator), territory_named(project, territory)
    try:
        connection = open_release(Home.from_environment(), release, edition)
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
    edition: Edition = "partenaires",
    as_json: AsJson = False,
) -> None:
    """Where a value comes from: formula, figures, deliveries, file, line, sha256."""
    from odds_pipeline.indicators.explain import explain as explain_value
    from odds_pipeline.status_words import status_word
    from odds_pipeline.warehouse.release import open_release

    project = load()
    name, code = indicator_named(project, indicator), territory_named(project, territory)
    try:
        with open_release(Home.from_environment(), release, edition) as connection:
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
