"""What a public site says of itself: accessibility, personal data, contact; and whether it is well."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse

from odds_pipeline.extranet.rendering import render, view_of

router = APIRouter(include_in_schema=False)


@router.get("/a-propos")
def about(request: Request) -> HTMLResponse:
    """Contact, personal data, accessibility."""
    return render(request, "about.html")


@router.get("/sante-du-site")
def health(request: Request) -> JSONResponse:
    """For watchers: the release served."""
    return JSONResponse({"edition": view_of(request).number})
