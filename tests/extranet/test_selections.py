"""Selections: chosen indicators × territories, kept, shared, taken away as a workbook."""

import html
import io
import re

import openpyxl
import pypdf
import pytest

from odds_pipeline.extranet.identity import selections

from .conftest import Site

CHOICE = "/comparer?t=93008&t=93066&i=population_municipale&i=foyers_rsa"


def test_a_choice_is_an_address_that_each_reads_with_their_own_rights(site: Site) -> None:
    member, visitor = (html.unescape(site.client(r).get(CHOICE).text) for r in ("ccas", "visiteur"))
    assert "Mon choix (2)" in member and "Mon choix (1)" in visitor
    assert 'value="foyers_rsa"' in member and "foyers_rsa" not in visitor


def test_indicators_are_added_by_the_words_of_a_search(site: Site) -> None:
    page = site.client("ccas").get(f"{CHOICE}&ajouter=menages").text
    offered = re.findall(r'<input type="checkbox" id="o-(\w+)"', page)
    shown = re.findall(r'<input type="checkbox" id="i-(\w+)" name="i" value="\w+" checked>', page)
    assert offered and set(shown) == {"population_municipale", "foyers_rsa"}
    assert not set(offered) & set(shown)


def test_a_template_is_in_its_parts_and_only_of_what_the_reader_may_see(site: Site) -> None:
    template = site.app.state.templates["abs"]
    page = html.unescape(site.client("ccas").get("/comparer?theme=abs&t=93008").text)
    assert f"<h1>{template.label}</h1>" in page and template.why in page
    shown, parts = re.findall(r'<h2 id="s\d+">([^<]+)<', page), [part.label for part in template.parts]
    assert len(shown) > 1 and shown == [label for label in parts if label in shown]
    assert site.client().get("/comparer?theme=rien&t=93008").status_code == 404


def test_a_kept_selection_is_ones_own_until_it_is_shared(site: Site) -> None:
    client, query = site.client("ccas"), CHOICE.partition("?")[2]
    for name, shared in (("Conseil du 3 mars", ""), ("Pour tous", "true")):
        kept = client.post(
            "/selections", data={"name": name, "query": query, "shared": shared or "false"}
        )
        assert kept.status_code == 303
    page = client.get("/selections").text
    address = re.search(r'href="(/comparer\?[^"]+)">Conseil du 3 mars<', page)
    assert address and client.get(html.unescape(address[1])).text == client.get(CHOICE).text
    colleague = site.client("ccas-admin").get("/selections").text
    assert "Pour tous" in colleague and "Conseil du 3 mars" not in colleague
    assert "Pour tous" not in site.client("cpam").get("/selections").text
    identifier = re.search(r"/selections/(\d+)/fin", page)
    assert identifier
    end = f"/selections/{identifier[1]}/fin"
    for other in ("ccas-admin", "observatoire-admin", "visiteur"):
        assert site.client(other).post(end).status_code == 404, other
    assert client.post(end).status_code == 303
    mine = client.get("/compte/mes-donnees.json").json()["selections"]
    assert len(mine) == 1 and mine[0]["query"] == query


@pytest.mark.parametrize(
    ("name", "query", "message"),
    [
        ("", "t=93008", "donnez un nom"),
        ("x", "", "ni territoire ni indicateur"),
        ("x", "next=//mal", "ni terr"),
    ],
)
def test_what_is_no_selection_is_not_kept(site: Site, name: str, query: str, message: str) -> None:
    client = site.client("ccas")
    answer = client.post("/selections", data={"name": name, "query": query})
    assert answer.status_code == 400 and message in html.unescape(answer.text).lower()
    assert site.client().post("/selections", data={"name": "x", "query": "t=93008"}).status_code == 404
    assert site.client().get("/selections").headers["location"] == "/connexion?next=/selections"


def test_one_keeps_so_many_selections_and_each_of_so_many_choices(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selections, "MOST", 2)
    client = site.client("ccas")

    def kept(name: str, choices: int = 1) -> tuple[int, str]:
        query = "&".join(["t=93008"] * choices)
        answer = client.post("/selections", data={"name": name, "query": query})
        return answer.status_code, html.unescape(answer.text)

    assert kept("de deux cents", 200)[0] == 303
    status, said = kept("de deux cent un", 201)
    assert status == 400 and "trop longue" in said
    assert kept("la dernière")[0] == 303
    status, said = kept("une de trop")
    assert status == 400 and "déjà 2 sélections" in said
    mine = client.get("/compte/mes-donnees.json").json()["selections"]
    assert {one["name"] for one in mine} == {"de deux cents", "la dernière"}
    assert (
        site.client("cpam").post("/selections", data={"name": "x", "query": "t=93"}).status_code == 303
    )


