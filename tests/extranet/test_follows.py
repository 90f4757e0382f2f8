"""A member follows a territory or a selection: one e-mail a release, with titles and links alone."""

import html
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from odds_pipeline.declarations.deployment import deployment
from odds_pipeline.extranet.identity import follows
from odds_pipeline.orchestration.letters import write_letters

from ..pipeline.test_notices import Mailbox
from .conftest import SITE, Site, settings
from .test_addresses import two_releases

__all__ = ["two_releases"]
QUERY = "t=93008&i=population_municipale&i=foyers_rsa"


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    found = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(found, hostname="127.0.0.1", port=port)
    server.start()
    address = f"mailto://127.0.0.1:{port}/team@exemple.fr?from=odds@exemple.fr&cc=autre@exemple.fr"
    monkeypatch.setenv("ODDS_LETTERS", address)
    yield found
    server.stop()


def test_who_follows_is_written_to_once_for_each_release_after(
    site: Site, two_releases: Path, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.app.state.letters = True
    client, gone = site.client("ccas"), site.client("cpam")
    for data in ({"territory": "93008"}, {"query": QUERY, "name": "Conseil du 3 mars"}):
        assert client.post("/suivis", data=data).headers["location"] == "/selections#suivis"
    assert gone.post("/suivis", data={"territory": "93008"}).status_code == 303
    site.accounts.set_revoked(site.people["cpam"].id, True)

    def write() -> int:
        return write_letters(site.home, settings(), "ODDS_LETTERS")

    assert write() == 0 and box.received == []  # the release was out when they began to follow
    (two_releases / "current").write_text("2\n")
    with monkeypatch.context() as absent:
        absent.setenv("ODDS_LETTERS", "json://127.0.0.1:1/")
        assert write() == 1 and box.received == []  # no e-mail address: kept for the next tick
    assert write() == 0 and write() == 0
    (letter,) = box.received
    assert box.recipients == [["ccas@exemple.fr"]]
    assert letter.startswith("Observatoire : édition n° 2\n") and "DONNÉES SIMULÉES" in letter
    assert re.findall(rf"{SITE}(\S+)", letter) == [
        "/territoires/93008/nouveautes",
        f"/comparer?{QUERY}",
        "/selections#suivis",
    ]
    # Beside links and titles: the edition, its day, and what one calls a selection.
    words = re.sub(rf"{SITE}\S+", "", letter).replace("Conseil du 3 mars", "")
    assert re.findall(r"\d+", words)[0] == "2" and len(re.findall(r"\d+", words)) <= 4


def test_one_ends_it_for_oneself_alone_and_may_read_what_is_kept(site: Site) -> None:
    site.app.state.letters = True
    client = site.client("ccas")
    client.post("/suivis", data={"query": f"{QUERY}&next=//mal", "name": "Nos figures"})
    page = html.unescape(client.get("/selections").text)
    assert "Nos figures" in page and "ccas@exemple.fr" in page and "//mal" not in page
    address = {"address": f"/comparer?{QUERY}"}
    for other in ("ccas-admin", "cpam", "visiteur"):
        assert site.client(other).post("/suivis/fin", data=address).status_code == 404
    kept = client.get("/compte/mes-donnees.json").json()["follows"]
    assert kept == [{"title": "Nos figures", "address": f"/comparer?{QUERY}"}]
    assert client.post("/suivis/fin", data=address).status_code == 303
    assert "Nos figures" not in client.get("/selections").text
    assert client.post("/suivis", data={"query": "next=//mal"}).status_code == 400
    assert client.post("/suivis", data={"territory": "inconnu"}).status_code == 404
    assert site.client().post("/suivis", data={"territory": "93008"}).status_code == 404


def test_one_follows_so_many_pages_and_no_more(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follows, "MOST", 2)
    site.app.state.letters = True
    client = site.client("ccas")
    answers = [client.post("/suivis", data={"territory": t}) for t in ("93008", "93066", "93055")]
    assert [answer.status_code for answer in answers] == [303, 303, 400]
    assert "vous suivez déjà 2 pages" in html.unescape(answers[2].text).lower()
    kept = client.get("/compte/mes-donnees.json").json()["follows"]
    assert {one["address"] for one in kept} == {
        "/territoires/93008/nouveautes", "/territoires/93066/nouveautes",
    }  # fmt: skip
    assert site.client("cpam").post("/suivis", data={"territory": "93055"}).status_code == 303


def test_nothing_is_offered_where_no_address_is_declared(site: Site) -> None:
    assert deployment().letters is None
    client = site.client("ccas")
    assert client.post("/suivis", data={"territory": "93008"}).status_code == 404
    for page in ("/selections", "/territoires/93008/nouveautes"):
        assert "courriel" not in client.get(page).text
