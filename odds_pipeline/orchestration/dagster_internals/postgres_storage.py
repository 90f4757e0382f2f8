"""Dagster's state in PostgreSQL, over connections that stay open.

Dagster's own storage opens a connection a query: 14,900 for a month of twelve sources, each with TLS
and a password where these are asked for. Named in ``dagster-server.yaml``.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlalchemy
from dagster._serdes import ConfigurableClassData
from dagster_postgres.schedule_storage.schedule_storage import PostgresScheduleStorage
from dagster_postgres.storage import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine, pg_url_from_config

from odds_pipeline.orchestration.dagster_internals.schedules import AskedOnce

POOL: dict[str, Any] = {
    "isolation_level": "AUTOCOMMIT", "pool_size": 5, "max_overflow": 20,
    "pool_pre_ping": True,  # one that the server closed is replaced, not an error
    "pool_recycle": 3600,
}  # fmt: skip


@cache
def _pool(url: str, process: int) -> sqlalchemy.Engine:
    """The connections of a process: a fork must not use those of its parent."""
    return create_pg_engine(url, **POOL)


_made: set[str] = set()
"""Databases in which this process has seen Dagster's tables."""


class _Schedules(AskedOnce, PostgresScheduleStorage):
    pass


class PooledStorage(DagsterPostgresStorage):
    """dagster-postgres's storage over the connections of the process.

    Each tick of a sensor and each run has an instance of its own, which looked for its tables again.
    """

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(postgres_url, postgres_url not in _made, inst_data)
        _made.add(postgres_url)
        self._schedule_storage = _Schedules(postgres_url, should_autocreate_tables=False)
        for part in (self._run_storage, self._event_log_storage, self._schedule_storage):
            part._engine = _pool(postgres_url, os.getpid())

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "PooledStorage":
        return cls(pg_url_from_config(config_value), inst_data)
