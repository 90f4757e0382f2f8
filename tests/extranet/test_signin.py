"""Local accounts: passwords, invitations, sessions, tokens, attempts, what is written down and how long."""

import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from odds_pipeline.declarations.extranet import Settings
from odds_pipeline.declarations.project import Project
from odds_pipeline.extranet.identity import attempts, journal, signin
from odds_pipeline.extranet.identity.accounts import (
    INVITATION_DAYS,
    MIGRATIONS,
    Accounts,
    hashed,
    now,
    stamp,
)
from odds_pipeline.extranet.identity.signin import check_strength
from odds_pipeline.extranet.reading.rights import Rights
from odds_pipeline.storage.migrations import NewerSchema

from .conftest import PASSWORD, SITE, Site, settings


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
    for _ in range(attempts.FAILURES):
        assert sign_in(site, password="faux")[1].status_code == 401
    assert "quart d’heure" in sign_in(site)[1].text, "the right password waits as well"
    assert sign_in(site, "cpam@exemple.fr")[1].status_code == 303, "another account of the same address"
    assert not attempts.must_wait(site.accounts, "ccas@exemple.fr", "192.0.2.1"), (
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


def test_rights_change_from_what_they_are_never_by_a_name_typed_again(site: Site) -> None:
    """A name that exists, typed in an empty form, would blank the territory and the reserved data."""
    admin, cpam = site.client("observatoire"), site.people["cpam"].organisation
    blank = {"name": cpam.name, "access": "public"}
    assert "celui d’une organisation" in admin.post("/gestion", data=blank).text

    def now() -> object:
        return next(o for o in site.accounts.organisations() if o.id == cpam.id)

    assert now() == cpam
    form = admin.get(f"/gestion?changer={cpam.id}").text
    assert 'value="cpam" checked' in form and 'value="93008" selected' in form
    asked = {"name": cpam.name, "changed": str(cpam.id), "access": "membres", "partners": "cpam"}
    kept = admin.post("/gestion", data=asked | {"territory": "93066"})
    assert kept.status_code == 303 and now() == replace(cpam, territory="93066")


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
    for page in ("/gestion", f"/gestion/{organisation}"):
        assert site.client().get(page, headers=bearer).status_code == 404
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
        database.execute(
            "INSERT INTO journal (at, event, detail, address) VALUES (?, 'connexion', '', '')",
            [long_ago],
        )
        database.execute("UPDATE people SET created_at = ?", [very_long_ago])
        database.execute("UPDATE people SET seen_at = ? WHERE email LIKE 'cpam%'", [stamp(now())])
        database.execute("DELETE FROM journal WHERE at > ?", [long_ago])
    # Nothing was written down for a year: the clock was set forward, for all that is known.
    counts = journal.purge(site.accounts, settings())
    assert counts.keys() == {"sessions", "pending_signins", "failures"}
    recent = [stamp(now() - timedelta(days=days)) for days in (364, 1)]
    with site.accounts.transaction() as database:
        database.executemany(
            "INSERT INTO journal (at, event, detail, address) VALUES (?, 'connexion', '', '')",
            [[at] for at in recent],
        )
    counts = journal.purge(site.accounts, settings(), asked=True)
    assert counts["journal"] == 1
    assert site.accounts.database.execute("SELECT at FROM journal ORDER BY at").fetchall() == [
        (at,) for at in recent
    ]
    left = {p.email for o in site.accounts.organisations() for p in site.accounts.people(o.id)}
    observatory = {"observatoire@exemple.fr", "observatoire-admin@exemple.fr"}
    assert left == {"cpam@exemple.fr", "cpam-admin@exemple.fr"} | observatory


def test_who_comes_back_after_years_comes_in(site: Site) -> None:
    with site.accounts.transaction() as database:
        database.execute("UPDATE people SET created_at = ?", [stamp(now() - timedelta(days=800))])
        database.execute(
            "INSERT INTO journal (at, event, detail, address) VALUES (?, 'connexion', '', '')",
            [stamp(now() - timedelta(days=3))],
        )
    client, answer = sign_in(site)
    assert answer.status_code == 303 and "Personne ccas" in client.get("/compte").text


def test_a_clock_set_back_revives_no_session_and_keeps_nobody_out(site: Site) -> None:
    """Sessions and attempts of a time that has not come were written under another clock."""
    client, _ = sign_in(site)
    assert "Personne ccas" in client.get("/compte").text
    later = stamp(now() + timedelta(days=365))
    with site.accounts.transaction() as database:
        database.execute("UPDATE sessions SET created_at = ?, expires_at = ?", [later, later])
        for _ in range(attempts.FAILURES):
            database.execute(
                "INSERT INTO failures (at, account, address) VALUES (?, ?, ?)",
                [later, hashed("ccas@exemple.fr"), hashed("testclient")],
            )
    assert "Personne ccas" not in client.get("/compte").text
    assert sign_in(site)[1].status_code == 303


@pytest.mark.parametrize(
    ("email", "right"),
    [
        ("a@b", True),
        ("a@", False),
        ("a" * 252 + "@b", True),
        ("a" * 253 + "@b", False),
        ("a@b@c", False),
    ],
)
def test_what_an_address_may_be(site: Site, email: str, right: bool) -> None:
    if right:
        site.accounts.correct(site.people["ccas"].id, email, "Personne")
        return
    with pytest.raises(ValueError, match="une adresse"):
        site.accounts.correct(site.people["ccas"].id, email, "Personne")


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


# ── attempts ─────────────────────────────────────────────────────────────────────────────────────


def tried(site: Site, address: str, email: str = "ccas@exemple.fr", password: str = "faux") -> int:
    """The status of an attempt through a proxy at 127.0.0.1 that says where it comes from."""
    client = TestClient(
        site.app, base_url=SITE, follow_redirects=False, client=("127.0.0.1", 5000),
        headers={"sec-fetch-site": "same-origin", "x-forwarded-for": address},
    )  # fmt: skip
    return client.post("/connexion", data={"email": email, "password": password}).status_code


def test_an_address_is_believed_of_a_declared_proxy_only(make_site: Callable[..., Site]) -> None:
    """Else a stranger writes another address each time, and is never made to wait."""
    site = make_site()
    answers = [tried(site, f"10.0.{i}.7") for i in range(attempts.FAILURES + 1)]
    assert answers == [401] * attempts.FAILURES + [429]


def test_behind_a_declared_proxy_readers_have_their_own_address(make_site: Callable[..., Site]) -> None:
    site = make_site(trusted_proxies=["127.0.0.0/8"])
    # The client's own header comes first, what the proxy saw last: only the latter is believed.
    answers = [tried(site, f"10.0.{i}.7, 192.0.2.9") for i in range(attempts.FAILURES + 1)]
    assert answers == [401] * attempts.FAILURES + [429]
    assert tried(site, "198.51.100.1", password=PASSWORD) == 303


def test_a_network_waits_whatever_the_account(make_site: Callable[..., Site]) -> None:
    site = make_site(trusted_proxies=["127.0.0.1"])
    for i in range(attempts.OF_NETWORK):
        assert attempts.take(site.accounts, f"inconnu{i}@exemple.fr", f"192.0.2.{i}")
    assert tried(site, "192.0.2.200", password=PASSWORD) == 429
    assert tried(site, "198.51.100.1", password=PASSWORD) == 303
    waited = "SELECT count(*) FROM journal WHERE detail = 'trop de tentatives'"
    tried(site, "192.0.2.201")
    assert site.accounts.database.execute(waited).fetchone() == (1,), "written down once a window"


def test_an_account_tried_from_everywhere_waits_but_where_its_owner_works(
    make_site: Callable[..., Site],
) -> None:
    site = make_site(trusted_proxies=["127.0.0.1"])
    assert tried(site, "198.51.100.1", password=PASSWORD) == 303
    for i in range(attempts.OF_ACCOUNT_A_DAY):
        assert attempts.take(site.accounts, "ccas@exemple.fr", f"10.{i}.0.1")
    assert tried(site, "10.200.0.1", password=PASSWORD) == 429
    assert tried(site, "198.51.100.9", password=PASSWORD) == 303, "the owner's own network"
    assert tried(site, "10.200.0.1", "cpam@exemple.fr", PASSWORD) == 303, "another account"


def test_attempts_at_once_are_all_counted(site: Site) -> None:
    """Counted before they are computed: of 24 at once, no more than five are evaluated."""
    start = threading.Barrier(24)

    def one(_: int) -> bool:
        start.wait()
        return attempts.take(site.accounts, "ccas@exemple.fr", "192.0.2.1")

    with ThreadPoolExecutor(24) as pool:
        assert sum(pool.map(one, range(24))) == attempts.FAILURES


def test_hashes_beyond_those_that_may_wait_are_refused(site: Site) -> None:
    """Two are computed at a time and six wait: one more is told at once to come back."""
    with ThreadPoolExecutor(1) as pool:
        for _ in range(8):
            signin._PLACES.acquire()
        try:
            answer = pool.submit(sign_in, site).result()[1]
            assert answer.status_code == 429 and "réessayez" in answer.text
            address = site.accounts.open_session(site.people["ccas"].id, "invitation", timedelta(days=1))
            busy = site.client().post(f"/invitation/{address}", data={"new": "une phrase assez longue"})
            assert busy.status_code == 429 and busy.headers["retry-after"]
        finally:
            for _ in range(8):
                signin._PLACES.release()
    assert sign_in(site)[1].status_code == 303, "and it did not count as a failure"


# ── cookies ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("base", "declared"),
    [("https://testserver", SITE), ("http://odds.example.fr", "http://127.0.0.1:8080")],
)
def test_no_session_is_opened_with_an_insecure_cookie(
    make_site: Callable[..., Site], base: str, declared: str
) -> None:
    site = make_site(public_url=declared)
    client = TestClient(site.app, base_url=base, follow_redirects=False)
    answer = client.post(
        "/connexion", data={"email": "ccas@exemple.fr", "password": PASSWORD},
        headers={"sec-fetch-site": "same-origin"},
    )  # fmt: skip
    assert answer.status_code == 401 and "public_url" in answer.text
    assert "set-cookie" not in answer.headers


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def test_the_accounts_are_their_services_own_whatever_the_umask(tmp_path: Path) -> None:
    former = os.umask(0o022)
    try:
        accounts = Accounts(tmp_path / "extranet" / "accounts.sqlite")
        accounts.save_organisation("CCAS", "membres")
    finally:
        os.umask(former)
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in accounts.path.parent.iterdir()}
    assert set(files) == {"accounts.sqlite", "accounts.sqlite-wal", "accounts.sqlite-shm"}
    assert set(files.values()) == {0o600}
    assert stat.S_IMODE(accounts.path.parent.stat().st_mode) == 0o700


