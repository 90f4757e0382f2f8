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
from odds_pipeline.orchestration.dagster_internals.schedules import AskedOnce
from odds_pipeline.storage.home import Home


class _Schedules(AskedOnce, SqliteScheduleStorage):
    pass


_known: dict[str, tuple[str, str]] = {}
"""By folder, the addresses of its tables of runs and of schedules."""


def _addresses(base_dir: str) -> tuple[str, str]:
    """Addresses of the tables of runs and of schedules, which are made, or compared with Dagster's.

    Once a process, for that takes 0.1 s and each tick of a sensor has an instance of its own. With the
    wait for another writer: SQLite's own 5 s lost ticks on a loaded machine.
    """
    if base_dir not in _known or not Path(_schedule_directory(base_dir)).exists():
        runs = SqliteRunStorage.from_local(_runs_directory(base_dir))
        schedules = SqliteScheduleStorage.from_local(_schedule_directory(base_dir))
        wait = f"?timeout={BUSY_SECONDS}"
        _known[base_dir] = runs._conn_string + wait, schedules._conn_string + wait
    return _known[base_dir]


class Storage(DagsterSqliteStorage):
    """Runs, events and schedules in SQLite, where Dagster's own default keeps them."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self.base_dir = base_dir
        runs, schedules = _addresses(base_dir)
        self._run_storage = SqliteRunStorage(runs)
        self._event_log_storage = EventLog(base_dir)  # type: ignore[assignment]  # a class of another branch
        self._schedule_storage = _Schedules(schedules)
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
