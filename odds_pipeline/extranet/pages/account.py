"""Signing in and out, one's own account, invitations, API tokens."""

import json
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Query, Request
from itsdangerous import BadSignature
from starlette.responses import HTMLResponse, RedirectResponse, Response

from odds_pipeline.declarations.extranet import LOOPBACK, Settings
from odds_pipeline.extranet.identity import attempts, journal, signin
from odds_pipeline.extranet.identity.accounts import Accounts, Person
from odds_pipeline.extranet.identity.oidc import MINUTES, Client
from odds_pipeline.extranet.middleware import cookie_name
from odds_pipeline.extranet.reading.serving import Unknown
from odds_pipeline.extranet.rendering import member_of, reader_of, render

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=400)]
_STATE = "odds-connexion"


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def _accounts(request: Request) -> Accounts:
    accounts: Accounts = request.app.state.accounts
    return accounts


def address_of(request: Request) -> str:
    """The address the request comes from."""
    return request.client.host if request.client else ""


def local_page(address: str) -> str:
    """``address`` if it is a page of this site, else the home page: no open redirect."""
    safe = address.startswith("/") and not address.startswith("//") and "\\" not in address
    return address if safe and address.isprintable() else "/"


def _client(request: Request, provider: str) -> Client:
    clients: dict[str, Client] = request.app.state.providers
    if provider not in clients:
        raise Unknown(provider)
    return clients[provider]


def _check_cookie_is_safe(request: Request) -> None:
    """No session over a connection that the cookie does not protect: :class:`signin.Refused`."""
    settings = _settings(request)
    if settings.secure:
        return
    declared, asked = urlsplit(settings.public_url).hostname, request.url.hostname
    local = declared in LOOPBACK and asked in LOOPBACK
    if request.url.scheme == "https" or not (local or asked == declared):
        raise signin.Refused(
            "Connexion impossible : l’adresse publique du site (public_url) n’est pas déclarée en https."
        )


def _welcome(request: Request, person: Person, next_page: str, how: str) -> Response:
    settings, accounts = _settings(request), _accounts(request)
    former = reader_of(request)
    if former.secret:
        accounts.close_session(former.secret)
    duration = timedelta(hours=settings.session_hours)
    secret = accounts.open_session(person.id, "web", duration)
    # After it: who comes back after a long time has come back.
    journal.purge(accounts, settings)
    journal.note(accounts, "connexion", person, how, address_of(request))
    response = RedirectResponse(local_page(next_page), 303)
    response.set_cookie(
        cookie_name(settings),
        request.app.state.signer.sign(secret).decode(),
        max_age=int(duration.total_seconds()),
        httponly=True,
        secure=settings.secure,
        samesite="lax",
        path="/",
    )
    return response


@router.get("/connexion")
def sign_in_page(request: Request, next: Annotated[str, Query(max_length=400)] = "") -> HTMLResponse:
    """The sign-in form; afterwards ``next``, else the page of this site that led here."""
    return _sign_in_form(request, next or _came_from(request), "", 200)


def _came_from(request: Request) -> str:
    """The page of this site that the browser says it comes from.

    A page that does not exist for a visitor may not repeat its address: it would not be like the others.
    """
    page = urlsplit(request.headers.get("referer", ""))
    own = page.netloc == request.headers.get("host") and page.path != "/connexion"
    return f"{page.path}?{page.query}" if own and page.query else page.path if own else "/"


def _sign_in_form(request: Request, next_page: str, problem: str, status: int) -> HTMLResponse:
    return render(
        request,
        "sign_in.html",
        status=status,
        personal=True,
        next=local_page(next_page),
        problem=problem,
        providers=_settings(request).providers,
    )


@router.post("/connexion")
def sign_in(request: Request, email: Text = "", password: Text = "", next: Text = "/") -> Response:
    """Sign in with a local account."""
    try:
        _check_cookie_is_safe(request)
        person = signin.sign_in(_accounts(request), email, password, address_of(request))
    except signin.Busy as busy:
        return _sign_in_form(request, next, str(busy), 429)
    except signin.Refused as refused:
        return _sign_in_form(request, next, str(refused), 401)
    return _welcome(request, person, next, "mot de passe")


