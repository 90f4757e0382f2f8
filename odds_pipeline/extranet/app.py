"""The extranet as an ASGI application, put together from its parts."""

import secrets
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from itsdangerous import Signer
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from odds_pipeline.declarations.deployment import deployment
from odds_pipeline.declarations.extranet import Settings
from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.read_publications import read_publications
from odds_pipeline.extranet import static_files
from odds_pipeline.extranet.asked import Asked
from odds_pipeline.extranet.drawing import Atlas
from odds_pipeline.extranet.identity.accounts import Accounts
from odds_pipeline.extranet.identity.oidc import Client
from odds_pipeline.extranet.identity.signin import Busy
from odds_pipeline.extranet.middleware import Middleware
from odds_pipeline.extranet.pages import (
    about,
    account,
    admin,
    api,
    compare,
    courses,
    cross,
    dashboard,
    data,
    home,
    indicator,
    neighbourhoods,
    news,
    origin,
    pictures,
    releases,
    search,
    selections,
    study,
    territory,
)
from odds_pipeline.extranet.reading.search import index
from odds_pipeline.extranet.reading.serving import Serving, Unknown, View
from odds_pipeline.extranet.rendering import render
from odds_pipeline.publications.periods import cadence_of
from odds_pipeline.storage.home import Home

PAGES = (
    about,
    account,
    admin,
    compare,
    courses,
    cross,
    dashboard,
    data,
    home,
    indicator,
    neighbourhoods,
    news,
    origin,
    pictures,
    releases,
    search,
    selections,
    study,
    territory,
)


def signing_key(home: Home) -> str:
    """The key that signs session cookies, made at the first start."""
    path = home.path / "extranet" / "signing.key"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        temporary = path.with_suffix(f".{secrets.token_hex(4)}")
        temporary.touch(mode=0o600)
        temporary.write_text(secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            path.hardlink_to(temporary)
        temporary.unlink()
    return path.read_text()


def _prepare(project: Project, view: View) -> None:
    """What a view needs besides its release: the words it is searched by, how its periods are said."""
    index(view)
    for name, sheet in view.definitions.items():
        sheet["cadence"] = cadence_of(project, name)


def create_app(project: Project, home: Home, settings: Settings) -> FastAPI:
    """The application over an observatory's home. It only reads releases."""
    app = FastAPI(
        title=f"Recueil des indicateurs : {project.observatory.label}",
        version="1",
        description="Valeurs, statuts et définitions de l’édition en cours, selon vos droits.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    workshop = tempfile.TemporaryDirectory(prefix="odds-extranet-")
    accounts = Accounts(home.accounts)
    serving = Serving(home, Path(workshop.name), project.observatory, partial(_prepare, project))
    signer = Signer(signing_key(home), salt="session")
    app.state.workshop = workshop
    app.state.accounts, app.state.serving, app.state.settings = accounts, serving, settings
    app.state.signer, app.state.project = signer, project
    app.state.atlas = Atlas(project.territories, project.root / "resources" / "reference", home)
    app.state.variables = {name: one.label for name, (_, one) in project.variables.items()}
    app.state.partners = {p.id: p.short_label for p in project.partners.values()}
    publications = read_publications(project)
    app.state.studies = {study.id: study.label for study in publications.studies.values()}
    app.state.socle, app.state.synonyms = publications.socle, publications.synonyms
    app.state.templates = publications.templates
    app.state.letters = deployment().letters is not None
    app.state.providers = {p.id: Client(p, settings) for p in settings.providers}
    for module in PAGES:
        app.include_router(module.router, include_in_schema=False)
    app.include_router(static_files.router, include_in_schema=False)
    app.include_router(api.router)
    app.add_exception_handler(Unknown, _unknown)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _misread)
    app.add_exception_handler(Busy, _busy)
    app.add_middleware(
        Middleware,
        serving=serving,
        accounts=accounts,
        settings=settings,
        signer=signer,
        asked=Asked(route for module in (*PAGES, api) for route in module.router.routes),
    )
    # The outermost: who asks is the address that a declared proxy saw, never what a stranger claims.
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=settings.trusted_proxies)
    return app


def _error(request: Request, status: int, message: str) -> Response:
    if request.url.path.startswith("/api/v1/"):
        return JSONResponse({"detail": message}, status)
    if not hasattr(request.state, "view"):  # a file of the style sheet's folder
        return PlainTextResponse(message, status)
    return render(request, "error.html", status=status, personal=True, code=status, message=message)


def _unknown(request: Request, error: Exception) -> Response:
    return _error(request, 404, "Cette page n’existe pas.")


def _busy(request: Request, error: Exception) -> Response:
    response = _error(request, 429, str(error))
    response.headers["retry-after"] = "30"
    return response


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = "Cette page n’existe pas." if error.status_code == 404 else str(error.detail)
    response = _error(request, error.status_code, message)
    response.headers.update(error.headers or {})
    return response


def _misread(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    where = ", ".join(str(e["loc"][-1]) for e in error.errors())
    if request.url.path.startswith("/api/v1/"):
        details = [{k: e[k] for k in ("loc", "msg", "type")} for e in error.errors()]
        return JSONResponse({"detail": details}, 422)
    return _error(request, 400, f"Demande mal formée : {where}.")
