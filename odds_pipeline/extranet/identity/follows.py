"""What people follow: the news of a territory or a selection, of which an e-mail tells at a release."""

from dataclasses import dataclass
from itertools import groupby

from odds_pipeline.extranet.identity.accounts import Accounts, Person

MOST = 50
"""Addresses that one person follows."""


@dataclass(frozen=True)
class Followed:
    """``address`` within the site; ``title`` is what its owner calls it."""

    address: str
    title: str


def followed(accounts: Accounts, person: Person) -> list[Followed]:
    """What a person follows, by title."""
    rows = accounts.database.execute(
        "SELECT address, title FROM follows WHERE person = ? ORDER BY title, address", [person.id]
    )
    return [Followed(*row) for row in rows]


def follow(accounts: Accounts, person: Person, one: Followed, release: int) -> None:
    """Tell of the releases after this one; :class:`ValueError` beyond what one person may follow."""
    with accounts.transaction() as database:
        (count,) = database.execute(
            "SELECT count(*) FROM follows WHERE person = ?", [person.id]
        ).fetchone()
        if count >= MOST:
            raise ValueError(f"vous suivez déjà {MOST} pages : cessez d’abord d’en suivre une")
        database.execute(
            "INSERT INTO follows (person, address, title, told) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET title = excluded.title",
            [person.id, one.address, one.title, release],
        )


def unfollow(accounts: Accounts, person: Person, address: str) -> bool:
    """Follow it no more; whether one did."""
    with accounts.transaction() as database:
        done = database.execute(
            "DELETE FROM follows WHERE person = ? AND address = ?", [person.id, address]
        )
    return done.rowcount == 1


def to_tell(accounts: Accounts, release: int) -> list[tuple[int, str, list[Followed]]]:
    """Who was not told of a release: number, e-mail, what they follow. Closed accounts are not told."""
    rows = accounts.database.execute(
        "SELECT p.id, p.email, f.address, f.title FROM follows f JOIN people p ON p.id = f.person "
        "WHERE f.told < ? AND NOT p.revoked ORDER BY p.id, f.title, f.address",
        [release],
    ).fetchall()
    return [
        (person, email, [Followed(*row[2:]) for row in same])
        for (person, email), same in groupby(rows, lambda row: row[:2])
    ]


def told(accounts: Accounts, person: int, release: int) -> None:
    """They have been told."""
    with accounts.transaction() as database:
        database.execute(
            "UPDATE follows SET told = ? WHERE person = ? AND told < ?", [release, person, release]
        )
