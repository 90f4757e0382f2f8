"""The JSON API, documented by OpenAPI, with the same rights as the pages."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request
from pydantic import BaseModel
from starlette.responses import HTMLResponse, Response

from odds_pipeline.extranet.identity import journal
from odds_pipeline.extranet.reading import queries
from odds_pipeline.extranet.reading.search import search
from odds_pipeline.extranet.reading.serving import Unknown, View
from odds_pipeline.extranet.rendering import reader_of, render, view_of

router = APIRouter()
MOST = 50_000
"""Values in one answer; more are had as a file."""

Identifier = Annotated[str, Path(pattern=r"^[A-Za-z0-9_]{1,120}$")]
Identified = Annotated[str | None, Query(pattern=r"^[a-z][a-z0-9_]{0,119}$")]
Month = Annotated[str | None, Query(pattern=r"^(19|20)\d\d-(0[1-9]|1[0-2])$")]


class Edition(BaseModel):
    """L’édition servie."""

    numero: int
    publiee_le: str
    classe_d_acces: str
    indicateurs: int
    donnees_simulees: bool


class Territoire(BaseModel):
    """Un territoire ; ``geographies`` : celles où il existe ; ``communes`` : celles d’un quartier."""

    code: str
    nom: str
    niveau: str
    ept: str
    epci: str
    geographies: list[int]
    communes: list[str]


class Indicateur(BaseModel):
    """Une fiche de définition."""

    indicateur: str
    libelle: str
    theme: str
    famille: str
    definition: str
    unite: str
    symbole: str
    decimales: int
    formule: str
    population: str
    sens: str
    limites: str
    precautions: list[str]
    ruptures: list[dict[str, str]]
    source: str
    licence: str


class Valeur(BaseModel):
    """Une valeur et ses statuts SDMX ; ``valeur`` vide : voir les statuts."""

    indicateur: str
    territoire: str
    niveau: str
    geographie: int
    mois: str
    valeur: float | None
    obs_status: str
    conf_status: str
    departement: float | None
    france: float | None
    rang: int | None
    classes: int | None
    reserve: str | None


class Valeurs(BaseModel):
    """Des valeurs ; quand il n’y en a pas, les niveaux où l’indicateur existe."""

    edition: int
    donnees_simulees: bool
    valeurs: list[Valeur]
    existe_aux_niveaux: list[str]


class Trouvailles(BaseModel):
    """Ce que trouve une recherche, le meilleur d’abord."""

    indicateurs: list[str]
    territoires: list[str]


def _json(content: Any) -> Response:
    """An answer that may be kept with the view: it holds nothing personal."""
    text = json.dumps(content, ensure_ascii=False, default=str)
    return Response(text, media_type="application/json", headers={"x-keep": "1"})


NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "N’existe pas"}}


@router.get("/api/v1/edition", response_model=Edition)
def edition(request: Request) -> Response:
    """L’édition en cours."""
    view = view_of(request)
    return _json(
        Edition(
            numero=view.number,
            publiee_le=view.about["published_at"],
            classe_d_acces=view.rights.access,
            indicateurs=len(view.definitions),
            donnees_simulees=view.simulated,
        ).model_dump()
    )


@router.get("/api/v1/territoires", response_model=list[Territoire])
def territories(request: Request) -> Response:
    """Les territoires."""
    return _json(
        [
            {
                "code": place.code,
                "nom": place.label,
                "niveau": place.level,
                "ept": place.ept,
                "epci": place.epci,
                "geographies": place.geographies,
                "communes": place.communes,
            }
            for place in view_of(request).places.values()
        ]
    )


def _sheet(view: View, name: str) -> dict[str, Any]:
    sheet = view.indicator(name)
    return {
        "indicateur": name,
        "libelle": sheet["label"],
        "theme": sheet["theme"],
        "famille": sheet["family"],
        "definition": sheet["definition"],
        "unite": sheet["unit_label"],
        "symbole": sheet["symbol"] or "",
        "decimales": sheet["decimals"],
        "formule": sheet["formula"],
        "population": sheet["population"],
        "sens": sheet["direction"],
        "limites": sheet["limits"],
        "precautions": sheet["cautions"],
        "ruptures": [{"mois": b["month"], "raison": b["reason"]} for b in sheet["breaks"]],
        "source": sheet["source"],
        "licence": sheet["licence"],
    }


@router.get("/api/v1/indicateurs", response_model=list[Indicateur], responses=NOT_FOUND)
def indicators(
    request: Request,
    theme: Identified = None,
) -> Response:
    """Les fiches des indicateurs, toutes ou celles d’un thème."""
    view = view_of(request)
    if theme is not None and theme not in view.observatory.themes:
        raise Unknown(theme)
    return _json(
        [_sheet(view, n) for n, s in view.definitions.items() if theme is None or s["theme"] == theme]
    )


@router.get("/api/v1/indicateurs/{indicator}", response_model=Indicateur, responses=NOT_FOUND)
def indicator(request: Request, indicator: Identifier) -> Response:
    """La fiche d’un indicateur."""
    return _json(_sheet(view_of(request), indicator))


@router.get(
    "/api/v1/valeurs",
    response_model=Valeurs,
    responses={
        **NOT_FOUND,
        413: {"description": "Trop de valeurs : restreindre, ou prendre un fichier"},
    },
)
def values(
    request: Request,
    indicateur: Annotated[list[str], Query(max_length=50)] = [],  # noqa: B006
    territoire: Annotated[list[str], Query(max_length=50)] = [],  # noqa: B006
    depuis: Month = None,
    jusqua: Month = None,
) -> Response:
    """Les valeurs d’indicateurs pour des territoires, entre deux mois ; au plus 50 000."""
    view = view_of(request)
    names = [view.indicator(name)["indicator"] for name in indicateur]
    codes = [view.place(code).code for code in territoire]
    rows = view.rows(
        f"SELECT {queries.COLUMNS} FROM indicator_values "
        "WHERE (len($names::VARCHAR[]) = 0 OR list_contains($names::VARCHAR[], indicator)) "
        "AND (len($codes::VARCHAR[]) = 0 OR list_contains($codes::VARCHAR[], territory)) "
        "AND ($first::VARCHAR IS NULL OR month >= $first) "
        "AND ($last::VARCHAR IS NULL OR month <= $last) "
        f"ORDER BY indicator, territory, month, geography LIMIT {MOST + 1}",
        {"names": names, "codes": codes, "first": depuis, "last": jusqua},
    )
    if len(rows) > MOST:
        raise HTTPException(413, f"Plus de {MOST} valeurs : précisez indicateur ou territoire")
    person = reader_of(request).person
    if person is not None:
        address = request.client.host if request.client else ""
        journal.note(request.app.state.accounts, "api", person, f"{len(rows)} valeurs", address)
    levels = sorted({level for name in names for level in queries.levels_of(view, name)})
    response = _json(
        {
            "edition": view.number,
            "donnees_simulees": view.simulated,
            "valeurs": [_value(row) for row in rows],
            "existe_aux_niveaux": levels,
        }
    )
    if person is not None:
        del response.headers["x-keep"]
    return response


def _value(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "indicateur": row["indicator"],
        "territoire": row["territory"],
        "niveau": row["level"],
        "geographie": row["geography"],
        "mois": row["month"],
        "valeur": row["value"],
        "obs_status": row["obs_status"],
        "conf_status": row["conf_status"],
        "departement": row["departement_value"],
        "france": row["france_value"],
        "rang": row["rank"],
        "classes": row["ranked"],
        "reserve": row["reserve"],
    }


@router.get("/api/v1/recherche", response_model=Trouvailles)
def find(request: Request, q: Annotated[str, Query(min_length=1, max_length=200)]) -> Response:
    """Indicateurs et territoires qui répondent à des mots."""
    found = search(view_of(request), q, request.app.state.synonyms)
    return _json({"indicateurs": found.indicators, "territoires": found.territories})


@router.get("/api", include_in_schema=False)
def api_page(request: Request) -> HTMLResponse:
    """The API explained, from its OpenAPI document."""
    return render(request, "api.html", document=request.app.openapi())
