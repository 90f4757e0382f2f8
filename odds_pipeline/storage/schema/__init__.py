"""The warehouse's schema: numbered migrations of its tables, and the views that each opening makes."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from odds_pipeline.declarations.problems import Explained
from odds_pipeline.storage.migrations import Migration, left_to_apply, read_migrations

MIGRATIONS = read_migrations(Path(__file__).parent)
VIEWS = (Path(__file__).parent / "views.sql").read_text(encoding="utf-8")
SCHEMA = "\n".join([*(m.sql for m in MIGRATIONS), VIEWS])
_KEY = re.compile(r",?\s*PRIMARY KEY(\s*\(([^)]*)\))?")
_VERSIONS = """CREATE TABLE IF NOT EXISTS schema_migrations (
    number INTEGER NOT NULL, name VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL
)"""


def version_of(connection: duckdb.DuckDBPyConnection) -> int:
    """Number of the last migration applied; 0 when empty, or older than the numbers."""
    try:
        rows = connection.execute("SELECT coalesce(max(number), 0) FROM schema_migrations").fetchall()
    except duckdb.CatalogException:
        return 0
    return int(rows[0][0])


def apply_schema(connection: duckdb.DuckDBPyConnection, migrations: Sequence[Migration]) -> None:
    """Bring the tables up to date, each migration in a transaction of its own, and make the views."""
    for migration in left_to_apply(version_of(connection), migrations, "the warehouse"):
        connection.execute("BEGIN")
        connection.execute(_VERSIONS)
        connection.execute(migration.sql)
        connection.execute(
            "INSERT INTO schema_migrations BY NAME SELECT $number AS number, $name AS name, "
            "now()::TIMESTAMP AS applied_at",
            {"number": migration.number, "name": migration.name},
        )
        connection.execute("COMMIT")
    connection.execute(VIEWS)


class OldSchema(Explained):
    """The warehouse lacks migrations, and may only be read."""


def check_up_to_date(connection: duckdb.DuckDBPyConnection, migrations: Sequence[Migration]) -> None:
    """Make the views of what may only be read; :class:`OldSchema` when it lacks something."""
    left = left_to_apply(version_of(connection), migrations, "the warehouse")
    if left:
        raise OldSchema(
            f"the warehouse waits for migration {left[0].number} ({left[0].name}): `odds prepare` "
            "brings it up to date, where it may be written"
        )
    connection.execute(VIEWS)


def keys_of(migrations: Sequence[Migration]) -> dict[str, list[str]]:
    """The primary key of each table that a migration gives one."""
    found: dict[str, list[str]] = {}
    for migration in migrations:
        tables = re.findall(r"CREATE TABLE IF NOT EXISTS (\w+) \((.*?)\n\);", migration.sql, re.S)
        for table, body in tables:
            for line in body.splitlines():
                if key := _KEY.search(line):
                    columns = key.group(2) or line.split()[0]
                    found[table] = [name.strip() for name in columns.split(",")]
    return found


def without_keys(migrations: Sequence[Migration]) -> list[Migration]:
    """The migrations for an engine that has no primary keys."""
    return [replace(each, sql=_KEY.sub("", each.sql)) for each in migrations]
