"""Reading releases: numbered, immutable, each a folder that holds one DuckDB file a class.

``releases/0012/public.duckdb`` is what everyone may read of release 12, ``membres.duckdb`` what the
members may, ``partenaires.duckdb`` all of it. The pointer ``releases/current`` names the release
that readers see.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb

from odds_pipeline.declarations.access import WIDEST, Access
from odds_pipeline.declarations.problems import Explained
from odds_pipeline.release.formats import complete
from odds_pipeline.storage.duck import connect
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.sql import one

CLOCK = timedelta(minutes=5)
"""How far clocks of machines may differ."""


@dataclass(frozen=True)
class Release:
    """``number`` counts from 1; ``new`` is false when nothing changed since the current one.

    ``indicators`` and ``values`` are those of the widest access. ``content`` is equal for two
    releases that say the same. ``software`` and ``declarations``, a fingerprint, say what made it.
    """

    number: int
    path: Path
    indicators: int
    values: int
    simulated: bool
    content: str
    published_at: str
    software: str | None
    format: int
    declarations: str | None
    new: bool = True


class Absent(Explained, LookupError):
    """There is no such release; the text says which there are, or where this one is to be had."""


def release_path(home: Home, number: int) -> Path:
    """The folder of a release."""
    return home.releases / f"{number:04d}"


def current_number(home: Home) -> int | None:
    """Number of the release that readers see."""
    pointer = home.releases / "current"
    said = pointer.read_text(encoding="utf-8", errors="replace").strip() if pointer.exists() else None
    if said is not None and not said.isdecimal():
        raise Absent(f"{pointer} names no release: write there the number of the last one")
    return int(said) if said is not None else None


def numbers(home: Home) -> list[int]:
    """Numbers of all releases, the oldest first."""
    if not home.releases.exists():
        return []
    return sorted(int(path.name) for path in home.releases.glob("[0-9]*") if path.is_dir())


def open_release(
    home: Home, number: int | None = None, access: Access = WIDEST
) -> duckdb.DuckDBPyConnection:
    """A read-only connection to a class file, by default the widest of the current release.

    :class:`Absent` when there is none.
    """
    wanted = number if number is not None else current_number(home)
    if wanted is None:
        raise Absent("no release yet: run `odds run`")
    path = (release_path(home, wanted) / f"{access}.duckdb").resolve()
    if not path.exists():
        if number is None or wanted == current_number(home):
            raise Absent(
                f"release {wanted} is the one that readers see, and {path} is not there: put the folder "
                "of this release back from a back-up"
            )
        raise Absent(f"no release {wanted}; known: {', '.join(map(str, numbers(home)))}")
    connection = connect(path, read_only=True, locked=True, enable_external_access="false")
    complete(connection, access)
    return connection


def describe(home: Home, number: int) -> Release:
    """What a release says of itself."""
    with open_release(home, number) as connection:
        row = one(
            connection,
            "SELECT number, indicators, values_count, simulated, content, published_at, software, "
            "format, declarations FROM about",
        )
    return Release(row[0], release_path(home, row[0]), row[1], row[2], bool(row[3]), *row[4:])


def told_before(home: Home, number: int) -> int:
    """How many figures that a release hides an earlier one had told: hiding them takes nothing back."""
    with open_release(home, number) as connection:
        (told,) = one(connection, "SELECT coalesce(sum(told_before), 0) FROM audit")
    return int(told)
