"""What is written down of sign-ins and downloads, and for how long."""

import ipaddress
from datetime import timedelta
from typing import Any

from odds_pipeline.declarations.extranet import Settings
from odds_pipeline.extranet.identity.accounts import CLOCK, Accounts, Person, now, stamp
from odds_pipeline.french import EVENTS


def shortened(address: str) -> str:
    """The network of an address (/24 or /48): enough to see an attack, not to follow a person."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return str(ipaddress.ip_network(f"{address}/{24 if parsed.version == 4 else 48}", strict=False))


def note(accounts: Accounts, event: str, person: Person | None, detail: str, address: str) -> None:
    """Write one event down."""
    with accounts.transaction() as database:
        database.execute(
            "INSERT INTO journal (at, event, person, organisation, detail, address) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [
                stamp(now()),
                event,
                person.id if person else None,
                person.organisation.id if person else None,
                detail[:300],
                shortened(address),
            ],
        )


def events(accounts: Accounts, organisation: int | None, limit: int = 200) -> list[dict[str, Any]]:
    """The latest events of an organisation, or of all."""
    rows = accounts.database.execute(
        "SELECT a.at, a.event, coalesce(p.name, ''), coalesce(o.name, ''), a.detail, a.address "
        "FROM journal a LEFT JOIN people p ON p.id = a.person "
        "LEFT JOIN organisations o ON o.id = a.organisation "
        "WHERE ?1 IS NULL OR a.organisation = ?1 ORDER BY a.at DESC, a.rowid DESC LIMIT ?2",
        [organisation, limit],
    ).fetchall()
    keys = ("at", "event", "person", "organisation", "detail", "address")
    return [{**dict(zip(keys, row, strict=True)), "event": EVENTS[row[1]]} for row in rows]


def purge(accounts: Accounts, settings: Settings, *, asked: bool = False) -> dict[str, int]:
    """Delete what has been kept long enough; counts by table.

    Accounts unused for ``inactive_months`` go, with their name in the journal; administrators of the
    observatory stay. Unless a person ``asked``, journal and accounts are left while nothing of the days
    before is written down: a clock that was set forward would delete them all.
    """
    moment = now()
    lately = [stamp(moment - timedelta(days=60)), stamp(moment - timedelta(days=1))]
    (alive,) = accounts.database.execute(
        "SELECT count(*) > 0 FROM journal WHERE at BETWEEN ? AND ?", lately
    ).fetchone()
    inactive = stamp(moment - timedelta(days=30.44 * settings.inactive_months))
    statements: dict[str, tuple[str, list[str]]] = {
        "sessions": ("DELETE FROM sessions WHERE expires_at < ?", [stamp(moment)]),
        "pending_signins": ("DELETE FROM pending_signins WHERE expires_at < ?", [stamp(moment)]),
        "failures": (
            "DELETE FROM failures WHERE at NOT BETWEEN ? AND ?",
            [stamp(moment - timedelta(days=1)), stamp(moment + CLOCK)],
        ),
        "journal": (
            "DELETE FROM journal WHERE at < ?",
            [stamp(moment - timedelta(days=settings.journal_days))],
        ),
        "people": (
            "DELETE FROM people WHERE coalesce(seen_at, created_at) < ? AND NOT (administrator AND "
            "organisation IN (SELECT id FROM organisations WHERE runs_observatory))",
            [inactive],
        ),
    }
    with accounts.transaction() as database:
        return {
            name: database.execute(sql, parameters).rowcount
            for name, (sql, parameters) in statements.items()
            if asked or alive or name not in ("journal", "people")
        }
