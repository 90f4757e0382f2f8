"""Several territories side by side."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from odds_pipeline.declarations.socle import Socle
from odds_pipeline.extranet.reading import queries
from odds_pipeline.extranet.reading.serving import Place, Row, Unknown, View
from odds_pipeline.extranet.reading.situation import situation
from odds_pipeline.extranet.rendering import render, view_of

router = APIRouter()
MOST = 6
"""Territories in one comparison: more columns than this cannot be read or printed."""

Codes = Annotated[list[str], Query(max_length=MOST)]


ALL = "tous"
"""Every indicator of every theme; without a theme, those that are read first."""


def _wanted(view: View, socle: Socle | None, theme: str) -> list[str]:
    if theme == ALL or (not theme and socle is None):
        return list(view.definitions)
    if not theme and socle is not None:
        return [name for name in socle.indicators if name in view.definitions]
    if theme not in view.observatory.themes:
        raise Unknown(theme)
    return [name for name, sheet in view.definitions.items() if sheet["theme"] == theme]


def _side_by_side(view: View, names: list[str], places: list[Place]) -> dict[str, dict[str, Row]]:
    """Rows by indicator and territory, each with what is said of its place among the communes."""
    rows: dict[str, dict[str, Row]] = {}
    for row in queries.side_by_side(view, names, [place.code for place in places]):
        told = situation(row, view.definitions[row["indicator"]])
        rows.setdefault(row["indicator"], {})[row["territory"]] = {**row, "situation": told}
    return rows


@router.get("/comparer")
def compare(request: Request, t: Codes = [], theme: str = "") -> HTMLResponse:  # noqa: B006
    """What is read first, or a theme, for up to six territories at the latest month they share."""
    view = view_of(request)
    names = _wanted(view, request.app.state.socle, theme)
    places = [view.place(code) for code in dict.fromkeys(code for code in t if code)]
    rows = _side_by_side(view, names, places)
    return render(
        request,
        "compare.html",
        places=places,
        theme=theme,
        everything=ALL,
        names=names,
        rows=rows,
        most=MOST,
        without=[name for name in names if name not in rows] if places else [],
    )
