"""Dagster's table of sensors and schedules, which is asked once whether it is there and indexed.

Dagster reads the list of all tables twice for each of some 120 sensors and schedules, every minute: a
quarter of what an idle daemon does. Leans on internals of Dagster 1.13.27.
"""

from functools import cached_property

from dagster._core.storage.schedules.sql_schedule_storage import SqlScheduleStorage


class AskedOnce(SqlScheduleStorage):
    """Mixed into the storage of one engine: what was found is not asked for again, what was not is."""

    @cached_property
    def _found(self) -> set[str]:
        return set()

    def has_instigators_table(self) -> bool:
        if "instigators" not in self._found and super().has_instigators_table():
            self._found.add("instigators")
        return "instigators" in self._found

    def has_built_index(self, migration_name: str) -> bool:
        if migration_name not in self._found and super().has_built_index(migration_name):
            self._found.add(migration_name)
        return migration_name in self._found