def test_accounts_without_a_version_are_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "accounts.sqlite"
    with sqlite3.connect(path) as database:
        database.executescript(MIGRATIONS[0].sql)
        database.execute("INSERT INTO organisations (name, edition) VALUES ('CCAS', 'membres')")
        database.execute(
            "INSERT INTO people (email, name, organisation, created_at) "
            "VALUES ('a@b.fr', 'A', 1, '2024-01-01T00:00:00Z')"
        )
        database.execute(
            "INSERT INTO audit VALUES ('2024-01-01T00:00:00Z', 'api', 1, 1, 'indicateur=x', '')"
        )
    database.close()
    for _ in range(2):
        accounts = Accounts(path)
        assert accounts.database.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        person = accounts.with_email("a@b.fr")
        assert person is not None and person.asked_at is None
        assert accounts.everything_of(person.id)["journal"][0]["detail"] == "", "no query is kept"


def test_accounts_of_a_newer_program_are_refused(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / "accounts.sqlite")
    accounts.database.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerSchema, match="version 99"):
        Accounts(accounts.path)


# ── a person's data ──────────────────────────────────────────────────────────────────────────────


def test_a_forgotten_password_is_shown_to_the_administrator(site: Site) -> None:
    texts = [
        site.client().post("/mot-de-passe-oublie", data={"email": email}).text
        for email in ("ccas@exemple.fr", "inconnue@exemple.fr")
    ]
    assert texts[0] == texts[1], "nobody learns who has an account"
    page = f"/gestion/{site.people['ccas'].organisation.id}"
    admin = site.client("ccas-admin")
    assert "a demandé un nouveau mot de passe" in admin.get(page).text
    shown = admin.post(f"{page}/{site.people['ccas'].id}/invitation").text
    address = shown.split('<code class="secret">http://testserver')[1].split("<")[0]
    assert site.client().post(address, data={"new": "une phrase assez longue"}).status_code == 303
    assert "a demandé" not in admin.get(page).text


