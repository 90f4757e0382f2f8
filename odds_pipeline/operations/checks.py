"""What is asked of an observatory: each question answers with a figure, or raises wrong and remedy.

``deep`` reads every byte (`odds verify`); otherwise what a minute's watch can afford (`odds health`).
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from odds_pipeline.declarations.access import WIDEST_FIRST
from odds_pipeline.declarations.deployment import LakeStorage, deployment
from odds_pipeline.declarations.problems import Explained
from odds_pipeline.operations.files import sha256_of
from odds_pipeline.release.published import (
    CLOCK,
    Absent,
    current_number,
    describe,
    numbers,
    open_release,
    release_path,
)
from odds_pipeline.secrecy.memory import remembered, whole
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.manifest import (
    Unread,
    check_complete,
    manifest_of,
    manifest_path,
    read_manifest,
)
from odds_pipeline.storage.sql import one
from odds_pipeline.storage.store import InUse, NoWarehouse, Overtaken, Store, check_unique

UNASKED = (Overtaken, NoWarehouse, InUse)
"""Why a question about the warehouse's tables is left to the one about the warehouse itself."""
WAIT_SECONDS = 5.0
"""For a writer to end; one that is at work is a good sign."""
PENDING = timedelta(days=1)
FREE_BYTES = 10**9


class Wrong(Explained):
    """What is wrong, and what to do."""


def _read_all(connection: duckdb.DuckDBPyConnection, where: str) -> int:
    """Read every value of every table: DuckDB compares the checksum of each block it reads."""
    tables = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE NOT internal AND NOT temporary "
        "AND database_name = current_database()"
    ).fetchall()
    for (table,) in tables:
        try:
            connection.execute(f'SELECT bit_xor(hash(t)) FROM "{table}" t').fetchall()
        except duckdb.Error as error:
            raise Wrong(f"{where}, table {table}: {str(error).splitlines()[0]}") from error
    return len(tables)


def warehouse(home: Home, deep: bool) -> str:
    """The tables open, hold each key once, and say what is in quarantine."""
    try:
        with Store(home.warehouse).reading(WAIT_SECONDS) as connection:
            if deep:
                _read_all(connection, str(home.warehouse))
            check_unique(connection)
            deliveries, refused = one(
                connection,
                "SELECT (SELECT count(*) FROM deliveries), (SELECT count(*) FROM quarantine)",
            )
            check_complete(connection, home)
    except Overtaken:
        return "a writer is at work"
    except NoWarehouse:
        if manifest_path(home).exists():
            raise Wrong(
                f"{home.warehouse} is not there, and files were received: `odds restore` a back-up "
                "elsewhere and copy it, or `odds rebuild`."
            ) from None
        return "0 deliveries, 0 months in quarantine"
    except Unread:
        raise
    except (duckdb.Error, Wrong) as error:
        first = str(error).partition("\n")[0]
        if isinstance(deployment().storage, LakeStorage):
            raise Wrong(f"{first} (is PostgreSQL up, and are the data files mounted?)") from error
        raise Wrong(f"damaged: {first}. `odds restore` a back-up, or `odds rebuild`.") from error
    return f"{deliveries} deliveries, {refused} months in quarantine"


def pending(home: Home, deep: bool) -> str:
    """No month waits for the gate for longer than a day."""
    try:
        with Store(home.warehouse).reading(WAIT_SECONDS) as connection:
            count, oldest = one(
                connection,
                "SELECT count(*), min(d.received_at) FROM delivered_months m "
                "JOIN deliveries d ON d.id = m.delivery WHERE m.state = 'pending'",
            )
    except UNASKED:
        return "not asked"
    if count and oldest < datetime.now(UTC).replace(tzinfo=None) - PENDING:
        raise Wrong(f"{count} months wait for the gate since {oldest:%Y-%m-%d}: `odds run`")
    return f"{count} months wait for the gate"


