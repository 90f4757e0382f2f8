"""The two databases of a server deployment, dumped and restored with PostgreSQL's own commands."""

import os
import shutil
import subprocess
from pathlib import Path

from odds_pipeline.declarations.deployment import LakeStorage, deployment
from odds_pipeline.declarations.problems import Explained

DAGSTER = "ODDS_DAGSTER_DATABASE"
_MAKE = "createdb -O ROLE NAME, for the role that the deployment names"


_STATE = """
SELECT current_database(), has_schema_privilege('public', 'CREATE'),
       (SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema'))
"""


class DatabaseRefused(Explained):
    """A command of PostgreSQL failed; the text says which database and what to do."""


def _databases() -> dict[str, str]:
    """Connection strings by the name of their dump: the catalogue, and Dagster's if it is there."""
    storage = deployment().storage
    assert isinstance(storage, LakeStorage)
    found = {"catalogue": storage.dsn}
    if url := os.environ.get(DAGSTER):
        found["dagster"] = url.replace("postgresql+psycopg2://", "postgresql://")
    return found


def _command(name: str) -> str:
    """Where PostgreSQL's command is: on the path, or where Debian puts it."""
    found = shutil.which(name) or next(
        (str(p) for p in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None
    )
    if found is None:
        raise DatabaseRefused(f"{name} is not on this machine: apt-get install postgresql-client")
    return found


def _run(name: str, dsn: str, *options: str, remedy: str) -> None:
    from psycopg2.extensions import make_dsn, parse_dsn

    parts = parse_dsn(dsn)
    # Not on the command line, which every account of the machine can read.
    environment = {**os.environ, "PGPASSWORD": parts.pop("password", os.environ.get("PGPASSWORD", ""))}
    done = subprocess.run(
        [_command(name), *options, "-d", make_dsn(**parts)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        raise DatabaseRefused(f"{name} of {parts.get('dbname')}: {said[0]}. {remedy}")


def dump_all(folder: Path) -> None:
    """One file a database, each as it is at one moment."""
    for name, dsn in _databases().items():
        path = str(folder / f"{name}.dump")
        _run("pg_dump", dsn, "-Fc", "-f", path, remedy="Is PostgreSQL up, and may this role read?")


def check_empty() -> None:
    """Raise :class:`DatabaseRefused` unless every database is there, empty and ours to write."""
    import psycopg2

    for dsn in _databases().values():
        try:
            with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
                cursor.execute(_STATE)
                name, ours, tables = cursor.fetchone()
        except psycopg2.OperationalError as error:
            raise DatabaseRefused(f"{str(error).strip()}: createdb -O ROLE NAME makes it") from error
        if tables:
            raise DatabaseRefused(f"database {name} has {tables} tables: make a new one, {_MAKE}")
        if not ours:
            raise DatabaseRefused(f"this role may make no table in database {name}: {_MAKE}")


def restore_all(folder: Path) -> None:
    """Each database in one transaction, owned by the role that restores."""
    for name, dsn in _databases().items():
        path = folder / f"{name}.dump"
        if path.exists():
            _run(
                "pg_restore", dsn, "--no-owner", "--no-acl", "--single-transaction", str(path),
                remedy="The database must belong to the role that restores: createdb -O ROLE NAME",
            )  # fmt: skip
