"""Indicators × territories through time: small trends on one scale an indicator, and their tables."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from odds_pipeline.extranet.courses import courses, drawn, whole_of
from odds_pipeline.extranet.pages.compare import CHOSEN, Asked, Codes, Names, form_of
from odds_pipeline.extranet.rendering import render, view_of

router = APIRouter()


@router.get("/comparer/temps")
def through_time(request: Request, t: Codes = [], i: Names = [], theme: str = "") -> HTMLResponse:  # noqa: B006
    """What a comparison shows side by side, each through time; of too many, a choice is asked for."""
    view, asked = view_of(request), Asked.of(request, t, i, theme)
    names = asked.choice.names
    many = len(names) > CHOSEN
    found = courses(view, [] if many else names, asked.places) if asked.places else {}
    wholes = dict.fromkeys(code for place in asked.places if (code := whole_of(view, place)))
    return render(
        request,
        "courses.html",
        **form_of(request, asked, i, theme),
        many=many,
        shown_query=urlencode(
            [*(("t", p.code) for p in asked.places), *(("i", name) for name in found)]
        ),
        courses=found,
        charts={name: drawn(view, name, one, asked.places) for name, one in found.items()},
        wholes=[view.places[code] for code in wholes],
        without=[name for name in names if name not in found] if asked.places and not many else [],
    )
