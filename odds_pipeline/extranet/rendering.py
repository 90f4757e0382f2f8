"""Templates to pages: the environment, its filters, and what every page needs."""

import re
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from odds_pipeline import french
from odds_pipeline.extranet import static_files, words
from odds_pipeline.extranet.drawing import TINTS
from odds_pipeline.extranet.identity.accounts import Person
from odds_pipeline.extranet.middleware import Reader
from odds_pipeline.extranet.reading.serving import Place, Unknown, View
from odds_pipeline.geography.territories import GROUPS


def environment() -> Environment:
    """Jinja2, escaping everything, refusing undefined names."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        mois=french.french_month,
        minuscule=french.uncapital,
        periode=words.period,
        jour=french.french_day,
        nombre=french.french_number,
        chiffre=words.delivered,
        rang=words.rank_words,
        bouts=words.rank_ends,
        place=words.place_words,
        seul_rang=words.bare_rank,
        compte=words.counted,
        de=words.of,
        formule=words.formula,
        licences=words.licences,
        statut=words.status,
    )
    made.globals.update(
        figure=words.figure,
        evolution=words.change,
        ecart=lambda value, sheet: words.signed(value, sheet["decimals"], words.difference_unit(sheet)),
        LEVELS=french.LEVELS,
        LEVELS_PLURAL=french.LEVELS_PLURAL,
        GROUPS=GROUPS,
        FOLLOWED=("commune", *GROUPS),
        TINTS=TINTS,
        DIRECTIONS=words.DIRECTIONS,
        ACCESS_WORDS=french.ACCESS,
        fichier=static_files.address,
    )
    return made


TEMPLATES = environment()


def view_of(request: Request) -> View:
    """The view of the release that this request reads, to its end."""
    view: View = request.state.view
    return view


def reader_of(request: Request) -> Reader:
    """Who asks."""
    reader: Reader = request.state.reader
    return reader


def member_of(request: Request, page: str) -> Person:
    """Who is signed in, on the site itself and not by a token; to others there is no such ``page``."""
    reader = reader_of(request)
    if reader.person is None or reader.kind != "web":
        raise Unknown(page)
    return reader.person


def own_place(request: Request) -> Place | None:
    """The territory of the reader's organisation, if it has one that this release knows."""
    person = reader_of(request).person
    return view_of(request).places.get(person.organisation.territory or "") if person else None


_OWN_PAGES = re.compile(
    r'(href|action)="/(territoires|indicateurs|themes|comparer|croiser|recherche|graphiques)(?=[/?"#])'
)


def _within(html: str, prefix: str) -> str:
    """The page of a release leads to pages of that release."""
    return _OWN_PAGES.sub(rf'\1="{prefix}/\2', html) if prefix else html


def render(
    request: Request, template: str, *, status: int = 200, personal: bool = False, **context: Any
) -> HTMLResponse:
    """A page. ``personal`` pages are never kept; others may be, so they must hold nothing personal."""
    asked = {"query": request.url.query, **context}
    html = TEMPLATES.get_template(template).render(
        view=view_of(request),
        observatory=view_of(request).observatory,
        THEMES=view_of(request).observatory.themes,
        settings=request.app.state.settings,
        variables=request.app.state.variables,
        signed_in=reader_of(request).person is not None,
        path=request.scope["path"],
        latest=request.state.latest,
        prefix=request.state.prefix,
        **asked,
    )
    response = HTMLResponse(_within(html, request.state.prefix), status)
    if personal:
        response.headers["cache-control"] = "no-store"
    elif request.method == "GET" and status == 200:
        response.headers["x-keep"] = "1"
    return response
