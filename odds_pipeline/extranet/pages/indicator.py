"""Indicators: the list by theme, and one indicator with its sheet, map, ranking and series."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from odds_pipeline.extranet.drawing import (
    indicator_map,
    indicator_ranking,
    indicator_trend,
    position,
)
from odds_pipeline.extranet.reading import queries
from odds_pipeline.extranet.reading.changes import history_of
from odds_pipeline.extranet.reading.serving import Place, Row, Unknown, View
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


def _departements(view: View, chosen: Place | None) -> list[str]:
    """The département of the chosen place, else those of the observatory."""
    codes = [chosen.departement] if chosen and chosen.departement else view.observatory.departements
    return [code for code in codes if code in view.places]


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
    sheet = view.indicator(indicator)
    months = queries.months_of(view, indicator)
    levels = queries.levels_of(view, indicator)
    level = niveau or (levels[0] if levels else "commune")
    at_level = [row for row in months if level in row["levels"]]
    month = mois or (at_level[0]["month"] if at_level else None)
    rows = queries.month_of(view, indicator, month, level) if month else []
    chosen = view.place(territoire) if territoire else None
    compared = [*([chosen.code] if chosen else []), *_departements(view, chosen)]
    series = queries.series(view, indicator, compared)
    atlas = request.app.state.atlas
    own = next((row for row in rows if chosen and row["territory"] == chosen.code), None)
    return render(
        request,
        "indicator.html",
        sheet=sheet,
        months=months,
        at_level=at_level,
        levels=levels,
        level=level,
        month=month,
        rows=rows,
        chosen=chosen,
        own=own,
        told=_told(view, sheet, own, rows, series) if rows else None,
        series=series,
        compared=[view.place(code) for code in dict.fromkeys(compared)],
        reserves=sorted({row["reserve"] for row in rows if row["reserve"]}),
        map=indicator_map(atlas, view, sheet, rows, chosen),
        ranking=indicator_ranking(view, sheet, rows, chosen),
        trend=indicator_trend(view, sheet, series, chosen),
        sources=queries.sources_of(view, indicator),
        history=history_of(request.app.state.serving, view, indicator),
    )


def _told(view: View, sheet: Row, own: Row | None, rows: list[Row], series: list[Row]) -> Row:
    """The answer of the page: the followed territory's place, trend and age, else the two ends."""
    known = [row for row in rows if row["value"] is not None]
    ends = sorted(known, key=lambda row: float(row["value"]))
    values = [row["value"] for row in ends] if rows[0]["level"] == "commune" else []
    seen = own or {**rows[0], "value": None}
    label = view.places[own["territory"]].label if own else ""
    said = {
        "strip": position(seen, sheet, values, label),
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
