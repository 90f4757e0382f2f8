"""The home page: one field, one's own territory, the map, the themes and publics, what is new."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from odds_pipeline.declarations.socle import Socle
from odds_pipeline.extranet.drawing import groups, places_map
from odds_pipeline.extranet.pages.territory import essential_rows, essentials
from odds_pipeline.extranet.reading.changes import changes
from odds_pipeline.extranet.reading.news import KINDS, news
from odds_pipeline.extranet.reading.serving import Row, View
from odds_pipeline.extranet.reading.situation import trend
from odds_pipeline.extranet.rendering import own_place, render, view_of

router = APIRouter()
FIGURES = 5
"""Figures of the département."""
TOLD = 3
"""Families or indicators named beside a theme or a public."""


@router.get("/")
def home(request: Request) -> HTMLResponse:
    """The way in. A member's own territory stands first: that page is theirs, and is not kept."""
    view, socle = view_of(request), request.app.state.socle
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
        publics=_publics(view, socle),
        whole=_whole(request),
        map=places_map(
            request.app.state.atlas,
            view,
            socle.map if socle else None,
            own["place"].code if own else "",
        ),
        groups=groups(view),
        families={theme: _families(view, theme) for theme in view.observatory.themes},
    )


def _publics(view: View, socle: Socle | None) -> dict[str, tuple[str, list[str]]]:
    """The publics, each with its label and the first indicators that have values."""
    return {
        name: (public.label, [n for n in public.indicators if n in view.valued][:TOLD])
        for name, public in (socle.publics if socle else {}).items()
    }


def _families(view: View, theme: str) -> list[str]:
    """The first families of a theme that have values."""
    found = [
        s["family_label"]
        for n, s in view.definitions.items()
        if s["theme"] == theme and n in view.valued
    ]
    return list(dict.fromkeys(found))[:TOLD]


def _whole(request: Request) -> Row | None:
    """The first figures of the département, one a theme; ``None`` where there is not one département."""
    view, socle = view_of(request), request.app.state.socle
    places = [place for place in view.places.values() if place.level == "departement"]
    if socle is None or len(places) != 1:
        return None
    rows = view.once(("whole", places[0].code), lambda: essential_rows(request, places[0]))
    known = [name for name in rows if rows[name]["value"] is not None]
    firsts = [next((n for n in names if n in known), "") for names in socle.themes.values()]
    # One a theme, then others in the order of reading.
    kept = [*(n for n in firsts if n), *(n for n in known if n not in firsts)][:FIGURES]
    names = [name for name in known if name in kept]
    trends = {name: trend(rows[name], view.definitions[name]) for name in names}
    return {"place": places[0], "rows": rows, "names": names, "trends": trends}


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
