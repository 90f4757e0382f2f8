"""What an address asks of a page: the parameters that the page declares, and no other.

A page is kept under these alone: `?utm_source=x` finds the page that is there, and cannot make another.
"""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

OWN = {
    "/indicateurs/{indicator}": "territoire",
    "/comparer": "t",
    "/comparer/temps": "t",
    "/croiser": "t",
}
"""Pages that follow the territory of a reader's organisation where none is asked for, by which name."""


class Asked:
    """The pages of ``routes`` with the names of the parameters that each declares."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._pages = [
            (route, frozenset(field.alias for field in route.dependant.query_params))
            for route in routes
            if isinstance(route, APIRoute) and "GET" in (route.methods or ())
        ]

    def of(self, scope: Scope, own: str = "") -> bytes | None:
        """The query of a page in one order, without empty and undeclared parameters.

        ``None`` when no page has this address. ``own``: the commune or group of communes to follow where
        none is asked for; who asks for an empty one, or for another level, follows none.
        """
        got = {**scope, "method": "GET"}
        for route, names in self._pages:
            if route.matches(got)[0] is Match.FULL:
                query = _declared(scope["query_string"], names)
                name = OWN.get(route.path, "")
                given = rf"(^|&)({name}|niveau)="
                if not own or not name or re.search(given, scope["query_string"].decode("latin1")):
                    return query
                return _declared(b"&".join(filter(None, (query, f"{name}={own}".encode()))), names)
        return None


def _declared(query: bytes, names: frozenset[str]) -> bytes:
    if not query or not names:
        return b""
    try:
        given = parse_qsl(query.decode("ascii"), max_num_fields=64)
    except ValueError:
        return query  # the page itself says what is wrong with it
    # Sorted by name only: of a repeated one, the order is the reader's.
    return urlencode(sorted((p for p in given if p[0] in names), key=lambda p: p[0])).encode()
