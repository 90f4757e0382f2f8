"""The archive: the bytes of every file received, under their hash, each with its origin beside it."""

import os
import tempfile
from pathlib import Path

from odds_pipeline.reception.origin import SUFFIX, Origin, read_origin
from odds_pipeline.storage.home import Home


def archive_path(home: Home, sha256: str) -> Path:
    """Where the bytes of that hash are kept."""
    return home.archive / sha256[:2] / sha256


def archived_origin(home: Home, sha256: str) -> Origin:
    """Where the bytes of that hash were taken from, as told when they came."""
    note = archive_path(home, sha256).with_suffix(SUFFIX)
    return read_origin(note.read_text(encoding="utf-8") if note.exists() else None)


def keep(home: Home, content: bytes, sha256: str, origin: Origin) -> None:
    """Keep bytes for ever, read-only, whole or not at all; known ones are left alone."""
    target = archive_path(home, sha256)
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.with_suffix(SUFFIX).write_text(origin.as_json(), encoding="utf-8")
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).chmod(0o400)
    Path(file.name).replace(target)


def table_of(delivery: str) -> tuple[str, int]:
    """The sha256 of a delivery's bytes, and which table of the file it is.

    ``sha256#2+1@3``: the third table, as its second contract, sent for the third time.
    """
    sha256, _, number = delivery.partition("@")[0].partition("+")[0].partition("#")
    return sha256, int(number or 0)
