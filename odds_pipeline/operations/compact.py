"""Makes one large file of the many small ones that a lake's transactions leave, and drops old versions.

Figures do not change: what was known when is in columns, not in the lake's snapshots.
"""

from dataclasses import dataclass

import duckdb

from odds_pipeline.storage.sql import one
from odds_pipeline.storage.store import Store


@dataclass(frozen=True)
class Compacted:
    """Data files that the tables are read from, before and after; files deleted from the disk."""

    before: int
    after: int
    deleted: int


def _files(connection: duckdb.DuckDBPyConnection) -> int:
    counted = "SELECT coalesce(sum(file_count), 0)::BIGINT FROM ducklake_table_info('lake')"
    return int(one(connection, counted)[0])


def compact(store: Store, keep_days: int) -> Compacted:
    """Merge files, then delete those that only versions older than ``keep_days`` use.

    A backup whose catalogue is younger than that finds all its files.
    """
    with store.connect() as connection:
        before = _files(connection)
        connection.execute("CALL ducklake_merge_adjacent_files('lake')")
        older = f"now() - INTERVAL {int(keep_days)} DAY"
        connection.execute(f"CALL ducklake_expire_snapshots('lake', older_than => {older})")
        deleted = connection.execute(
            f"CALL ducklake_cleanup_old_files('lake', older_than => {older})"
        ).fetchall()
        return Compacted(before, _files(connection), len(deleted))
