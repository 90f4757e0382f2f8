"""What a release changed for a territory, on a page, at home and in a feed."""

import html
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import duckdb

from .conftest import Site
from .test_addresses import two_releases

__all__ = ["two_releases"]
ATOM = "{http://www.w3.org/2005/Atom}"


def _change(folder: Path, access: str) -> None:
    """Edition 2: one value of Bobigny revised, one new, one of members revised."""
    with duckdb.connect(str(folder / "0002" / f"{access}.duckdb")) as connection:
        for statement in (
            "UPDATE indicator_values SET value = 12345 WHERE indicator = 'population_municipale' "
            "AND territory = '93008' AND month = '2024-01'",
            "UPDATE indicator_values SET value = value + 1 WHERE indicator = 'foyers_allocataires' "
            "AND territory = '93008'",
        ):
            connection.execute(statement)


def test_what_changed_for_a_town_is_told_with_its_cause_and_to_who_may_read_it(
    site: Site, two_releases: Path
) -> None:
    for access in ("public", "membres", "partenaires"):
        _change(two_releases, access)
    (two_releases / "current").write_text("2\n")
    visitor, member = site.client(), site.client("ccas")
    page = html.unescape(visitor.get("/territoires/93008/nouveautes").text)
    assert "12\u202f345" in page and "un chiffre dont l’indicateur dépend a changé" in page
    assert "Foyers allocataires" not in page
    assert "Foyers allocataires" in html.unescape(member.get("/territoires/93008/nouveautes").text)
    assert "12\u202f345" not in visitor.get("/territoires/93010/nouveautes").text
    told = re.search(
        r"Depuis l’édition 1 : .*?(\d+) valeurs? révisées?", html.unescape(member.get("/").text)
    )
    assert told and int(told[1]) > 1
    first = html.unescape(visitor.get("/e/1/territoires/93008/nouveautes").text)
    assert "pas d’édition antérieure" in first and "12\u202f345" not in first


def test_the_feed_of_a_town_says_each_edition_and_leads_to_what_it_changed(
    site: Site, two_releases: Path
) -> None:
    """Read by the standard library's parser, as a feed reader would."""
    _change(two_releases, "public")
    (two_releases / "current").write_text("2\n")
    client = site.client()
    assert 'href="/territoires/93008/flux.atom"' in client.get("/territoires/93008").text
    answer = client.get("/territoires/93008/flux.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = ET.fromstring(answer.content)
    entries = feed.findall(f"{ATOM}entry")
    assert [e.findtext(f"{ATOM}title") for e in entries] == [
        "Édition 2 (données simulées)",
        "Édition 1 (données simulées)",
    ]
    assert "1 valeur révisée," in (entries[0].findtext(f"{ATOM}summary") or "")
    assert len({e.findtext(f"{ATOM}id") for e in entries}) == 2
    link = entries[0].find(f"{ATOM}link")
    assert link is not None
    assert client.get(link.attrib["href"].removeprefix("http://testserver")).status_code == 200
    assert ET.fromstring(client.get("/editions/flux.atom").content).find(f"{ATOM}entry") is not None
