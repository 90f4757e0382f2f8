"""The dashboard of an organisation: the selections that its people share, with their figures."""

from dataclasses import dataclass
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from odds_pipeline.extranet.identity.selections import Selection, selections
from odds_pipeline.extranet.pages.compare import Asked, query_of
from odds_pipeline.extranet.reading.choice import side_by_side
from odds_pipeline.extranet.reading.news import news
from odds_pipeline.extranet.reading.serving import Place, Row, Unknown
from odds_pipeline.extranet.rendering import member_of, own_place, reader_of, render, view_of

router = APIRouter()
SHOWN = 12
"""Indicators of a selection that its panel shows; the selection itself shows all."""


@dataclass(frozen=True)
class Panel:
    """A selection with its figures; ``fresh``: (indicator, territory) of what this release changed."""

    selection: Selection
    query: str
    places: list[Place]
    names: list[str]
    more: int
    without: list[str]
    rows: dict[str, dict[str, Row]]
    fresh: frozenset[tuple[str, str]]


@router.get("/tableau-de-bord")
def dashboard(request: Request) -> Response:
    """What one's organisation has chosen to follow together."""
    if reader_of(request).person is None:
        return RedirectResponse("/connexion?next=/tableau-de-bord", 303)
    person = member_of(request, "tableau de bord")
    shared = [one for one in selections(request.app.state.accounts, person) if one.shared]
    return render(
        request,
        "dashboard.html",
        personal=True,
        organisation=person.organisation,
        panels=[_panel(request, one) for one in shared],
        templates=request.app.state.templates,
        place=own_place(request),
    )


def _panel(request: Request, selection: Selection) -> Panel:
    """A selection that names no territory is read for the organisation's own."""
    view, given, own = view_of(request), parse_qs(selection.query), own_place(request)
    theme, chosen = given.get("theme", [""])[0], given.get("i", [])
    codes = given.get("t", []) or ([own.code] if own else [])
    try:
        asked = Asked.of(request, codes, chosen, theme)
    except Unknown:  # a territory or a template that is no more
        return Panel(selection, selection.query, [], [], 0, [], {}, frozenset())
    rows = side_by_side(view, asked.choice.names, asked.places) if asked.places else {}
    known = [name for name in asked.choice.names if name in rows]
    told = {place.code: news(request.app.state.serving, view, place.code) for place in asked.places}
    fresh = {
        (piece.indicator, code)
        for code, one in told.items()
        for pieces in one.pieces.values()
        for piece in pieces
    }
    more = len(known) - SHOWN
    query = query_of(asked, theme, bool(chosen) and not theme)
    without = [name for name in asked.choice.names if name not in rows]
    names, rest = known[:SHOWN], max(more, 0)
    return Panel(selection, query, asked.places, names, rest, without, rows, frozenset(fresh))
