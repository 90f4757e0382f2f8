"""The home page: what is new, the five themes, the territories."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from odds_pipeline.declarations.indicator import THEMES
from odds_pipeline.extranet.drawing import places_map
from odds_pipeline.extranet.reading.changes import changes
from odds_pipeline.extranet.rendering import render, view_of

router = APIRouter()


@router.get("/")
def home(request: Request) -> HTMLResponse:
    """What is new, the five themes, the map."""
    view = view_of(request)
    counts = {
        theme: sum(1 for sheet in view.definitions.values() if sheet["theme"] == theme)
        for theme in THEMES
    }
    return render(
        request,
        "home.html",
        counts=counts,
        changes=changes(request.app.state.serving, view, view.number),
        map=places_map(request.app.state.atlas, view),
    )
