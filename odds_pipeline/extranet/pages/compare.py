"""Several territories side by side."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from odds_pipeline.extranet.reading import queries
from odds_pipeline.extranet.reading.serving import Row, Unknown, View
from odds_pipeline.extranet.rendering import render, view_of

router = APIRouter()
MOST = 6
"""Territories in one comparison: more columns than this cannot be read or printed."""

Codes = Annotated[list[str], Query(max_length=MOST)]


def compared(
    view: View, codes: list[str], theme: str | None
) -> tuple[list[str], dict[str, dict[str, Row]]]:
    """The indicators of a theme, and their rows by indicator and territory."""
    if theme is not None and theme not in view.observatory.themes:
        raise Unknown(theme)
    names = [n for n, s in view.definitions.items() if theme is None or s["theme"] == theme]
    places = list(dict.fromkeys(view.place(code).code for code in codes if code))
    rows: dict[str, dict[str, Row]] = {}
    for row in queries.side_by_side(view, names, places):
        rows.setdefault(row["indicator"], {})[row["territory"]] = row
    return names, rows


@router.get("/comparer")
def compare(request: Request, t: Codes = [], theme: str | None = None) -> HTMLResponse:  # noqa: B006
    """The indicators of a theme for up to six territories, at the latest month they share."""
    view = view_of(request)
    names, rows = compared(view, t, theme or None)
    places = [view.place(code) for code in dict.fromkeys(c for c in t if c)]
    return render(
        request,
        "compare.html",
        places=places,
        theme=theme or None,
        names=names,
        rows=rows,
        most=MOST,
        without=[name for name in names if name not in rows] if places else [],
    )
