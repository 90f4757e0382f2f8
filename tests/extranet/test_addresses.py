"""Addresses as people and machines write them: parameters that say nothing, HEAD, old links, the site's files."""

import gzip
import re
import shutil
from pathlib import Path

import duckdb
import pytest

from odds_pipeline.storage.home import Home

from .conftest import SITE, Site


def test_what_a_page_does_not_declare_neither_makes_nor_hides_a_page(site: Site) -> None:
    client = site.client()
    first = client.get("/territoires/93008")
    view = next(iter(site.app.state.serving._views.values()))
    kept = len(view.pages._kept)
    for query in ("?utm_source=lettre", "?x=1", "?x=2&x=3", "?%zz", "?territoire=93010"):
        assert client.get(f"/territoires/93008{query}").headers["etag"] == first.headers["etag"], query
    assert len(view.pages._kept) == kept
    one = client.get("/indicateurs/population_municipale?territoire=93008&niveau=commune")
    same = client.get(
        "/indicateurs/population_municipale?niveau=commune&mois=&territoire=93008&fbclid=x"
    )
    assert one.headers["etag"] == same.headers["etag"]
    other = client.get("/indicateurs/population_municipale?territoire=93010&niveau=commune")
    assert other.headers["etag"] != one.headers["etag"]


def test_head_answers_as_get_does_without_its_body(site: Site) -> None:
    client = site.client()
    for address in (
        "/territoires/93010",
        "/recherche?q=rsa",
        "/donnees/catalogue.ttl",
        "/rien",
        "/connexion",
    ):
        head, get = client.head(address), client.get(address)
        assert (head.status_code, head.content) == (get.status_code, b""), address
        assert head.headers["content-type"] == get.headers["content-type"]


def test_a_link_followed_after_the_session_ended_leads_to_sign_in_and_back(site: Site) -> None:
    """What exists for members and what does not exist answer alike: the offer tells nothing."""
    client, link = site.client(), "/indicateurs/demandes_logement?territoire=93008"
    answer = client.get(link)
    assert answer.status_code == 404 and 'href="/connexion">connectez-vous' in answer.text
    assert answer.text == client.get("/indicateurs/rien?territoire=93008").text
    form = client.get("/connexion", headers={"referer": f"{SITE}{link}"}).text
    assert 'name="next" value="/indicateurs/demandes_logement?territoire=93008"' in form
    for foreign in (
        "https://ailleurs.exemple/indicateurs/x",
        "//ailleurs.exemple/x",
        "",
        f"{SITE}/connexion",
    ):
        assert 'name="next" value="/"' in client.get("/connexion", headers={"referer": foreign}).text, (
            foreign
        )
    assert "connectez-vous" not in site.client("ccas").get("/indicateurs/rien").text


def test_a_members_own_territory_is_followed_until_another_is_asked_for(site: Site) -> None:
    """Their organisation's is 93008; who asks for none, by the empty choice of the form, has none."""
    member, visitor = site.client("ccas"), site.client()
    chosen = '<option value="93008" selected>'
    indicator = "/indicateurs/population_municipale"
    for address in (indicator, "/comparer", "/comparer/temps", "/croiser"):
        assert chosen in member.get(address).text, address
        assert chosen not in visitor.get(address).text, address
    assert chosen not in member.get(f"{indicator}?territoire=").text
    assert chosen not in member.get(f"{indicator}?territoire=93066").text
    assert chosen not in member.get("/comparer?t=93066").text
    assert f"/e/1{indicator}?territoire=93008" in member.get(indicator).text
    values = "/api/v1/valeurs?indicateur=population_municipale"
    assert len({v["territoire"] for v in member.get(values).json()["valeurs"]}) > 40


def test_the_sites_own_files_are_kept_for_ever_under_their_digest(site: Site) -> None:
    client = site.client()
    address = re.search(r'href="(/static/[0-9a-f]{12}/extranet\.css)"', client.get("/").text)
    assert address is not None
    answer = client.get(address.group(1))
    assert (
        "immutable" in answer.headers["cache-control"] and "text/css" in answer.headers["content-type"]
    )
    packed = client.build_request("GET", address.group(1), headers={"accept-encoding": "gzip"})
    raw = client.send(packed, stream=True)
    assert raw.headers["content-encoding"] == "gzip"
    assert gzip.decompress(b"".join(raw.iter_raw())) == answer.content
    assert "immutable" not in client.get("/static/000000000000/extranet.css").headers["cache-control"]
    assert client.get("/static/000000000000/rien.css").status_code == 404
    assert client.get("/favicon.ico").headers["content-type"].startswith("image/svg+xml")


@pytest.fixture
def two_releases(site: Site, observatory: Home) -> Path:
    """The site over two releases of its own that say the same; the pointer, at the first."""
    folder = site.home.path / "releases-en-deux"
    folder.mkdir()
    for number in ("0001", "0002"):
        shutil.copytree(observatory.releases / "0001", folder / number)
    for path in (folder / "0002").glob("*.duckdb"):
        path.chmod(0o600)
        with duckdb.connect(str(path)) as connection:
            connection.execute("UPDATE about SET number = 2")
    (folder / "current").write_text("1\n")
    site.home.releases.unlink()
    site.home.releases.symlink_to(folder, target_is_directory=True)
    return folder


