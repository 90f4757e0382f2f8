"""The whole sign-in by OpenID Connect against a real provider on loopback, and every way it must fail."""

import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import oidc_provider_mock
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.testclient import TestClient

from odds_pipeline.extranet.identity import oidc

from .conftest import Site

SIRET = "26930007800018"
CLAIMS = {
    "email": "agente@bobigny.example",
    "email_verified": True,
    "given_name": "Amina",
    "usual_name": "Benali",
    "siret": SIRET,
}


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    people = [
        oidc_provider_mock.User(sub="amina", claims=CLAIMS),
        oidc_provider_mock.User(sub="autre-personne", claims=CLAIMS),
        oidc_provider_mock.User(sub="non-verifiee", claims={**CLAIMS, "email_verified": False}),
        oidc_provider_mock.User(
            sub="muette", claims={k: v for k, v in CLAIMS.items() if k != "email_verified"}
        ),
        oidc_provider_mock.User(sub="liste", claims={**CLAIMS, "email": ["agente@bobigny.example"]}),
        oidc_provider_mock.User(sub="ailleurs", claims={**CLAIMS, "siret": "00000000000000"}),
        oidc_provider_mock.User(sub="sans", claims={"email": "sans@siret.example"}),
    ]
    with oidc_provider_mock.run_server_in_thread(user_claims=people, require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def site(make_site: Callable[..., Site], provider: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("ODDS_TEST_SECRET", "secret-de-client")
    one = {
        "id": "essai",
        "label": "Fournisseur d’essai",
        "issuer": provider,
        "client_id": "odds",
        "client_secret_env": "ODDS_TEST_SECRET",
        "scope": "openid profile email",
    }
    site = make_site(providers=[one, {**one, "id": "sans_pkce", "pkce": False}])
    site.accounts.save_organisation("CCAS de Bobigny", "membres", siret=SIRET, territory="93008")
    return site


def leave(client: TestClient, name: str = "essai") -> str:
    """Begin; the address at the provider."""
    answer = client.get(f"/connexion/{name}?next=/territoires/93008")
    assert answer.status_code == 303
    return str(answer.headers["location"])


def authorise(address: str, sub: str) -> str:
    """Say yes at the provider as ``sub``; the address it sends back to."""
    answer = httpx2.post(address, data={"sub": sub})
    assert answer.status_code == 302
    return str(answer.headers["location"])


def come_back(client: TestClient, address: str) -> Any:
    parts = urlsplit(address)
    return client.get(f"{parts.path}?{parts.query}")


def signed_in(client: TestClient) -> bool:
    return "Mon compte" in client.get("/").text


@pytest.mark.parametrize("name", ["essai", "sans_pkce"])
def test_an_agent_of_a_known_organisation_signs_in(site: Site, name: str) -> None:
    client = site.client()
    address = leave(client, name)
    query = parse_qs(urlsplit(address).query)
    assert len(query["state"][0]) >= 32 and len(query["nonce"][0]) >= 32
    assert ("code_challenge" in query) == (name == "essai")
    known = {"response_type", "client_id", "redirect_uri", "scope", "state", "nonce"}
    assert set(query) - {"code_challenge", "code_challenge_method"} == known
    answer = come_back(client, authorise(address, "amina"))
    assert answer.status_code == 303 and answer.headers["location"] == "/territoires/93008"
    assert signed_in(client)
    person = site.accounts.with_email("agente@bobigny.example")
    assert person is not None and person.name == "Amina Benali"
    assert person.organisation.name == "CCAS de Bobigny" and not person.administrator


def refused(site: Site, client: TestClient, answer: Any, words: str) -> None:
    assert answer.status_code == 403
    assert re.search(words, answer.text), answer.text
    assert not signed_in(client)
    assert site.accounts.database.execute("SELECT count(*) FROM sessions").fetchone() == (0,)


def test_another_state_is_refused(site: Site) -> None:
    client = site.client()
    back = authorise(leave(client), "amina")
    refused(
        site, client, come_back(client, re.sub(r"state=[^&]+", "state=" + "x" * 64, back)), "navigateur"
    )


def test_what_a_stranger_repeats_fills_neither_journal_nor_table(site: Site) -> None:
    """A refusal of a network is written down once a window; what has expired goes with the next sign-in."""
    client, database = site.client(), site.accounts.database
    for _ in range(5):
        assert client.get("/connexion/essai/retour?state=x&code=y").status_code == 403
    counted = "SELECT count(*) FROM journal WHERE event = 'connexion_refusee'"
    assert database.execute(counted).fetchone() == (1,)
    for _ in range(3):
        leave(client)
    database.execute("UPDATE pending_signins SET expires_at = '2020-01-01T00:00:00Z'")
    leave(client)
    assert database.execute("SELECT count(*) FROM pending_signins").fetchone() == (1,)


def test_a_sign_in_begun_in_another_browser_is_refused(site: Site) -> None:
    """A stranger cannot make someone sign in as them."""
    back = authorise(leave(site.client()), "amina")
    victim = site.client()
    refused(site, victim, come_back(victim, back), "navigateur")


def test_a_replay_is_refused(site: Site) -> None:
    client = site.client()
    address = leave(client)
    cookie = client.cookies["odds-connexion"]
    back = authorise(address, "amina")
    assert come_back(client, back).status_code == 303
    again = site.client()
    again.cookies.set("odds-connexion", cookie)
    answer = come_back(again, back)
    assert answer.status_code == 403 and "déjà servi" in answer.text and not signed_in(again)


def test_a_code_used_elsewhere_or_expired_is_refused(site: Site, provider: str) -> None:
    """The provider forgets a code once it has served or its time is over; our exchange then fails."""
    client = site.client()
    back = authorise(leave(client), "amina")
    code = parse_qs(urlsplit(back).query)["code"][0]
    spent = httpx2.post(
        f"{provider}/oauth2/token",
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": "http://testserver/connexion/essai/retour",
            "client_id": "odds",
            "client_secret": "secret-de-client",
        },
    )
    assert spent.status_code == 200
    refused(site, client, come_back(client, back), "a refusé")


def test_a_sign_in_that_took_too_long_is_refused(site: Site) -> None:
    client = site.client()
    back = authorise(leave(client), "amina")
    with site.accounts.transaction() as database:
        database.execute("UPDATE pending_signins SET expires_at = '2000-01-01T00:00:00Z'")
    refused(site, client, come_back(client, back), "a expiré")


def test_another_nonce_is_refused(site: Site) -> None:
    client = site.client()
    back = authorise(leave(client), "amina")
    with site.accounts.transaction() as database:
        database.execute("UPDATE pending_signins SET nonce = ?", ["n" * 64])
    refused(site, client, come_back(client, back), "n’est pas valable")


def test_a_token_for_another_site_is_refused(site: Site) -> None:
    """Another client of the same provider: its token's audience is not ours."""
    client = site.client()
    back = authorise(leave(client).replace("client_id=odds", "client_id=autre"), "amina")
    refused(site, client, come_back(client, back), "a refusé|n’est pas valable")


@pytest.mark.parametrize(("sub", "words"), [("ailleurs", "pas membre"), ("sans", "pas membre")])
def test_an_unknown_siret_is_refused(site: Site, sub: str, words: str) -> None:
    client = site.client()
    refused(site, client, come_back(client, authorise(leave(client), sub)), words)
    assert site.accounts.with_email("agente@bobigny.example") is None


def test_a_closed_account_stays_closed(site: Site) -> None:
    organisation = site.accounts.with_siret(SIRET)
    assert organisation is not None
    person = site.accounts.add_person(CLAIMS["email"], "Amina", organisation.id)
    site.accounts.set_revoked(person.id, True)
    client = site.client()
    refused(site, client, come_back(client, authorise(leave(client), "amina")), "fermé")


def test_the_address_of_another_organisation_is_not_taken_over(site: Site) -> None:
    site.accounts.add_person(CLAIMS["email"], "Amina", site.people["cpam"].organisation.id)
    client = site.client()
    refused(site, client, come_back(client, authorise(leave(client), "amina")), "autre organisation")


def test_an_address_alone_links_nothing(site: Site) -> None:
    """Whoever can have a provider say someone's address would be that person here."""
    first = site.client()
    assert come_back(first, authorise(leave(first), "amina")).status_code == 303
    again = site.client()
    assert come_back(again, authorise(leave(again), "amina")).status_code == 303, "the same subject"
    site.accounts.database.execute("DELETE FROM sessions")
    other = site.client()
    refused(site, other, come_back(other, authorise(leave(other), "autre-personne")), "invitation")
    assert site.accounts.database.execute("SELECT subject FROM identities").fetchall() == [("amina",)]


@pytest.mark.parametrize(
    ("sub", "words"),
    [("non-verifiee", "pas vérifiée"), ("muette", "pas vérifiée"), ("liste", "incomplète")],
)
def test_an_address_must_be_one_and_verified(site: Site, sub: str, words: str) -> None:
    client = site.client()
    refused(site, client, come_back(client, authorise(leave(client), sub)), words)
    assert site.accounts.with_email("agente@bobigny.example") is None


def test_an_invitation_ties_an_account_to_an_identity(site: Site) -> None:
    organisation = site.accounts.with_siret(SIRET)
    assert organisation is not None
    person = site.accounts.add_person("locale@bobigny.example", "Amina", organisation.id)
    secret = site.accounts.open_session(person.id, "invitation", timedelta(days=1))
    client = site.client()
    assert f"/connexion/essai?invitation={secret}" in client.get(f"/invitation/{secret}").text
    left = client.get(f"/connexion/essai?invitation={secret}").headers["location"]
    assert come_back(client, authorise(left, "amina")).status_code == 303
    assert site.accounts.identified(site.app.state.providers["essai"].provider.issuer, "amina") == (
        site.accounts.with_email("locale@bobigny.example")
    )
    assert site.client().get(f"/invitation/{secret}").status_code == 404, "it has served"


def test_the_userinfo_of_another_subject_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """An access token put in the place of ours tells of someone else."""
    client = site.client()
    back = authorise(leave(client), "amina")
    monkeypatch.setattr(oidc.Client, "_userinfo", lambda *_: {**CLAIMS, "sub": "autre-personne"})
    refused(site, client, come_back(client, back), "ne correspond pas")


def test_no_open_redirect(site: Site) -> None:
    for address in (
        "https://ailleurs.example/",
        "//ailleurs.example",
        "/\\ailleurs.example",
        "javascript:x",
    ):
        client = site.client()
        client.get("/connexion/essai", params={"next": address})
        kept = site.accounts.database.execute("SELECT next FROM pending_signins").fetchall()
        assert {row[0] for row in kept} == {"/"}


# ── signed answers, forged ───────────────────────────────────────────────────────────────────────

KEY = RSAKey.generate_key(2048, parameters={"kid": "la-clef"})
OTHER = RSAKey.generate_key(2048, parameters={"kid": "la-clef"})
GOOD = {"iss": "http://localhost:9", "aud": "odds", "sub": "amina", "nonce": "n" * 64}


@pytest.fixture
def relying(site: Site) -> oidc.Client:
    client: oidc.Client = site.app.state.providers["essai"]
    provider = client.provider.model_copy(update={"issuer": "http://localhost:9"})
    return oidc.Client(provider, client.settings)


def token(key: RSAKey = KEY, alg: str = "RS256", **changes: Any) -> str:
    claims = {**GOOD, "exp": int(time.time()) + 60, "iat": int(time.time())} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": alg, "kid": "la-clef"}, claims, key)


def test_a_right_token_is_accepted(relying: oidc.Client) -> None:
    keys = oidc.KeySet([KEY])
    assert relying._checked(token(), keys, "n" * 64)["sub"] == "amina"
    assert relying._checked(token(aud=["odds", "autre"], azp="odds"), keys, "n" * 64)


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "http://localhost:8"},
        {"iss": None},
        {"aud": "autre"},
        {"aud": None},
        {"aud": ["odds", "autre"], "azp": "autre"},
        {"aud": ["odds", "autre"]},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"nonce": "m" * 64},
        {"nonce": None},
        {"sub": None},
        {"key": OTHER},
    ],
    ids=lambda claims: ",".join(claims),
)
def test_a_wrong_token_is_refused(relying: oidc.Client, wrong: dict[str, Any]) -> None:
    with pytest.raises(oidc.Refused):
        relying._checked(token(**wrong), oidc.KeySet([KEY]), "n" * 64)


@pytest.mark.parametrize("forged", ["", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", "é"])
def test_what_is_not_a_signed_token_is_refused(relying: oidc.Client, forged: str) -> None:
    with pytest.raises(oidc.Refused):
        relying._checked(forged, oidc.KeySet([KEY]), "n" * 64)


def test_userinfo_may_be_a_signed_token(relying: oidc.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """As ProConnect answers: signed, for us, and without expiry or nonce."""
    relying._metadata = {"userinfo_endpoint": "http://localhost:9/userinfo"}
    answer = token(exp=None, nonce=None, siret=SIRET)
    monkeypatch.setattr(oidc, "_fetch", lambda *args, **kwargs: answer.encode())
    assert relying._userinfo("x", oidc.KeySet([KEY]))["siret"] == SIRET
    with pytest.raises(oidc.Refused):
        relying._userinfo("x", oidc.KeySet([OTHER]))
