"""What is compared: the release of one machine, and the one that a server makes by itself."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from odds_pipeline.release.published import current_number, describe
from odds_pipeline.storage.home import Home

from .cluster import Cluster


@dataclass(frozen=True)
class Embedded:
    """The content of a release, with the seconds it took, of the clock and of processors."""

    content: str
    wall: float
    cpu: float


def embedded(home: Home, folder: Path) -> Embedded:
    """The release that `odds run` makes of the files in ``folder``."""
    begin, before = time.monotonic(), os.times()
    command = [sys.executable, "-m", "odds_pipeline.cli", "run", "--from", str(folder)]
    subprocess.run(
        command, env={**os.environ, "ODDS_HOME": str(home.path)}, check=True, stdout=subprocess.DEVNULL
    )
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Embedded(describe(home, current_number(home) or 1).content, time.monotonic() - begin, cpu)


class _Shared(Home):
    """What a server's machines share, seen from outside its environment."""

    @property
    def shared(self) -> Path:
        return self.path


def content_of(running: Cluster) -> str | None:
    """Of the release that readers of a server see; none before the first."""
    home = _Shared(running.shared)
    number = current_number(home)
    return None if number is None else describe(home, number).content