def test_the_portrait_of_the_last_release_stays_until_the_next_is_made(
    site: Site, two_releases: Path
) -> None:
    """Publications are made after their release: a new release alone takes nothing off the site."""
    own = site.home.path / "publications"
    own.unlink()  # it led to those that all tests share
    portraits = own / "0001" / "public" / "portrait_social"
    portraits.mkdir(parents=True)
    (portraits / "93008-bobigny.pdf").write_bytes(b"%PDF-1.7 de la premiere")
    (portraits / "93008-bobigny.zip").write_bytes(b"PK un dossier")
    (portraits / "edition.zip").write_bytes(b"PK tout")
    client = site.client()
    first = client.get("/territoires/93008/portrait").text
    assert "faite sur l’édition 1" in first and "/portraits/93008.zip" in first
    assert client.get("/portraits/93008.zip").content == b"PK un dossier"
    assert (
        "/portraits/edition.zip" in first and client.get("/portraits/edition.zip").content == b"PK tout"
    )
    (two_releases / "current").write_text("2\n")
    listed = client.get("/publications").text
    assert 'href="/p/93008">Bobigny' in listed and "/p/93066" not in listed
    assert (
        "Faits sur l’édition 1 ; ceux de l’édition 2" in listed
        and "/portraits/methode.pdf" not in listed
    )
    assert client.get("/p/93008").headers["location"] == "/territoires/93008/portrait"
    assert client.get("/p/99999").status_code == 404
    page = client.get("/territoires/93008/portrait").text
    assert "n’est pas encore fait" in page and "/portraits/93008.pdf" in page
    assert client.get("/portraits/93008.pdf").content == b"%PDF-1.7 de la premiere"


def test_an_edition_in_the_address_says_for_ever_what_it_said(site: Site, two_releases: Path) -> None:
    client, page = site.client(), "/territoires/93008"
    assert client.get(f"/e/2{page}").status_code == 404  # not published yet
    cited = re.search(r'class="permanent" href="([^"]+)"', client.get(page).text)
    assert cited is not None and cited.group(1) == f"/e/1{page}"
    with duckdb.connect(str(two_releases / "0002" / "public.duckdb")) as connection:
        connection.execute(
            "UPDATE indicator_values SET value = 12345 "
            "WHERE indicator = 'population_municipale' AND territory = '93008'"
        )
    (two_releases / "current").write_text("2\n")
    former, now = client.get(f"/e/1{page}"), client.get(page)
    assert "12\u202f345" in now.text and "12\u202f345" not in former.text
    assert "Vous lisez l’édition 1" in former.text and "Vous lisez" not in now.text
    assert f'href="/e/2{page}"' in former.text  # the way to the last
    own = re.findall(r'href="(/[^"#]*)"', former.text)
    led = [link for link in own if re.match(r"(/e/\d+)?/(territoires|indicateurs|comparer)", link)]
    assert led and all(link.startswith(("/e/1/", "/e/2/")) for link in led)
    assert client.get(f"/e/1{page}").headers["etag"] == former.headers["etag"]
    assert client.head(f"/e/1{page}").status_code == 200
    revised = "/indicateurs/population_municipale"
    assert 'href="/editions/2">' in client.get(revised).text
    assert 'href="/editions/2">' not in client.get(f"/e/1{revised}").text  # which came later


def test_an_earlier_edition_tells_no_more_than_todays_rights(site: Site, two_releases: Path) -> None:
    """An indicator that became restricted is not read through the release in which it was public."""
    name = "population_municipale"
    for access in ("public", "membres"):
        with duckdb.connect(str(two_releases / "0002" / f"{access}.duckdb")) as connection:
            connection.execute("DELETE FROM definitions WHERE indicator = ?", [name])
            connection.execute("DELETE FROM indicator_values WHERE indicator = ?", [name])
    client = site.client()
    assert client.get(f"/e/1/indicateurs/{name}").status_code == 200
    (two_releases / "current").write_text("2\n")
    assert client.get(f"/e/1/indicateurs/{name}").status_code == 404
    assert name not in client.get("/e/1/recherche?q=population").text
    hidden = "/e/1/indicateurs/foyers_allocataires"
    assert client.get(hidden).status_code == 404 and site.client("ccas").get(hidden).status_code == 200


@pytest.mark.parametrize(
    "address",
    ["/e/0/territoires/93008", "/e/9/territoires/93008", "/e/1", "/e/1/compte", "/e/1/donnees"],
)
def test_what_is_no_page_of_an_edition(site: Site, address: str) -> None:
    answer = site.client().get(address)
    assert answer.status_code == 404 and "Page introuvable" in answer.text
