"""Copies files so that a copy has its name only once it is whole, and says what it read."""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

SQLITE = b"SQLite format 3\x00"
_BESIDE_SQLITE = ("-wal", "-shm", "-journal")
_LOCKS = (".lock", ".queue")


def sha256_of(path: Path) -> str:
    """Of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_sqlite(path: Path) -> bool:
    """Whether the file is a SQLite database, whatever its name."""
    with path.open("rb") as file:
        return file.read(len(SQLITE)) == SQLITE


def kept_files(folder: Path) -> Iterator[Path]:
    """Files worth keeping: no lock, nothing half-written, nothing that SQLite puts beside."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        hidden = any(part.startswith(".") for part in inside) and path.name != ".manifest.json"
        if hidden or path.is_symlink() or not path.is_file():
            continue
        if not path.name.endswith((*_LOCKS, *_BESIDE_SQLITE)):
            yield path


def copy_whole(source: Path, target: Path) -> None:
    """Copy one file; of a SQLite database, what was committed, while others go on writing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f".{target.name}.half")
    half.unlink(missing_ok=True)
    if is_sqlite(source):
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as read,
            closing(sqlite3.connect(half)) as written,
        ):
            read.backup(written)
            written.execute("PRAGMA journal_mode = DELETE")
    else:
        shutil.copyfile(source, half)
    shutil.copymode(source, half)
    half.replace(target)


def flush(folder: Path) -> None:
    """Have the machine write what it still holds of a folder's files."""
    for path in [folder, *folder.rglob("*")]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
