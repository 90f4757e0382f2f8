"""Local accounts: argon2 passwords, the same cost for an unknown account, limited attempts."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from odds_pipeline.extranet.identity import journal
from odds_pipeline.extranet.identity.accounts import Accounts, Person

_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash("compte inconnu")


class Refused(Exception):
    """A sign-in that is not accepted; the text is for the person."""


def encode(password: str) -> str:
    """The argon2id hash to keep."""
    return _HASHER.hash(password)


def check_strength(password: str, minimum: int) -> None:
    """Length is what counts: :class:`ValueError` says what is expected."""
    if len(password) < minimum:
        raise ValueError(f"le mot de passe doit avoir au moins {minimum} caractères")
    if len(set(password)) < 5:
        raise ValueError("le mot de passe répète trop peu de caractères différents")


def sign_in(accounts: Accounts, email: str, password: str, address: str) -> Person:
    """The person, or :class:`Refused` with one text for every reason but waiting."""
    if journal.must_wait(accounts, email, address):
        journal.note(accounts, "connexion_refusee", None, "trop de tentatives", address)
        raise Refused("Trop de tentatives : réessayez dans un quart d’heure.")
    person = accounts.with_email(email)
    kept = accounts.password(person.id) if person else None
    matches = _matches(kept or _NOBODY, password) and kept is not None
    if person is None or not matches or person.revoked:
        journal.failed(accounts, email, address)
        journal.note(accounts, "connexion_refusee", person, "mot de passe", address)
        raise Refused("Adresse ou mot de passe incorrect.")
    journal.succeeded(accounts, email, address)
    if _HASHER.check_needs_rehash(kept or ""):
        accounts.set_password(person.id, encode(password))
    return person


def _matches(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
