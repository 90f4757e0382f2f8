"""Indicators × territories: those read first, a theme, a template or one's own choice, side by side."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from odds_pipeline.charts.strip import mark
from odds_pipeline.extranet.drawing import positions
from odds_pipeline.extranet.reading import groups, queries
from odds_pipeline.extranet.reading.choice import ALL, Choice, chosen, side_by_side
from odds_pipeline.extranet.reading.groups import place_of
from odds_pipeline.extranet.reading.search import search
from odds_pipeline.extranet.reading.serving import Place, Row
from odds_pipeline.extranet.rendering import render, view_of

router = APIRouter()
MOST = 6
"""Territories in one comparison: more columns than this cannot be read or printed."""
CHOSEN = 60
"""Indicators of a choice of one's own; a template has some twenty-five."""
OFFERED = 8
"""Indicators offered for the words to add."""

Codes = Annotated[list[str], Query(max_length=MOST)]
Names = Annotated[list[str], Query(max_length=CHOSEN)]


@dataclass(frozen=True)
class Asked:
    """The territories and indicators that an address names."""

    places: list[Place]
    choice: Choice

    @classmethod
    def of(cls, request: Request, t: list[str], i: list[str], theme: str) -> "Asked":
        view, state = view_of(request), request.app.state
        places = [place_of(view, code) for code in dict.fromkeys(code for code in t if code)]
        return cls(places, chosen(view, state.socle, state.templates, theme, i))


@router.get("/comparer")
def compare(
    request: Request,
    t: Codes = [],  # noqa: B006
    i: Names = [],  # noqa: B006
    theme: str = "",
    ajouter: Annotated[str, Query(max_length=100)] = "",
    groupe: Annotated[str, Query(max_length=60)] = "",
    membre: Annotated[list[str], Query(max_length=groups.MOST)] = [],  # noqa: B006
) -> HTMLResponse:
    """Up to six territories at the latest month that they share, for each indicator.

    ``groupe`` and ``membre``: a group of communes to make one of them.
    """
    t = [*t, groups.address_of(groupe, membre)] if membre else t
    view, asked = view_of(request), Asked.of(request, t, i, theme)
    names = asked.choice.names
    rows = side_by_side(view, names, asked.places)
    among = queries.among_communes(view, {n: next(iter(own.values())) for n, own in rows.items()})
    found = search(view, ajouter, request.app.state.synonyms).indicators if ajouter else []
    return render(
        request,
        "compare.html",
        **form_of(request, asked, i, theme),
        rows=rows,
        strips={
            name: positions(own, view.definitions[name], among[name], asked.places)
            for name, own in rows.items()
            if name in among and len(asked.places) > 1
        },
        marks=[mark(rank) for rank in range(len(asked.places))],
        hard=_hard(rows, asked.places),
        chooses=0 < len(names) <= CHOSEN,
        added=ajouter,
        offered=[name for name in found if name not in names][:OFFERED],
        without=[name for name in names if name not in rows] if asked.places else [],
    )


def _hard(rows: dict[str, dict[str, Row]], places: list[Place]) -> dict[str, tuple[int, int]]:
    """For each commune, how many indicators place it in the hardest quarter, of how many that could."""
    found = {}
    for place in places:
        kinds = [own[place.code]["situation"].kind for own in rows.values() if place.code in own]
        said = [kind for kind in kinds if kind.startswith("quart") or kind == "egal"]
        if place.level == "commune" and said:
            found[place.label] = (said.count("quart4"), len(said))
    return found


def form_of(request: Request, asked: Asked, i: list[str], theme: str) -> dict[str, Any]:
    """What the form of territories and indicators shows, and the address of what was asked."""
    given = bool(i) and not theme
    return {
        "query": query_of(asked, theme, given),
        "places": asked.places,
        "choice": asked.choice,
        "theme": theme,
        "given": given,
        "templates": request.app.state.templates,
        "everything": ALL,
        "most": MOST,
        "group": groups.GROUP,
    }


def query_of(asked: Asked, theme: str, given: bool) -> str:
    """The address of what is shown: it names nothing that its reader may not see."""
    own = [("i", name) for name in asked.choice.names] if given else [("theme", theme)]
    return urlencode([("t", p.code) for p in asked.places] + [one for one in own if one[1]])
