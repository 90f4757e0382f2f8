"""Territories: the list, what is read first of one, and its indicators by theme or by public."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from odds_pipeline.declarations.socle import Socle
from odds_pipeline.extranet.drawing import adds_up, groups, locator, places_map, position, series_spark
from odds_pipeline.extranet.reading import queries
from odds_pipeline.extranet.reading.reference import Reference, choices, reference
from odds_pipeline.extranet.reading.search import words_of
from odds_pipeline.extranet.reading.serving import Place, Row, Unknown, View
from odds_pipeline.extranet.reading.situation import age, quarters, situation, trend
from odds_pipeline.extranet.rendering import render, view_of
from odds_pipeline.geography.territories import plain

router = APIRouter()
FIRST = 4
"""Figures shown large, above the others."""


@router.get("/territoires")
def territories(request: Request) -> HTMLResponse:
    """Every territory, by intercommunality, and the map."""
    view, atlas = view_of(request), request.app.state.atlas
    joined = atlas.territories.joined.items()
    merged = [(year, [view.place(code).label for code in codes]) for (year, _), codes in joined]
    return render(
        request, "territories.html", map=places_map(atlas, view).svg, groups=groups(view), merged=merged
    )


def _socle(request: Request) -> Socle:
    socle: Socle | None = request.app.state.socle
    return socle or Socle(
        label="L’essentiel", themes={theme: [] for theme in view_of(request).observatory.themes}
    )


def _told(view: View, place: Place, rows: dict[str, Row], against: Reference) -> dict[str, Row]:
    """What stands beside each value: its strip, its situation and trend in words, its age."""
    known = queries.among_communes(view, rows)
    published = view.about["published_at"]
    told = {}
    for name, row in rows.items():
        sheet, other = view.definitions[name], against.values.get(name)
        told[name] = {
            "strip": position(row, sheet, known.get(name, []), place.label, (against.label, other)),
            "tied": _equal(row["value"], known.get(name, [])),
            "reference": None if adds_up(sheet) else other,
            "situation": situation(row, sheet),
            "trend": trend(row, sheet),
            "age": age(row["month"], published),
        }
    return told


def _equal(value: float | None, known: list[float]) -> int:
    """How many communes have that value, to the nine decimals that ranks tell apart."""
    return sum(abs(value - other) < 5e-10 for other in known) if value is not None else 0


def against_of(request: Request, place: Place, rows: dict[str, Row], asked: str = "") -> Reference:
    """What the values of a territory are set against."""
    return reference(view_of(request), place, rows, asked, _socle(request).likeness)


def _page(
    request: Request, template: str, place: Place, rows: dict[str, Row], **context: Any
) -> HTMLResponse:
    """A page of one territory, with what all of them show around their own content."""
    view, socle = view_of(request), _socle(request)
    return render(
        request,
        template,
        place=place,
        stamp=locator(request.app.state.atlas, view, place),
        rows=rows,
        socle=socle,
        neighbourhoods=view.neighbourhoods(place.code),
        themes=queries.themes_of(view, place.code),
        merged=view.geography not in place.geographies,
        **context,
    )


def essential_rows(request: Request, place: Place) -> dict[str, Row]:
    """The latest rows of what is read first."""
    view, names = view_of(request), _socle(request).indicators
    return queries.latest_of_territory(view, place.code, [n for n in names if n in view.definitions])


def essentials(request: Request, place: Place, rows: dict[str, Row], asked: str = "") -> dict[str, Any]:
    """What is read first of a territory: what is counted, the figures shown large, the rows by theme."""
    view, socle = view_of(request), _socle(request)
    chosen = {n: rows[n] for n in socle.indicators if n in rows and n in view.definitions}
    valued = {n: row for n, row in chosen.items() if row["value"] is not None}
    found, against = quarters(valued, view.definitions), against_of(request, place, valued, asked)
    # The most telling first: an extreme quarter, in the order of the socle.
    first = sorted(valued, key=lambda n: n not in (*found.get("quart4", []), *found.get("quart1", [])))
    return {
        "told": _told(view, place, valued, against),
        "against": against,
        "choices": choices(view, place, valued, against.alike),
        "valued": valued,
        "quarters": found,
        "first": [n for n in valued if n in first[:FIRST]],
        "lists": {t: [n for n in names if n in valued] for t, names in socle.themes.items()},
        "unknown": [n for n in socle.indicators if n in view.definitions and n not in valued],
    }


@router.get("/territoires/{code}")
def territory(request: Request, code: str, avec: str = "") -> HTMLResponse:
    """What is read first: one sentence, four figures, some twenty rows; last, what it cannot say.

    ``avec``: what the values are set against.
    """
    view = view_of(request)
    place = view.place(code)
    rows = essential_rows(request, place)
    return _page(request, "territory.html", place, rows, **essentials(request, place, rows, avec))


@router.get("/territoires/{code}/public/{public}")
def territory_public(request: Request, code: str, public: str) -> HTMLResponse:
    """The indicators about one public."""
    view, socle = view_of(request), _socle(request)
    place = view.place(code)
    if public not in socle.publics:
        raise Unknown(public)
    names = [n for n in socle.publics[public].indicators if n in view.definitions]
    rows = queries.latest_of_territory(view, code, names)
    valued = {n: rows[n] for n in names if n in rows and rows[n]["value"] is not None}
    return _page(
        request,
        "territory_public.html",
        place,
        rows,
        public=public,
        told=_told(view, place, valued, against := against_of(request, place, valued)),
        against=against,
        valued=valued,
        unknown=[n for n in names if n not in valued],
    )


ORDERS = {
    "": "par famille",
    "difficulte": "les plus difficiles d’abord",
    "recent": "les plus récents d’abord",
}
SITUATIONS = {
    "": "toutes",
    "quart4": "parmi les plus difficiles",
    "quart3": "plutôt difficiles",
    "quart2": "plutôt favorables",
    "quart1": "parmi les plus favorables",
}


@router.get("/territoires/{code}/{theme}")
def territory_theme(
    request: Request,
    code: str,
    theme: str,
    q: Annotated[str, Query(max_length=100)] = "",
    etat: str = "",
    ordre: str = "",
) -> HTMLResponse:
    """All the indicators of a theme, or those whose words or situation are asked for, in an order."""
    view = view_of(request)
    place = view.place(code)
    if theme not in view.observatory.themes or etat not in SITUATIONS or ordre not in ORDERS:
        raise Unknown(theme)
    names = [n for n, sheet in view.definitions.items() if sheet["theme"] == theme]
    rows = queries.latest_of_territory(view, code, names)
    kept = {name: row for name, row in rows.items() if _asked_for(view, name, row, words_of(q), etat)}
    families = _in_order(view, kept, ordre)
    return _page(
        request,
        "territory_theme.html",
        place,
        rows,
        theme=theme,
        q=q,
        etat=etat,
        ordre=ordre,
        orders=ORDERS,
        situations=SITUATIONS,
        families=families,
        told=_told(view, place, kept, against_of(request, place, kept)),
        shared={
            label: _shared([view.definitions[name]["cautions"] for name in names])
            for label, names in families.items()
        },
        absent=[n for n in names if n not in rows],
        spark=series_spark,
        has_france=any(row["france_value"] is not None for row in kept.values()),
    )


def _asked_for(view: View, name: str, row: Row, words: list[str], etat: str) -> bool:
    sheet = view.definitions[name]
    text = plain(f"{sheet['label']} {sheet['family_label']}")
    return all(word in text for word in words) and etat in ("", situation(row, sheet).kind)


def _in_order(view: View, rows: dict[str, Row], ordre: str) -> dict[str, list[str]]:
    """Indicators by family, or all together in another order; what has no situation comes last."""
    if ordre == "recent":
        return {"Tous": sorted(rows, key=lambda n: rows[n]["month"], reverse=True)} if rows else {}
    if ordre == "difficulte":
        kinds = {name: situation(row, view.definitions[name]).kind for name, row in rows.items()}
        rank = {"quart4": 0, "quart3": 1, "egal": 2, "quart2": 3, "quart1": 4}
        return {"Tous": sorted(rows, key=lambda n: rank.get(kinds[n], 5))} if rows else {}
    families: dict[str, list[str]] = {}
    for name in rows:
        families.setdefault(view.definitions[name]["family_label"], []).append(name)
    return families


def _shared(cautions: list[list[str]]) -> list[str]:
    """The cautions that all indicators of a family bear: said once, above its table."""
    return [one for one in cautions[0] if all(one in others for others in cautions)]
