"""Makes the warehouse again from the archive: every file received, judged and accepted as it was.

The names of files and the decisions of people come from the manifest beside the archive, corrections
from the declarations, what earlier releases told from the releases. Embedded, the new warehouse takes
its place in one step; on a server it is made in a catalogue of its own, which the deployment then names.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from odds_pipeline.declarations.deployment import LakeStorage, deployment
from odds_pipeline.declarations.problems import Explained
from odds_pipeline.declarations.project import Project
from odds_pipeline.operations.files import sha256_of
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.quality.quarantine import NotAcceptable, accept
from odds_pipeline.reception.kept import archive_path, archived_origin, table_of
from odds_pipeline.reception.origin import SUFFIX
from odds_pipeline.reception.receive import receive
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.manifest import Rows, manifest_of, read_manifest
from odds_pipeline.storage.sql import one
from odds_pipeline.storage.store import Store, transaction, writer_lock


class NotRebuilt(Explained):
    """The warehouse was left as it was; the text says why."""


@dataclass(frozen=True)
class Rebuilt:
    """What the new warehouse holds, and what it says otherwise than the manifest."""

    deliveries: int
    decisions: int
    differences: tuple[str, ...]
    former: Path | None


def rebuild(project: Project, home: Home) -> Rebuilt:
    """Replay the archive; :class:`NotRebuilt` when bytes are missing or a warehouse is in the way."""
    manifest = read_manifest(home)
    _check_archive(home, manifest["deliveries"])
    with _beside(home) as work:
        _replay(project, work, manifest)
        differences = list(_differences(work, manifest))
        former = _take_the_place(home, work)
    return Rebuilt(
        len(manifest["deliveries"]),
        len(_decisions(manifest)) + len(manifest["dismissals"]),
        tuple(differences),
        former,
    )


def _check_archive(home: Home, deliveries: Rows) -> None:
    missing = [row for row in deliveries if not archive_path(home, row["sha256"]).is_file()]
    if missing:
        names = ", ".join(sorted({row["file_name"] for row in missing})[:5])
        raise NotRebuilt(f"{len(missing)} files are not in {home.archive}: {names}. Restore them first.")
    # Bytes that changed would be read as another delivery, and their figures believed.
    received = {row["sha256"]: row["file_name"] for row in deliveries}
    changed = [sha for sha in received if sha256_of(archive_path(home, sha)) != sha]
    if changed:
        names = ", ".join(sorted(received[sha] for sha in changed)[:5])
        raise NotRebuilt(
            f"{len(changed)} files of {home.archive} no longer hold the bytes received: {names} "
            f"({archive_path(home, changed[0])}). Take them from a back-up, or from who sent them."
        )


@contextmanager
def _beside(home: Home) -> Iterator[Home]:
    """A home whose warehouse is new, over the same archive and releases. A kill leaves it unused."""
    if isinstance(deployment().storage, LakeStorage):
        _check_empty(home)
        yield home
        return
    work = Home(home.path / ".rebuild")
    shutil.rmtree(work.path, ignore_errors=True)
    work.path.mkdir(parents=True)
    try:
        # The archive's folders, not the archive: the manifest that is written meanwhile is another one.
        work.archive.mkdir()
        for folder in home.archive.glob("[0-9a-f][0-9a-f]"):
            (work.archive / folder.name).symlink_to(folder, target_is_directory=True)
        yield work
    finally:
        shutil.rmtree(work.path, ignore_errors=True)


def _check_empty(home: Home) -> None:
    with Store(home.warehouse).connect() as connection:
        (count,) = one(connection, "SELECT count(*) FROM deliveries")
    if count:
        raise NotRebuilt(
            f"the catalogue holds {count} deliveries: make a new database (createdb -O ROLE NAME) "
            f"and an empty "
            "data folder, name them in ODDS_CATALOGUE and ODDS_LAKE, and rebuild there"
        )


def _decisions(manifest: dict[str, Rows]) -> list[dict[str, Any]]:
    """One acceptance each: the rules of a month that one person overruled at one time."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in manifest["overrulings"]:
        found.setdefault((row["delivery"], row["month"], row["decided_at"]), row)
    return sorted(found.values(), key=lambda row: str(row["decided_at"]))


def _replay(project: Project, home: Home, manifest: dict[str, Rows]) -> None:
    """Receive, judge and accept in the order of then."""
    left = list(manifest["deliveries"])
    for decision in _decisions(manifest):
        before = [row for row in left if row["received_at"] < decision["decided_at"]]
        left = [row for row in left if row["received_at"] >= decision["decided_at"]]
        _receive(project, home, before)
        _judge(project, home)
        _accept_again(project, home, decision)
    _receive(project, home, left)
    _judge(project, home)
    _say_when(home, manifest)


