"""Requests to a portal: named, paced, tried again, and failing in a sentence."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import stamina

from odds_pipeline.declarations.portal import Portal
from odds_pipeline.declarations.problems import Explained

AGENT = "odds-pipeline/1 (observatoire departemental des donnees sociales)"
PATIENCE = httpx2.Timeout(30.0, connect=10.0)
LONGEST_WAIT = 120.0
"""Seconds: a portal that asks for more is left for the next time."""


class Unavailable(Explained):
    """The portal did not answer as it should; the text says how, in French."""


def _again(error: Exception) -> bool | float:
    """Whether to try again after ``error``, or in how many seconds, where the portal says."""
    if isinstance(error, httpx2.HTTPStatusError):
        if error.response.status_code not in (429, 500, 502, 503, 504):
            return False
        wait = error.response.headers.get("retry-after", "")
        return min(float(wait), LONGEST_WAIT) if wait.isdigit() else True
    return isinstance(error, httpx2.TransportError)


def tries() -> Any:
    """Four tries, further and further apart: see :mod:`stamina`."""
    return stamina.retry_context(on=_again, attempts=4, timeout=None, wait_max=60.0)


def said(error: Exception, portal: Portal, url: str) -> Unavailable:
    """The failure as a sentence."""
    if isinstance(error, httpx2.HTTPStatusError):
        why = f"répond {error.response.status_code} à {url}"
    elif isinstance(error, httpx2.TimeoutException):
        why = f"ne répond pas à temps à {url}"
    elif isinstance(error, httpx2.TooManyRedirects):
        why = f"renvoie sans fin d'une adresse à l'autre, depuis {url}"
    else:
        how = f" ({error})" if str(error) else ""
        why = f"est injoignable ou coupe la réponse à {url}{how}"
    return Unavailable(f"{portal.label} {why}.")


class Client:
    """One portal's client: at most one request each ``pause`` seconds, redirects followed."""

    def __init__(self, portal: Portal, patience: httpx2.Timeout = PATIENCE) -> None:
        self.portal = portal
        self.http = httpx2.Client(
            follow_redirects=True, max_redirects=5, timeout=patience, headers={"User-Agent": AGENT}
        )
        self._last = 0.0

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def _pace(self) -> None:
        wait = self._last + self.portal.pause - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        self._last = time.monotonic()

    def get_json(self, url: str, headers: dict[str, str] | None = None) -> Any:
        """The JSON at ``url``, whole. Raises :class:`Unavailable`."""
        try:
            for attempt in tries():
                with attempt:
                    self._pace()
                    asked = {"Accept": "application/json"} | (headers or {})
                    response = self.http.get(url, headers=asked)
                    response.raise_for_status()
            return response.json()
        except httpx2.HTTPError as error:
            raise said(error, self.portal, url) from error
        except ValueError as error:
            raise Unavailable(
                f"{self.portal.label} répond autre chose que du JSON à {url} (page d'attente ?)."
            ) from error

    @contextmanager
    def stream(self, url: str, headers: dict[str, str]) -> Iterator[httpx2.Response]:
        """One answer, not yet read; its status is not looked at."""
        self._pace()
        with self.http.stream("GET", url, headers=headers) as response:
            yield response
