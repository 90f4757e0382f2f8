"""Publishing a release: its stages one after the other, then the readers' pointer moves.

The folder is written beside the others under a temporary name, as are its memory and the pointer
``current``. Then they get their names, in this order, which takes no room of a disk: readers see the
former release or the new one, never half of one.
"""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from odds_pipeline.declarations.problems import Explained
from odds_pipeline.declarations.project import Project
from odds_pipeline.release.published import (
    CLOCK,
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


class ClockBehind(Explained):
    """The machine's clock is behind the release that readers see; the text says what to do."""


def publish(project: Project, home: Home) -> Release:
    """Publish a release; when nothing changed, the current one is returned, ``new`` false.

    Everything published is computed from protected figures. :class:`SecrecyError` when the attack
    finds that a hidden one can be derived, :class:`RecueilRefused` when the release as a whole
    breaks a rule, :class:`ClockBehind`: nothing is published then. An indicator whose values break
    a rule keeps its last.
    """
    home.check_share()
    home.releases.mkdir(parents=True, exist_ok=True)
    with Store(home.warehouse).connect() as connection, ending(connection):
        for leftover in home.releases.glob(".*.tmp"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        write_manifest(connection, home)
        publication = Publication(project, home, connection)
        for stage in DECIDE:
            stage.run(publication)
        current = current_number(home)
        former = describe(home, current) if current is not None else None
        if former and former.content == publication.content:
            return replace(former, new=False)
        _check_clock(former)
        for stage in WRITE:
            stage.run(publication)
        _show(home, publication.folder, publication.last + 1)
        return describe(home, publication.last + 1)


def _check_clock(former: Release | None) -> None:
    """A release is never dated before the one that readers have: it says so for ever."""
    now = datetime.now(UTC)
    if former and datetime.fromisoformat(former.published_at) > now + CLOCK:
        raise ClockBehind(
            f"the clock of this machine says {now:%Y-%m-%d %H:%M}, and release {former.number} is of "
            f"{former.published_at}: nothing is published under an earlier date. Set the clock right "
            f"(timedatectl set-ntp true). If release {former.number} was made under a wrong clock, "
            "write the number of the one before it in releases/current: what it told is not forgotten."
        )


def _show(home: Home, folder: Path, number: int) -> None:
    pointer = home.releases / ".current.tmp"
    pointer.write_text(f"{number}\n", encoding="utf-8")
    folder.replace(release_path(home, number))
    keep(home.memory, number)
    pointer.replace(home.releases / "current")
