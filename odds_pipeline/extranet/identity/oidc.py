"""Sign-in by OpenID Connect: authorisation code, PKCE where the provider knows it, signed answers.

Everything a provider says is checked: state, nonce, issuer, audience, expiry, signatures, subject.
The ``siret`` claim names the organisation; an unknown one is refused.
"""

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from odds_pipeline.declarations.extranet import Provider, Settings
from odds_pipeline.extranet.identity.accounts import Accounts, Person, hashed, now, stamp
from odds_pipeline.extranet.identity.signin import Refused

MINUTES = 10
"""How long a person may take at the provider."""
LEEWAY = 30
"""Seconds by which clocks may differ."""
TIMEOUT = 10
ANSWER_LIMIT = 1_000_000


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_OPENER = build_opener(_NoRedirect)


def _fetch(address: str, *, form: dict[str, str] | None = None, headers: dict[str, str]) -> bytes:
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise Refused("Le fournisseur d’identité n’est pas en https.")
    data = urlencode(form).encode() if form is not None else None
    try:
        with _OPENER.open(Request(address, data, headers), timeout=TIMEOUT) as answer:
            content: bytes = answer.read(ANSWER_LIMIT)
            return content
    except HTTPError as error:
        raise Refused(f"Le fournisseur d’identité a refusé ({error.code}).") from error
    except (URLError, TimeoutError, OSError) as error:
        raise Refused("Le fournisseur d’identité ne répond pas.") from error


