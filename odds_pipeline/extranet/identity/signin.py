"""Local accounts: argon2 passwords, the same cost for an unknown account, limited attempts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from odds_pipeline.extranet.identity import attempts, journal
from odds_pipeline.extranet.identity.accounts import Accounts, Person

_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash("compte inconnu")
_TURNS = threading.Semaphore(2)
"""A hash takes 64 MB and four threads for some 50 ms: two at a time, whoever asks."""
_PLACES = threading.Semaphore(8)
"""Of the site's forty threads, those that may wait for a turn; the others serve pages."""


class Refused(Exception):
    """A sign-in that is not accepted; the text is for the person."""


class Busy(Refused):
    """Too many at once or too often: to be tried again later."""


@contextmanager
def hashing() -> Iterator[None]:
    """A turn to hash; :class:`Busy` when too many wait for one."""
    if not _PLACES.acquire(blocking=False):
        raise Busy("Trop de connexions à la fois : réessayez dans un instant.")
    try:
        with _TURNS:
            yield
    finally:
        _PLACES.release()


def encode(password: str) -> str:
    """The argon2id hash to keep."""
    with hashing():
        return _HASHER.hash(password)


def check_strength(password: str, minimum: int) -> None:
    """Length is what counts: :class:`ValueError` says what is expected."""
    if len(password) < minimum:
        raise ValueError(f"le mot de passe doit avoir au moins {minimum} caractères")
    if len(set(password)) < 5:
        raise ValueError("le mot de passe répète trop peu de caractères différents")


def sign_in(accounts: Accounts, email: str, password: str, address: str) -> Person:
    """The person, or :class:`Refused` with one text for every reason but waiting."""
    person = accounts.with_email(email)
    kept = accounts.password(person.id) if person else None
    with hashing():
        if not attempts.take(accounts, email, address):
            attempts.note_refused(accounts, attempts.WAITING, address)
            raise Busy("Trop de tentatives : réessayez dans un quart d’heure.")
        matches = _matches(kept or _NOBODY, password) and kept is not None
    if person is None or not matches or person.revoked:
        journal.note(accounts, "connexion_refusee", person, "mot de passe", address)
        raise Refused("Adresse ou mot de passe incorrect.")
    attempts.forget(accounts, email, address)
    if _HASHER.check_needs_rehash(kept or ""):
        accounts.set_password(person.id, encode(password))
    return person


def _matches(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
