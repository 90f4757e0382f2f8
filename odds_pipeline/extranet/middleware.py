"""The door every request passes: who asks, what they may see, headers, forgery check, page cache.

It is plain ASGI, so that a page already made costs a tenth of a millisecond. A page is kept on the
view it was made from: nothing can be served across rights or releases.
"""

import gzip
import hashlib
import re
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from anyio import to_thread
from itsdangerous import BadSignature, Signer
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from odds_pipeline.declarations.extranet import Settings
from odds_pipeline.extranet.asked import Asked
from odds_pipeline.extranet.identity.accounts import Accounts, Person
from odds_pipeline.extranet.reading.rights import VISITOR, Rights
from odds_pipeline.extranet.reading.serving import Serving, View
from odds_pipeline.geography.territories import GROUPS

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "geolocation=(), camera=(), microphone=()",
    "vary": "Cookie, Authorization, Accept-Encoding",
}
BODY_LIMIT = 64_000
"""Bytes of a form; the longest holds an address, a name and a password."""
_OF_RELEASE = re.compile(
    r"/e/([1-9][0-9]{0,4})(/(?:|territoires|indicateurs|themes|comparer|croiser|recherche|graphiques|integrer)"
    r"(?:/.*)?)"
)
"""Pages that a release has of its own; accounts, studies and downloads are not of one release."""
_OWN = (b"content-type", b"content-security-policy", b"cross-origin-resource-policy")
"""What a page says of itself, and is kept with it."""
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


@dataclass(frozen=True)
class Reader:
    """Who asks. ``secret`` is the session's; empty for a visitor."""

    person: Person | None = None
    secret: str = ""
    kind: str = ""

    @property
    def rights(self) -> Rights:
        return self.person.organisation.rights if self.person else VISITOR


@dataclass(frozen=True)
class Page:
    """A finished answer."""

    body: bytes
    packed: bytes
    etag: str
    headers: tuple[tuple[bytes, bytes], ...]


class Middleware:
    """``signer`` signs the session cookie; ``asked`` knows what pages may be asked."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        serving: Serving,
        accounts: Accounts,
        settings: Settings,
        signer: Signer,
        asked: Asked,
    ) -> None:
        self.app, self.serving, self.accounts = app, serving, accounts
        self.settings, self.signer, self.asked = settings, signer, asked
        self.cookie = cookie_name(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        secured: Send = _Secured(send, self.settings)
        if scope["method"] in UNSAFE:
            problem = self._forged(headers)
            if problem:
                await problem(scope, receive, secured)
                return
        if scope["path"].startswith(("/static/", "/favicon.ico")):
            await self.app(scope, receive, secured)
            return
        reader = self._reader(headers)
        try:
            view = self.serving.ready(reader.rights)
            if view is None:
                view = await to_thread.run_sync(self.serving.view, reader.rights)
        except LookupError:
            await _NOTHING(scope, receive, secured)
            return
        scope.setdefault("state", {}).update(reader=reader, view=view, latest=view.number, prefix="")
        if earlier := _OF_RELEASE.fullmatch(scope["path"]):
            view = await self._earlier(scope, reader, earlier) or view
        method = scope["method"]
        key = None
        if method in ("GET", "HEAD") and (asked := self.asked.of(scope, _own(reader, view))) is not None:
            scope["query_string"] = asked
            key = (scope["state"]["prefix"], scope["path"], asked, reader.person is not None)
            kept: Page | None = view.pages.get(key)
            if kept is not None:
                await _answer(kept, method, headers, secured)
                return
        if method == "HEAD":
            scope, secured = {**scope, "method": "GET"}, _Bodiless(secured)
        await self.app(scope, receive, _Keeping(method, secured, view, key, headers))

    async def _earlier(self, scope: Scope, reader: Reader, asked: re.Match[str]) -> View | None:
        """Turn ``/e/12/territoires/<code>`` into that page of release 12, for ever the same."""
        try:
            view = await to_thread.run_sync(self.serving.earlier, reader.rights, int(asked[1]))
        except LookupError:
            return None  # the address stays what it is, which no page has
        scope["path"] = asked[2]
        scope["state"].update(view=view, prefix=f"/e/{view.number}")
        return view

    def _forged(self, headers: Headers) -> PlainTextResponse | None:
        """Refuse a form that another site sent (Fetch Metadata, else Origin) or that is too long."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        own = (
            site == "same-origin" if site else origin and urlsplit(origin).netloc == headers.get("host")
        )
        if not own:
            return PlainTextResponse("Formulaire refusé : il ne vient pas de ce site.", 403)
        length = headers.get("content-length", "")
        if not length.isdigit() or int(length) > BODY_LIMIT:
            return PlainTextResponse("Formulaire refusé : taille absente ou trop grande.", 413)
        return None

    def _reader(self, headers: Headers) -> Reader:
        bearer = headers.get("authorization", "")
        if bearer.startswith("Bearer "):
            secret, kind = bearer.removeprefix("Bearer ").strip(), "api"
        else:
            secret, kind = self._cookie(headers.get("cookie", "")), "web"
        person = self.accounts.in_session(secret, kind) if secret else None
        return Reader(person, secret, kind) if person else Reader()

    def _cookie(self, header: str) -> str:
        try:
            morsel = SimpleCookie(header).get(self.cookie)
            return self.signer.unsign(morsel.value).decode() if morsel else ""
        except (CookieError, BadSignature, UnicodeDecodeError):
            return ""


