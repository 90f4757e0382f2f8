"""Managing the people of an organisation, and the organisations. It does not exist for anyone else."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from odds_pipeline.declarations.access import ACCESS, Access
from odds_pipeline.extranet.identity import journal
from odds_pipeline.extranet.identity.accounts import INVITATION_DAYS, Accounts, Organisation, Person
from odds_pipeline.extranet.pages.account import address_of
from odds_pipeline.extranet.reading.serving import Unknown
from odds_pipeline.extranet.rendering import member_of, render

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=400)]


def _accounts(request: Request) -> Accounts:
    accounts: Accounts = request.app.state.accounts
    return accounts


def _manager(request: Request, organisation: int) -> tuple[Person, Organisation]:
    """Who manages, and what; :class:`Unknown` when they do not."""
    person, found = member_of(request, "gestion"), _accounts(request).organisation(organisation)
    if found is None or not person.manages(organisation):
        raise Unknown("gestion")
    return person, found


def _observatory(request: Request) -> Person:
    person = member_of(request, "gestion")
    if not person.runs_observatory:
        raise Unknown("gestion")
    return person


def _member(request: Request, organisation: int, person: int) -> Person:
    found = _accounts(request).person(person)
    if found is None or found.organisation.id != organisation:
        raise Unknown("personne")
    return found


@router.get("/gestion")
def management(request: Request, changer: int | None = None) -> Response:
    """The organisations, for the observatory, one of them to ``changer``; else one's own."""
    person = member_of(request, "gestion")
    if not person.administrator:
        raise Unknown("gestion")
    if not person.runs_observatory:
        return RedirectResponse(f"/gestion/{person.organisation.id}", 303)
    return _organisations_page(request, changed=changer)


def _organisations_page(request: Request, problem: str = "", changed: int | None = None) -> HTMLResponse:
    accounts = _accounts(request)
    found = accounts.organisations()
    return render(
        request,
        "organisations.html",
        personal=True,
        status=400 if problem else 200,
        organisations=found,
        counts={o.id: len(accounts.people(o.id)) for o in found},
        classes=ACCESS,
        partners=request.app.state.partners,
        changed=next((o for o in found if o.id == changed), None),
        problem=problem,
    )


@router.post("/gestion")
def save_organisation(
    request: Request,
    name: Text = "",
    access: Text = "public",
    siret: Text = "",
    territory: Text = "",
    partners: Annotated[list[str], Form()] = [],  # noqa: B006
    changed: Annotated[int | None, Form()] = None,
) -> Response:
    """Add an organisation, or change the one whose rights were on show: no other, by its name alone."""
    manager = _observatory(request)
    known = set(request.app.state.partners)
    try:
        if not name.strip() or set(partners) - known:
            raise ValueError("un nom est nécessaire, et des partenaires connus")
        known_as = next(
            (o.id for o in _accounts(request).organisations() if o.name == name.strip()), None
        )
        if known_as != changed:
            raise ValueError("ce nom est celui d’une organisation : changez ses droits depuis sa ligne")
        known_access: Access | None = next((a for a in ACCESS if a == access), None)
        if known_access is None:
            raise ValueError(f"classe d’accès inconnue : {access}")
        _accounts(request).save_organisation(
            name.strip(),
            known_access,
            siret=siret.replace(" ", "") or None,
            partners=partners,
            territory=territory.strip() or None,
        )
    except ValueError as error:
        return _organisations_page(request, str(error), changed)
    detail = f"organisation {name.strip()} : {access} {' '.join(partners)}"
    _note(request, manager, detail)
    return RedirectResponse("/gestion", 303)


@router.get("/gestion/{organisation}")
def people(request: Request, organisation: int) -> HTMLResponse:
    """The people of an organisation, and its latest sign-ins and downloads."""
    return _people_page(request, organisation)


def _people_page(
    request: Request, organisation: int, problem: str = "", invitation: str = ""
) -> HTMLResponse:
    manager, found = _manager(request, organisation)
    return render(
        request,
        "people.html",
        personal=True,
        status=400 if problem else 200,
        organisation=found,
        people=_accounts(request).people(organisation),
        events=journal.events(_accounts(request), organisation, 50),
        me=manager,
        problem=problem,
        invitation=invitation,
    )


