"""The neighbourhoods of a commune side by side, one indicator at a time."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from odds_pipeline.extranet.reading import queries
from odds_pipeline.extranet.reading.serving import Row, View
from odds_pipeline.extranet.reading.situation import age
from odds_pipeline.extranet.rendering import render, view_of

router = APIRouter()


@router.get("/territoires/{code}/quartiers")
def neighbourhoods(request: Request, code: str, i: str = "") -> HTMLResponse:
    """The latest figure of each neighbourhood and of the commune; what hides it where it is hidden."""
    view = view_of(request)
    place, levels = view.place(code), view.neighbourhoods(code)
    codes = [one.code for places in levels.values() for one in places]
    offered = _offered(view, codes)
    shown = i if i in offered else next(iter(offered), "")
    rows = {
        one: found[shown]
        for one in (code, *codes)
        if shown and shown in (found := queries.latest_of_territory(view, one, [shown]))
    }
    return render(
        request,
        "neighbourhoods.html",
        place=place,
        levels=levels,
        offered=offered,
        shown=shown,
        rows=rows,
        ages={one: age(row["month"], view.about["published_at"]) for one, row in rows.items()},
    )


def _offered(view: View, codes: list[str]) -> dict[str, Row]:
    """The definitions of the indicators of which a neighbourhood has a value."""
    found = view.rows(
        "SELECT DISTINCT indicator FROM latest WHERE list_contains(?::VARCHAR[], territory) "
        "AND value IS NOT NULL",
        [codes],
    )
    valued = {row["indicator"] for row in found}
    return {name: sheet for name, sheet in view.definitions.items() if name in valued}
