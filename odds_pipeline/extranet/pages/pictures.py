"""Charts outside the site: as images, and in a frame that another site may hold.

They show what is public to everyone, whoever is signed in: what is shown elsewhere is for all.
"""

from collections.abc import Callable

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from odds_pipeline.charts.picture import picture
from odds_pipeline.extranet.downloads.png import to_png
from odds_pipeline.extranet.drawing import charts_of
from odds_pipeline.extranet.reading.month import Month, month_of
from odds_pipeline.extranet.reading.rights import VISITOR
from odds_pipeline.extranet.reading.serving import Unknown, View
from odds_pipeline.extranet.rendering import TEMPLATES, view_of
from odds_pipeline.extranet.words import period
from odds_pipeline.french import LEVELS_PLURAL, french_day

router = APIRouter()
ANYWHERE = {"x-keep": "1", "cross-origin-resource-policy": "cross-origin"}
FRAME = (
    "default-src 'none'; style-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors http: https:"
)
IMAGES: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "svg": ("image/svg+xml", str.encode),
    "png": ("image/png", to_png),
}


def _public(request: Request) -> View:
    """What a visitor sees of the release that the address names."""
    view: View = request.app.state.serving.earlier(VISITOR, view_of(request).number)
    return view


def _drawn(request: Request, view: View, shown: Month, chart: str) -> str:
    drawn = charts_of(request.app.state.atlas, view, shown)
    if chart not in drawn:
        raise Unknown(chart)
    return drawn[chart]


def _notes(request: Request, view: View, shown: Month, chart: str) -> list[str]:
    """Period and level, then where it is from; that figures are simulated comes first."""
    what = f"{LEVELS_PLURAL[shown.level].capitalize()}, {period(shown.month, shown.sheet)}. "
    unit = "" if shown.sheet["symbol"] else f"En {shown.sheet['unit_label']}. "
    simulated = "Données simulées : ne pas citer. " if view.simulated else ""
    return [
        f"{simulated}{what if chart != 'evolution' else ''}{unit}Source : {shown.sheet['source']}.",
        f"{request.app.state.settings.publisher}, recueil des indicateurs, édition {view.number}, "
        f"{french_day(view.about['published_at'])}.",
    ]


@router.get("/graphiques/{indicator}/{file}")
def image(
    request: Request,
    indicator: str,
    file: str,
    mois: str | None = None,
    niveau: str | None = None,
    territoire: str | None = None,
) -> Response:
    """``carte``, ``classement`` or ``evolution`` of an indicator, ``.svg`` or ``.png``."""
    view = _public(request)
    chart, _, kind = file.partition(".")
    shown = month_of(view, indicator, mois, niveau, territoire)
    if kind not in IMAGES:
        raise Unknown(file)
    media_type, made = IMAGES[kind]
    drawn = _drawn(request, view, shown, chart)
    alone = picture(drawn, shown.sheet["label"], _notes(request, view, shown, chart))
    return Response(made(alone), media_type=media_type, headers=ANYWHERE)


@router.get("/integrer/{indicator}/{chart}")
def frame(
    request: Request,
    indicator: str,
    chart: str,
    mois: str | None = None,
    niveau: str | None = None,
    territoire: str | None = None,
) -> HTMLResponse:
    """A chart with its table and its source, for the frame of another site."""
    view = _public(request)
    shown = month_of(view, indicator, mois, niveau, territoire)
    html = TEMPLATES.get_template("frame.html").render(
        view=view,
        shown=shown,
        chart=chart,
        drawn=_drawn(request, view, shown, chart),
        notes=_notes(request, view, shown, chart),
        settings=request.app.state.settings,
    )
    return HTMLResponse(html, headers={**ANYWHERE, "content-security-policy": FRAME})