@router.get("/connexion/{provider}")
def to_provider(
    request: Request,
    provider: str,
    next: Annotated[str, Query(max_length=400)] = "/",
    invitation: Annotated[str, Query(max_length=400)] = "",
) -> Response:
    """Leave for the identity provider; with an invitation, to tie the identity to its account."""
    accounts = _accounts(request)
    invited = accounts.in_session(invitation, "invitation") if invitation else None
    try:
        address, state = _client(request, provider).start(accounts, local_page(next), invited)
    except signin.Refused as refused:
        return _sign_in_form(request, next, str(refused), 502)
    response = RedirectResponse(address, 303)
    response.set_cookie(
        _STATE,
        request.app.state.signer.sign(state).decode(),
        max_age=60 * MINUTES,
        httponly=True,
        secure=_settings(request).secure,
        samesite="lax",
        path=f"/connexion/{provider}/retour",
    )
    return response


@router.get("/connexion/{provider}/retour")
def from_provider(
    request: Request,
    provider: str,
    code: Annotated[str, Query(max_length=4000)] = "",
    state: Annotated[str, Query(max_length=400)] = "",
) -> Response:
    """Come back from the identity provider."""
    client = _client(request, provider)
    try:
        kept = request.app.state.signer.unsign(request.cookies.get(_STATE, "")).decode()
    except (BadSignature, ValueError):
        kept = ""
    try:
        _check_cookie_is_safe(request)
        person, next_page = client.finish(_accounts(request), state, kept, code)
    except signin.Refused as refused:
        attempts.note_refused(_accounts(request), f"{provider} : {refused}", address_of(request))
        response: Response = _sign_in_form(request, "/", str(refused), 403)
    else:
        response = _welcome(request, person, next_page, provider)
    response.delete_cookie(_STATE, path=f"/connexion/{provider}/retour")
    return response


@router.get("/mot-de-passe-oublie")
def forgotten(request: Request) -> HTMLResponse:
    """Where someone says that they have forgotten their password."""
    return render(request, "forgotten.html", personal=True, done=False)


@router.post("/mot-de-passe-oublie")
def ask(request: Request, email: Text = "") -> HTMLResponse:
    """Their administrator will see it; the answer is the same whether there is an account or not."""
    accounts, address = _accounts(request), address_of(request)
    if attempts.take(accounts, f"oubli {email}", address):
        accounts.ask(email)
    return render(request, "forgotten.html", personal=True, done=True)


@router.get("/donnees-personnelles")
def personal_data(request: Request) -> HTMLResponse:
    """The register of processing, as readers see it."""
    return render(request, "personal_data.html")


@router.post("/deconnexion")
def sign_out(request: Request) -> Response:
    """End the session."""
    reader = reader_of(request)
    if reader.person is not None:
        _accounts(request).close_session(reader.secret)
        journal.note(_accounts(request), "deconnexion", reader.person, "", address_of(request))
    return _without_cookie(request)


def _without_cookie(request: Request) -> Response:
    response = RedirectResponse("/", 303)
    response.delete_cookie(
        cookie_name(_settings(request)), path="/", secure=_settings(request).secure, httponly=True
    )
    return response


@router.get("/compte")
def account(request: Request) -> Response:
    """One's own account."""
    if reader_of(request).person is None:
        return RedirectResponse("/connexion?next=/compte", 303)
    return _account_page(request)


def _account_page(
    request: Request, problem: str = "", token: str = "", done: str = "", status: int = 200
) -> HTMLResponse:
    person = reader_of(request).person
    if person is None:
        raise Unknown("compte")
    return render(
        request,
        "account.html",
        personal=True,
        status=status,
        person=person,
        tokens=_accounts(request).tokens(person.id),
        local=_accounts(request).password(person.id) is not None,
        problem=problem,
        token=token,
        done=done,
    )


