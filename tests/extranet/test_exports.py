"""Files: each format holds what the release holds, French or for machines, and its schema is true."""

import csv
import io
import json
from pathlib import Path

import duckdb
import frictionless
import openpyxl
import pytest
import rdflib
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF

from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home

from .conftest import Site


@pytest.fixture(scope="module")
def expected(observatory: Home) -> dict[tuple[str, str, str], float | None]:
    """Values of the members' file for Bobigny, read from the release itself."""
    with open_release(observatory, access="membres") as connection:
        rows = connection.execute(
            "SELECT indicator, month, geography, value FROM indicator_values WHERE territory = '93008'"
        ).fetchall()
    return {(i, m, str(g)): v for i, m, g, v in rows}


def key(row: dict[str, object]) -> tuple[str, str, str]:
    return str(row["indicator"]), str(row["month"]), str(row["geography"])


def test_every_format_holds_the_same_values(
    site: Site, expected: dict[tuple[str, str, str], float | None], tmp_path: Path
) -> None:
    client = site.client("ccas")
    address = "/telecharger/territoire/93008"

    machine = csv.DictReader(io.StringIO(client.get(f"{address}.machine.csv").text))
    assert {key(r): float(r["value"]) if r["value"] else None for r in machine} == expected

    french = client.get(f"{address}.csv").content
    assert french.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(french.decode("utf-8-sig")), delimiter=";"))
    assert {
        key(r): float(r["value"].replace(",", ".")) if r["value"] else None for r in rows
    } == expected
    assert not any("." in r["value"] for r in rows) and any("," in r["value"] for r in rows)
    assert {r["simulated"] for r in rows} == {"true"}

    book = openpyxl.load_workbook(io.BytesIO(client.get(f"{address}.xlsx").content), read_only=True)
    header, *lines = book.worksheets[0].iter_rows(values_only=True)
    sheet = [dict(zip(map(str, header), line, strict=True)) for line in lines]
    assert {key(r): r["value"] for r in sheet} == pytest.approx(expected)

    assert book.sheetnames == ["Valeurs", "Colonnes", "Définitions"]
    told = {row[0] for row in book["Définitions"].iter_rows(min_row=2, values_only=True)}
    assert told == {r["indicator"] for r in sheet}
    assert {row[0] for row in book["Colonnes"].iter_rows(min_row=2, values_only=True)} == set(header)
    whole = openpyxl.load_workbook(io.BytesIO(client.get(f"{address}.xlsx").content))
    assert whole["Valeurs"].freeze_panes == "B2" and whole["Valeurs"].auto_filter.ref is not None

    path = tmp_path / "bobigny.parquet"
    path.write_bytes(client.get(f"{address}.parquet").content)
    found = duckdb.sql(f"SELECT indicator, month, geography, value FROM '{path}'").fetchall()
    assert {(i, m, str(g)): v for i, m, g, v in found} == expected


def test_the_data_package_is_valid_for_frictionless(site: Site, tmp_path: Path) -> None:
    client = site.client("observatoire")
    package = json.loads(client.get("/donnees/datapackage.json").content)
    for resource in package["resources"]:
        (tmp_path / resource["path"]).write_bytes(client.get(f"/donnees/{resource['path']}").content)
        schema = client.get(f"/donnees/schemas/{resource['name']}.json").json()
        assert schema == resource["schema"]
    (tmp_path / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    report = frictionless.validate(str(tmp_path / "datapackage.json"))
    assert report.valid, report.flatten(["title", "message"])[:5]
    assert report.stats["tasks"] == 3


@pytest.mark.parametrize("role", ["visiteur", "observatoire"])
def test_the_catalogue_has_what_dcat_ap_makes_mandatory(site: Site, role: str) -> None:
    """Catalogue: title, description, publisher; dataset: title, description; distribution: access URL."""
    client = site.client(role)
    graph = rdflib.Graph().parse(data=client.get("/donnees/catalogue.ttl").text, format="turtle")
    linked = rdflib.Graph().parse(data=client.get("/donnees/catalogue.jsonld").text, format="json-ld")
    assert len(graph) == len(linked) > 1000
    (catalogue,) = graph.subjects(RDF.type, DCAT.Catalog)
    for property_ in (DCTERMS.title, DCTERMS.description, DCTERMS.publisher):
        assert (catalogue, property_, None) in graph
    for agent in graph.objects(None, DCTERMS.publisher):
        assert (agent, RDF.type, FOAF.Agent) in graph and (agent, FOAF.name, None) in graph
    datasets = set(graph.subjects(RDF.type, DCAT.Dataset))
    assert datasets == set(graph.objects(catalogue, DCAT.dataset))
    view = site.app.state.serving.view(
        site.people[role].organisation.rights if role in site.people else _visitor()
    )
    assert len(datasets) == len(view.definitions) + 1
    for dataset in datasets:
        assert (dataset, DCTERMS.title, None) in graph and (dataset, DCTERMS.description, None) in graph
        for distribution in graph.objects(dataset, DCAT.distribution):
            assert (distribution, RDF.type, DCAT.Distribution) in graph
            address = graph.value(distribution, DCAT.accessURL)
            assert isinstance(address, rdflib.URIRef)
    for address in list(graph.objects(None, DCAT.downloadURL))[:12]:
        assert client.get(str(address).removeprefix("http://testserver")).status_code == 200


def _visitor():  # type: ignore[no-untyped-def]
    from odds_pipeline.extranet.reading.rights import VISITOR

    return VISITOR


def test_sdmx_csv_says_statuses(site: Site) -> None:
    text = site.client("observatoire").get("/donnees/recueil.sdmx.csv").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {r["STRUCTURE"] for r in rows} == {"dataflow"}
    assert all((r["OBS_VALUE"] == "") == (r["OBS_STATUS"] in "OLMQ") for r in rows)
    assert {"A", "Q"} <= {r["OBS_STATUS"] for r in rows} and "C" in {r["CONF_STATUS"] for r in rows}
    keys = [(r["INDICATOR"], r["REF_AREA"], r["GEOGRAPHY"], r["TIME_PERIOD"]) for r in rows]
    assert len(keys) == len(set(keys)) > 1000
