"""Downloads: any table seen, the whole release, and the catalogue that describes them."""

import json
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, HTMLResponse, Response

from odds_pipeline.extranet.downloads import dcat, exports
from odds_pipeline.extranet.identity import journal
from odds_pipeline.extranet.pages.compare import MOST, Names
from odds_pipeline.extranet.reading.serving import Unknown
from odds_pipeline.extranet.rendering import reader_of, render, view_of

router = APIRouter()


def _file(request: Request, table: exports.Table, extension: str) -> Response:
    if extension not in exports.FORMATS:
        raise Unknown(extension)
    view, reader = view_of(request), reader_of(request)
    path, kept = exports.write(view, table, extension)
    name = exports.file_name(view, table, extension)
    address = request.client.host if request.client else ""
    if reader.person is not None:
        journal.note(request.app.state.accounts, "telechargement", reader.person, name, address)
    return FileResponse(
        path,
        media_type=exports.FORMATS[extension][0],
        filename=name,
        headers={"cache-control": "private, no-store"},
        background=None if kept else BackgroundTask(path.unlink, missing_ok=True),
    )


@router.get("/donnees")
def data(request: Request) -> HTMLResponse:
    """What can be downloaded."""
    return render(request, "data.html", formats=exports.FORMATS, tables=dcat.TABLES)


@router.get("/donnees/recueil.sdmx.csv")
def whole_sdmx(request: Request) -> Response:
    """The whole recueil as SDMX-CSV."""
    return _file(request, exports.sdmx(view_of(request)), "machine.csv")


@router.get("/donnees/catalogue.jsonld")
def catalogue_jsonld(request: Request) -> Response:
    """The DCAT-AP catalogue as JSON-LD."""
    graph = dcat.dcat(view_of(request), request.app.state.settings)
    return _kept(json.dumps(graph, ensure_ascii=False), "application/ld+json")


@router.get("/donnees/catalogue.ttl")
def catalogue_turtle(request: Request) -> Response:
    """The DCAT-AP catalogue as Turtle."""
    graph = dcat.dcat(view_of(request), request.app.state.settings)
    return _kept(dcat.turtle(dcat.nested_as_nodes(graph)), "text/turtle; charset=utf-8")


@router.get("/donnees/datapackage.json")
def package(request: Request) -> Response:
    """The data package of the machine CSV files."""
    content = dcat.data_package(view_of(request), request.app.state.settings)
    return _kept(json.dumps(content, ensure_ascii=False, indent=1), "application/json")


@router.get("/donnees/schemas/{table}.json")
def schema(request: Request, table: str) -> Response:
    """The Table Schema of a table."""
    if table not in dcat.TABLES:
        raise Unknown(table)
    content = dcat.table_schema(view_of(request), table)
    return _kept(json.dumps(content, ensure_ascii=False, indent=1), "application/json")


def _kept(text: str, media_type: str) -> Response:
    return Response(text, media_type=media_type, headers={"x-keep": "1"})


@router.get("/donnees/{file}")
def whole_table(request: Request, file: str) -> Response:
    """A whole table of the release: ``recueil``, ``indicateurs``, ``territoires``, and its format."""
    table, _, extension = file.partition(".")
    made = {
        "recueil": exports.whole,
        "indicateurs": exports.definitions,
        "territoires": exports.territories,
    }
    if table not in made:
        raise Unknown(file)
    return _file(request, made[table](), extension)


@router.get("/telecharger/territoire/{file}")
def territory_table(request: Request, file: str) -> Response:
    """All the indicators of a territory, whole history."""
    code, _, extension = file.partition(".")
    return _file(request, exports.of_territories([view_of(request).place(code).code]), extension)


@router.get("/telecharger/indicateur/{file}")
def indicator_table(request: Request, file: str) -> Response:
    """An indicator for all territories and months."""
    indicator, _, extension = file.partition(".")
    view_of(request).indicator(indicator)
    return _file(request, exports.of_indicator(indicator), extension)


@router.get("/telecharger/comparaison.{extension}")
def comparison_table(
    request: Request,
    extension: str,
    t: Annotated[list[str], Query(max_length=MOST)] = [],  # noqa: B006
    i: Names = [],  # noqa: B006
    theme: str | None = None,
) -> Response:
    """The indicators of a theme, or those given, for several territories."""
    view = view_of(request)
    codes = sorted({view.place(code).code for code in t if code})
    if not codes or (theme and theme not in view.observatory.themes):
        raise Unknown("comparaison")
    names = [view.indicator(name)["indicator"] for name in i]
    return _file(request, exports.of_territories(codes, theme or None, names), extension)
