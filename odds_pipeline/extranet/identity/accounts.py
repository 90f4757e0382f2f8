"""The accounts database: organisations, people, sessions, journal, in one SQLite file.

It holds the least that signing in needs: an address, a name, an organisation. Passwords are argon2
hashes; of a session or an invitation only the hash of its secret is kept.
"""

import hashlib
import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from odds_pipeline.declarations.access import ACCESS, Access
from odds_pipeline.extranet.reading.rights import Rights
from odds_pipeline.storage.migrations import left_to_apply, read_migrations

MIGRATIONS = read_migrations(Path(__file__).parent / "schema")
INVITATION_DAYS = 7


@dataclass(frozen=True)
class Organisation:
    """A member body. ``runs_observatory``: its administrators manage every organisation."""

    id: int
    name: str
    siret: str | None
    access: Access
    partners: tuple[str, ...]
    territory: str | None
    runs_observatory: bool

    @property
    def rights(self) -> Rights:
        return Rights(self.access, frozenset(self.partners))


@dataclass(frozen=True)
class Person:
    """Someone with an account."""

    id: int
    email: str
    name: str
    organisation: Organisation
    administrator: bool
    revoked: bool
    created_at: str
    seen_at: str | None
    asked_at: str | None
    """When they said to have forgotten their password; their administrator sees it."""

    def manages(self, organisation: int) -> bool:
        return self.administrator and (
            self.organisation.runs_observatory or self.organisation.id == organisation
        )

    @property
    def runs_observatory(self) -> bool:
        return self.administrator and self.organisation.runs_observatory


CLOCK = timedelta(hours=1)
"""What is dated later than that from now was written under a clock that was wrong, or is now."""


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """A moment as stored: ISO 8601, UTC, seconds; it sorts as text."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def hashed(secret: str) -> str:
    """What is kept of a secret of 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


_PERSON = """
SELECT p.id, p.email, p.name, p.administrator, p.revoked, p.created_at, p.seen_at,
       p.asked_at, o.id, o.name, o.siret, o.access, o.partners, o.territory, o.runs_observatory
FROM people p JOIN organisations o ON o.id = p.organisation
"""


