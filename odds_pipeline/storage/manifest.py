"""What the archive's bytes are called and what people decided of them, kept beside the archive.

The archive names files by their sha256, and a contract and a month are told by a name: with this file
and the archive alone the warehouse can be made again. A write that a kill prevented is made up for by
the next one.
"""

import json
import os
from pathlib import Path
from typing import Any

import duckdb

from odds_pipeline.declarations.problems import Explained
from odds_pipeline.storage.home import Home

Rows = list[dict[str, Any]]

_DELIVERIES = """
SELECT d.id, d.sha256, d.file_name, d.received_at, d.feed, coalesce(a.dated, d.received_at) AS dated
FROM deliveries d LEFT JOIN (SELECT delivery, max(dated) AS dated FROM arrivals GROUP BY delivery) a
     ON a.delivery = d.id
ORDER BY d.received_order, d.id
"""
_MONTHS = "SELECT delivery, month, state FROM delivered_months ORDER BY delivery, month"
_OVERRULINGS = """
SELECT delivery, month, rule, reason, decided_by, decided_at FROM overrulings
ORDER BY decided_at, delivery, month, rule
"""
_DISMISSALS = "SELECT sha256, reason, decided_by, decided_at FROM dismissals ORDER BY decided_at, sha256"
_TABLES = {
    "deliveries": _DELIVERIES,
    "months": _MONTHS,
    "overrulings": _OVERRULINGS,
    "dismissals": _DISMISSALS,
}


_KNOWN = "SELECT DISTINCT sha256 FROM deliveries"


class Unread(Explained):
    """The warehouse lacks files that were received: nothing is published without them."""


class NoManifest(Explained):
    """The archive has no list of names: nothing can be made again from it."""


def manifest_path(home: Home) -> Path:
    """Hidden: it is not one of the archive's files."""
    return home.archive / ".manifest.json"


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> Rows:
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def manifest_of(connection: duckdb.DuckDBPyConnection) -> dict[str, Rows]:
    """What the open warehouse says; times are text."""
    found = {name: _rows(connection, sql) for name, sql in _TABLES.items()}
    return dict(json.loads(json.dumps(found, default=str)))


def write_manifest(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Bring the manifest up to what the warehouse says; what the latter lost is not forgotten."""
    path = manifest_path(home)
    before = read_manifest(home) if path.exists() else {}
    said = _with_what_was_lost(manifest_of(connection), before)
    if said == before:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(f".{os.getpid()}.half")
    half.write_text(_as_text(said), encoding="utf-8")
    half.replace(path)


def check_complete(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """:class:`Unread` when the warehouse is another one than the files beside the archive went into."""
    known = {sha for (sha,) in connection.execute(_KNOWN).fetchall()}
    rows = read_manifest(home)["deliveries"] if manifest_path(home).exists() else []
    lost = {row["sha256"] for row in rows} - known
    if lost:
        raise Unread(
            f"{len(lost)} of the files received are not in the warehouse, which was lost or is an older "
            "or other one: nothing is published without them. Receive them again, or all that the "
            "archive holds: `odds rebuild`."
        )


def _with_what_was_lost(now: dict[str, Rows], before: dict[str, Rows]) -> dict[str, Rows]:
    """``now`` after what only the manifest still knows: files, and decisions, which are never undone."""
    held = {row["sha256"] for row in now["deliveries"]}
    lost = [row for row in before.get("deliveries", []) if row["sha256"] not in held]
    ids = {row["id"] for row in lost}
    months = [row for row in before.get("months", []) if row["delivery"] in ids]
    taken = {_key(row) for row in now["overrulings"]}
    overrulings = [row for row in before.get("overrulings", []) if _key(row) not in taken]
    dismissed = {row["sha256"] for row in now["dismissals"]}
    dismissals = [row for row in before.get("dismissals", []) if row["sha256"] not in dismissed]
    return {
        "deliveries": lost + now["deliveries"],
        "months": months + now["months"],
        "overrulings": overrulings + now["overrulings"],
        "dismissals": dismissals + now["dismissals"],
    }


def _key(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["delivery"], row["month"], row["rule"]


def _as_text(said: dict[str, Rows]) -> str:
    """JSON, a row a line, so that two manifests can be compared by eye."""
    parts = []
    for name, rows in said.items():
        lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        parts.append(f"{json.dumps(name)}: [\n{lines}\n]")
    return "{" + ",\n".join(parts) + "}\n"


def read_manifest(home: Home) -> dict[str, Rows]:
    """What was written last; :class:`NoManifest` when there is none."""
    path = manifest_path(home)
    if not path.exists():
        raise NoManifest(
            f"{path} is missing: the archive's files have no names without it. It is written by "
            "`odds receive` and `odds run`, and is part of every back-up."
        )
    try:
        found: dict[str, Rows] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise NoManifest(
            f"{path} is damaged: take it from a back-up. While the warehouse is whole it may be moved "
            "away instead: the next `odds run` writes it again."
        ) from error
    return found
