"""Addresses as people and machines write them: parameters that say nothing, HEAD, old links, the site's files."""

import gzip
import re

from odds_pipeline.release.published import release_path
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


def test_the_portrait_of_the_last_release_stays_until_the_next_is_made(
    site: Site, observatory: Home
) -> None:
    """Publications are made after their release: a new release alone takes nothing off the site."""
    folder = site.home.path / "releases-en-deux"
    folder.mkdir()
    for number in ("0001", "0002"):
        (folder / number).symlink_to(observatory.releases / "0001", target_is_directory=True)
    (folder / "current").write_text("1\n")
    site.home.releases.unlink()
    site.home.releases.symlink_to(folder, target_is_directory=True)
    portraits = site.home.path / "publications" / "0001" / "public" / "portrait_social"
    portraits.mkdir(parents=True)
    (portraits / "93008-bobigny.pdf").write_bytes(b"%PDF-1.7 de la premiere")
    client = site.client()
    assert "faite sur l’édition 1" in client.get("/territoires/93008/portrait").text
    assert release_path(site.home, 2).is_dir()
    (folder / "current").write_text("2\n")
    page = client.get("/territoires/93008/portrait").text
    assert "n’est pas encore fait" in page and "/portraits/93008.pdf" in page
    assert client.get("/portraits/93008.pdf").content == b"%PDF-1.7 de la premiere"
