"""A loopback server that answers as the portals do, over given bytes, faults included."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Reply:
    """What an address answers. ``first``: statuses it answers before it does; ``cut``: the first answer
    stops after so many bytes; ``ranges``: it continues where it is asked to."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    first: list[int] = field(default_factory=list)
    cut: int | None = None
    ranges: bool = True


def as_json(found: Any, status: int = 200) -> Reply:
    return Reply(json.dumps(found).encode(), status, {"Content-Type": "application/json"})


@dataclass
class Portals:
    """``replies`` by path; ``asked`` are the requests that came: path, query, headers."""

    address: str
    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, list[str]], dict[str, str]]] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [path for path, _, _ in self.asked]


class _Handler(BaseHTTPRequestHandler):
    portals: Portals
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        headers = {k.lower(): v for k, v in self.headers.items()}
        self.portals.asked.append((url.path, parse_qs(url.query), headers))
        reply = self.portals.replies.get(url.path, Reply(b'{"message": "Not found"}', 404))
        if reply.first:
            return self._send(reply.first.pop(0), b"busy", {"Retry-After": "0"})
        if reply.status == 200 and headers.get("if-none-match", "?") == reply.headers.get("ETag"):
            return self._send(304, b"", {})
        body, status, more = reply.body, reply.status, dict(reply.headers)
        if reply.ranges and headers.get("range", "").startswith("bytes="):
            begin = int(headers["range"].removeprefix("bytes=").rstrip("-"))
            more["Content-Range"] = f"bytes {begin}-{len(body) - 1}/{len(body)}"
            body, status = body[begin:], 206
        if reply.cut is not None:
            stop, reply.cut = reply.cut, None
            self._head(status, len(body), more)
            self.wfile.write(body[:stop])
            self.close_connection = True
            return None
        return self._send(status, body, more)

    def _head(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self._head(status, len(body), headers)
        self.wfile.write(body)


@contextmanager
def portals() -> Iterator[Portals]:
    """A server on a free port of this machine, closed at the end."""
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        found = Portals(f"http://127.0.0.1:{server.server_address[1]}")
        handler.portals = found  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
