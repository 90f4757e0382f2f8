"""Files that are no contract's delivery: what is set aside, and how a person ends the reminder."""

import duckdb

from odds_pipeline.reception.recording import now
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.manifest import write_manifest
from odds_pipeline.storage.store import Store

_SET_ASIDE = """
SELECT id, file_name, coalesce(reason, '') FROM deliveries
WHERE feed IS NULL AND sha256 NOT IN (SELECT sha256 FROM dismissals) ORDER BY received_order
"""

_UNREAD = """
SELECT sha256, list(id) FROM deliveries
WHERE (file_name = $named OR (length($named) >= 4 AND starts_with(id, $named)))
  AND (format IS NULL OR id IN (SELECT delivery FROM verdicts WHERE rule = 'contrat' AND NOT passed))
  AND id NOT IN (SELECT delivery FROM delivered_months WHERE state = 'accepted')
GROUP BY sha256
"""


def set_aside(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """Delivery, file name and reason of what no contract reads and nobody dismissed."""
    return connection.execute(_SET_ASIDE).fetchall()


def unread(connection: duckdb.DuckDBPyConnection, named: str) -> dict[str, list[str]]:
    """By hash of the files so named, the deliveries that no contract read, or reads no longer."""
    return dict(connection.execute(_UNREAD, {"named": named}).fetchall())


def dismiss(home: Home, named: str, reason: str, decided_by: str) -> list[str]:
    """Dismiss the files set aside under a name or a hash; raises :class:`LookupError`."""
    if len(reason.strip()) < 5 or len(decided_by.strip()) < 2:
        raise LookupError("a reason, and who decides, are needed")
    with Store(home.warehouse).transaction() as connection:
        found = {
            (delivery.partition("#")[0], file)
            for delivery, file, _ in set_aside(connection)
            if file == named or (len(named) >= 4 and delivery.startswith(named))
        }
        if not found:
            raise LookupError(f"no file set aside is named {named!r}: see `odds quarantine`")
        connection.executemany(
            "INSERT INTO dismissals (sha256, reason, decided_by, decided_at) VALUES (?, ?, ?, ?)",
            [[sha256, reason.strip(), decided_by.strip(), now()] for sha256 in {s for s, _ in found}],
        )
    with Store(home.warehouse).connect() as connection:
        write_manifest(connection, home)
    return sorted(file for _, file in found)
