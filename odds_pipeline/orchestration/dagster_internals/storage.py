"""Dagster's SQLite storage with our event log, under the observatory when no ``DAGSTER_HOME`` is set.

Named in ``dagster.yaml``, so that `dagster dev` in the checkout shows what `odds` ran without a
variable. Leans on internals of Dagster 1.13.27.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster import Field, StringSource
from dagster._config.config_schema import UserConfigSchema
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sqlite_storage import (
    DagsterSqliteStorage,
    _runs_directory,
    _schedule_directory,
)
from dagster._serdes import ConfigurableClassData

from odds_pipeline.orchestration.dagster_internals.event_log import BUSY_SECONDS, EventLog
from odds_pipeline.storage.home import Home


def _patient(storage: SqliteRunStorage | SqliteScheduleStorage) -> str:
    """Its address, with the wait for another writer: SQLite's own 5 s lost ticks on a loaded machine."""
    return f"{storage._conn_string}?timeout={BUSY_SECONDS}"


class Storage(DagsterSqliteStorage):
    """Runs, events and schedules in SQLite, where Dagster's own default keeps them."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self.base_dir = base_dir
        runs = SqliteRunStorage.from_local(_runs_directory(base_dir))
        schedules = SqliteScheduleStorage.from_local(_schedule_directory(base_dir))
        self._run_storage = SqliteRunStorage(_patient(runs))
        self._event_log_storage = EventLog(base_dir)  # type: ignore[assignment]  # a class of another branch
        self._schedule_storage = SqliteScheduleStorage(_patient(schedules))
        self._inst_data = inst_data

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return {"base_dir": Field(StringSource, is_required=False)}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> "Storage":
        named = config_value.get("base_dir") or os.environ.get("DAGSTER_HOME")
        base_dir = Path(named or Home.from_environment().dagster).expanduser()
        base_dir.mkdir(parents=True, exist_ok=True)
        return cls(str(base_dir), inst_data)
