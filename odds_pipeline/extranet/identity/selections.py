"""Selections that people keep: a name for the address of a comparison, for oneself or for all."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from odds_pipeline.extranet.identity.accounts import Accounts, Person, now, stamp

ASKED = ("t", "i", "theme")
"""Parameters of a comparison; nothing else is kept of an address."""
MOST = 100
"""Selections of one person."""
FIELDS = 200
"""Territories, indicators and options of one selection."""


@dataclass(frozen=True)
class Selection:
    """``query`` of ``/comparer``; ``shared``: the whole organisation finds it; ``owner`` keeps it."""

    id: int
    name: str
    query: str
    shared: bool
    owner: int
    owner_name: str


def selections(accounts: Accounts, person: Person) -> list[Selection]:
    """One's own, and those that others of the organisation share, by name."""
    rows = accounts.database.execute(
        "SELECT s.id, s.name, s.query, s.shared, p.id, p.name FROM selections s "
        "JOIN people p ON p.id = s.person WHERE p.id = ? OR (s.shared AND p.organisation = ?) "
        "ORDER BY s.name, s.id",
        [person.id, person.organisation.id],
    )
    return [Selection(i, name, query, bool(shared), *owner) for i, name, query, shared, *owner in rows]


def asked_in(query: str) -> str:
    """What a comparison asks in an address; :class:`ValueError` when that is nothing."""
    try:
        given = parse_qsl(query, max_num_fields=FIELDS)
    except ValueError:
        raise ValueError(f"cette sélection est trop longue : {FIELDS} choix au plus") from None
    asked = [(key, value) for key, value in given if key in ASKED]
    if not asked:
        raise ValueError("cette sélection ne contient ni territoire ni indicateur")
    return urlencode(asked)


def keep(accounts: Accounts, person: Person, name: str, query: str, *, shared: bool) -> None:
    """Keep a comparison under a name. :class:`ValueError` says what is wrong."""
    if not name.strip():
        raise ValueError("donnez un nom à la sélection")
    asked = asked_in(query)
    with accounts.transaction() as database:
        (count,) = database.execute(
            "SELECT count(*) FROM selections WHERE person = ?", [person.id]
        ).fetchone()
        if count >= MOST:
            raise ValueError(f"vous avez déjà {MOST} sélections : effacez-en une d’abord")
        database.execute(
            "INSERT INTO selections (person, name, query, shared, created_at) VALUES (?, ?, ?, ?, ?)",
            [person.id, name.strip()[:80], asked, int(shared), stamp(now())],
        )


def forget(accounts: Accounts, person: Person, selection: int) -> bool:
    """Forget one of one's own; whether there was one."""
    with accounts.transaction() as database:
        done = database.execute(
            "DELETE FROM selections WHERE id = ? AND person = ?", [selection, person.id]
        )
    return done.rowcount == 1
