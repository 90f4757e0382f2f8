"""The warehouse's tables and views, made once for each version of ``schema.sql``."""

import hashlib
import re
from pathlib import Path

import duckdb

SCHEMA = (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")
_KEY = re.compile(r",?\s*PRIMARY KEY(\s*\(([^)]*)\))?")


def apply_schema(connection: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Create what is missing, once a version: views made again are commits of a lake, 8 ms of a file."""
    version = hashlib.sha256(schema.encode()).hexdigest()
    connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version VARCHAR NOT NULL)")
    if connection.execute("FROM schema_version").fetchall() == [(version,)]:
        return
    connection.execute("BEGIN")
    connection.execute(schema)
    connection.execute("DELETE FROM schema_version")
    connection.execute("INSERT INTO schema_version VALUES (?)", [version])
    connection.execute("COMMIT")


def keys_of(schema: str) -> dict[str, list[str]]:
    """The primary key of each table that a schema gives one."""
    found: dict[str, list[str]] = {}
    for table, body in re.findall(r"CREATE TABLE IF NOT EXISTS (\w+) \((.*?)\n\);", schema, re.S):
        for line in body.splitlines():
            if key := _KEY.search(line):
                columns = key.group(2) or line.split()[0]
                found[table] = [name.strip() for name in columns.split(",")]
    return found


def without_keys(schema: str) -> str:
    """The schema for an engine that has no primary keys."""
    return _KEY.sub("", schema)
