"""The study of the populations that are fragile with respect to housing, and the portraits."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from odds_pipeline.extranet.rendering import render

router = APIRouter()


@router.get("/etude")
def study(request: Request) -> HTMLResponse:
    """The study."""
    return render(request, "study.html")
