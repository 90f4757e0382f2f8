"""Dagster's state in PostgreSQL, over connections that stay open.

Dagster's own storage opens a connection a query: 14,900 for a month of twelve sources, each with TLS
and a password where these are asked for. Named in ``dagster-server.yaml``.
"""

from collections.abc import Mapping
from typing import Any

from dagster._serdes import ConfigurableClassData
from dagster_postgres.storage import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine, pg_url_from_config

POOL: dict[str, Any] = {
    "isolation_level": "AUTOCOMMIT", "pool_size": 1, "max_overflow": 20,
    "pool_pre_ping": True,  # one that the server closed is replaced, not an error
    "pool_recycle": 3600,
}  # fmt: skip


class PooledStorage(DagsterPostgresStorage):
    """dagster-postgres's storage; each of its three parts keeps one connection, more while busy."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(postgres_url, inst_data=inst_data)
        for part in (self._run_storage, self._event_log_storage, self._schedule_storage):
            part._engine = create_pg_engine(postgres_url, **POOL)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "PooledStorage":
        return cls(pg_url_from_config(config_value), inst_data)
