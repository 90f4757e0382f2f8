"""Where a figure comes from: from the value on a page back to the line of a file."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from odds_pipeline.extranet.reading import queries
from odds_pipeline.extranet.reading.origin import origin
from odds_pipeline.extranet.reading.serving import Unknown
from odds_pipeline.extranet.rendering import render, view_of

router = APIRouter()


@router.get("/indicateurs/{indicator}/origine")
def where_from(request: Request, indicator: str, territoire: str, mois: str = "") -> HTMLResponse:
    """The chain of one value: its formula, figures, deliveries, verdicts and release."""
    view, project = view_of(request), request.app.state.project
    sheet, place = view.indicator(indicator), view.place(territoire)
    series = queries.series(view, indicator, [territoire])
    row = next((r for r in reversed(series) if not mois or r["month"] == mois), None)
    if row is None:
        raise Unknown(f"{indicator} {territoire} {mois}")
    return render(
        request,
        "origin.html",
        sheet=sheet,
        place=place,
        row=row,
        months=list(dict.fromkeys(r["month"] for r in reversed(series))),
        origin=origin(project, view, indicator, territoire, row["month"]),
    )
