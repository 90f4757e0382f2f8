"""The home page: one field, one's own territory, the map, the themes and publics, what is new."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from odds_pipeline.extranet.drawing import groups, places_map
from odds_pipeline.extranet.pages.territory import essential_rows, essentials
from odds_pipeline.extranet.reading.changes import changes
from odds_pipeline.extranet.reading.news import KINDS, news
from odds_pipeline.extranet.reading.serving import Row, View
from odds_pipeline.extranet.rendering import own_place, render, view_of

router = APIRouter()


@router.get("/")
def home(request: Request) -> HTMLResponse:
    """The way in. A member's own territory stands first: that page is theirs, and is not kept."""
    view = view_of(request)
    own = _own(request, view)
    counts = {
        theme: sum(1 for n, s in view.definitions.items() if s["theme"] == theme and n in view.valued)
        for theme in view.observatory.themes
    }
    return render(
        request,
        "home.html",
        personal=own is not None,
        own_place=own,
        kinds=KINDS,
        counts=counts,
        for_communes=_for_communes(view),
        changes=changes(request.app.state.serving, view, view.number),
        publics=request.app.state.socle.publics if request.app.state.socle else {},
        departement=next((p for p in view.places.values() if p.level == "departement"), None),
        map=places_map(request.app.state.atlas, view),
        groups=groups(view),
    )


def _for_communes(view: View) -> int:
    """How many indicators have a value for a commune."""
    found = view.one(
        "SELECT count(DISTINCT indicator) AS n FROM latest WHERE level = 'commune' AND value IS NOT NULL"
    )
    return int(found["n"]) if found else 0


def _own(request: Request, view: View) -> Row | None:
    """The essentials of the territory of the reader's organisation, if it has one."""
    place = own_place(request)
    if place is None:
        return None
    rows = essential_rows(request, place)
    told = news(request.app.state.serving, view, place.code)
    return {"place": place, "news": told, **essentials(request, place, rows)}
