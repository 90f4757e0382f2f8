"""Selections: the templates to start from, those that people keep and follow, their files."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, RedirectResponse, Response

from odds_pipeline.extranet.downloads.exports import FORMATS
from odds_pipeline.extranet.downloads.paper import paper
from odds_pipeline.extranet.downloads.workbook import write_workbook
from odds_pipeline.extranet.identity import journal
from odds_pipeline.extranet.identity.follows import Followed, follow, followed, unfollow
from odds_pipeline.extranet.identity.selections import asked_in, forget, keep, selections
from odds_pipeline.extranet.pages.compare import CHOSEN, Asked, Codes, Names, query_of
from odds_pipeline.extranet.reading.choice import side_by_side
from odds_pipeline.extranet.reading.serving import Unknown
from odds_pipeline.extranet.rendering import member_of, own_place, reader_of, render, view_of
from odds_pipeline.publications.documents import to_pdf

router = APIRouter()


@router.get("/selections")
def mine(request: Request) -> Response:
    """The templates, one's selections and those of one's organisation."""
    if reader_of(request).person is None:
        return RedirectResponse("/connexion?next=/selections", 303)
    return _page(request)


def _page(request: Request, problem: str = "", status: int = 200) -> Response:
    person = member_of(request, "selections")
    return render(
        request,
        "selections.html",
        personal=True,
        status=status,
        person=person,
        place=own_place(request),
        templates=request.app.state.templates,
        kept=selections(request.app.state.accounts, person),
        followed=followed(request.app.state.accounts, person),
        letters=request.app.state.letters,
        problem=problem,
    )


@router.post("/selections")
def keep_one(
    request: Request,
    name: Annotated[str, Form(max_length=200)] = "",
    query: Annotated[str, Form(max_length=6000)] = "",
    shared: Annotated[bool, Form()] = False,
) -> Response:
    """Keep the comparison on show under a name."""
    try:
        keep(request.app.state.accounts, member_of(request, "selections"), name, query, shared=shared)
    except ValueError as error:
        return _page(request, str(error), 400)
    return RedirectResponse("/selections", 303)


@router.post("/selections/{selection}/fin")
def forget_one(request: Request, selection: int) -> Response:
    """Forget one of one's selections."""
    if not forget(request.app.state.accounts, member_of(request, "selections"), selection):
        raise Unknown(str(selection))
    return RedirectResponse("/selections", 303)


@router.post("/suivis")
def follow_one(
    request: Request,
    name: Annotated[str, Form(max_length=200)] = "",
    query: Annotated[str, Form(max_length=6000)] = "",
    territory: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Be told by e-mail, at each release, of a territory or of a selection."""
    person, accounts, view = member_of(request, "suivis"), request.app.state.accounts, view_of(request)
    if not request.app.state.letters:
        raise Unknown("suivis")
    try:
        if territory:
            place = view.place(territory)
            one = Followed(f"/territoires/{place.code}/nouveautes", place.label)
        else:
            one = Followed(f"/comparer?{asked_in(query)}", name.strip()[:80] or "Sélection")
        follow(accounts, person, one, request.state.latest)
    except ValueError as error:
        return _page(request, str(error), 400)
    return RedirectResponse("/selections#suivis", 303)


@router.post("/suivis/fin")
def unfollow_one(request: Request, address: Annotated[str, Form(max_length=6000)] = "") -> Response:
    """Be told of it no more."""
    if not unfollow(request.app.state.accounts, member_of(request, "suivis"), address):
        raise Unknown("suivis")
    return RedirectResponse("/selections#suivis", 303)


@router.get("/telecharger/tableau.xlsx")
def workbook(request: Request, t: Codes = [], i: Names = [], theme: str = "") -> Response:  # noqa: B006
    """A comparison as a formatted workbook."""
    view, asked = view_of(request), Asked.of(request, t, i, theme)
    if not asked.places:
        raise Unknown("tableau")
    path = view.workshop / f"{secrets.token_hex(16)}.xlsx"
    rows = side_by_side(view, asked.choice.names, asked.places)
    write_workbook(path, view, asked.choice, asked.places, rows)
    return FileResponse(
        path,
        media_type=FORMATS["xlsx"][0],
        filename=_noted(request, "xlsx"),
        headers={"cache-control": "private, no-store"},
        background=BackgroundTask(path.unlink, missing_ok=True),
    )


@router.get("/telecharger/tableau.pdf")
def printed(request: Request, t: Codes = [], i: Names = [], theme: str = "") -> Response:  # noqa: B006
    """A comparison as a document; for members, since making one costs a processor for a while."""
    member_of(request, "tableau")
    view, asked, state = view_of(request), Asked.of(request, t, i, theme), request.app.state
    if not asked.places or len(asked.choice.names) > CHOSEN:
        raise Unknown("tableau")
    title = state.templates[theme].label if theme in state.templates else "Comparer des territoires"
    query = query_of(asked, theme, bool(i) and not theme)
    address = f"{state.settings.public_url}/e/{view.number}/comparer?{query}"
    rows = side_by_side(view, asked.choice.names, asked.places)
    document = paper(view, title, address, asked.choice, asked.places, rows)
    disposition = f'attachment; filename="{_noted(request, "pdf")}"'
    return Response(
        to_pdf(document),
        media_type="application/pdf",
        headers={"cache-control": "private, no-store", "content-disposition": disposition},
    )


def _noted(request: Request, extension: str) -> str:
    """The name of a file that is taken away, which the journal keeps of a member."""
    view = view_of(request)
    mark = "-DONNEES-SIMULEES" if view.simulated else ""
    name = f"{view.observatory.id}-edition{view.number}-tableau{mark}.{extension}"
    if (person := reader_of(request).person) is not None:
        address = request.client.host if request.client else ""
        journal.note(request.app.state.accounts, "telechargement", person, name, address)
    return name
