"""The search page: the place and the subject of what is asked, with the values that answer."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from odds_pipeline.extranet.reading import queries
from odds_pipeline.extranet.reading.search import search
from odds_pipeline.extranet.reading.situation import situation
from odds_pipeline.extranet.rendering import own_place, render, view_of

router = APIRouter()
SHOWN = 30
"""Results on one page; the reader who wants more says more."""


@router.get("/recherche")
def search_page(request: Request, q: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    """What matches the words asked for, with the values of the place named, else of one's own."""
    view = view_of(request)
    found = search(view, q, request.app.state.synonyms)
    shown = found.indicators[:SHOWN]
    own = None if found.place else own_place(request)
    place = view.places[found.place] if found.place else own
    rows = queries.latest_of_territory(view, place.code, shown) if place else {}
    return render(
        request,
        "search.html",
        personal=own is not None,
        q=q,
        found=found,
        shown=shown,
        place=place,
        rows=rows,
        situations={name: situation(row, view.definitions[name]) for name, row in rows.items()},
    )
