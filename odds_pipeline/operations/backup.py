"""Copies an observatory to a folder and back: all that cannot be made again, as it was at one moment.

A back-up is a folder with a list of its files and their sha256; it gets its name once it is whole.
What never changes (archive, releases, a lake's files) is linked to the back-up before, not copied.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from odds_pipeline import __version__
from odds_pipeline.declarations.deployment import LakeStorage, deployment
from odds_pipeline.declarations.problems import Explained
from odds_pipeline.operations import postgres
from odds_pipeline.operations.files import copy_whole, flush, kept_files, sha256_of
from odds_pipeline.release.published import current_number
from odds_pipeline.secrecy.memory import remembered
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.manifest import write_manifest
from odds_pipeline.storage.store import Store, writer_lock

LIST = "backup.json"
WAREHOUSE = "warehouse.duckdb"


class NotBackedUp(Explained):
    """Nothing was kept under a name; the text says why."""


class NotRestored(Explained):
    """Nothing was put in place; the text says why."""


@dataclass(frozen=True)
class BackUp:
    """A back-up that is whole: its folder, and what its list says."""

    path: Path
    files: dict[str, str]
    made_at: str
    release: int | None


def back_ups(folder: Path) -> list[BackUp]:
    """The whole back-ups of a folder, the oldest first."""
    return [read_back_up(path.parent) for path in sorted(folder.glob(f"*/{LIST}"))]


def read_back_up(path: Path) -> BackUp:
    """The back-up of that folder; :class:`NotRestored` when it is none, or not whole."""
    if not (path / LIST).exists():
        raise NotRestored(f"{path} is no back-up: it has no {LIST}")
    said = json.loads((path / LIST).read_text(encoding="utf-8"))
    return BackUp(path, said["files"], said["made_at"], said["release"])


def back_up(home: Home, folder: Path) -> BackUp:
    """Copy the observatory to a new folder of ``folder``, while it goes on working."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(".*.half"):
        shutil.rmtree(left)
    earlier = back_ups(folder)
    name = f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}"
    half, target = folder / f".{name}.half", folder / name
    if target.exists():
        raise NotBackedUp(f"{target} is there already; try again in a second")
    half.mkdir()
    try:
        release = _copy(home, half, earlier[-1] if earlier else None)
        _write_list(half, release)
        flush(half)
        half.replace(target)
    except OSError as error:
        shutil.rmtree(half, ignore_errors=True)
        raise NotBackedUp(f"{error} (nothing was kept; is {folder} full?)") from error
    return read_back_up(target)


def _write_list(half: Path, release: int | None) -> None:
    files = {str(path.relative_to(half)): sha256_of(path) for path in _every_file(half)}
    said: dict[str, Any] = {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "software": __version__,
        "release": release,
        "files": files,
    }
    (half / LIST).write_text(json.dumps(said, indent=1), encoding="utf-8")


