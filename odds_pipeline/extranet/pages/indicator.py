"""Indicators: the list by theme, and one indicator with its sheet, map, ranking and series."""

from collections import Counter

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from odds_pipeline.extranet.drawing import adds_up, bars, charts_of, classes_map, position, ranks
from odds_pipeline.extranet.reading import queries
from odds_pipeline.extranet.reading.changes import history_of
from odds_pipeline.extranet.reading.month import month_of
from odds_pipeline.extranet.reading.serving import Row, Unknown, View
from odds_pipeline.extranet.reading.situation import age, situation, trend
from odds_pipeline.extranet.rendering import render, view_of

router = APIRouter()


@router.get("/indicateurs")
def indicators(request: Request) -> HTMLResponse:
    """Every indicator, by theme and family."""
    return render(
        request,
        "indicators.html",
        themes=list(view_of(request).observatory.themes),
        families=_families(request),
    )


@router.get("/themes/{theme}")
def one_theme(request: Request, theme: str) -> HTMLResponse:
    """The indicators of one theme."""
    if theme not in view_of(request).observatory.themes:
        raise Unknown(theme)
    return render(request, "indicators.html", themes=[theme], families=_families(request))


def _families(request: Request) -> dict[str, dict[str, list[str]]]:
    families: dict[str, dict[str, list[str]]] = {
        theme: {} for theme in view_of(request).observatory.themes
    }
    for name, sheet in view_of(request).definitions.items():
        families[sheet["theme"]].setdefault(sheet["family_label"], []).append(name)
    return families


@router.get("/indicateurs/{indicator}")
def one_indicator(
    request: Request,
    indicator: str,
    mois: str | None = None,
    niveau: str | None = None,
    territoire: str | None = None,
) -> HTMLResponse:
    """The definition sheet with the map, the ranking, the series and the table of one month."""
    view = view_of(request)
    shown = month_of(view, indicator, mois, niveau, territoire)
    atlas, coloured = request.app.state.atlas, None
    if not adds_up(shown.sheet):
        href = f"/indicateurs/{indicator}?territoire={{}}&amp;mois={shown.month}"
        coloured = classes_map(atlas, view, shown, href, shown.chosen.code if shown.chosen else "")
    names = ("evolution",) if coloured else ("carte", "evolution")
    drawn = charts_of(atlas, view, shown, names) | ({"carte": coloured.svg} if coloured else {})
    return render(
        request,
        "indicator.html",
        **vars(shown),
        own=shown.own,
        told=_told(view, shown.sheet, shown.own, shown.rows, shown.series) if shown.rows else None,
        reserves=sorted({row["reserve"] for row in shown.rows if row["reserve"]}),
        charts=drawn,
        map=coloured,
        ranked=ranks(shown.rows),
        pictures={*drawn, *(("classement",) if ranks(shown.rows) else ())},
        of_rank=Counter(row["rank"] for row in shown.rows),
        bars=bars(shown.rows, shown.sheet),
        ground=request.app.state.atlas.ground(view.geography).source,
        sources=queries.sources_of(view, indicator),
        feeds=request.app.state.project.feeds,
        history=history_of(request.app.state.serving, view, indicator),
    )


def _named(view: View, rows: list[Row]) -> str:
    return view.places[rows[0]["territory"]].label if rows else ""


def _told(view: View, sheet: Row, own: Row | None, rows: list[Row], series: list[Row]) -> Row:
    """The answer of the page: the followed territory's place, trend and age, else the two ends."""
    known = [row for row in rows if row["value"] is not None]
    ends = sorted(known, key=lambda row: float(row["value"]))
    values = [row["value"] for row in ends] if rows[0]["level"] == "commune" else []
    seen = own or {**rows[0], "value": None}
    label = view.places[own["territory"]].label if own else ""
    said = {
        "strip": position(
            seen,
            sheet,
            values,
            label,
            ("département", seen["departement_value"]),
            (_named(view, ends[:1]), _named(view, ends[-1:])),
        ),
        "age": age(rows[0]["month"], view.about["published_at"]),
        "ends": (ends[0], ends[-1]) if len(ends) > 1 else None,
    }
    if own is None:
        return said
    before = [
        row
        for row in series
        if row["territory"] == own["territory"]
        and row["month"] <= own["month"]
        and (row["geography"] == own["geography"] or own["territory"] not in view.changed)
    ]
    with_past = {
        **own,
        "months": [row["month"] for row in before],
        "points": [row["value"] for row in before],
    }
    return {**said, "situation": situation(own, sheet), "trend": trend(with_past, sheet)}
