"""What an organisation follows together: its shared selections, their figures, what a release changed."""

import html
import re
from pathlib import Path

from .conftest import Site
from .test_addresses import two_releases
from .test_news import _change

__all__ = ["two_releases"]
ADDRESS = "/tableau-de-bord"


def test_shared_selections_stand_on_it_with_what_the_release_changed(
    site: Site, two_releases: Path
) -> None:
    for access in ("public", "membres", "partenaires"):
        _change(two_releases, access)
    (two_releases / "current").write_text("2\n")
    owner, query = site.client("ccas"), "i=population_municipale&i=foyers_rsa"
    for name, shared in (("Pour tous", "true"), ("Pour moi", "false")):
        owner.post("/selections", data={"name": name, "query": query, "shared": shared})
    page = html.unescape(site.client("ccas-admin").get(ADDRESS).text)
    assert "Pour tous" in page and "Pour moi" not in page
    assert 'href="/comparer?t=93008&i=population_municipale' in page
    # No territory was named: it is read for the organisation's own.
    (population,) = re.findall(
        r'<tr role="row">(?:(?!</tr>).)*population_municipale.*?</tr>', page, re.S
    )
    assert "12\u202f345" in population and "nouveau" in population and "Bobigny" in population
    (rsa,) = re.findall(r'<tr role="row">(?:(?!</tr>).)*foyers_rsa.*?</tr>', page, re.S)
    assert "nouveau" not in rsa


def test_it_is_of_the_members_of_one_organisation(site: Site) -> None:
    query = "t=93008&i=population_municipale&i=foyers_rsa"
    site.client("ccas").post("/selections", data={"name": "Pour tous", "query": query, "shared": "true"})
    other = html.unescape(site.client("cpam").get(ADDRESS).text)
    assert "Pour tous" not in other and "Aucune sélection n’est partagée" in other
    assert site.client().get(ADDRESS).headers["location"] == f"/connexion?next={ADDRESS}"


def test_a_selection_that_can_no_longer_be_read_takes_no_other_away(site: Site) -> None:
    client = site.client("ccas")
    for name, query in (("Ancienne", "t=99999&theme=abs"), ("Actuelle", "t=93008&theme=abs")):
        client.post("/selections", data={"name": name, "query": query, "shared": "true"})
    page = html.unescape(client.get(ADDRESS).text)
    assert "aucune valeur pour cette sélection" in page and "Actuelle" in page
    assert page.count('<table class="cards heat"') == 1
