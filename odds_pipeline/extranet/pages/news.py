"""News of a territory: a page, and an Atom feed of the releases for those who follow it."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from odds_pipeline.extranet.reading.changes import known_releases
from odds_pipeline.extranet.reading.news import KINDS, News, news
from odds_pipeline.extranet.reading.serving import Place, Serving, Unknown, View
from odds_pipeline.extranet.rendering import TEMPLATES, render, view_of

router = APIRouter()
FED = 6
"""Releases in a feed: more than a year of them."""


@router.get("/territoires/{code}/nouveautes")
def what_is_new(request: Request, code: str) -> HTMLResponse:
    """What the release changed for a territory, by what became of the values, and why."""
    view = view_of(request)
    place = view.place(code)
    told = news(request.app.state.serving, view, code)
    letters = request.app.state.letters
    return render(request, "news.html", place=place, news=told, kinds=KINDS, letters=letters)


@router.get("/editions/flux.atom")
def releases_feed(request: Request) -> Response:
    """The releases, the latest first."""
    return _feed(request, None)


@router.get("/territoires/{code}/flux.atom")
def territory_feed(request: Request, code: str) -> Response:
    """The releases, with what each changed for a territory."""
    return _feed(request, view_of(request).place(code))


def _feed(request: Request, place: Place | None) -> Response:
    view, serving = view_of(request), request.app.state.serving
    known = [about for about in known_releases(serving) if about.number <= view.number][:FED]
    content = TEMPLATES.get_template("feed.xml").render(
        settings=request.app.state.settings,
        observatory=view.observatory,
        place=place,
        entries=[{"about": about, "news": _told(serving, view, about.number, place)} for about in known],
        kinds=KINDS,
    )
    return Response(content, media_type="application/atom+xml", headers={"x-keep": "1"})


def _told(serving: Serving, view: View, number: int, place: Place | None) -> News | None:
    """What a release changed for the place; ``None`` when the site cannot read it any more."""
    try:
        return news(serving, serving.earlier(view.rights, number), place.code) if place else None
    except Unknown:
        return None