@router.post("/compte/mot-de-passe")
def change_password(request: Request, current: Text = "", new: Text = "") -> Response:
    """Change one's password: every session and token ends but a new one."""
    person = member_of(request, "compte")
    accounts, settings = _accounts(request), _settings(request)
    try:
        signin.sign_in(accounts, person.email, current, address_of(request))
        signin.check_strength(new, settings.password_length)
    except (signin.Refused, ValueError) as error:
        return _account_page(request, problem=str(error), status=400)
    accounts.set_password(person.id, signin.encode(new))
    journal.note(accounts, "compte", person, "mot de passe changé", address_of(request))
    return _welcome(request, person, "/compte", "mot de passe changé")


@router.get("/compte/mes-donnees.json")
def my_data(request: Request) -> Response:
    """All that is kept about oneself."""
    content = _accounts(request).everything_of(member_of(request, "compte").id)
    headers = {"content-disposition": 'attachment; filename="mes-donnees.json"'}
    text = json.dumps(content, ensure_ascii=False, indent=2)
    return Response(
        text, media_type="application/json", headers={**headers, "cache-control": "no-store"}
    )


@router.post("/compte/nom")
def change_name(request: Request, name: Text = "") -> Response:
    """Put one's name right; the address is the administrator's to change, who knows the person."""
    person = member_of(request, "compte")
    try:
        _accounts(request).correct(person.id, person.email, name)
    except ValueError as error:
        return _account_page(request, problem=str(error), status=400)
    journal.note(_accounts(request), "compte", person, "nom corrigé", address_of(request))
    return RedirectResponse("/compte", 303)


@router.post("/compte/effacement")
def erase(request: Request, email: Text = "") -> Response:
    """Forget the person who is signed in; they write their address to confirm."""
    person = member_of(request, "compte")
    if email.strip().lower() != person.email:
        return _account_page(request, problem="écrivez votre adresse pour confirmer", status=400)
    try:
        _accounts(request).erase(person.id)
    except ValueError as error:
        return _account_page(request, problem=str(error), status=400)
    journal.note(_accounts(request), "compte", None, f"compte effacé : {person.id}", address_of(request))
    return _without_cookie(request)


@router.post("/compte/jetons")
def make_token(request: Request, label: Text = "") -> HTMLResponse:
    """Make an API token, shown once."""
    person = member_of(request, "compte")
    duration = timedelta(days=_settings(request).token_days)
    token = _accounts(request).open_session(person.id, "api", duration, label.strip()[:60] or "sans nom")
    journal.note(_accounts(request), "compte", person, "jeton créé", address_of(request))
    return _account_page(request, token=token)


@router.post("/compte/jetons/{identifier}/fin")
def end_token(request: Request, identifier: str) -> Response:
    """End one of one's API tokens."""
    person = member_of(request, "compte")
    _accounts(request).close_token(person.id, identifier)
    return RedirectResponse("/compte", 303)


@router.get("/invitation/{secret}")
def invitation(request: Request, secret: str) -> HTMLResponse:
    """Choose a password after an invitation."""
    return _invitation_page(request, secret)


def _invitation_page(request: Request, secret: str, problem: str = "") -> HTMLResponse:
    person = _accounts(request).in_session(secret, "invitation")
    if person is None:
        raise Unknown("invitation")
    return render(
        request,
        "invitation.html",
        personal=True,
        status=400 if problem else 200,
        person=person,
        problem=problem,
        secret=secret,
        providers=_settings(request).providers,
    )


@router.post("/invitation/{secret}")
def accept(request: Request, secret: str, new: Text = "") -> Response:
    """Keep the password chosen; the invitation has served."""
    accounts = _accounts(request)
    person = accounts.in_session(secret, "invitation")
    if person is None:
        raise Unknown("invitation")
    try:
        _check_cookie_is_safe(request)
        signin.check_strength(new, _settings(request).password_length)
    except (signin.Refused, ValueError) as error:
        return _invitation_page(request, secret, str(error))
    accounts.set_password(person.id, signin.encode(new))
    return _welcome(request, person, "/", "invitation")
