"""Where an observatory keeps its data: ``ODDS_HOME``, by default ``./data``.

Beyond one machine, each has an ``ODDS_HOME`` of its own, and the deployment names the folder that
they all mount for what is received, archived and published.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from odds_pipeline.declarations.deployment import deployment


def private_files() -> None:
    """From now on what this process makes is readable by its own account alone."""
    os.umask(0o077)


@dataclass(frozen=True)
class Home:
    """``landing`` is where partners' files are put; the rest is the pipeline's own."""

    path: Path

    @classmethod
    def from_environment(cls) -> "Home":
        return cls(Path(os.environ.get("ODDS_HOME", "data")).absolute())

    @property
    def shared(self) -> Path:
        return deployment().shared_folder or self.path

    @property
    def landing(self) -> Path:
        return self.shared / "landing"

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
    def accounts(self) -> Path:
        """Accounts and journal of the members' site."""
        return self.path / "extranet" / "accounts.sqlite"

    @property
    def dagster(self) -> Path:
        return self.path / "dagster"
