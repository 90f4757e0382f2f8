"""The search page."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from odds_pipeline.extranet.reading.search import search
from odds_pipeline.extranet.rendering import render, view_of

router = APIRouter()


@router.get("/recherche")
def search_page(request: Request, q: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    """Indicators and territories that match the words asked for."""
    view = view_of(request)
    return render(request, "search.html", q=q, found=search(view, q))
