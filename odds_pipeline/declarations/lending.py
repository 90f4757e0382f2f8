"""Gives a contract the variables that others define and name it a source of."""

from dataclasses import replace

from odds_pipeline.declarations.declared import FeedEntry
from odds_pipeline.declarations.feed import Variable


def with_lent(feeds: dict[str, FeedEntry]) -> dict[str, FeedEntry]:
    """The contracts, each source with the variables that it has columns for."""
    found = dict(feeds)
    for owner in feeds.values():
        for name in owner.feed.sources:
            source = found.get(f"{owner.partner.id}/{name}")
            if source is not None and source.id != owner.id:
                found[source.id] = _lent(source, owner)
    return found


def _lent(source: FeedEntry, owner: FeedEntry) -> FeedEntry:
    names = (source.feed.delivered & set(owner.feed.variables)) - set(source.feed.variables)
    lent = {name: _alone(owner.feed.variables[name], names) for name in sorted(names)}
    feed = source.feed.model_copy(update={"variables": {**source.feed.variables, **lent}})
    return replace(source, feed=feed, lent=source.lent | names)


def _alone(variable: Variable, here: set[str]) -> Variable:
    """The variable without the totals and counts that are not delivered with it."""
    kept = {key: getattr(variable, key) for key in ("part_of", "counted_by")}
    gone = {key: None for key, name in kept.items() if name not in here}
    largest = [name for name in variable.largest if name in here]
    return variable.model_copy(update={**gone, "largest": largest})
