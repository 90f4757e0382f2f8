"""Releases and what changed between them."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import HTMLResponse

from odds_pipeline.extranet.reading.changes import changes, known_releases
from odds_pipeline.extranet.rendering import render, view_of

router = APIRouter()
Number = Annotated[int, Path(ge=1, le=99_999)]


@router.get("/editions")
def releases(request: Request) -> HTMLResponse:
    """Every release, the latest first."""
    return render(request, "releases.html", releases=known_releases(request.app.state.serving))


@router.get("/editions/{number}")
def release(request: Request, number: Number) -> HTMLResponse:
    """What a release changed, for this reader."""
    view = view_of(request)
    found = changes(request.app.state.serving, view, number)
    return render(request, "release.html", number=number, changes=found)
