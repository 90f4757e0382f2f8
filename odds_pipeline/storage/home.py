"""Where an observatory keeps its data: ``ODDS_HOME``, by default ``./data``.

Beyond one machine, each has an ``ODDS_HOME`` of its own, and the deployment names the folder that
they all mount for what is received, archived and published.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from odds_pipeline.declarations.deployment import deployment
from odds_pipeline.declarations.problems import Explained
from odds_pipeline.storage.owner import check_landing, claim_landing


def private_files() -> None:
    """From now on what this process makes is readable by its own account alone."""
    os.umask(0o077)


class NoHome(Explained):
    """Nothing says where the observatory is."""


class NotMounted(Explained):
    """The folder that several machines share is not there."""


@dataclass(frozen=True)
class Home:
    """``landing`` is where partners' files are put; the rest is the pipeline's own."""

    path: Path

    @classmethod
    def from_environment(cls) -> "Home":
        """``ODDS_HOME``, or ``./data`` inside a project; :class:`NoHome` elsewhere."""
        home = cls.if_known()
        if home is None:
            raise NoHome(
                f"ODDS_HOME is not set and {Path.cwd()} is no project's folder: nothing is made here. "
                "Name the observatory's folder: ODDS_HOME=/path/to/it"
            )
        return home

    @classmethod
    def if_known(cls) -> "Home | None":
        """The same, or ``None`` where nothing says which it is."""
        if named := os.environ.get("ODDS_HOME"):
            return cls(Path(named).absolute())
        inside = Path("assets").is_dir() or Path("data", "warehouse.duckdb").exists()
        return cls(Path("data").absolute()) if inside else None

    @property
    def shared(self) -> Path:
        return deployment().shared_folder or self.path

    @property
    def landing(self) -> Path:
        return self.shared / "landing"

    def make_landing(self) -> None:
        """Make the folder where files are put, once: it tells the share from an empty mount point.

        It says whose it is; another observatory is refused (:class:`AnotherObservatory`).
        """
        claim_landing(self.landing)

    def check_share(self) -> None:
        """Raise :class:`NotMounted` when what several machines mount is not there.

        What is written then lies under the mount point: no other machine sees it, nor this one later.
        Another observatory's is refused too (:class:`AnotherObservatory`).
        """
        if deployment().shared_folder is not None and not self.landing.is_dir():
            raise NotMounted(
                f"{self.landing} is not there: is {self.shared} mounted? Nothing was written. A new "
                "observatory begins with `odds prepare`."
            )
        check_landing(self.landing)

    @property
    def archive(self) -> Path:
        return self.shared / "archive"

    @property
    def warehouse(self) -> Path:
        return self.path / "warehouse.duckdb"

    @property
    def releases(self) -> Path:
        return self.shared / "releases"

    @property
    def memory(self) -> Path:
        """What releases said of hidden figures too: true values, for secrecy alone."""
        return self.releases / "memory"

    @property
    def publications(self) -> Path:
        """What is printed of releases: a worker prints, and the members' site shows."""
        return self.shared / "publications"

    @property
    def outlines(self) -> Path:
        """The communes' outlines, for the maps of publications and site."""
        return self.shared / "outlines.geojson"

    @property
    def accounts(self) -> Path:
        """Accounts and journal of the members' site."""
        return self.path / "extranet" / "accounts.sqlite"

    @property
    def dagster(self) -> Path:
        return self.path / "dagster"
