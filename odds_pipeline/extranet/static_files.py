"""The site's own files under names that change with their content: browsers may keep them for ever."""

import gzip
import hashlib
import re
from functools import cache
from mimetypes import guess_type
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from odds_pipeline.extranet.faces import FACES, face, source

FOLDER = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
_FACE = re.compile(rb"url\(([\w-]+\.woff)\)")
router = APIRouter()


@cache
def _content(name: str) -> tuple[bytes, bytes]:
    """The bytes of a file and the same compressed; faces are already."""
    if name in FACES:
        return face(name), face(name)
    content = _FACE.sub(lambda found: b"url(" + address(found[1].decode()).encode() + b")", _read(name))
    return content, gzip.compress(content, 9, mtime=0)


def _read(name: str) -> bytes:
    return (source(name) if name in FACES else FOLDER / name).read_bytes()


@cache
def _digest(name: str) -> str:
    """Twelve digits of what a file is made from: a page names faces that are not made yet."""
    return hashlib.sha256(_read(name)).hexdigest()[:12]


@cache
def _names() -> frozenset[str]:
    return frozenset(FACES) | frozenset(path.name for path in FOLDER.iterdir() if path.is_file())


def address(name: str) -> str:
    """Where a page finds the file ``name`` of ``static/``: ``/static/<digest>/<name>``."""
    return f"/static/{_digest(name)}/{name}"


def _answer(request: Request, name: str, cache_control: str) -> Response:
    if name not in _names():
        return PlainTextResponse("Ce fichier n’existe pas.", 404)
    content, packed = _content(name)
    zipped = packed is not content and "gzip" in request.headers.get("accept-encoding", "")
    headers = {"cache-control": cache_control, "vary": "Accept-Encoding"}
    if zipped:
        headers["content-encoding"] = "gzip"
    kind = "font/woff" if name in FACES else guess_type(name)[0] or "application/octet-stream"
    return Response(packed if zipped else content, headers=headers, media_type=kind)


@router.api_route("/static/{digest}/{name}", methods=["GET", "HEAD"])
def file(request: Request, digest: str, name: str) -> Response:
    """A file under its own digest; under an older one it is the file of today, kept an hour."""
    known = name in _names() and digest == _digest(name)
    return _answer(request, name, FOR_EVER if known else "public, max-age=3600")


@router.api_route("/favicon.ico", methods=["GET", "HEAD"])
def icon(request: Request) -> Response:
    """Browsers ask for it whatever the page says."""
    return _answer(request, "icon.svg", "public, max-age=86400")
