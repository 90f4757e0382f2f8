"""Commands that read a release: values, where they come from, releases."""

from dataclasses import asdict
from typing import Annotated, Literal

import typer

from odds_pipeline.cli.app import (
    AsJson,
    OfClass,
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
from odds_pipeline.storage.home import Home


@app.command()
def value(
    indicator: str,
    territory: str,
    month: Annotated[str | None, typer.Option("--month", help="YYYY-MM; all months without it")] = None,
    release: ReleaseNumber = None,
    access: OfClass = "partenaires",
    geography: Annotated[
        int | None,
        typer.Option("--geography", help="communes of which year; a merger leaves both"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Values of one indicator for one territory, from a release.

    With --geography the whole series is in the communes of that geography, or says where it breaks.
    """
    from odds_pipeline.french import decimals_of, french_number, status_word
    from odds_pipeline.release.conversion import gaps_of
    from odds_pipeline.release.published import open_release
    from odds_pipeline.storage.sql import one

    project = load()
    name, code = indicator_named(project, indicator), territory_named(project, territory)
    try:
        connection = open_release(Home.from_environment(), release, access)
    except LookupError as error:
        fail(str(error))
    if geography is not None and geography not in project.territories.geographies:
        known = ", ".join(map(str, project.territories.geographies))
        fail(f"no geography {geography}; known: {known}")
    source = "indicator_values" if geography is None else f"in_geography({geography})"
    with connection:
        found = connection.execute(
            "SELECT v.* EXCLUDE (indicator, territory), a.number AS release, a.simulated "
            f"FROM {source} v CROSS JOIN about a "
            "WHERE v.indicator = ? AND v.territory = ? AND (? IS NULL OR v.month = ?) "
            "ORDER BY v.month, v.geography",
            [name, code, month, month],
        )
        keys = [column[0] for column in found.description]
        rows = [dict(zip(keys, row, strict=True)) for row in found.fetchall()]
        gaps = [] if geography is None else gaps_of(project, connection, name, code, geography)
        (levels,) = one(
            connection,
            "SELECT string_agg(DISTINCT level, ', ') FROM indicator_values WHERE indicator = ?",
            [name],
        )
    if not rows and gaps:
        fail(f"{gaps[0][1]} ({len(gaps)} mois, de {gaps[0][0]} à {gaps[-1][0]})", 1)
    if not rows:
        where = f"; it exists at: {levels}" if levels else ""
        fail(f"no value of {name} for {territory}{' in ' + month if month else ''}{where}", 1)
    declared = project.indicators[name].indicator
    unit = project.units[declared.unit]
    change = project.units[unit.change_unit]
    shown = 1 if unit.adds_up else declared.decimals
    if as_json:
        print_json(
            {
                "indicator": name,
                "territory": code,
                "unit": unit.id,
                "change_unit": change.id,
                "values": rows,
                "gaps": [dict(zip(("month", "reason"), gap, strict=True)) for gap in gaps],
            }
        )
        return

    def number(
        figure: float | None, sign: Literal["", "+"] = "", decimals: int = declared.decimals
    ) -> str:
        if figure is None:
            return "—"
        return french_number(figure, decimals_of(figure, decimals, declared.to_the_unit), sign)

    title = f"{declared.label} — {territory}, {unit.symbol or unit.label} (release {rows[0]['release']})"
    if rows[0]["simulated"]:
        title += " — DONNÉES SIMULÉES"
    changes = f"en {change.symbol or change.label}"
    table(
        title,
        [
            "mois",
            "valeur",
            "statut",
            "intervalle à 95 %",
            "département",
            "écart",
            "France",
            "rang",
            f"1 an, {changes}",
            f"5 ans, {changes}",
            "géographie",
            "plus ancienne donnée",
        ],
        [
            [
                r["month"],
                number(r["value"]),
                status_word(r["obs_status"], r["conf_status"]),
                f"{number(r['ci_low'])} – {number(r['ci_high'])}" if r["ci_low"] is not None else None,
                number(r["departement_value"]),
                number(r["difference"], "+"),
                number(r["france_value"]),
                f"{r['rank']}/{r['ranked']}" if r["rank"] is not None else None,
                number(r["change_1y"], "+", shown),
                number(r["change_5y"], "+", shown),
                r["geography"],
                r["oldest_input"],
            ]
            for r in rows
        ],
    )
    for month_missing, reason in gaps:
        out.print(f"{month_missing} : {reason}", highlight=False)


@app.command()
def explain(
    indicator: str,
    territory: str,
    month: str,
    release: ReleaseNumber = None,
    access: OfClass = "partenaires",
    as_json: AsJson = False,
) -> None:
    """Where a value comes from: formula, figures, deliveries, file, line, sha256."""
    from odds_pipeline.french import status_word
    from odds_pipeline.indicators.explain import explain as explain_value
    from odds_pipeline.release.published import open_release

    project = load()
    name, code = indicator_named(project, indicator), territory_named(project, territory)
    try:
        with open_release(Home.from_environment(), release, access) as connection:
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
            f.feed,
            f.file,
            f"{f.line}" + (f" (+{f.lines - 1})" if f.lines > 1 else ""),
            (f.sha256 or "")[:12],
            f.correction,
        ]
        for term, figures in found.inputs.items()
        for f in figures
    ]
    for address in sorted({f.origin for own in found.inputs.values() for f in own if f.origin}):
        out.print(f"fetched   {address}", highlight=False)
    table(
        "Figures",
        ["term", "territory", "month", "value", "source", "file", "line", "sha256", "corrected"],
        rows,
    )


@app.command()
def releases(as_json: AsJson = False) -> None:
    """All releases, the current one marked."""
    from odds_pipeline.release.published import current_number, describe, numbers

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
