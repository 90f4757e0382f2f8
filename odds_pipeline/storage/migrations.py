"""Numbered changes of a database, ``0001_….sql`` and on: each applied once, in order, never edited."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from odds_pipeline.declarations.problems import Explained


@dataclass(frozen=True)
class Migration:
    """One change; the number of the last one applied is the version of a database."""

    number: int
    name: str
    sql: str


class NewerSchema(Explained):
    """A later program has been here; nothing was changed."""


def read_migrations(folder: Path) -> tuple[Migration, ...]:
    """The migrations of a folder, in order."""
    found = [
        Migration(int(path.stem[:4]), path.stem[5:], path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    ]
    assert [m.number for m in found] == list(range(1, len(found) + 1)), f"{folder}: a number is missing"
    return tuple(found)


def left_to_apply(version: int, known: Sequence[Migration], what: object) -> Sequence[Migration]:
    """What a database of that version lacks; :class:`NewerSchema` when it knows more than we do."""
    if version > len(known):
        raise NewerSchema(
            f"{what} has version {version} of its schema, this program knows {len(known)}: "
            "a newer program has changed it. Install that program here (git pull, make); nothing was "
            "read or changed."
        )
    return known[version:]