def test_the_workbook_says_what_the_page_says_and_opens_ready_to_work_in(site: Site) -> None:
    """Read by another implementation (openpyxl); the figures are those of the API."""
    client = site.client("ccas")
    content = client.get(
        f"/telecharger/tableau.xlsx?{CHOICE.partition('?')[2]}&t=200057875&t=93"
    ).content
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["Tableau", "Définitions", "À savoir avant de citer"]
    sheet = book["Tableau"]
    assert "DONNÉES SIMULÉES" in sheet["A1"].value and "édition 1" in sheet["A1"].value
    header = [cell.value for cell in sheet[2]]
    assert header[:6] == ["Partie", "Indicateur", "Unité", "Période", "Bobigny", "Situation de Bobigny"]
    # What has no place among the communes has no column for it.
    assert header[-2:] == ["Est Ensemble", "Seine-Saint-Denis"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == (
        "C3",
        f"A2:{chr(64 + len(header))}{sheet.max_row}",
    )
    assert sheet.column_dimensions["B"].width > 40
    population = next(r for r in sheet.iter_rows(min_row=3) if r[1].value == "Population municipale")
    said = client.get("/api/v1/valeurs?indicateur=population_municipale&territoire=93008").json()[
        "valeurs"
    ]
    assert population[4].value in {value["valeur"] for value in said}
    assert population[4].number_format == "#,##0"
    assert site.client().get("/telecharger/tableau.xlsx").status_code == 404


def test_a_comparison_through_time_is_on_one_scale_and_says_its_figures(site: Site) -> None:
    """The index is computed by hand from the API; the table has the figures themselves."""
    client = site.client("ccas")
    query = "t=93008&t=93066&i=foyers_rsa&i=part_foyers_rsa"
    page = html.unescape(client.get(f"/comparer/temps?{query}").text)
    values = {
        v["mois"]: v["valeur"]
        for v in client.get("/api/v1/valeurs?indicateur=foyers_rsa&territoire=93008").json()["valeurs"]
    }
    base, last = min(values), max(values)
    index = round(100 * values[last] / values[base])
    told = re.search(r'id="foyers_rsa-0-desc">([^<]+)<', page)
    assert told and f"Bobigny : de 100 en {base[5:]}/{base[:4]} à {index} en" in told[1]
    shown = f"{values[base]:,.0f}".replace(",", "\u202f")
    assert f'class="number">{shown}<' in page and "indice 100" in page
    scales = {
        tuple(re.findall(r'text-anchor="end"[^>]*>([^<]+)<', svg))
        for svg in re.findall(r'<svg [^>]*aria-labelledby="part_foyers_rsa-\d.*?</svg>', page, re.DOTALL)
    }
    assert len(scales) == 1 and len(scales.pop()) > 3
    assert page.count("part_foyers_rsa-1-titre") == 2
    files = re.findall(r'href="(/telecharger/comparaison\.machine\.csv[^"]+)"', page)
    lines = client.get(files[0]).text.splitlines()
    assert {line.split(",")[0] for line in lines[1:]} == {"foyers_rsa", "part_foyers_rsa"}
    assert "trop pour une page" in client.get("/comparer/temps?t=93008&theme=tous").text


def test_the_document_says_what_the_page_says_and_is_made_for_members(site: Site) -> None:
    """Read by another implementation (pypdf)."""
    client, address = site.client("ccas"), f"/telecharger/tableau.pdf?{CHOICE.partition('?')[2]}"
    answer = client.get(address)
    assert answer.headers["content-type"] == "application/pdf"
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages]
    assert all("DONNÉES SIMULÉES" in page for page in pages)
    text = re.sub(r"\s+", " ", " ".join(pages))
    page = html.unescape(client.get(CHOICE).text)
    shown = re.findall(r'class="number">([^<]+)<', page)
    assert shown and all(re.sub(r"\s+", " ", number) in text for number in shown)
    assert "À savoir avant de citer" in text and "/e/1/comparer?" in text
    assert site.client().get(address).status_code == 404
    assert client.get("/telecharger/tableau.pdf").status_code == 404
