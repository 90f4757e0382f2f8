"""Which figures are secret by themselves: each partner's rule, applied to raw figures and to wholes.

It fills the temporary table ``marked``: the figures of ``available`` with their rule and, in
``hidden_by``, why they are hidden so far.
"""

import duckdb

from odds_pipeline.secrecy.structure import Structure
from odds_pipeline.storage.sql import read_sql

_MARK = read_sql(__file__, "mark")


def mark(connection: duckdb.DuckDBPyConnection, structure: Structure) -> None:
    """Fill ``marked``."""
    views = {
        "secrecy_rules": structure.rules,
        "largest": structure.largest,
        "secrecy_places": structure.places,
        "parts": structure.parts,
    }
    for name, frame in views.items():
        connection.register(name, frame)
    connection.execute(_MARK)
    for name in views:
        connection.unregister(name)
