"""Blocks that stand as the last release left them: same figures, same rules, so the same decision.

A block is a family of variables and a month. What the last release decided of it and what the attack
found are taken over when nothing it rests on has changed: a new month costs the protection of one
month, not of the whole history. The fingerprint of a block holds its figures, the declared sums, the
places, and the code of this package: changing any of them decides every block anew.
"""

import hashlib
from functools import cache
from pathlib import Path

import duckdb
import pandas as pd

from odds_pipeline.secrecy.structure import Structure
from odds_pipeline.storage.sql import read_sql

_PRINTS = read_sql(__file__, "prints")
_HIDDEN = read_sql(__file__, "hidden_before")

_SETTLED = """
CREATE OR REPLACE TEMP TABLE settled AS
SELECT family, month FROM block_prints SEMI JOIN (
    FROM settled_blocks WHERE release = $release
) USING (family, month, fingerprint)
"""

_ATTACKED = """
SELECT a.* EXCLUDE (release) FROM audited_cells a
JOIN blocks b ON b.variable = a.variable AND b.month = a.month
SEMI JOIN settled s ON s.family = b.family AND s.month = b.month
"""

CELL = ["variable", "month", "place"]
FOUND = [*CELL, "hidden_by", "current", "low", "high", "told", "recoverable"]


@cache
def _code() -> bytes:
    """The source of this package."""
    files = (path for path in Path(__file__).parent.rglob("*") if path.suffix in (".py", ".sql"))
    return b"".join(path.read_bytes() for path in sorted(files))


def settle(
    connection: duckdb.DuckDBPyConnection, structure: Structure, release: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Which of the registered ``blocks`` stand as ``release`` left them, in the table ``settled``.

    Returns their cells hidden as ``secondaire``, and what the attack found.
    """
    connection.register("secrecy_places", structure.places)
    connection.execute(
        _PRINTS, {"rules": hashlib.sha256(_code() + structure.fingerprint.encode()).hexdigest()}
    )
    connection.execute(_SETTLED, {"release": release})
    hidden = connection.execute(_HIDDEN).df()
    attacked = connection.execute(_ATTACKED).df()
    connection.unregister("secrecy_places")
    return hidden, attacked


def record(connection: duckdb.DuckDBPyConnection, attacked: pd.DataFrame, release: int) -> None:
    """Keep what ``release`` decided of every block, instead of what the one before did."""
    connection.register("attacked_frame", attacked.dropna(subset=["variable"])[FOUND])
    for statement in (
        "DELETE FROM settled_blocks",
        "INSERT INTO settled_blocks BY NAME SELECT $release AS release, family, month, fingerprint "
        "FROM block_prints",
        "DELETE FROM audited_cells",
        f"INSERT INTO audited_cells BY NAME SELECT $release AS release, {', '.join(FOUND)} "
        "FROM attacked_frame",
    ):
        connection.execute(statement, {"release": release} if "$release" in statement else {})
    connection.unregister("attacked_frame")


def forget_after(connection: duckdb.DuckDBPyConnection, release: int) -> None:
    """Drop what a publication that was killed had written of a release that does not exist."""
    for table in ("settled_blocks", "audited_cells"):
        connection.execute(f"DELETE FROM {table} WHERE release > ?", [release])