def _every_file(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _roots(home: Home) -> dict[str, Path]:
    """What is kept, by its name in a back-up: the machine's own folder, the shared one, the lake's."""
    roots = {"home": home.path}
    if home.shared != home.path:
        roots["shared"] = home.shared
    storage = deployment().storage
    if isinstance(storage, LakeStorage) and "://" not in storage.data_path:
        lake = Path(storage.data_path)
        if not any(lake.is_relative_to(root) for root in roots.values()):
            roots["lake"] = lake
    return roots


def _copy(home: Home, half: Path, earlier: BackUp | None) -> int | None:
    """The tables first, as they are at one moment; files are only added after it, never changed."""
    roots = _roots(home)
    with _tables_at_rest(home, half):
        release = current_number(home)
        last = max([release or 0, *remembered(home.memory)])
        listed = {name: list(kept_files(root)) for name, root in roots.items() if root.exists()}
    for name, paths in listed.items():
        for path in paths:
            if _release_of(home, path) <= last and not path.name.startswith(WAREHOUSE):
                _keep(path, half / name / path.relative_to(roots[name]), earlier, half)
    if release is not None:
        folder = half / ("shared" if "shared" in roots else "home") / "releases"
        (folder / "current").write_text(f"{release}\n", encoding="utf-8")
    return release


def _release_of(home: Home, path: Path) -> int:
    """The number of the release a file belongs to, or whose memory it is; 0 for what belongs to none."""
    name = path.relative_to(home.releases).parts[0] if path.is_relative_to(home.releases) else ""
    name = path.stem if path.parent == home.memory and path.suffix == ".parquet" else name
    return int(name) if name.isdigit() else 0


@contextmanager
def _tables_at_rest(home: Home, half: Path) -> Iterator[None]:
    """Keep the tables; embedded, no writer comes before what goes with them is listed."""
    if isinstance(deployment().storage, LakeStorage):
        postgres.dump_all(half)
        yield
        return
    with writer_lock(home.warehouse):
        for path in home.path.glob(f"{WAREHOUSE}*"):
            if path.name in (WAREHOUSE, f"{WAREHOUSE}.wal"):
                copy_whole(path, half / "home" / path.name)
        yield


def _keep(path: Path, target: Path, earlier: BackUp | None, half: Path) -> None:
    """Link to the same unchanging file of the back-up before, or copy; what is gone since is left."""
    before = earlier.path / target.relative_to(half) if earlier else None
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if before is not None and _unchanged(before, path):
            os.link(before, target)
        else:
            copy_whole(path, target)
    except FileNotFoundError:
        return


def _unchanged(before: Path, path: Path) -> bool:
    """Archive, releases and a lake's files are written once; the rest may have changed."""
    archived = len(path.name) == 64 and path.name.startswith(path.parent.name)
    # Not the memory of secrecy: a file that was damaged is written again.
    once = archived or (path.suffix in (".parquet", ".duckdb") and path.parent.name != "memory")
    return once and before.is_file() and before.stat().st_size == path.stat().st_size


def restore(home: Home, path: Path) -> BackUp:
    """Put a back-up in place of nothing: each folder is empty, or missing; in one step if it can be."""
    kept = read_back_up(path)
    roots = _roots(home)
    for target in roots.values():
        if target.exists() and any(path != _half_of(target) for path in target.iterdir()):
            raise NotRestored(
                f"{target} is not empty: restore into an empty folder, or move this one away and keep "
                "it: releases made since the back-up must be copied from it, with their memory"
            )
    lake = isinstance(deployment().storage, LakeStorage)
    if lake:
        postgres.check_empty()
    for name in sorted(roots, reverse=True):  # the machine's own last: without it nothing starts
        if (path / name).exists():
            _put(kept, name, roots[name])
    if lake:
        postgres.restore_all(path)
    home.make_landing()
    if lake or home.warehouse.exists():
        # A back-up may be of the moment between the receipt of a file and its line in the manifest.
        with Store(home.warehouse).connect() as connection:
            write_manifest(connection, home)
    return kept


def _put(kept: BackUp, part: str, target: Path) -> None:
    half = _half_of(target)
    shutil.rmtree(half, ignore_errors=True)
    for name, wanted in kept.files.items():
        root, _, inside = name.partition("/")
        if root != part:
            continue
        copy = half / inside
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(kept.path / name, copy)
        if sha256_of(copy) != wanted:
            raise NotRestored(f"{kept.path / name} is damaged: take an earlier back-up")
    flush(half)
    if half.parent == target:
        for path in half.iterdir():
            path.replace(target / path.name)
        half.rmdir()
    else:
        half.replace(target)


def _half_of(target: Path) -> Path:
    """Beside the folder that it becomes in one step; inside a share, or where the parent is root's."""
    beside = not target.is_mount() and os.access(target.parent, os.W_OK)
    return (target.parent if beside else target) / f".{target.name}.half"
