"""Dagster's event log in one SQLite file, for histories of a hundred thousand materialisations.

Dagster's own SQLite log opens two or three connections for each event and ignores batches: measured
at 11 ms an event, 1,070 CPU seconds for 99,000 indicator months. Here connections stay open, and a
batch is one transaction. Everything else, every query included, is Dagster's. Named in
``dagster.yaml``; leans on internals of Dagster 1.13.27, to which its test compares it.
"""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.polling_event_watcher import SqlPollingEventWatcher
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.consolidated_sqlite_event_log import (
    ConsolidatedSqliteEventLogStorage,
)
from dagster._serdes import ConfigurableClassData
from filelock import FileLock

BUSY_SECONDS = 60
"""Longest wait for another process that writes; a batch of 1,000 events holds the file for 0.1 s."""


def _prepare(connection: Any, _: Any) -> None:
    # In WAL mode NORMAL survives a killed process; FULL would sync the disk at each transaction.
    connection.execute("PRAGMA synchronous = NORMAL")


class EventLog(ConsolidatedSqliteEventLogStorage):
    """Connections are pooled, one transaction a thread at a time; a batch is written at once."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        Path(base_dir).mkdir(parents=True, exist_ok=True)
        self._engine: tuple[int, sqlalchemy.Engine] | None = None
        self._current = threading.local()
        self._tables: set[str] = set()
        # The interface and the daemon start together: on an empty folder both would make the tables.
        with FileLock(str(Path(base_dir) / "event_log.lock")):
            super().__init__(base_dir, inst_data)
        self._watcher = SqlPollingEventWatcher(self)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "EventLog":
        return cls(inst_data=inst_data, **config_value)

    def _engine_of_process(self) -> sqlalchemy.Engine:
        """The engine; a forked process makes its own, for SQLite connections do not survive a fork."""
        if self._engine is None or self._engine[0] != os.getpid():
            engine = sqlalchemy.create_engine(
                self._conn_string,
                poolclass=sqlalchemy.QueuePool,
                max_overflow=-1,
                connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
            )
            sqlalchemy.event.listen(engine, "connect", _prepare)
            self._engine = (os.getpid(), engine)
        return self._engine[1]

    @contextmanager
    def _connect(self) -> Iterator[sqlalchemy.Connection]:
        """A connection in a transaction; inside another one of the thread, that same transaction."""
        current = getattr(self._current, "connection", None)
        if current is not None:
            yield current
            return
        with self._engine_of_process().connect() as connection, connection.begin():
            self._current.connection = connection
            try:
                yield connection
            finally:
                self._current.connection = None

    def has_table(self, table_name: str) -> bool:
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def _has_asset_key_col_on_connection(self, conn: Any, column_name: str) -> bool:
        return True  # this file was made by this version of Dagster, with all its columns

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events in one transaction: all of them or none."""
        if not events:
            return
        rows = [self._event_to_row(event) for event in events]
        insert = SqlEventLogStorageTable.insert()
        with self.index_transaction() as connection:
            key = connection.execute(insert, rows[0]).inserted_primary_key
            first = key[0] if key is not None else 0
            if rows[1:]:
                connection.execute(insert, rows[1:])
            last = connection.exec_driver_sql("SELECT last_insert_rowid()").scalar()
            if last != first + len(rows) - 1:
                raise RuntimeError(f"SQLite gave ids {first} to {last} to {len(rows)} events")
            numbered = list(enumerate(events, start=first))
            # Of an asset's events of one kind, only the last is what the asset's own row keeps.
            latest: dict[tuple[str, str], tuple[int, EventLogEntry]] = {}
            for number, event in numbered:
                if event.dagster_event and event.dagster_event_type in ASSET_EVENTS:
                    asset = str(event.dagster_event.asset_key)
                    latest[asset, event.dagster_event.event_type_value] = number, event
            of_assets = [n for n in numbered if n[1].dagster_event and n[1].dagster_event.asset_key]
            self._store_asset_event_tags(
                connection, [e for _, e in of_assets], [n for n, _ in of_assets]
            )
            for number, event in sorted(latest.values(), key=lambda pair: pair[0]):
                self._store_asset_event(connection, event, number)
            for number, event in numbered:
                if event.dagster_event and event.dagster_event_type in ASSET_CHECK_EVENTS:
                    self.store_asset_check_event(event, number)

    # Dagster's watcher waits for the file itself to change, which in WAL mode it seldom does.

    def watch(self, run_id: str, cursor: str | None, callback: Any) -> None:
        self._watcher.watch_run(run_id, cursor, callback)

    def end_watch(self, run_id: str, handler: Any) -> None:
        self._watcher.unwatch_run(run_id, handler)

    def dispose(self) -> None:
        self._watcher.close()
        if self._engine is not None and self._engine[0] == os.getpid():
            self._engine[1].dispose()
