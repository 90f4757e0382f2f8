"""Asks the portals what is new of each contract's files, and lands it with its origin beside it.

A file lands in ``landing/<partner>/<feed>/<its sha256>/<its name>``: names come back each year, bytes
do not. What is landed is never written again; a portal that fails stops nothing but its own files.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from odds_pipeline.declarations.declared import Declared, FeedEntry
from odds_pipeline.declarations.portal import Origin as Published
from odds_pipeline.declarations.portal import Portal
from odds_pipeline.fetch.client import Client, Unavailable
from odds_pipeline.fetch.download import Progress, download
from odds_pipeline.fetch.listing import resources_of
from odds_pipeline.fetch.resource import Resource
from odds_pipeline.reception.origin import SUFFIX, Origin
from odds_pipeline.storage.home import Home

MARKS = ".fetched.json"
"""In a feed's folder: by address, what the portal said of the bytes held, and their headers."""


@dataclass(frozen=True)
class Outcome:
    """What became of one file of one contract.

    ``state``: new, unchanged, available (of a dry run) or failed, with ``why`` in French; ``late``
    says that a new version is overdue.
    """

    feed: str
    portal: str
    file: str
    state: str
    why: str | None = None
    late: str | None = None
    path: Path | None = None


def _plain(resource: Resource) -> dict[str, str]:
    """The mark as it is written."""
    mark: dict[str, str] = json.loads(json.dumps(resource.mark, default=str))
    return mark


@dataclass(frozen=True)
class _Folder:
    """What is held of one contract's files."""

    path: Path

    @property
    def marks(self) -> dict[str, dict[str, dict[str, str]]]:
        file = self.path / MARKS
        found: dict[str, dict[str, dict[str, str]]] = (
            json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        )
        return found

    def note(self, resource: Resource, headers: dict[str, str]) -> None:
        """Remember what the portal said of the bytes held."""
        marks = self.marks | {resource.address: {"mark": _plain(resource), "headers": headers}}
        text = json.dumps(marks, ensure_ascii=False, indent=1, sort_keys=True)
        temporary = self.path / f"{MARKS}.tmp"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(self.path / MARKS)

    def land(self, name: str, content: bytes, origin: Origin) -> Path | None:
        """The file in its place, its origin first; ``None`` when the same bytes are there."""
        target = self.path / hashlib.sha256(content).hexdigest() / name
        if target.exists():
            return None
        target.parent.mkdir(parents=True, exist_ok=True)
        target.with_name(name + SUFFIX).write_text(origin.as_json(), encoding="utf-8")
        temporary = target.with_name(f"{name}.tmp")
        temporary.write_bytes(content)
        temporary.replace(target)
        return target


def chosen(declared: Declared, name: str | None) -> list[FeedEntry]:
    """The contracts with an origin: of a partner, one of them, or all. :class:`LookupError` if none."""
    found = [
        entry
        for entry in declared.feeds.values()
        if entry.feed.origins and (name is None or name in (entry.id, entry.partner.id))
    ]
    if not found:
        raise LookupError(
            f"no contract with an origin is named {name!r}" if name else "no origin declared"
        )
    return found


def fetch(
    declared: Declared,
    home: Home,
    name: str | None = None,
    mirror: str | None = None,
    dry_run: bool = False,
    progress: Callable[[str], Progress] = lambda name: lambda done, size: None,
    portal: str | None = None,
) -> Iterator[Outcome]:
    """Fetch what is new, one outcome a file, from one portal or all.

    ``mirror`` serves every portal under its name.
    """
    entries = chosen(declared, name)
    home.check_share()
    with ExitStack() as stack:
        clients = {
            each: stack.enter_context(Client(_portal(declared, each, mirror)))
            for each in {origin.portal for entry in entries for origin in entry.feed.origins}
            if portal in (None, each)
        }
        for entry in entries:
            for origin in entry.feed.origins:
                if origin.portal not in clients:
                    continue
                asked = _in_perimeter(declared, entry, origin)
                yield from _of_origin(home, entry, asked, clients[origin.portal], dry_run, progress)


def _portal(declared: Declared, name: str, mirror: str | None) -> Portal:
    portal = declared.portals[name]
    if mirror is None:
        return portal
    return portal.model_copy(update={"address": f"{mirror.rstrip('/')}/{name}", "pause": 0})


def _in_perimeter(declared: Declared, entry: FeedEntry, origin: Published) -> Published:
    """The origin with the départements of the perimeter in its filter."""
    if origin.filter is None:
        return origin
    codes = ",".join(f"'{code}'" for code in declared.territories_of(entry).departements)
    return origin.model_copy(update={"filter": origin.filter.replace("{departements}", codes)})


def _of_origin(
    home: Home,
    entry: FeedEntry,
    origin: Published,
    client: Client,
    dry_run: bool,
    progress: Callable[[str], Progress],
) -> Iterator[Outcome]:
    folder = _Folder(home.landing / entry.partner.id / entry.feed.id)
    seen = Outcome(entry.id, client.portal.label, origin.dataset or "", "failed")
    try:
        found = resources_of(client, origin)
    except Unavailable as error:
        yield replace(seen, why=str(error))
        return
    late = late_since(origin, [r.modified for r in found], date.today())
    for resource in found:
        one = replace(seen, file=resource.name, late=late)
        known = folder.marks.get(resource.address)
        if (
            known
            and resource.mark
            and known["mark"] == json.loads(json.dumps(resource.mark, default=str))
        ):
            yield replace(one, state="unchanged")
        elif dry_run:
            yield replace(one, state="available")
        else:
            yield _fetched(folder, one, origin, resource, client, progress(resource.name))


def _fetched(
    folder: _Folder,
    one: Outcome,
    origin: Published,
    resource: Resource,
    client: Client,
    progress: Progress,
) -> Outcome:
    part = folder.path / f"{hashlib.sha256(resource.address.encode()).hexdigest()[:16]}.part"
    held = folder.marks.get(resource.address, {}).get("headers", {})
    try:
        fetched = download(client, resource, part, held, progress)
    except Unavailable as error:
        return replace(one, why=str(error))
    path = None
    if fetched.content is not None:
        licence = origin.licence or client.portal.licence
        now = datetime.now(UTC).isoformat(timespec="seconds")
        note = Origin(fetched.address, now, licence, resource.vintage, fetched.headers, "")
        path = folder.land(resource.name, fetched.content, note)
    folder.note(resource, fetched.headers)
    return replace(one, state="new" if path else "unchanged", path=path)


def late_since(origin: Published, modified: list[str | None], today: date) -> str | None:
    """What to say when the last version that was due has not come out, as far as dates tell."""
    known = max((m[:10] for m in modified if m), default=None)
    if known is None or not origin.published:
        return None
    # The end of the month in which it comes out, of this year or of the last one.
    due = [f"{y}-{m:02d}" for y in (today.year - 1, today.year) for m in origin.published]
    past = max((month for month in due if month < f"{today:%Y-%m}"), default=None)
    if past is None or known[:7] >= past:
        return None
    return f"l'édition attendue en {past} n'est pas parue ; la dernière est du {known}"