class Accounts:
    """The accounts database. One connection a thread; SQLite's own lock orders the writers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Before the first connection: SQLite gives its write-ahead log the rights of the file.
        path.touch(mode=0o600)
        self._threads = threading.local()
        with self.transaction() as database:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            for migration in left_to_apply(version, MIGRATIONS, path):
                for statement in migration.sql.split(";\n"):
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {migration.number}")

    @property
    def database(self) -> sqlite3.Connection:
        """This thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._threads, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=10, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA foreign_keys = ON")
            self._threads.connection = connection
        return connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is written inside is kept, or none of it."""
        database = self.database
        database.execute("BEGIN IMMEDIATE")
        try:
            yield database
        except BaseException:
            database.rollback()
            raise
        database.commit()

    # ── organisations ────────────────────────────────────────────────────────────────────────

    def organisations(self) -> list[Organisation]:
        """All of them, by name."""
        rows = self.database.execute(
            "SELECT id, name, siret, access, partners, territory, runs_observatory "
            "FROM organisations ORDER BY name"
        )
        return [_organisation(row) for row in rows]

    def organisation(self, organisation: int) -> Organisation | None:
        return next((o for o in self.organisations() if o.id == organisation), None)

    def save_organisation(
        self,
        name: str,
        access: Access,
        *,
        siret: str | None = None,
        partners: Sequence[str] = (),
        territory: str | None = None,
        runs_observatory: bool = False,
    ) -> Organisation:
        """Add an organisation, or change the one of that name. :class:`ValueError`: what is wrong."""
        if access not in ACCESS:
            raise ValueError(f"classe d’accès inconnue : {access}")
        if siret and not (siret.isascii() and siret.isdigit() and len(siret) == 14):
            raise ValueError("un SIRET a quatorze chiffres")
        try:
            with self.transaction() as database:
                database.execute(
                    "INSERT INTO organisations "
                    "(name, siret, access, partners, territory, runs_observatory) "
                    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET siret = excluded.siret, "
                    "access = excluded.access, partners = excluded.partners, "
                    "territory = excluded.territory, "
                    "runs_observatory = max(runs_observatory, excluded.runs_observatory)",
                    [
                        name,
                        siret or None,
                        access,
                        json.dumps(sorted(partners)),
                        territory or None,
                        int(runs_observatory),
                    ],
                )
        except sqlite3.IntegrityError as error:
            raise ValueError("ce SIRET est déjà celui d’une autre organisation") from error
        return next(o for o in self.organisations() if o.name == name)

    def with_siret(self, siret: str) -> Organisation | None:
        return next((o for o in self.organisations() if o.siret == siret), None)

    # ── people ───────────────────────────────────────────────────────────────────────────────

    def _people(self, condition: str, parameters: Sequence[Any]) -> list[Person]:
        rows = self.database.execute(f"{_PERSON} WHERE {condition} ORDER BY p.name", parameters)
        return [_person(row) for row in rows]

    def people(self, organisation: int) -> list[Person]:
        return self._people("p.organisation = ?", [organisation])

    def person(self, person: int) -> Person | None:
        return next(iter(self._people("p.id = ?", [person])), None)

    def with_email(self, email: str) -> Person | None:
        return next(iter(self._people("p.email = ?", [email.strip()])), None)

    def add_person(
        self, email: str, name: str, organisation: int, *, administrator: bool = False
    ) -> Person:
        """Add someone, without a password. :class:`ValueError` when the address is taken or is none."""
        email, name = _checked(email, name)
        try:
            with self.transaction() as database:
                database.execute(
                    "INSERT INTO people (email, name, organisation, administrator, created_at) "
                    "VALUES (?, ?, ?, ?, ?)",
                    [email, name, organisation, int(administrator), stamp(now())],
                )
        except sqlite3.IntegrityError as error:
            raise ValueError("cette adresse a déjà un compte") from error
        found = self.with_email(email)
        assert found is not None
        return found

    def set_revoked(self, person: int, revoked: bool) -> None:
        """Close or reopen an account; closing ends its sessions, tokens and invitations."""
        with self.transaction() as database:
            if revoked:
                self._keep_one(database, person)
            database.execute("UPDATE people SET revoked = ? WHERE id = ?", [int(revoked), person])
            if revoked:
                database.execute("DELETE FROM sessions WHERE person = ?", [person])

    def set_administrator(self, person: int, administrator: bool) -> None:
        """Name or demote; :class:`ValueError` for the last administrator of the observatory."""
        with self.transaction() as database:
            if not administrator:
                self._keep_one(database, person)
            database.execute(
                "UPDATE people SET administrator = ? WHERE id = ?", [int(administrator), person]
            )

    @staticmethod
    def _keep_one(database: sqlite3.Connection, person: int) -> None:
        """Somebody must be left who can manage everyone."""
        rows = database.execute(
            "SELECT p.id FROM people p JOIN organisations o ON o.id = p.organisation "
            "WHERE o.runs_observatory AND p.administrator AND NOT p.revoked"
        ).fetchall()
        if rows == [(person,)]:
            raise ValueError("c’est le dernier administrateur de l’observatoire : nommez-en un autre")

    def correct(self, person: int, email: str, name: str) -> None:
        """Put an address and a name right; :class:`ValueError` when they are none or taken."""
        email, name = _checked(email, name)
        try:
            with self.transaction() as database:
                database.execute(
                    "UPDATE people SET email = ?, name = ? WHERE id = ?", [email, name, person]
                )
        except sqlite3.IntegrityError as error:
            raise ValueError("cette adresse a déjà un compte") from error

    def erase(self, person: int) -> None:
        """Forget a person; the journal keeps what happened, under a number that leads to nobody."""
        with self.transaction() as database:
            self._keep_one(database, person)
            database.execute("DELETE FROM people WHERE id = ?", [person])

    def everything_of(self, person: int) -> dict[str, Any]:
        """All that is kept about a person, to hand to them; secrets are hashes and stay here."""
        found = self.person(person)
        if found is None:
            return {}
        tables = {
            "sessions": "SELECT kind, label, created_at, expires_at FROM sessions WHERE person = ?",
            "identities": "SELECT issuer, subject FROM identities WHERE person = ?",
            "selections": "SELECT name, query, shared, created_at FROM selections WHERE person = ?",
            "follows": "SELECT title, address FROM follows WHERE person = ?",
            "journal": "SELECT at, event, detail, address FROM journal WHERE person = ? ORDER BY at",
        }
        kept: dict[str, Any] = asdict(found) | {
            "organisation": found.organisation.name,
            "password": "argon2id" if self.password(person) else None,
        }
        for table, sql in tables.items():
            cursor = self.database.execute(sql, [person])
            columns = [column[0] for column in cursor.description]
            kept[table] = [dict(zip(columns, row, strict=True)) for row in cursor]
        return kept

    def ask(self, email: str) -> None:
        """Someone has forgotten their password: their administrator will see it. Nobody is told who has
        an account."""
        with self.transaction() as database:
            database.execute(
                "UPDATE people SET asked_at = ? WHERE email = ? AND NOT revoked",
                [stamp(now()), email.strip()],
            )

    # ── identities at a provider ─────────────────────────────────────────────────────────────

    def identified(self, issuer: str, subject: str) -> Person | None:
        """Who the subject of that provider is here."""
        condition = "p.id = (SELECT person FROM identities WHERE issuer = ? AND subject = ?)"
        return next(iter(self._people(condition, [issuer, subject])), None)

    def identify(self, person: int, issuer: str, subject: str) -> None:
        """From now on the subject of that provider is this person; their invitations have served."""
        with self.transaction() as database:
            database.execute("DELETE FROM pending_signins WHERE person = ?", [person])
            database.execute("DELETE FROM sessions WHERE person = ? AND kind = 'invitation'", [person])
            database.execute(
                "INSERT INTO identities (issuer, subject, person) VALUES (?, ?, ?)",
                [issuer, subject, person],
            )

    def password(self, person: int) -> str | None:
        """The argon2 hash, if the person has a password."""
        row = self.database.execute("SELECT password FROM people WHERE id = ?", [person]).fetchone()
        return row[0] if row else None

    def set_password(self, person: int, encoded: str) -> None:
        """Keep a new hash; every other session of the person ends."""
        with self.transaction() as database:
            database.execute(
                "UPDATE people SET password = ?, asked_at = NULL WHERE id = ?", [encoded, person]
            )
            database.execute("DELETE FROM sessions WHERE person = ?", [person])

    # ── sessions ─────────────────────────────────────────────────────────────────────────────

    def open_session(self, person: int, kind: str, duration: timedelta, label: str = "") -> str:
        """A new secret of 256 bits for the person; only its hash is kept."""
        secret = secrets.token_urlsafe(32)
        moment = now()
        with self.transaction() as database:
            database.execute(
                "INSERT INTO sessions (secret, kind, person, label, created_at, expires_at) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                [hashed(secret), kind, person, label, stamp(moment), stamp(moment + duration)],
            )
            if kind == "web":
                database.execute("UPDATE people SET seen_at = ? WHERE id = ?", [stamp(moment), person])
        return secret

    def in_session(self, secret: str, kind: str) -> Person | None:
        """Whose live session it is; ``None`` when it ended, expired or its account is closed.

        Nor one of the future: a clock set back would make those that expired live again.
        """
        rows = self._people(
            "NOT p.revoked AND p.id = (SELECT person FROM sessions "
            "WHERE secret = ? AND kind = ? AND expires_at > ? AND created_at <= ?)",
            [hashed(secret), kind, stamp(now()), stamp(now() + CLOCK)],
        )
        return next(iter(rows), None)

    def close_session(self, secret: str) -> None:
        with self.transaction() as database:
            database.execute("DELETE FROM sessions WHERE secret = ?", [hashed(secret)])

    def tokens(self, person: int) -> list[tuple[str, str, str, str]]:
        """The person's API tokens: identifier, label, created, expires."""
        return self.database.execute(
            "SELECT substr(secret, 1, 16), label, created_at, expires_at FROM sessions "
            "WHERE person = ? AND kind = 'api' AND expires_at > ? ORDER BY created_at",
            [person, stamp(now())],
        ).fetchall()

    def close_token(self, person: int, identifier: str) -> None:
        with self.transaction() as database:
            database.execute(
                "DELETE FROM sessions WHERE person = ? AND kind = 'api' AND substr(secret, 1, 16) = ?",
                [person, identifier],
            )


def _checked(email: str, name: str) -> tuple[str, str]:
    email, name = email.strip().lower(), name.strip()
    if not (3 <= len(email) <= 254 and email.count("@") == 1 and name):
        raise ValueError("une adresse électronique et un nom sont nécessaires")
    return email, name


def _organisation(row: Sequence[Any]) -> Organisation:
    number, name, siret, access, partners, territory, runs = row
    return Organisation(number, name, siret, access, tuple(json.loads(partners)), territory, bool(runs))


def _person(row: Sequence[Any]) -> Person:
    number, email, name, administrator, revoked, created_at, seen_at, asked_at, *organisation = row
    return Person(
        number, email, name, _organisation(organisation), bool(administrator), bool(revoked),
        created_at, seen_at, asked_at,
    )  # fmt: skip
