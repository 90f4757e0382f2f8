"""Where a file was taken from: what its fetcher wrote beside it, else the folder it came in."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

SUFFIX = ".origin.json"
"""``donnees_communes.csv.origin.json`` tells where ``donnees_communes.csv`` is from."""


@dataclass(frozen=True)
class Origin:
    """``vintage`` is the year (``2021``) or month (``2021-03``) that the address is declared for."""

    address: str | None = None
    fetched_at: str | None = None
    licence: str | None = None
    vintage: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    folder: str | None = None

    @property
    def told(self) -> tuple[str, ...]:
        """What may tell the period when no name of the file does."""
        return tuple(filter(None, (self.vintage, self.folder)))

    def as_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)


def origin_of(path: Path) -> Origin:
    """The origin of a file to receive. A note that cannot be read tells nothing."""
    note = path.with_name(path.name + SUFFIX)
    try:
        return read_origin(note.read_text(encoding="utf-8"), path.parent.name)
    except (OSError, ValueError, TypeError):
        return Origin(folder=path.parent.name)


def read_origin(text: str | None, folder: str | None = None) -> Origin:
    """An origin from its JSON text, with the folder that it does not name."""
    given = json.loads(text) if text else {}
    return Origin(**({"folder": folder} | given))
