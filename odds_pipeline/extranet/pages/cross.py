"""Two indicators crossed: the communes as points, in one year and perimeter."""

from functools import partial
from statistics import StatisticsError, correlation
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from odds_pipeline.charts.scatter import Axis, Point, scatter
from odds_pipeline.extranet import reading
from odds_pipeline.extranet.pages.compare import Codes
from odds_pipeline.extranet.reading.serving import Row, View
from odds_pipeline.extranet.rendering import render, view_of
from odds_pipeline.extranet.words import figure
from odds_pipeline.storage.sql import read_sql

router = APIRouter()
_PAIRS = read_sql(reading.__file__, "cross")
_OTHERS = """
SELECT DISTINCT o.indicator FROM indicator_values x JOIN indicator_values o ON
    o.territory = x.territory AND o.geography = x.geography AND o.month[:4] = x.month[:4]
WHERE x.indicator = ? AND x.level = 'commune' AND o.indicator <> x.indicator
    AND x.value IS NOT NULL AND o.value IS NOT NULL
GROUP BY o.indicator, x.geography, x.month[:4] HAVING count(DISTINCT o.territory) >= ?
ORDER BY o.indicator
"""
"""What an indicator can be crossed with."""
LEAST = 8
"""Communes below which points say nothing of a relation."""

Name = Annotated[str, Query(max_length=120)]


@router.get("/croiser")
def cross(request: Request, x: Name = "", y: Name = "", t: Codes = []) -> HTMLResponse:  # noqa: B006
    """The points, their table, and what a relation does not say."""
    view, socle = view_of(request), request.app.state.socle
    sheets = [view.indicator(name) for name in (x, y) if name]
    followed = [view.place(code) for code in dict.fromkeys(code for code in t if code)]
    rows = view.rows(_PAIRS, {"x": x, "y": y, "least": LEAST}) if x and y and x != y else []
    apart = len(sheets) == 2 and not rows
    listed = [sheet["indicator"] for sheet in sheets] + (socle.indicators if socle else [])
    return render(
        request,
        "cross.html",
        sheets=sheets,
        rows=rows,
        followed=followed,
        choices=[name for name in dict.fromkeys(listed) if name in view.definitions],
        chart=_drawn(view, rows, sheets, {place.code for place in followed}) if rows else None,
        relation=_relation(rows),
        others=[row["indicator"] for row in view.rows(_OTHERS, [x, LEAST])] if apart else [],
    )


def _drawn(view: View, rows: list[Row], sheets: list[Row], followed: set[str]) -> str:
    points = [
        Point(view.places[r["territory"]].label, r["x"], r["y"], r["territory"] in followed)
        for r in rows
    ]
    across, up = (Axis(s["short_label"], partial(_written, s)) for s in sheets)
    return scatter("nuage", f"{sheets[0]['label']} et {sheets[1]['label']}", points, across, up)


def _written(sheet: Row, value: float) -> str:
    return figure(value, sheet)


def _relation(rows: list[Row]) -> float | None:
    """Pearson's coefficient; ``None`` when one of the two does not vary."""
    try:
        return correlation([row["x"] for row in rows], [row["y"] for row in rows])
    except StatisticsError:
        return None
