"""Territories: the list, what is read first of one, and its indicators by theme or by public."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from odds_pipeline.declarations.socle import Socle
from odds_pipeline.extranet.drawing import places_map, position, series_spark
from odds_pipeline.extranet.reading import queries
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
    """Every territory, by EPT, and the map."""
    view, atlas = view_of(request), request.app.state.atlas
    merged: dict[int, list[str]] = {}
    for year, old, _ in atlas.territories.mergers:
        merged.setdefault(year, []).append(view.place(old).label)
    return render(request, "territories.html", map=places_map(atlas, view), merged=merged)


def _socle(request: Request) -> Socle:
    socle: Socle | None = request.app.state.socle
    return socle or Socle(
        label="L’essentiel", themes={theme: [] for theme in view_of(request).observatory.themes}
    )


def _told(view: View, place: Place, rows: dict[str, Row]) -> dict[str, Row]:
    """What stands beside each value: its strip, its situation and trend in words, its age."""
    known = queries.among_communes(view, rows)
    published = view.about["published_at"]
    return {
        name: {
            "strip": position(row, view.definitions[name], known.get(name, []), place.label),
            "situation": situation(row, view.definitions[name]),
            "trend": trend(row, view.definitions[name]),
            "age": age(row["month"], published),
        }
        for name, row in rows.items()
    }


def _page(
    request: Request, template: str, place: Place, rows: dict[str, Row], **context: Any
) -> HTMLResponse:
    """A page of one territory, with what all of them show around their own content."""
    view, socle = view_of(request), _socle(request)
    return render(
        request,
        template,
        place=place,
        rows=rows,
        socle=socle,
        themes=queries.themes_of(view, place.code),
        merged=view.geography not in place.geographies,
        **context,
    )


def essential_rows(request: Request, place: Place) -> dict[str, Row]:
    """The latest rows of what is read first."""
    view, names = view_of(request), _socle(request).indicators
    return queries.latest_of_territory(view, place.code, [n for n in names if n in view.definitions])


def essentials(request: Request, place: Place, rows: dict[str, Row]) -> dict[str, Any]:
    """What is read first of a territory: what is counted, the figures shown large, the rows by theme."""
    view, socle = view_of(request), _socle(request)
    chosen = {n: rows[n] for n in socle.indicators if n in rows and n in view.definitions}
    valued = {n: row for n, row in chosen.items() if row["value"] is not None}
    found = quarters(valued, view.definitions)
    # The most telling first: an extreme quarter, in the order of the socle.
    first = sorted(valued, key=lambda n: n not in (*found.get("quart4", []), *found.get("quart1", [])))
    return {
        "told": _told(view, place, valued),
        "valued": valued,
        "quarters": found,
        "first": [n for n in valued if n in first[:FIRST]],
        "lists": {t: [n for n in names if n in valued] for t, names in socle.themes.items()},
        "unknown": [n for n in socle.indicators if n in view.definitions and n not in valued],
    }


@router.get("/territoires/{code}")
def territory(request: Request, code: str) -> HTMLResponse:
    """What is read first: one sentence, four figures, some twenty rows; last, what it cannot say."""
    view = view_of(request)
    place = view.place(code)
    rows = essential_rows(request, place)
    return _page(request, "territory.html", place, rows, **essentials(request, place, rows))


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
        told=_told(view, place, valued),
        valued=valued,
        unknown=[n for n in names if n not in valued],
    )


@router.get("/territoires/{code}/{theme}")
def territory_theme(
    request: Request, code: str, theme: str, q: Annotated[str, Query(max_length=100)] = ""
) -> HTMLResponse:
    """All the indicators of a theme, by family, or those whose words are asked for."""
    view = view_of(request)
    place = view.place(code)
    if theme not in view.observatory.themes:
        raise Unknown(theme)
    names = [n for n, sheet in view.definitions.items() if sheet["theme"] == theme]
    rows = queries.latest_of_territory(view, code, names)
    asked = words_of(q)
    families: dict[str, list[str]] = {}
    for name in rows:
        sheet = view.definitions[name]
        text = plain(f"{sheet['label']} {sheet['family_label']}")
        if all(word in text for word in asked):
            families.setdefault(sheet["family_label"], []).append(name)
    shown = {name: rows[name] for names in families.values() for name in names}
    return _page(
        request,
        "territory_theme.html",
        place,
        rows,
        theme=theme,
        q=q,
        families=families,
        told=_told(view, place, shown),
        shared={
            label: _shared([view.definitions[name]["cautions"] for name in names])
            for label, names in families.items()
        },
        absent=[n for n in names if n not in rows],
        spark=series_spark,
        has_france=any(row["france_value"] is not None for row in shown.values()),
    )


def _shared(cautions: list[list[str]]) -> list[str]:
    """The cautions that all indicators of a family bear: said once, above its table."""
    return [one for one in cautions[0] if all(one in others for others in cautions)]