def release(home: Home, deep: bool) -> str:
    """Every class file of the current release opens; deep, every byte of every release."""
    number = current_number(home)
    if number is None:
        if numbers(home):
            raise Wrong(f"{home.releases / 'current'} is missing: write the last number there")
        return "none yet"
    found = numbers(home)
    for each in sorted({*range(1, number), *remembered(home.memory)}):
        if each not in found:
            raise Wrong(
                f"release {each} is not in {home.releases}, and readers have it: take its folder from a "
                "back-up. Nothing that it told is forgotten meanwhile."
            )
    releases(home, deep)
    said = describe(home, number)
    return f"release {number} of {said.published_at}, {said.values} values"


def releases(home: Home, deep: bool) -> str:
    """Class files of the current release open; deep, every byte of every release is read."""
    found = numbers(home) if deep else [current_number(home) or 0]
    for number in found:
        for access in WIDEST_FIRST:
            _class_file(home, number, access, deep)
    return f"{len(found)} releases"


def memory(home: Home, deep: bool) -> str:
    """What each release told is known: without it the next one is not published."""
    last = max([0, *numbers(home), *remembered(home.memory)])
    for number in range(1, last + 1):
        path = home.memory / f"{number:04d}.parquet"
        if not whole(path):
            raise Wrong(
                f"{path} is missing or damaged: no release can be published safely. Take that file "
                "from a back-up; while the warehouse is whole, `odds run` writes it again."
            )
    return f"{last} releases"


def _class_file(home: Home, number: int, access: str, deep: bool) -> None:
    path = release_path(home, number) / f"{access}.duckdb"
    try:
        with open_release(home, number, access) as connection:  # type: ignore[arg-type]
            (said,) = one(connection, "SELECT number FROM about")
            if deep:
                _read_all(connection, str(path))
    except (duckdb.Error, LookupError, Wrong) as error:
        raise Wrong(
            f"{path} is damaged: {str(error).splitlines()[0]}. Take the folder of this release "
            f"from a back-up; "
            "readers see the last good one meanwhile."
        ) from error
    if said != number:
        raise Wrong(f"{path} says that it is release {said}: take the folder from a back-up")


def archive(home: Home, deep: bool) -> str:
    """Every delivery has its bytes, and they are those received; lightly, a 256th of them a day."""
    missing, bytes_of = [], _archived(home)
    try:
        with Store(home.warehouse).reading(WAIT_SECONDS) as connection:
            known = connection.execute(
                "SELECT DISTINCT sha256, min(file_name) FROM deliveries GROUP BY 1"
            )
            missing = [name for sha, name in known.fetchall() if sha not in bytes_of]
    except (*UNASKED, duckdb.Error):
        pass  # the question about the warehouse tells it
    if missing:
        raise Wrong(
            f"{len(missing)} of the files received are not in {home.archive}, {missing[0]} for "
            f"one: is the folder "
            "mounted? Else take them from a back-up, or from who sent them."
        )
    today = f"{date.today().toordinal() % 256:02x}"
    asked = {sha: path for sha, path in bytes_of.items() if deep or sha.startswith(today)}
    for sha, path in asked.items():
        if sha256_of(path) != sha:
            raise Wrong(
                f"{path} no longer holds the bytes received: take that file from a back-up, or "
                f"from who sent it"
            )
    return f"{len(bytes_of)} files, {len(asked)} read"


def _archived(home: Home) -> dict[str, Path]:
    return {path.name: path for path in home.archive.glob("[0-9a-f][0-9a-f]/*") if len(path.name) == 64}


def manifest(home: Home, deep: bool) -> str:
    """The names and decisions beside the archive are those of the warehouse."""
    try:
        with Store(home.warehouse).reading(WAIT_SECONDS) as connection:
            said = manifest_of(connection)
    except (*UNASKED, duckdb.Error):
        return "not asked"
    written = read_manifest(home) if said["deliveries"] else said
    for kind in ("deliveries", "overrulings", "dismissals"):
        if not all(row in written[kind] for row in said[kind]):
            raise Wrong("names or decisions are not beside the archive yet: `odds run` writes them")
    decisions = len(said["overrulings"]) + len(said["dismissals"])
    return f"{len(said['deliveries'])} names, {decisions} decisions"


