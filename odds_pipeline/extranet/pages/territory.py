"""Territories: the list, and one territory with all its indicators."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from odds_pipeline.declarations.indicator import THEMES
from odds_pipeline.extranet.drawing import places_map, spark
from odds_pipeline.extranet.reading import queries
from odds_pipeline.extranet.rendering import render, view_of

router = APIRouter()


@router.get("/territoires")
def territories(request: Request) -> HTMLResponse:
    """Every territory, by EPT, and the map."""
    view = view_of(request)
    return render(request, "territories.html", map=places_map(request.app.state.atlas, view))


@router.get("/territoires/{code}")
def territory(request: Request, code: str) -> HTMLResponse:
    """All the indicators of a territory, by theme, with comparison, rank, trend and status."""
    view = view_of(request)
    place = view.place(code)
    rows = queries.latest_of_territory(view, code)
    families: dict[str, dict[str, list[str]]] = {theme: {} for theme in THEMES}
    for name, sheet in view.definitions.items():
        if name in rows:
            families[sheet["theme"]].setdefault(sheet["family_label"], []).append(name)
    absent = [name for name in view.definitions if name not in rows]
    months = sorted({row["month"] for row in rows.values()})
    return render(
        request,
        "territory.html",
        place=place,
        rows=rows,
        families=families,
        shared={
            label: _shared([view.definitions[name]["cautions"] for name in names])
            for labels in families.values()
            for label, names in labels.items()
        },
        absent=absent,
        months=months,
        spark=spark,
        has={
            name: any(row[column] is not None for row in rows.values())
            for name, column in (
                ("france", "france_value"),
                ("change_1y", "change_1y"),
                ("change_5y", "change_5y"),
            )
        },
        merged=view.geography not in place.geographies,
    )


def _shared(cautions: list[list[str]]) -> list[str]:
    """The cautions that all indicators of a family bear: said once, above its table."""
    return [one for one in cautions[0] if all(one in others for others in cautions)]
