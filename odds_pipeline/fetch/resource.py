"""One file as a portal lists it."""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from odds_pipeline.declarations.portal import Origin


@dataclass(frozen=True)
class Resource:
    """``mark`` is all that the portal says of its state: the file is fetched again when it changes.

    ``sha1`` and ``rows``, where the portal gives them, are checked against what came.
    """

    address: str
    name: str
    vintage: str | None = None
    modified: str | None = None
    mark: dict[str, Any] = field(default_factory=dict)
    sha1: str | None = None
    rows: int | None = None
    params: dict[str, str] = field(default_factory=dict)


def file_name(address: str) -> str:
    """The last part of an address's path."""
    return unquote(urlsplit(address).path.rstrip("/").rpartition("/")[2])


def wanted(origin: Origin, *texts: str) -> tuple[bool, str | None]:
    """Whether one of a file's names is the origin's, and the vintage that they tell."""
    if origin.resource is None:
        return True, None
    found = [m for m in (re.search(origin.resource, text, re.IGNORECASE) for text in texts) if m]
    years = [m.groupdict().get("year") for m in found]
    return bool(found), next(filter(None, years), None)
