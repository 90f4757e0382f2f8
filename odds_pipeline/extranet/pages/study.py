"""The portraits of territories and the studies: the pages that lead to them, and their files."""

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from odds_pipeline.extranet.identity import journal
from odds_pipeline.extranet.pages.account import address_of
from odds_pipeline.extranet.reading import publications
from odds_pipeline.extranet.reading.serving import Unknown
from odds_pipeline.extranet.rendering import reader_of, render, view_of

router = APIRouter()
FILES = ("etude.pdf", "etude.html", "communes.csv", "classes.csv")
"""What a study is made of."""


@router.get("/publications")
def all_publications(request: Request) -> HTMLResponse:
    """Portraits and studies. Not kept: they are made after the release goes live."""
    home, view = request.app.state.serving.home, view_of(request)
    published = {name: publications.publication(home, view, name) for name in request.app.state.studies}
    portraits, covered = publications.portraits(home, view) or (None, frozenset[str]())
    return render(
        request,
        "publications.html",
        personal=True,
        studies=request.app.state.studies,
        published=published,
        portraits=portraits,
        covered=[place for place in view.places.values() if place.code in covered],
        common=[
            name for name in publications.COMMON if portraits and (portraits.folder / name).is_file()
        ],
    )


@router.get("/p/{code}")
def short_link(request: Request, code: str) -> Response:
    """What is printed on a poster or said on the telephone: ``/p/<code>`` is a territory's portrait."""
    return RedirectResponse(f"/territoires/{view_of(request).place(code).code}/portrait", 302)


@router.get("/etude")
def study(request: Request) -> Response:
    """Where the studies were listed."""
    return RedirectResponse("/publications", 308)


@router.get("/etude/{study}/{file}")
def study_file(request: Request, study: str, file: str) -> Response:
    """A file of a study."""
    shown = None
    if study in request.app.state.studies and file in FILES:
        shown = publications.publication(request.app.state.serving.home, view_of(request), study)
    if shown is None or not (shown.folder / file).is_file():
        raise Unknown(file)
    return _document(request, shown.folder / file)


@router.get("/territoires/{code}/portrait")
def portrait_page(request: Request, code: str) -> HTMLResponse:
    """Where the portrait of a territory is to be had."""
    view, home = view_of(request), request.app.state.serving.home
    place = view.place(code)
    made = publications.files(home, view, code)
    release = made[".pdf"].release if ".pdf" in made else None
    return render(request, "portrait.html", personal=True, place=place, release=release, made=set(made))


@router.get("/portraits/{file}")
def portrait_file(request: Request, file: str) -> Response:
    """A territory's portrait, ``<code>.pdf``, ``.html``, its kit ``.zip``; what all have in common."""
    code, _, suffix = file.partition(".")
    if suffix not in ("pdf", "html", "zip"):
        raise Unknown(file)
    home = request.app.state.serving.home
    if file in publications.COMMON:
        return _document(request, publications.common(home, view_of(request), file))
    path, _ = publications.portrait(home, view_of(request), code, suffix)
    return _document(request, path)


def _document(request: Request, path: Path) -> Response:
    person = reader_of(request).person
    if person is not None:
        accounts = request.app.state.accounts
        journal.note(accounts, "telechargement", person, path.name, address_of(request))
    if path.suffix == ".html":
        html = path.read_text(encoding="utf-8")
        return HTMLResponse(html, headers={"content-security-policy": publications.policy_of(html)})
    return FileResponse(path, filename=path.name, headers={"cache-control": "private, no-store"})