@dataclass
class Client:
    """This site as a client of one provider."""

    provider: Provider
    settings: Settings
    _metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def redirect_uri(self) -> str:
        return f"{self.settings.public_url}/connexion/{self.provider.id}/retour"

    def metadata(self) -> dict[str, Any]:
        """The provider's discovery document; its issuer must be the declared one."""
        if not self._metadata:
            address = self.provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
            found = _object(_fetch(address, headers={}))
            if found.get("issuer") != self.provider.issuer:
                raise Refused("Le fournisseur d’identité n’est pas celui qui est déclaré.")
            self._metadata = found
        return self._metadata

    def start(
        self, accounts: Accounts, next_page: str, invited: Person | None = None
    ) -> tuple[str, str]:
        """The address to send the person to, and the state to tie to their browser.

        ``invited``: whose account is tied to the identity that comes back.
        """
        endpoint = self.metadata()["authorization_endpoint"]
        state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
        expires = stamp(now() + timedelta(minutes=MINUTES))
        with accounts.transaction() as database:
            database.execute("DELETE FROM pending_signins WHERE expires_at <= ?", [stamp(now())])
            database.execute(
                "INSERT INTO pending_signins "
                "(state, provider, nonce, verifier, next, expires_at, person) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    *(hashed(state), self.provider.id, nonce, verifier, next_page, expires),
                    invited.id if invited else None,
                ],
            )
        query = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.provider.scope,
            "state": state,
            "nonce": nonce,
        }
        if self.provider.pkce:
            digest = hashlib.sha256(verifier.encode()).digest()
            query["code_challenge"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            query["code_challenge_method"] = "S256"
        return f"{endpoint}?{urlencode(query, quote_via=quote)}", state

    def finish(
        self, accounts: Accounts, state: str, browser_state: str, code: str
    ) -> tuple[Person, str]:
        """The person who came back, and the page they wanted. :class:`Refused` says why not."""
        pending = self._take_pending(accounts, state, browser_state)
        tokens = self._exchange(code, pending["verifier"])
        keys = KeySet.import_key_set(json.loads(_fetch(self.metadata()["jwks_uri"], headers={})))
        identity = self._checked(str(tokens.get("id_token", "")), keys, pending["nonce"])
        claims = self._userinfo(str(tokens.get("access_token", "")), keys)
        if claims.get("sub") != identity.get("sub"):
            raise Refused("L’identité reçue ne correspond pas à la connexion.")
        return self._person(accounts, claims, pending["person"]), pending["next"]

    def _take_pending(self, accounts: Accounts, state: str, browser_state: str) -> dict[str, Any]:
        """The sign-in that ``state`` began; it serves once, in the browser that began it."""
        if not state or not secrets.compare_digest(state.encode(), browser_state.encode()):
            raise Refused("Cette connexion n’a pas commencé dans ce navigateur.")
        with accounts.transaction() as database:
            row = database.execute(
                "DELETE FROM pending_signins WHERE state = ? AND provider = ? AND expires_at > ? "
                "RETURNING nonce, verifier, next, person",
                [hashed(state), self.provider.id, stamp(now())],
            ).fetchone()
        if row is None:
            raise Refused("Cette connexion a expiré ou a déjà servi : recommencez.")
        return dict(zip(("nonce", "verifier", "next", "person"), row, strict=True))

    def _exchange(self, code: str, verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "client_id": self.provider.client_id,
            "client_secret": self.provider.secret,
        }
        if self.provider.pkce:
            form["code_verifier"] = verifier
        return _object(_fetch(self.metadata()["token_endpoint"], form=form, headers={}))

    def _checked(self, token: str, keys: KeySet, nonce: str | None) -> dict[str, Any]:
        """The claims of a signed token, once issuer, audience, expiry and nonce are right."""
        try:
            claims = jwt.decode(token, keys, algorithms=self.provider.algorithms).claims
            expected: dict[str, Any] = {
                "iss": {"essential": True, "value": self.provider.issuer},
                "aud": {"essential": True, "value": self.provider.client_id},
            }
            if nonce is not None:
                expected["exp"] = {"essential": True}
                expected["sub"] = {"essential": True}
                expected["nonce"] = {"essential": True, "value": nonce}
            registry = jwt.JWTClaimsRegistry(now=lambda: int(time.time()), leeway=LEEWAY, **expected)
            registry.validate(claims)
        except (JoseError, ValueError) as error:
            raise Refused("La réponse du fournisseur d’identité n’est pas valable.") from error
        audience = claims["aud"]
        several = isinstance(audience, list) and len(audience) > 1
        if several and claims.get("azp") != self.provider.client_id:
            raise Refused("La réponse du fournisseur d’identité est destinée à un autre site.")
        return claims

    def _userinfo(self, access_token: str, keys: KeySet) -> dict[str, Any]:
        """The claims of the person: a signed JWT (ProConnect) or JSON over the provider's https."""
        headers = {"Authorization": f"Bearer {access_token}"}
        answer = _fetch(self.metadata()["userinfo_endpoint"], headers=headers)
        if answer.lstrip().startswith(b"{"):
            return _object(answer)
        return self._checked(answer.decode("ascii", "replace").strip(), keys, None)

    def _person(self, accounts: Accounts, claims: dict[str, Any], invited: int | None) -> Person:
        """The account of the subject, of its organisation and open; made at the first sign-in."""
        subject = claims.get("sub")
        if not (isinstance(subject, str) and 0 < len(subject) <= 255):
            raise Refused("Le fournisseur d’identité ne dit pas qui vous êtes.")
        siret = "".join(str(claims.get(self.provider.siret_claim, "")).split())
        organisation = accounts.with_siret(siret) if siret else None
        if organisation is None:
            raise Refused("Votre organisation n’est pas membre de l’observatoire.")
        issuer = self.provider.issuer
        person = accounts.identified(issuer, subject)
        if person is None:
            email = _verified_email(claims)
            person = accounts.person(invited) if invited else accounts.with_email(email)
            if person is not None:
                _check(person, organisation.id)
                if invited is None:
                    raise Refused(
                        "Cette adresse a déjà un compte : demandez à l’administrateur de votre "
                        "organisation une invitation, et ouvrez-la avec cette identité."
                    )
            else:
                person = _added(accounts, email, claims, organisation.id)
            accounts.identify(person.id, issuer, subject)
        _check(person, organisation.id)
        return person


def _verified_email(claims: dict[str, Any]) -> str:
    email = claims.get("email")
    if not isinstance(email, str):
        raise Refused("Votre identité est incomplète : une adresse électronique est nécessaire.")
    if claims.get("email_verified") is not True:
        raise Refused("Votre adresse électronique n’est pas vérifiée par le fournisseur d’identité.")
    return email.strip()


def _added(accounts: Accounts, email: str, claims: dict[str, Any], organisation: int) -> Person:
    name = f"{claims.get('given_name', '')} {claims.get('usual_name', '')}".strip() or email
    try:
        return accounts.add_person(email, name, organisation)
    except ValueError as error:
        raise Refused(f"Votre identité est incomplète : {error}.") from error


def _check(person: Person, organisation: int) -> None:
    if person.organisation.id != organisation:
        raise Refused("Votre compte est rattaché à une autre organisation.")
    if person.revoked:
        raise Refused("Votre compte est fermé : voyez l’administrateur de votre organisation.")


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError as error:
        raise Refused("Le fournisseur d’identité répond mal.") from error
    if not isinstance(found, dict):
        raise Refused("Le fournisseur d’identité répond mal.")
    return found
