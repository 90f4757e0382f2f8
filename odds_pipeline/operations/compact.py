"""Makes large files of a lake's small ones and of its catalogue's rows, and drops old versions.

Figures do not change: what was known when is in columns, not in the lake's snapshots.
"""

from dataclasses import dataclass

import duckdb

from odds_pipeline.storage.sql import one
from odds_pipeline.storage.store import Store


@dataclass(frozen=True)
class Compacted:
    """Rows written out of the catalogue; data files that the tables are then read from, before and after
    they are merged; files deleted from the disk.
    """

    rows: int
    before: int
    after: int
    deleted: int


def _files(connection: duckdb.DuckDBPyConnection) -> int:
    counted = "SELECT coalesce(sum(file_count), 0)::BIGINT FROM ducklake_table_info('lake')"
    return int(one(connection, counted)[0])


def compact(store: Store, keep_days: int) -> Compacted:
    """Write the catalogue's rows to files, merge them, delete those only older versions use.

    Older than ``keep_days``.

    A backup whose catalogue is younger than that finds all its files.
    """
    with store.connect() as connection:
        flushed = (
            "SELECT coalesce(sum(rows_flushed), 0)::BIGINT FROM ducklake_flush_inlined_data('lake')"
        )
        rows = int(one(connection, flushed)[0])
        before = _files(connection)
        connection.execute("CALL ducklake_merge_adjacent_files('lake')")
        older = f"now() - INTERVAL {int(keep_days)} DAY"
        connection.execute(f"CALL ducklake_expire_snapshots('lake', older_than => {older})")
        deleted = connection.execute(
            f"CALL ducklake_cleanup_old_files('lake', older_than => {older})"
        ).fetchall()
        return Compacted(rows, before, _files(connection), len(deleted))
