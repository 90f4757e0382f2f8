"""Indicators: the list by theme, and one indicator with its sheet, map, ranking and series."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from odds_pipeline.declarations.indicator import THEMES
from odds_pipeline.extranet.drawing import indicator_map, indicator_ranking, indicator_trend
from odds_pipeline.extranet.reading import queries
from odds_pipeline.extranet.reading.changes import history_of
from odds_pipeline.extranet.reading.serving import Unknown
from odds_pipeline.extranet.rendering import render, view_of

router = APIRouter()


@router.get("/indicateurs")
def indicators(request: Request) -> HTMLResponse:
    """Every indicator, by theme and family."""
    return render(request, "indicators.html", themes=list(THEMES), families=_families(request))


@router.get("/themes/{theme}")
def one_theme(request: Request, theme: str) -> HTMLResponse:
    """The indicators of one theme."""
    if theme not in THEMES:
        raise Unknown(theme)
    return render(request, "indicators.html", themes=[theme], families=_families(request))


def _families(request: Request) -> dict[str, dict[str, list[str]]]:
    families: dict[str, dict[str, list[str]]] = {theme: {} for theme in THEMES}
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
    sheet = view.indicator(indicator)
    months = queries.months_of(view, indicator)
    levels = queries.levels_of(view, indicator)
    level = niveau or (levels[0] if levels else "commune")
    at_level = [row for row in months if level in row["levels"]]
    month = mois or (at_level[0]["month"] if at_level else None)
    rows = queries.month_of(view, indicator, month, level) if month else []
    chosen = view.place(territoire) if territoire else None
    compared = [code for code in (chosen.code if chosen else None, "93") if code]
    series = queries.series(view, indicator, compared)
    atlas = request.app.state.atlas
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
        series=series,
        compared=[view.place(code) for code in dict.fromkeys(compared)],
        reserves=sorted({row["reserve"] for row in rows if row["reserve"]}),
        map=indicator_map(atlas, view, sheet, rows, chosen),
        ranking=indicator_ranking(view, sheet, rows, chosen),
        trend=indicator_trend(view, sheet, series, chosen),
        sources=queries.sources_of(view, indicator),
        history=history_of(request.app.state.serving, view, indicator),
    )
