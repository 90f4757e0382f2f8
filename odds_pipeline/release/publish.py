"""Publishing a release: its stages one after the other, then the readers' pointer moves.

The folder is written beside the others under a temporary name, then renamed, then its memory, then
the pointer ``current`` is replaced: readers see the former release or the new one, never half of one.
"""

import shutil
from dataclasses import replace
from pathlib import Path

from odds_pipeline.declarations.project import Project
from odds_pipeline.release.published import (
    Release,
    current_number,
    describe,
    release_path,
)
from odds_pipeline.release.stages import DECIDE, WRITE, Publication
from odds_pipeline.secrecy.memory import keep
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.manifest import write_manifest
from odds_pipeline.storage.store import Store
from odds_pipeline.storage.temporary import ending


def publish(project: Project, home: Home) -> Release:
    """Publish a release; when nothing changed, the current one is returned, ``new`` false.

    Everything published is computed from protected figures. :class:`SecrecyError` when the attack
    finds that a hidden one can be derived, :class:`RecueilRefused` when the release as a whole
    breaks a rule: nothing is published then. An indicator whose values break a rule keeps its last.
    """
    home.releases.mkdir(parents=True, exist_ok=True)
    with Store(home.warehouse).connect() as connection, ending(connection):
        for leftover in home.releases.glob(".*.tmp"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        write_manifest(connection, home)
        publication = Publication(project, home, connection)
        for stage in DECIDE:
            stage.run(publication)
        if unchanged := _says_the_same(home, publication.content):
            return unchanged
        for stage in WRITE:
            stage.run(publication)
        _show(home, publication.folder, publication.last + 1)
        return describe(home, publication.last + 1)


def _says_the_same(home: Home, content: str) -> Release | None:
    """The current release, when it says just that."""
    current = current_number(home)
    former = describe(home, current) if current is not None else None
    return replace(former, new=False) if former and former.content == content else None


def _show(home: Home, folder: Path, number: int) -> None:
    folder.replace(release_path(home, number))
    keep(home.memory, number)
    pointer = home.releases / ".current.tmp"
    pointer.write_text(f"{number}\n", encoding="utf-8")
    pointer.replace(home.releases / "current")