def _receive(project: Project, home: Home, deliveries: Sequence[dict[str, Any]]) -> None:
    """Each file under the name it came by, its origin beside it; one sent again counts as sent again."""
    # A file of several tables is one file; "@n" tells the times it was sent again.
    files = {(table_of(row["id"])[0], row["id"].partition("@")[2]): row for row in reversed(deliveries)}
    for number, row in enumerate(reversed(files.values())):
        folder = home.path / ".names" / str(number)
        folder.mkdir(parents=True)
        named = folder / row["file_name"]
        shutil.copyfile(archive_path(home, row["sha256"]), named)
        origin = archived_origin(home, row["sha256"])  # a folder may be all that tells the year
        named.with_name(named.name + SUFFIX).write_text(origin.as_json(), encoding="utf-8")
        # Of two files the one that was written later is the newer.
        written = datetime.fromisoformat(row["dated"]).replace(tzinfo=UTC).timestamp()
        os.utime(named, (written, written))
        for _ in receive(project, home, [named], again="@" in row["id"]):
            pass
        shutil.rmtree(home.path / ".names")


def _judge(project: Project, home: Home) -> None:
    with Store(home.warehouse).connect() as connection:
        rows = connection.execute("SELECT DISTINCT feed FROM delivered_months WHERE state = 'pending'")
        feeds = [feed for (feed,) in rows.fetchall()]
    for feed in sorted(set(feeds) & set(project.feeds)):
        judge_pending(project, home, feed)


def _accept_again(project: Project, home: Home, decision: dict[str, Any]) -> None:
    """What no longer needs a decision, or no longer may have it, is told by the comparison."""
    month, reason, by = decision["month"], decision["reason"], decision["decided_by"]
    try:
        accept(project, home, decision["delivery"], month, reason, by)
    except (LookupError, NotAcceptable):
        return


def _say_when(home: Home, manifest: dict[str, Rows]) -> None:
    """Times are those of then, readers see when a decision was taken; and what was dismissed is."""
    received = [[row["received_at"], row["id"]] for row in manifest["deliveries"]]
    decided = [
        [row["decided_at"], row["delivery"], row["month"], row["rule"]]
        for row in manifest["overrulings"]
    ]
    dated = [[row["dated"], row["id"]] for row in manifest["deliveries"]]
    dismissed = [
        [row["sha256"], row["reason"], row["decided_by"], row["decided_at"]]
        for row in manifest["dismissals"]
    ]
    statements = {
        "UPDATE deliveries SET received_at = ? WHERE id = ?": received,
        "UPDATE arrivals SET dated = ? WHERE delivery = ?": dated,
        "UPDATE overrulings SET decided_at = ? WHERE delivery = ? AND month = ? AND rule = ?": decided,
        "INSERT INTO dismissals (sha256, reason, decided_by, decided_at) VALUES (?, ?, ?, ?)": dismissed,
    }
    with Store(home.warehouse).connect() as connection, transaction(connection):
        for statement, rows in statements.items():
            if rows:
                connection.executemany(statement, rows)


def _differences(home: Home, manifest: dict[str, Rows]) -> Iterator[str]:
    """Months whose outcome is another than then, under the declarations of now."""
    with Store(home.warehouse).connect() as connection:
        now = manifest_of(connection)
    names = {row["id"]: row["file_name"] for row in manifest["deliveries"]}
    states = {(row["delivery"], row["month"]): row["state"] for row in now["months"]}
    for row in manifest["months"]:
        found = states.get((row["delivery"], row["month"]), "absent")
        if found != row["state"]:
            name = names.get(row["delivery"], row["delivery"])
            yield f"{name} {row['month']}: {row['state']} then, {found} now"
    kept = {(row["delivery"], row["month"], row["rule"]) for row in now["overrulings"]}
    for row in manifest["overrulings"]:
        if (row["delivery"], row["month"], row["rule"]) not in kept:
            name = names.get(row["delivery"], row["delivery"])
            yield f"{name} {row['month']}: {row['rule']} was overruled then, not now"


def _take_the_place(home: Home, work: Home) -> Path | None:
    """Put the new warehouse where the former was; the former is kept beside it."""
    if work is home:
        return None
    former = None
    with writer_lock(home.warehouse):
        if home.warehouse.exists():
            stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
            former = home.warehouse.with_name(f"{home.warehouse.name}.before-{stamp}")
            os.link(home.warehouse, former)
            log = home.warehouse.with_name(f"{home.warehouse.name}.wal")
            if log.exists():
                log.replace(former.with_name(f"{former.name}.wal"))
        work.warehouse.replace(home.warehouse)
    return former
