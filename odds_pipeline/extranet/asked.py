"""What an address asks of a page: the parameters that the page declares, and no other.

A page is kept under these alone: `?utm_source=x` finds the page that is there, and cannot make another.
"""

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Scope


class Asked:
    """The pages of ``routes`` with the names of the parameters that each declares."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._pages = [
            (route, frozenset(field.alias for field in route.dependant.query_params))
            for route in routes
            if isinstance(route, APIRoute) and "GET" in (route.methods or ())
        ]

    def of(self, scope: Scope) -> bytes | None:
        """The query of a page in one order, without empty and undeclared parameters.

        ``None`` when no page has this address.
        """
        got = {**scope, "method": "GET"}
        for route, names in self._pages:
            if route.matches(got)[0] is Match.FULL:
                return _declared(scope["query_string"], names)
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
