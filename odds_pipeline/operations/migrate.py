"""Carries an observatory from one deployment to another: archive, tables, releases.

Nothing of the source is changed. Every file is compared by sha256 and every table by a fingerprint
of its rows once written, so that a migration that ends well has lost nothing. It can be repeated: what
is there already and equal is left, and a target that has received files of its own is refused.
"""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from odds_pipeline.declarations.deployment import Deployment, LakeStorage
from odds_pipeline.declarations.problems import Explained
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.lake import attach_lake
from odds_pipeline.storage.owner import check_landing, claim_landing
from odds_pipeline.storage.sql import one, quoted
from odds_pipeline.storage.store import Store, transaction, writer_lock


class NotMigrated(Explained):
    """The target was left as it was; the text says why."""


@dataclass(frozen=True)
class Carried:
    """One table, or the files of one folder: how many, and the fingerprint that both sides share."""

    what: str
    count: int
    fingerprint: str


def folder_of(home: Home, deployment: Deployment) -> Path:
    """Where a deployment keeps archive and releases."""
    return deployment.shared_folder or home.path


@contextmanager
def _with_source(
    connection: duckdb.DuckDBPyConnection, home: Home, deployment: Deployment
) -> Iterator[None]:
    """The source's tables as database ``source``, read-only, no writer meanwhile."""
    if isinstance(deployment.storage, LakeStorage):
        attach_lake(connection, deployment.storage, "source", read_only=True)
        yield
    elif not home.warehouse.exists():
        raise NotMigrated(f"no observatory in {home.path} (ODDS_HOME)")
    else:
        with writer_lock(home.warehouse):
            connection.execute(f"ATTACH {quoted(home.warehouse)} AS source (READ_ONLY)")
            yield
    connection.execute("DETACH source")


def _columns(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, list[str]]:
    """Columns of each table of the observatory, in alphabetical order."""
    rows = connection.execute(
        "SELECT table_name, list(column_name ORDER BY column_name) FROM duckdb_columns() "
        "WHERE database_name = ? AND schema_name = 'main' AND NOT internal "
        "AND table_name IN (SELECT table_name FROM duckdb_tables() WHERE database_name = ?) "
        "AND table_name <> 'schema_migrations' GROUP BY table_name ORDER BY table_name",
        [database, database],
    ).fetchall()
    return dict(rows)


def _fingerprint(
    connection: duckdb.DuckDBPyConnection, table: str, columns: list[str]
) -> tuple[int, str]:
    """Number of rows and a sum over them all, whatever their order; a row twice counts twice."""
    listed = ", ".join(columns)
    count, prints = one(
        connection,
        "SELECT count(*), coalesce(sum(md5_number_lower(CAST(r AS VARCHAR))), 0) "
        f"FROM (SELECT {listed} FROM {table}) r",
    )
    return count, f"{int(prints):x}"


def _tables(connection: duckdb.DuckDBPyConnection, target: str) -> list[Carried]:
    known = _columns(connection, "source")
    (strangers,) = one(
        connection,
        f"SELECT count(*) FROM {target}.deliveries WHERE id NOT IN (SELECT id FROM source.deliveries)",
    )
    if strangers:
        raise NotMigrated(
            f"the target has {strangers} deliveries that the source lacks: it has gone its own way"
        )
    carried = []
    with transaction(connection):
        for table, columns in _columns(connection, target).items():
            shared = [name for name in columns if name in known.get(table, [])]
            if not shared:
                continue
            wanted = _fingerprint(connection, f"source.{table}", shared)
            if _fingerprint(connection, f"{target}.{table}", shared) != wanted:
                listed = ", ".join(shared)
                connection.execute(f"DELETE FROM {target}.{table}")
                connection.execute(
                    f"INSERT INTO {target}.{table} ({listed}) SELECT {listed} FROM source.{table}"
                )
                if _fingerprint(connection, f"{target}.{table}", shared) != wanted:
                    raise NotMigrated(f"table {table} is not the same in the target")
            carried.append(Carried(table, *wanted))
    return carried


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(path: Path, copy: Path) -> None:
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        half = copy.with_name(f".{copy.name}.half")
        shutil.copy2(path, half)
        half.replace(copy)


def _files(source: Path, target: Path) -> Carried:
    """Copy what the target lacks, compare all; a file comes under its name only when it is whole."""
    fingerprint = hashlib.sha256()
    paths = sorted(
        p for p in source.rglob("*") if p.is_file() and not p.is_symlink() and not p.name.startswith(".")
    )
    for path in paths:
        name = path.relative_to(source)
        copy = target / name
        wanted = _sha256(path)
        _copy(path, copy)
        if _sha256(copy) != wanted:
            raise NotMigrated(f"{copy} differs from {path}")
        fingerprint.update(f"{name}:{wanted}\n".encode())
    return Carried(source.name, len(paths), fingerprint.hexdigest()[:16])


def migrate(home: Home, source: Deployment, target: Deployment) -> list[Carried]:
    """Carry the observatory of ``source`` to ``target``; raises :class:`NotMigrated`."""
    if source.storage == target.storage:
        raise NotMigrated("source and target are the same deployment")
    here, there = folder_of(home, source), folder_of(home, target)
    check_landing(there / "landing")
    carried = [_files(here / "archive", there / "archive")]
    with Store(home.warehouse, target.storage).connect() as connection:
        (warehouse,) = one(connection, "SELECT current_database()")
        with _with_source(connection, home, source):
            carried += _tables(connection, warehouse)
    carried.append(_files(here / "releases", there / "releases"))
    # What can be made again, and may have been since: it is not compared.
    for path in [here / "outlines.geojson", *(here / "publications").rglob("*")]:
        if path.is_file():
            _copy(path, there / path.relative_to(here))
    claim_landing(there / "landing")  # by which the machines see that the share is mounted
    return carried
