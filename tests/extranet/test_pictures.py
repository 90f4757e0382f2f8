"""Charts outside the site: images and frames of the public file, whoever asks."""

import struct
import xml.etree.ElementTree as ET

import pytest

from odds_pipeline.french import french_number

from .conftest import ROLES, Site

INDICATOR = "population_municipale"
DATED = "logements_autorises", "Logements autorisés"
"""One with two months."""
MEMBERS = "foyers_rsa"


@pytest.mark.parametrize("chart", ["carte", "classement", "evolution"])
def test_a_chart_is_an_image_with_its_title_and_source(site: Site, chart: str) -> None:
    client, query = site.client(), "?territoire=93008"
    name, label = DATED if chart == "evolution" else (INDICATOR, "Population municipale")
    answer = client.get(f"/graphiques/{name}/{chart}.svg{query}")
    assert answer.headers["content-type"] == "image/svg+xml"
    words = " ".join(ET.fromstring(answer.content).itertext())
    for said in (label, "Données simulées : ne pas citer", "Source", "édition 1"):
        assert said in words
    png = client.get(f"/graphiques/{name}/{chart}.png{query}").content
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert width > 1000 and height > 300


def test_other_sites_may_hold_an_image_or_a_frame_and_no_other_page(site: Site) -> None:
    client = site.client()
    for _ in range(2):  # made, then kept
        frame = client.get(f"/integrer/{INDICATOR}/carte")
        policy = frame.headers["content-security-policy"]
        assert "frame-ancestors http: https:" in policy and "default-src 'none'" in policy
        assert (
            "<script" not in frame.text and "<table>" in frame.text and "Données simulées" in frame.text
        )
        image = client.get(f"/graphiques/{INDICATOR}/carte.svg")
        assert image.headers["cross-origin-resource-policy"] == "cross-origin"
        page = client.get(f"/indicateurs/{INDICATOR}")
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert page.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("role", ROLES)
def test_what_is_shown_elsewhere_is_the_public_edition_for_everyone(site: Site, role: str) -> None:
    client, visitor = site.client(role), site.client()
    for address in (f"/graphiques/{INDICATOR}/carte.svg", f"/integrer/{DATED[0]}/evolution"):
        assert client.get(address).content == visitor.get(address).content
    for address in (f"/graphiques/{MEMBERS}/carte.svg", f"/integrer/{MEMBERS}/carte"):
        assert client.get(address).status_code == 404
    for address in (f"/graphiques/{INDICATOR}/carte.gif", f"/graphiques/{INDICATOR}/rien.svg"):
        assert client.get(address).status_code == 404
    offered = client.get(f"/indicateurs/{MEMBERS}").text
    assert "/graphiques/" not in offered


def test_the_page_offers_its_charts_and_those_of_its_edition(site: Site) -> None:
    client = site.client()
    page = client.get(f"/indicateurs/{INDICATOR}?territoire=93008").text
    assert f'href="/graphiques/{INDICATOR}/carte.png?territoire=93008' in page
    assert f"/e/1/integrer/{INDICATOR}/carte?territoire=93008" in page
    assert client.get(f"/e/1/graphiques/{INDICATOR}/carte.svg").status_code == 200


def test_a_map_says_the_departements_value_and_its_period_in_words(site: Site) -> None:
    client = site.client()
    values = client.get("/api/v1/valeurs?indicateur=taux_chomage_rp_femmes").json()["valeurs"]
    last = max(v["mois"] for v in values if v["niveau"] == "commune")
    whole = next(v["valeur"] for v in values if v["territoire"] == "93" and v["mois"] == last)
    svg = client.get("/graphiques/taux_chomage_rp_femmes/carte.svg").text
    assert f"Département : {french_number(whole, 1)}" in svg
    assert last.endswith("-01") and f"Communes, 1ᵉʳ janv. {last[:4]}" in svg