def _own(reader: Reader, view: View) -> str:
    """The commune or group of communes of the reader's organisation, on the site itself."""
    code = reader.person.organisation.territory if reader.person and reader.kind == "web" else ""
    place = view.places.get(code or "")
    return place.code if place and place.level in ("commune", *GROUPS) else ""


def cookie_name(settings: Settings) -> str:
    """``__Host-`` ties the cookie to this host over https."""
    return "__Host-odds" if settings.secure else "odds"


_NOTHING = HTMLResponse(
    "<!doctype html><html lang=fr><title>Bientôt disponible</title><h1>Aucune édition ne peut "
    "être montrée</h1><p>Revenez après la première publication du recueil, ou dans un moment.</p>"
    "</html>",
    503,
)


class _Secured:
    """Adds the security headers to whatever is sent."""

    def __init__(self, send: Send, settings: Settings) -> None:
        self.send, self.settings = send, settings

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "private, no-cache")
            if self.settings.secure:
                headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
        await self.send(message)


class _Bodiless:
    """Answers HEAD with what GET would answer, without its body."""

    def __init__(self, send: Send) -> None:
        self.send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self.send(message)


class _Keeping:
    """Holds back a page marked ``x-keep``, keeps it on its view, then answers with it."""

    def __init__(self, method: str, send: Send, view: View, key: object, headers: Headers) -> None:
        self.method, self.send, self.view, self.key, self.headers = method, send, view, key, headers
        self.start: Message | None = None
        self.body = bytearray()

    async def __call__(self, message: Message) -> None:
        keep = self.key is not None and "x-keep" in Headers(raw=message.get("headers", []))
        if message["type"] == "http.response.start" and keep:
            self.start = message
            return
        if self.start is None:
            await self.send(message)
            return
        self.body += message.get("body", b"")
        if not message.get("more_body"):
            page = _page(bytes(self.body), Headers(scope=self.start))
            self.view.pages.put(self.key, page, len(page.body) + len(page.packed))
            await _answer(page, self.method, self.headers, self.send)


def _page(body: bytes, headers: Headers) -> Page:
    etag = '"' + hashlib.sha256(body).hexdigest()[:32] + '"'
    kept = tuple((name, value) for name, value in headers.raw if name in _OWN)
    return Page(body, gzip.compress(body, 6, mtime=0), etag, kept)


async def _answer(page: Page, method: str, headers: Headers, send: Send) -> None:
    packed = "gzip" in headers.get("accept-encoding", "")
    same = page.etag in headers.get("if-none-match", "")
    body = b"" if same else page.packed if packed else page.body
    sent = [(b"etag", page.etag.encode()), *page.headers]
    if not same:
        sent.append((b"content-length", str(len(body)).encode()))
        if packed:
            sent.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": 304 if same else 200, "headers": sent})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
