"""Takes one file from a portal to the disk: resumed where it was cut, checked before it counts."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx2

from odds_pipeline.fetch.client import Client, Unavailable, said, tries
from odds_pipeline.fetch.resource import Resource

KEPT_HEADERS = ("etag", "last-modified", "content-length", "content-type", "date")
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Fetched:
    """The bytes of a file, with the address they came from in the end and what was said with them.

    ``content`` is ``None`` when the portal says that they are those already held.
    """

    content: bytes | None
    address: str
    headers: dict[str, str]


def download(
    client: Client,
    resource: Resource,
    part: Path,
    held: dict[str, str],
    progress: Progress = lambda done, size: None,
) -> Fetched:
    """The file, through ``part``, which stays when it could not be had whole.

    ``held``: the headers that came with the bytes already held. Raises :class:`Unavailable`.
    """
    part.parent.mkdir(parents=True, exist_ok=True)
    _forget_another(part, resource)
    try:
        for attempt in tries():
            with attempt:
                fetched = _take(client, resource, part, held, progress)
    except httpx2.HTTPError as error:
        raise said(error, client.portal, resource.address) from error
    # Whole, or never to be continued.
    part.unlink(missing_ok=True)
    _mark_of(part).unlink(missing_ok=True)
    if fetched.content is not None:
        _check(client, resource, fetched.content)
    return fetched


def _mark_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.tmp")


def _forget_another(part: Path, resource: Resource) -> None:
    """A part of another state of the file is not continued."""
    mark = json.dumps([resource.address, resource.mark], sort_keys=True, default=str)
    known = _mark_of(part).read_text(encoding="utf-8") if _mark_of(part).exists() else None
    if known != mark:
        part.unlink(missing_ok=True)
        _mark_of(part).write_text(mark, encoding="utf-8")


def _asked(held: dict[str, str], done: int) -> dict[str, str]:
    if done:
        return {"Range": f"bytes={done}-", "Accept-Encoding": "identity"}
    if "etag" in held:
        return {"If-None-Match": held["etag"]}
    return {"If-Modified-Since": held["last-modified"]} if "last-modified" in held else {}


def _take(
    client: Client, resource: Resource, part: Path, held: dict[str, str], progress: Progress
) -> Fetched:
    done = part.stat().st_size if part.exists() else 0
    url = str(httpx2.URL(resource.address).copy_merge_params(resource.params))
    with client.stream(url, _asked(held, done)) as response:
        headers = {k: v for k in KEPT_HEADERS if (v := response.headers.get(k))}
        if response.status_code == 304:
            return Fetched(None, str(response.url), held)
        if response.status_code == 416:  # nothing after what is here: begin again
            part.unlink(missing_ok=True)
            raise httpx2.RemoteProtocolError("the part is longer than the file")
        response.raise_for_status()
        begins = response.headers.get("content-range", "")
        continued = response.status_code == 206 and begins.startswith(f"bytes {done}-")
        _write(response, part, done if continued else 0, progress)
    return Fetched(part.read_bytes(), str(response.url), headers)


def _write(response: httpx2.Response, part: Path, done: int, progress: Progress) -> None:
    length = response.headers.get("content-length", "")
    encoded = response.headers.get("content-encoding", "identity") != "identity"
    size = done + int(length) if length.isdigit() and not encoded else None
    with part.open("r+b" if done else "wb") as file:
        file.seek(done)
        file.truncate()
        for block in response.iter_bytes():
            file.write(block)
            done += len(block)
            progress(done, size)
    if size is not None and done != size:
        raise httpx2.RemoteProtocolError(f"{done} bytes of {size}")


def _check(client: Client, resource: Resource, content: bytes) -> None:
    """Refuse what is not the file: a web page, a truncated archive, other bytes than announced."""
    where = f"{client.portal.label} ({resource.address})"
    if re.match(rb"\s*(<!doctype html|<html)", content[:512], re.IGNORECASE):
        raise Unavailable(f"{where} envoie une page web au lieu du fichier {resource.name}.")
    if not content.strip():
        raise Unavailable(f"{where} envoie un fichier vide.")
    if content[:2] == b"PK" and not zipfile.is_zipfile(io.BytesIO(content)):
        raise Unavailable(f"{where} : {resource.name} est tronqué, l'archive n'a pas de fin.")
    if content[:4] == b"PAR1" and content[-4:] != b"PAR1":
        raise Unavailable(f"{where} : {resource.name} est tronqué.")
    if resource.sha1 and hashlib.sha1(content, usedforsecurity=False).hexdigest() != resource.sha1:
        raise Unavailable(f"{where} : {resource.name} n'a pas la somme de contrôle annoncée.")
    rows = content.count(b"\n") + (not content.endswith(b"\n")) - 1
    if resource.rows is not None and rows < resource.rows:
        raise Unavailable(f"{where} : {rows} lignes sur les {resource.rows} annoncées, fichier tronqué.")
