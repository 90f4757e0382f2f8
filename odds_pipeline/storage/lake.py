"""DuckLake: the warehouse's tables as Parquet files, their catalogue in PostgreSQL.

Writers queue behind an advisory lock of the catalogue. Should one lose its lock (its connection
was cut), the catalogue still lets only the first of two commits through: the other one fails whole
and is run again. DuckLake has no primary keys: ``check_unique`` of the store stands in for them.
"""

import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb

from odds_pipeline.declarations.deployment import LakeStorage
from odds_pipeline.declarations.problems import Explained
from odds_pipeline.storage.duck import connect
from odds_pipeline.storage.schema import MIGRATIONS, check_up_to_date
from odds_pipeline.storage.sql import quoted

_LOCK = 7_304_993  # any number that nothing else in this database uses
_WRITERS = """
SELECT count(*) FILTER (WHERE granted), count(*) FILTER (WHERE NOT granted)
FROM pg_locks WHERE locktype = 'advisory' AND objid = %s
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_KEEP_ALIVES = (
    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4 "
    "-c tcp_user_timeout=30000"
)
_EXTENSIONS = ("postgres_scanner", "ducklake")
"""Loaded at each opening, their signatures checked: 0.3 s of processor."""
_INLINED = 1000
"""Rows of an insert that stay in the catalogue until ``odds compact``. A feed's month is some 200: with
a file each they were 49 of the 112 of a month of everything. A release's tables are 10,000 and more."""


class MissingPackage(Explained):
    """A package of the extra ``server`` is not installed."""


class NoWarehouse(Explained):
    """Nothing has been received here yet, or it is another place."""


class TwoLakes(Explained):
    """Catalogue and data files are not of one lake."""


class Overtaken(Explained):
    """Another process changed what this one was working from; nothing was written, run it again."""


def extension(name: str) -> Path:
    """The file of a DuckDB extension that was installed as a Python package."""
    package = f"duckdb_extension_{name}"
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    found = [p for folder in folders or [] for p in Path(folder).rglob(f"{name}.duckdb_extension")]
    if not found:
        raise MissingPackage(f"{package} is not installed: pip install 'odds-pipeline[server]'")
    return found[0]


@contextmanager
def open_lake(
    storage: LakeStorage, lock_seconds: int
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Callable[[], bool]]]:
    """The open lake as default database, this process its one writer.

    With it a question: whether another writer waits.

    Raises :class:`Overtaken` when the catalogue was lost, or another writer committed first.
    """
    try:
        with _writer_lock(storage.dsn, lock_seconds) as wanted, connect() as connection:
            _attach(connection, storage)
            yield connection, wanted
    except duckdb.OperationalError as error:
        raise Overtaken(f"{str(error).strip()} (nothing was written; run it again)") from error


@contextmanager
def read_lake(storage: LakeStorage) -> Iterator[duckdb.DuckDBPyConnection]:
    """The lake as it stands, read-only, whoever writes meanwhile."""
    with connect() as connection:
        connection.execute("SET autoload_known_extensions = false")
        try:
            attach_lake(connection, storage, "lake", read_only=True)
        except duckdb.InvalidInputException as error:
            raise NoWarehouse(f"no tables yet: `odds prepare` ({error})") from error
        connection.execute("USE lake")
        check_up_to_date(connection, MIGRATIONS)
        yield connection


@contextmanager
def locked(dsn: str, seconds: int) -> Iterator[Any]:
    """A connection to the catalogue that holds the writer's lock; it ends with the connection."""
    try:
        import psycopg2
        from psycopg2.errors import LockNotAvailable
    except ImportError:
        raise MissingPackage("psycopg2 is not installed: pip install 'odds-pipeline[server]'") from None
    # Keep-alives on both sides. The server's free the lock of a machine that has vanished: by
    # PostgreSQL's
    # own settings they begin after two hours. Ours tell of a server that has gone.
    connection = psycopg2.connect(
        dsn, keepalives_idle=10, keepalives_interval=5, keepalives_count=4, options=_KEEP_ALIVES
    )
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = %s", [f"{seconds}s"])
            try:
                cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
            except LockNotAvailable as error:
                raise Overtaken(f"the lake: another writer has kept it for {seconds} s") from error
        yield connection
    finally:
        connection.close()


@contextmanager
def _writer_lock(dsn: str, seconds: int) -> Iterator[Callable[[], bool]]:
    with locked(dsn, seconds) as connection:
        import psycopg2

        def wanted() -> bool:
            try:
                with connection.cursor() as cursor:
                    cursor.execute(_WRITERS, [_LOCK])
                    return bool(cursor.fetchone()[1])
            except psycopg2.Error:
                return True  # the lock was lost: opened anew, it is waited for again

        yield wanted


def writers(dsn: str) -> tuple[int, int]:
    """How many processes write in the lake, one at most, and how many wait to."""
    import psycopg2

    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(_WRITERS, [_LOCK])
        at_work, waiting = cursor.fetchone()
        return at_work, waiting


def _attach(connection: duckdb.DuckDBPyConnection, storage: LakeStorage) -> None:
    connection.execute("SET autoload_known_extensions = false")
    attach_lake(connection, storage, "lake")
    # No second try of DuckLake's own: it would let two transactions that read the same figures
    # both commit. The first one wins, the other is run again as a whole.
    connection.execute("SET ducklake_max_retry_count = 0")
    connection.execute("USE lake")


def attach_lake(
    connection: duckdb.DuckDBPyConnection, storage: LakeStorage, name: str, read_only: bool = False
) -> None:
    """Attach the lake as database ``name``."""
    on_s3 = storage.data_path.startswith("s3://")
    for each in (*_EXTENSIONS, "httpfs") if on_s3 else _EXTENSIONS:
        connection.execute(f"LOAD {quoted(extension(each))}")
    if on_s3:
        _object_store(connection)
    options = f"DATA_PATH {quoted(storage.data_path)}, DATA_INLINING_ROW_LIMIT {_INLINED}"
    options += ", READ_ONLY" if read_only else ""
    try:
        connection.execute(f"ATTACH {quoted('ducklake:postgres:' + storage.dsn)} AS {name} ({options})")
    except duckdb.Error as error:
        if "existing data path" not in str(error):
            raise
        raise TwoLakes(
            f"{storage.catalogue} names the catalogue of another lake than {storage.data} "
            f"({storage.data_path}): nothing was read or changed. Are they lines of two observatories, "
            f"or was the folder moved? {str(error).strip()}"
        ) from error


def _object_store(connection: duckdb.DuckDBPyConnection) -> None:
    """Let DuckDB use the S3 account of the usual AWS variables."""
    env = os.environ
    options = {
        "KEY_ID": env.get("AWS_ACCESS_KEY_ID", ""),
        "SECRET": env.get("AWS_SECRET_ACCESS_KEY", ""),
        "REGION": env.get("AWS_REGION", "us-east-1"),
    }
    if url := env.get("AWS_ENDPOINT_URL"):
        parts = urlsplit(url)
        options |= {"ENDPOINT": parts.netloc, "URL_STYLE": "path"}
        options["USE_SSL"] = str(parts.scheme == "https").lower()
    listed = ", ".join(f"{name} {quoted(value)}" for name, value in options.items())
    connection.execute(f"CREATE SECRET odds_lake (TYPE s3, {listed})")
