"""The search page: the place and the subject of what is asked, with the values that answer."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from odds_pipeline.extranet.reading import queries
from odds_pipeline.extranet.reading.search import search
from odds_pipeline.extranet.reading.situation import situation
from odds_pipeline.extranet.rendering import render, view_of

router = APIRouter()
SHOWN = 30
"""Results on one page; the reader who wants more says more."""


@router.get("/recherche")
def search_page(request: Request, q: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    """Indicators and territories that match the words asked for, with the value of the place named."""
    view = view_of(request)
    found = search(view, q, request.app.state.synonyms)
    shown = found.indicators[:SHOWN]
    rows = queries.latest_of_territory(view, found.place, shown) if found.place else {}
    return render(
        request,
        "search.html",
        q=q,
        found=found,
        shown=shown,
        place=view.places[found.place] if found.place else None,
        rows=rows,
        situations={name: situation(row, view.definitions[name]) for name, row in rows.items()},
    )