def test_a_person_reads_corrects_and_erases_what_is_kept_of_them(site: Site) -> None:
    client, _ = sign_in(site)
    client.get("/api/v1/valeurs?indicateur=population_municipale&territoire=93008")
    kept = client.get("/compte/mes-donnees.json").json()
    assert kept["email"] == "ccas@exemple.fr" and kept["organisation"] == "Organisation ccas"
    assert {line["event"] for line in kept["journal"]} == {"connexion", "api"}
    assert "93008" not in str(kept["journal"]) and "$argon2" not in str(kept)
    assert client.post("/compte/nom", data={"name": "Nouveau Nom"}).status_code == 303
    assert "Nouveau Nom" in client.get("/compte").text
    assert client.post("/compte/effacement", data={"email": "autre@exemple.fr"}).status_code == 400
    assert client.post("/compte/effacement", data={"email": "ccas@exemple.fr"}).status_code == 303
    assert site.accounts.with_email("ccas@exemple.fr") is None
    assert "Se connecter" in client.get("/").text and sign_in(site)[1].status_code == 401
    left = site.accounts.database.execute("SELECT event FROM journal WHERE person = ?", [kept["id"]])
    assert left.fetchall(), "the journal keeps what happened, under a number"


def test_an_administrator_corrects_demotes_and_erases(site: Site) -> None:
    admin = site.client("ccas-admin")
    page, person = f"/gestion/{site.people['ccas'].organisation.id}", site.people["ccas"].id
    data = {"email": "juste@exemple.fr", "name": "Juste"}
    assert admin.post(f"{page}/{person}/correction", data=data).status_code == 303
    taken = {"email": "cpam@exemple.fr", "name": "Juste"}
    assert admin.post(f"{page}/{person}/correction", data=taken).status_code == 400
    assert admin.post(f"{page}/{person}/role", data={"administrator": "1"}).status_code == 303
    changed = site.accounts.person(person)
    assert changed is not None and changed.administrator and changed.email == "juste@exemple.fr"
    assert site.client("ccas").get(page).status_code == 200
    assert admin.post(f"{page}/{person}/role").status_code == 303
    assert site.client("ccas").get(page).status_code == 404, "at the next click"
    own = site.people["ccas-admin"].id
    assert admin.post(f"{page}/{own}/role").status_code == 400
    assert admin.post(f"{page}/{person}/effacement").status_code == 400, "it is open"
    admin.post(f"{page}/{person}/fermeture")
    assert admin.post(f"{page}/{person}/effacement").status_code == 303
    assert site.accounts.person(person) is None
    stranger = site.people["cpam"].id
    for action in ("role", "correction", "effacement"):
        assert admin.post(f"{page}/{stranger}/{action}", data=data).status_code == 404