def _sqlite(path: Path, deep: bool) -> None:
    pragma = "integrity_check" if deep else "quick_check"
    # Where nothing may be written SQLite cannot make the file that its readers share, and nobody writes.
    alone = "" if os.access(path.parent, os.W_OK) else "&immutable=1"
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro{alone}", uri=True)) as database:
            said = database.execute(f"PRAGMA {pragma}").fetchone()[0]
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        raise Wrong(f"{path} is damaged: {said.splitlines()[0]}")


def accounts(home: Home, deep: bool) -> str:
    """The members' accounts are whole."""
    path = home.path / "extranet" / "accounts.sqlite"
    if not path.exists():
        return "none on this machine"
    try:
        _sqlite(path, deep)
    except Wrong as error:
        raise Wrong(
            f"{error}. Take it from a back-up (`odds restore` elsewhere, copy the file)."
        ) from error
    return str(path)


def dagster(home: Home, deep: bool) -> str:
    """Dagster's own databases are whole: history of runs, no figure."""
    found = list(_dagster_databases(home))
    for path in found:
        try:
            _sqlite(path, deep)
        except Wrong as error:
            raise Wrong(
                f"{error}. It holds the history of runs, no figure: move {home.dagster} away, it "
                f"is made again."
            ) from error
    return f"{len(found)} databases"


def _dagster_databases(home: Home) -> Iterator[Path]:
    for path in sorted(home.dagster.rglob("*.db")):
        if path.stat().st_size:
            yield path


def private(home: Home, deep: bool) -> str:
    """Nothing of the observatory is readable by other accounts of the machine."""
    for folder in {home.path, home.archive, home.releases}:
        if folder.exists() and folder.stat().st_mode & 0o077 and _open_to_all(home, folder):
            raise Wrong(f"other accounts of this machine may read {folder}: chmod -R go= {folder}")
    return "readable by this account alone"


def _open_to_all(home: Home, folder: Path) -> bool:
    """A folder inside one that is closed is closed."""
    inside = folder.is_relative_to(home.shared) and folder != home.shared
    return not (inside and not home.shared.stat().st_mode & 0o077)


def writable(home: Home, deep: bool) -> str:
    """A byte can be written where bytes must be, and some room is left."""
    home.check_share()
    for folder in {home.path, home.shared}:
        if not folder.is_dir():
            raise Wrong(
                f"{folder} is not there: is it mounted? A new observatory begins with `odds prepare`."
            )
        probe = folder / f".health-{os.getpid()}"
        try:
            probe.write_bytes(b"x")
            probe.unlink()
        except OSError as error:
            with suppress(OSError):
                probe.unlink(missing_ok=True)
            raise Wrong(
                f"{folder}: {error.strerror}. Reading commands go on; see its rights, mount and room."
            ) from error
        free = shutil.disk_usage(folder).free
        if free < FREE_BYTES:
            raise Wrong(f"{free // 10**6} MB are left on the disk of {folder}: free some space")
    return str(home.shared)


def clock(home: Home, deep: bool) -> str:
    """The clock is not behind the last release."""
    now = datetime.now(UTC)
    try:
        number = current_number(home)
        said = datetime.fromisoformat(describe(home, number).published_at) if number else now
    except (duckdb.Error, Absent):  # the question about the release tells it
        return f"{now:%Y-%m-%d %H:%M} UTC, compared with no release"
    if said > now + CLOCK:
        raise Wrong(
            f"it says {now:%Y-%m-%d %H:%M} and release {number} is of {said:%Y-%m-%d %H:%M}: set it "
            "right (timedatectl set-ntp true)"
        )
    return f"{now:%Y-%m-%d %H:%M} UTC"


QUESTIONS = {
    "warehouse": warehouse,
    "pending": pending,
    "release": release,
    "memory": memory,
    "archive": archive,
    "manifest": manifest,
    "accounts": accounts,
    "dagster": dagster,
    "private": private,
    "shared folder": writable,
    "clock": clock,
}
