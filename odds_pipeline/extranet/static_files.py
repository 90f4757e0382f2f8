"""The site's own files under names that change with their content: browsers may keep them for ever."""

import gzip
import hashlib
from functools import cache
from mimetypes import guess_type
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

FOLDER = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
router = APIRouter()


@cache
def _content(name: str) -> tuple[bytes, bytes, str]:
    """The bytes of a file, the same compressed, and the twelve digits that its address bears."""
    content = (FOLDER / name).read_bytes()
    return content, gzip.compress(content, 9, mtime=0), hashlib.sha256(content).hexdigest()[:12]


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in FOLDER.iterdir() if path.is_file())


def address(name: str) -> str:
    """Where a page finds the file ``name`` of ``static/``: ``/static/<digest>/<name>``."""
    return f"/static/{_content(name)[2]}/{name}"


def _answer(request: Request, name: str, cache_control: str) -> Response:
    if name not in _names():
        return PlainTextResponse("Ce fichier n’existe pas.", 404)
    content, packed, _ = _content(name)
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    headers = {"cache-control": cache_control, "vary": "Accept-Encoding"}
    if zipped:
        headers["content-encoding"] = "gzip"
    kind = guess_type(name)[0] or "application/octet-stream"
    return Response(packed if zipped else content, headers=headers, media_type=kind)


@router.api_route("/static/{digest}/{name}", methods=["GET", "HEAD"])
def file(request: Request, digest: str, name: str) -> Response:
    """A file under its own digest; under an older one it is the file of today, kept an hour."""
    known = name in _names() and digest == _content(name)[2]
    return _answer(request, name, FOR_EVER if known else "public, max-age=3600")


@router.api_route("/favicon.ico", methods=["GET", "HEAD"])
def icon(request: Request) -> Response:
    """Browsers ask for it whatever the page says."""
    return _answer(request, "icon.svg", "public, max-age=86400")