def test_somebody_always_runs_the_observatory(site: Site) -> None:
    one, other = site.people["observatoire"].id, site.people["observatoire-admin"].id
    site.accounts.set_administrator(one, False)
    for end in (
        lambda: site.accounts.set_administrator(other, False),
        lambda: site.accounts.set_revoked(other, True),
        lambda: site.accounts.erase(other),
    ):
        with pytest.raises(ValueError, match="dernier administrateur"):
            end()


def test_the_register_says_the_durations_of_the_settings(make_site: Callable[..., Site]) -> None:
    page = make_site(journal_days=181, inactive_months=7).client().get("/donnees-personnelles").text
    assert "181 jours" in page and "7 mois" in page and "CNIL" in page


def test_the_written_register_says_them_too(project: Project) -> None:
    written = (project.root / "docs" / "registre-des-traitements.md").read_text(encoding="utf-8")
    kept = Settings.read(project.root)
    (durations,) = [line for line in written.splitlines() if line.startswith("| Durées")]
    for said in (
        f"journal : {kept.journal_days} jours", f"session : {kept.session_hours} heures",
        f"jeton : {kept.token_days} jours", f"invitation : {INVITATION_DAYS} jours",
        f"tentatives : {attempts.DAY.days} jour", f"compte inutilisé : {kept.inactive_months} mois",
    ):  # fmt: skip
        assert said in durations


def test_an_indicator_that_mixes_restricted_and_public_figures_is_the_partners_to_see() -> None:
    needs = '{"cpam": "partenaires", "insee": "public"}'
    assert Rights("membres", frozenset({"cpam"})).allows("partenaires", needs)
    assert not Rights("membres", frozenset({"caf"})).allows("partenaires", needs)
    # Declared stricter than all it reads: a partner's own figures do not open it.
    assert not Rights("membres", frozenset({"cpam"})).allows("partenaires", '{"cpam": "membres"}')
