"""Where an observatory keeps its data: ``ODDS_HOME``, by default ``./data``."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """``landing`` is where partners' files are put; the rest is the pipeline's own."""

    path: Path

    @classmethod
    def from_environment(cls) -> "Home":
        return cls(Path(os.environ.get("ODDS_HOME", "data")).absolute())

    @property
    def landing(self) -> Path:
        return self.path / "landing"

    @property
    def archive(self) -> Path:
        return self.path / "archive"

    @property
    def warehouse(self) -> Path:
        return self.path / "warehouse.duckdb"

    @property
    def releases(self) -> Path:
        return self.path / "releases"

    @property
    def dagster(self) -> Path:
        return self.path / "dagster"
