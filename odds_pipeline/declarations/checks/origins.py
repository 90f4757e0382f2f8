"""Checks the origins of the contracts against the portals."""

from collections.abc import Iterator

from odds_pipeline.declarations.declared import Declared, FeedEntry
from odds_pipeline.declarations.portal import Origin
from odds_pipeline.declarations.problems import Problem, nearest


def origin_problems(declared: Declared, entry: FeedEntry) -> Iterator[Problem]:
    """Every mistake in the origins of one contract."""
    for i, origin in enumerate(entry.feed.origins):
        if message := _mistake(declared, origin):
            yield entry.file.problem(("origins", i), message)
    if entry.feed.origins and entry.feed.kind == "template":
        yield entry.file.problem(("origins",), "a template has no origin: nobody publishes its files")


def _mistake(declared: Declared, origin: Origin) -> str | None:
    portal = declared.portals.get(origin.portal)
    if portal is None:
        known = declared.portals
        return f"no portal {origin.portal!r} in resources/portals.yaml{nearest(origin.portal, known)}"
    if portal.api == "files":
        return None if origin.vintages else f"{origin.portal} has no interface: give `vintages`"
    return None if origin.dataset else f"{origin.portal} wants a `dataset`"
