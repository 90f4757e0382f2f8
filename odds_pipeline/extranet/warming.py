"""Makes the pages that most readers open as soon as a release goes live, before they ask for them."""

import gc
import logging
import threading
from collections.abc import Iterator
from urllib.request import Request, urlopen

from odds_pipeline.extranet.drawing import LEAST
from odds_pipeline.extranet.reading.rights import VISITOR
from odds_pipeline.extranet.reading.serving import Serving, Unknown, View

LOG = logging.getLogger("odds.extranet")
EVERY = 5.0
"""Seconds between two looks at the number of the release."""


_MAPS = (
    "SELECT min(indicator) AS indicator FROM (SELECT indicator, geography FROM latest "
    f"WHERE level = 'commune' GROUP BY ALL HAVING count(value) >= {LEAST}) GROUP BY geography"
)


def pages(view: View) -> Iterator[str]:
    """The way in, the page of every territory, neighbourhoods apart, and a map of each geography.

    Where names stand on a map is found once, in a third of a second.
    """
    yield from ("/", "/territoires", "/indicateurs")
    yield from (f"/territoires/{place.code}" for place in view.territories)
    yield from (f"/indicateurs/{row['indicator']}" for row in view.rows(_MAPS))


def warm(address: str, view: View) -> int:
    """Ask the site at ``address`` for its pages, one after the other; how many it gave."""
    given = 0
    for page in pages(view):
        try:
            with urlopen(Request(address + page), timeout=30) as answer:
                given += answer.status == 200
        except OSError as error:  # the site is not there yet or is busy, or a territory has no page
            LOG.info("%s is not warmed: %s", page, error)
    return given


def settle() -> None:
    """Set aside what stands until the next release: the collector would look through it again and again.

    Each time it stops all readers for a tenth of a second.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def keep_warm(address: str, serving: Serving) -> threading.Thread:
    """Warm the site now and at each new release, for visitors, until the process ends."""
    thread = threading.Thread(target=_watch, args=(address, serving), daemon=True, name="warming")
    thread.start()
    return thread


def _watch(address: str, serving: Serving) -> None:
    warmed: int | None = None
    pause = threading.Event()
    while not pause.wait(EVERY):
        if serving.number() not in (None, warmed):
            try:
                view = serving.view(VISITOR)
            except Unknown:
                continue
            warm(address, view)
            settle()
            warmed = serving.number()
