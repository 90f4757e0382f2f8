"""Local accounts: passwords, invitations, sessions, tokens, attempts, what is written down and how long."""

from datetime import timedelta

import pytest

from odds_pipeline.extranet.identity import journal
from odds_pipeline.extranet.identity.accounts import now, stamp
from odds_pipeline.extranet.identity.signin import check_strength

from .conftest import PASSWORD, Site, settings


def sign_in(site: Site, email: str = "ccas@exemple.fr", password: str = PASSWORD):  # type: ignore[no-untyped-def]
    client = site.client()
    return client, client.post(
        "/connexion", data={"email": email, "password": password, "next": "/donnees"}
    )


def test_signing_in_and_out(site: Site) -> None:
    client, answer = sign_in(site)
    assert (answer.status_code, answer.headers["location"]) == (303, "/donnees")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "path=/" in cookie
    assert "Mon compte" in client.get("/").text
    kept = dict(client.cookies)
    assert client.post("/deconnexion").status_code == 303
    client.cookies.update(kept)
    assert "Se connecter" in client.get("/").text, "the session must end on the server too"


@pytest.mark.parametrize(
    ("email", "password"),
    [("ccas@exemple.fr", "faux"), ("inconnue@exemple.fr", PASSWORD), ("", ""), ("ccas@exemple.fr", "")],
)
def test_every_refusal_reads_the_same(site: Site, email: str, password: str) -> None:
    _, answer = sign_in(site, email, password)
    assert answer.status_code == 401 and "Adresse ou mot de passe incorrect." in answer.text


def test_a_closed_account_is_out_at_the_next_click(site: Site) -> None:
    client, _ = sign_in(site)
    token = site.accounts.open_session(site.people["ccas"].id, "api", timedelta(days=1))
    site.accounts.set_revoked(site.people["ccas"].id, True)
    assert "Se connecter" in client.get("/").text
    assert client.get("/compte").status_code == 303
    answer = site.client().get("/api/v1/edition", headers={"authorization": f"Bearer {token}"})
    assert answer.json()["classe_d_acces"] == "public"
    assert sign_in(site)[1].status_code == 401


def test_too_many_attempts_wait_and_lock_nobody_else_out(site: Site) -> None:
    for _ in range(journal.FAILURES):
        assert sign_in(site, password="faux")[1].status_code == 401
    assert "quart d’heure" in sign_in(site)[1].text, "the right password waits as well"
    assert sign_in(site, "cpam@exemple.fr")[1].status_code == 303, "another account of the same address"
    assert not journal.must_wait(site.accounts, "ccas@exemple.fr", "192.0.2.1"), (
        "the same from elsewhere"
    )


@pytest.mark.parametrize("cookie", ["", "x", "x.y", "é", "a" * 5000, "AAAA.BBBB"])
def test_an_unsigned_cookie_is_nobody(site: Site, cookie: str) -> None:
    answer = site.client().get("/", headers={"cookie": f"odds={cookie}".encode()})
    assert answer.status_code == 200 and "Se connecter" in answer.text


def test_a_session_secret_without_signature_is_nobody(site: Site) -> None:
    secret = site.accounts.open_session(site.people["ccas"].id, "web", timedelta(hours=1))
    assert "Se connecter" in site.client().get("/", headers={"cookie": f"odds={secret}"}).text


def test_an_expired_session_is_nobody(site: Site) -> None:
    secret = site.accounts.open_session(site.people["ccas"].id, "web", timedelta(seconds=-1))
    client = site.client()
    client.cookies.set("odds", site.app.state.signer.sign(secret).decode())
    assert "Se connecter" in client.get("/").text


def test_nothing_that_opens_a_session_is_kept(site: Site) -> None:
    secret = site.accounts.open_session(site.people["ccas"].id, "web", timedelta(hours=1))
    content = b"".join(p.read_bytes() for p in site.accounts.path.parent.glob("accounts.sqlite*"))
    assert secret.encode() not in content and PASSWORD.encode() not in content
    assert b"$argon2id$" in content