@router.post("/gestion/{organisation}")
def add_person(
    request: Request, organisation: int, email: Text = "", name: Text = "", administrator: Text = ""
) -> HTMLResponse:
    """Add someone, and show the invitation to hand to them."""
    manager, _ = _manager(request, organisation)
    try:
        added = _accounts(request).add_person(
            email, name, organisation, administrator=bool(administrator)
        )
    except ValueError as error:
        return _people_page(request, organisation, str(error))
    _note(request, manager, f"compte ouvert : {added.id}")
    return _people_page(request, organisation, invitation=_invite(request, added))


def _invite(request: Request, person: Person) -> str:
    secret = _accounts(request).open_session(person.id, "invitation", timedelta(days=INVITATION_DAYS))
    return f"{request.app.state.settings.public_url}/invitation/{secret}"


@router.post("/gestion/{organisation}/{person}/invitation")
def invite_again(request: Request, organisation: int, person: int) -> HTMLResponse:
    """A new invitation, for a forgotten password."""
    manager, _ = _manager(request, organisation)
    member = _member(request, organisation, person)
    _note(request, manager, f"invitation : {person}")
    return _people_page(request, organisation, invitation=_invite(request, member))


@router.post("/gestion/{organisation}/{person}/role")
def set_role(request: Request, organisation: int, person: int, administrator: Text = "") -> Response:
    """Name an administrator of the organisation, or end that role."""
    manager, _ = _manager(request, organisation)
    member = _member(request, organisation, person)
    if member.id == manager.id:
        return _people_page(request, organisation, "un administrateur ne retire pas son propre rôle")
    _accounts(request).set_administrator(person, bool(administrator))
    word = "nommé" if administrator else "retiré"
    _note(request, manager, f"administrateur {word} : {person}")
    return RedirectResponse(f"/gestion/{organisation}", 303)


@router.post("/gestion/{organisation}/{person}/correction")
def correct(
    request: Request, organisation: int, person: int, email: Text = "", name: Text = ""
) -> Response:
    """Put an address and a name right."""
    manager, _ = _manager(request, organisation)
    _member(request, organisation, person)
    try:
        _accounts(request).correct(person, email, name)
    except ValueError as error:
        return _people_page(request, organisation, str(error))
    _note(request, manager, f"compte corrigé : {person}")
    return RedirectResponse(f"/gestion/{organisation}", 303)


@router.post("/gestion/{organisation}/{person}/effacement")
def erase(request: Request, organisation: int, person: int) -> Response:
    """Forget a closed account."""
    manager, _ = _manager(request, organisation)
    member = _member(request, organisation, person)
    if not member.revoked:
        return _people_page(request, organisation, "fermez le compte avant de l’effacer")
    _accounts(request).erase(person)
    _note(request, manager, f"compte effacé : {person}")
    return RedirectResponse(f"/gestion/{organisation}", 303)


def _note(request: Request, manager: Person, detail: str) -> None:
    journal.note(_accounts(request), "compte", manager, detail, address_of(request))


@router.post("/gestion/{organisation}/{person}/fermeture")
def revoke(request: Request, organisation: int, person: int) -> Response:
    """Close an account; its sessions end at once."""
    return _set(request, organisation, person, revoked=True)


@router.post("/gestion/{organisation}/{person}/reouverture")
def restore(request: Request, organisation: int, person: int) -> Response:
    """Reopen an account."""
    return _set(request, organisation, person, revoked=False)


def _set(request: Request, organisation: int, person: int, *, revoked: bool) -> Response:
    manager, _ = _manager(request, organisation)
    member = _member(request, organisation, person)
    if member.id == manager.id:
        return _people_page(request, organisation, "un administrateur ne ferme pas son propre compte")
    _accounts(request).set_revoked(person, revoked)
    word = "fermé" if revoked else "rouvert"
    _note(request, manager, f"compte {word} : {person}")
    return RedirectResponse(f"/gestion/{organisation}", 303)