def test_an_administrator_invites_and_the_invitation_serves_once(site: Site) -> None:
    admin = site.client("ccas-admin")
    organisation = site.people["ccas"].organisation.id
    data = {"email": "nouvelle@exemple.fr", "name": "Nouvelle"}
    page = admin.post(f"/gestion/{organisation}", data=data).text
    address = page.split('<code class="secret">http://testserver')[1].split("<")[0]
    client = site.client()
    assert "Bienvenue, Nouvelle" in client.get(address).text
    assert client.post(address, data={"new": "court"}).status_code == 400
    assert client.post(address, data={"new": "une phrase assez longue"}).status_code == 303
    assert "Mon compte" in client.get("/").text
    assert site.client().get(address).status_code == 404
    assert sign_in(site, "nouvelle@exemple.fr", "une phrase assez longue")[1].status_code == 303


def test_changing_a_password_ends_the_other_sessions(site: Site) -> None:
    here, other = site.client("ccas"), site.client("ccas")
    new = "une autre phrase assez longue"
    wrong = here.post("/compte/mot-de-passe", data={"current": "faux", "new": new})
    assert wrong.status_code == 400
    assert here.post("/compte/mot-de-passe", data={"current": PASSWORD, "new": new}).status_code == 303
    assert "Mon compte" in here.get("/").text
    assert "Se connecter" in other.get("/").text


def test_a_token_reads_the_api_with_the_rights_of_its_owner_and_manages_nothing(site: Site) -> None:
    client = site.client("ccas-admin")
    page = client.post("/compte/jetons", data={"label": "tableur"}).text
    token = page.split('<code class="secret">')[1].split("<")[0]
    bearer = {"authorization": f"Bearer {token}"}
    edition = site.client().get("/api/v1/edition", headers=bearer).json()
    assert edition["classe_d_acces"] == "membres"
    organisation = site.people["ccas"].organisation.id
    assert site.client().get(f"/gestion/{organisation}", headers=bearer).status_code == 404
    assert site.client().post("/compte/jetons", headers=bearer).status_code == 404
    identifier = site.accounts.tokens(site.people["ccas-admin"].id)[0][0]
    client.post(f"/compte/jetons/{identifier}/fin")
    edition = site.client().get("/api/v1/edition", headers=bearer).json()
    assert edition["classe_d_acces"] == "public"


def test_sign_ins_and_downloads_are_written_down_for_the_administrator(site: Site) -> None:
    client, _ = sign_in(site)
    client.get("/donnees/recueil.machine.csv")
    client.get("/telecharger/territoire/93008.csv")
    page = site.client("ccas-admin").get(f"/gestion/{site.people['ccas'].organisation.id}").text
    for words in ("Connexion", "recueil", "territoire-93008", "Personne ccas"):
        assert words in page
    other = site.client("cpam-admin").get(f"/gestion/{site.people['cpam'].organisation.id}").text
    assert "territoire-93008" not in other


@pytest.mark.parametrize(
    ("address", "network"),
    [("192.0.2.77", "192.0.2.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"), ("testclient", "")],
)
def test_addresses_are_shortened(address: str, network: str) -> None:
    assert journal.shortened(address) == network


def test_what_is_old_is_deleted(site: Site) -> None:
    long_ago = stamp(now() - timedelta(days=366))
    very_long_ago = stamp(now() - timedelta(days=800))
    with site.accounts.transaction() as database:
        database.execute("INSERT INTO audit VALUES (?, 'connexion', NULL, NULL, '', '')", [long_ago])
        database.execute("UPDATE people SET created_at = ?", [very_long_ago])
        database.execute("UPDATE people SET seen_at = ? WHERE email LIKE 'cpam%'", [stamp(now())])
    counts = journal.purge(site.accounts, settings())
    assert counts["audit"] == 1
    left = {p.email for o in site.accounts.organisations() for p in site.accounts.people(o.id)}
    observatory = {"observatoire@exemple.fr", "observatoire-admin@exemple.fr"}
    assert left == {"cpam@exemple.fr", "cpam-admin@exemple.fr"} | observatory


@pytest.mark.parametrize("weak", ["court", "aaaaaaaaaaaaaaaa", "abababababababab"])
def test_weak_passwords_are_refused(weak: str) -> None:
    with pytest.raises(ValueError):
        check_strength(weak, 12)


def test_headers_of_every_answer(site: Site) -> None:
    for address in ("/", "/rien", "/static/extranet.css", "/api/v1/edition", "/donnees/territoires.csv"):
        headers = site.client().get(address).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy, address
        assert headers["x-content-type-options"] == "nosniff" and "Cookie" in headers["vary"]
