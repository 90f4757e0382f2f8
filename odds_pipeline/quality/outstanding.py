"""What is left to do, as work that one run takes: months that wait for a gate, values out of date."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.staleness import ALL, Months, spans_of_feeds, stale, within
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store


@dataclass(frozen=True)
class Work:
    """Feeds or indicators of one calendar and the first and last month that one run takes them over."""

    names: tuple[str, ...]
    first: str
    last: str


def _works(spans: Iterable[tuple[str, tuple[object, ...], Months]]) -> list[Work]:
    """One run for the names of each group, over the months of them all."""
    groups: dict[tuple[object, ...], list[tuple[str, Months]]] = {}
    for name, group, months in spans:
        groups.setdefault(group, []).append((name, months))
    return [
        Work(
            tuple(name for name, _ in own),
            min(months[0] for _, months in own),
            max(months[1] for _, months in own),
        )
        for own in groups.values()
    ]


_WAITING = """
SELECT feed, min(month), max(month) FROM (
    SELECT feed, month FROM delivered_months WHERE state = 'pending'
    UNION ALL SELECT unnest($feeds), unnest($months)
) WHERE month BETWEEN $first AND $last GROUP BY feed ORDER BY feed
"""


def waiting(
    project: Project,
    home: Home,
    feeds: Collection[str] | None = None,
    months: Months = ALL,
    also: Iterable[tuple[str, str]] = (),
) -> list[Work]:
    """Feeds with months that wait for the gate, all of them or some, between two months.

    ``also``: feeds and months that a run is to show though they do not wait.
    """
    shown = sorted(also)
    given = {"feeds": [f for f, _ in shown], "months": [m for _, m in shown]}
    with Store(home.warehouse).connect() as connection:
        rows = connection.execute(_WAITING, {**given, "first": months[0], "last": months[1]}).fetchall()
    # Months between that do not wait are not judged: feeds of one rhythm share a run.
    return _works(
        (feed, (project.feeds[feed].feed.calendar.rhythm,), (start, end))
        for feed, start, end in rows
        if feed in project.feeds and (feeds is None or feed in feeds)
    )


def pending_months(home: Home) -> dict[str, list[tuple[str, str]]]:
    """By feed, the deliveries and months that wait for the gate."""
    with Store(home.warehouse).connect() as connection:
        rows = connection.execute(
            "SELECT feed, delivery, month FROM delivered_months WHERE state = 'pending' ORDER BY ALL"
        ).fetchall()
    found: dict[str, list[tuple[str, str]]] = {}
    for feed, delivery, month in rows:
        found.setdefault(feed, []).append((delivery, month))
    return found


def outdated(project: Project, home: Home, months: Months = ALL) -> list[Work]:
    """Indicators that no longer follow from what is trusted, over the months concerned.

    What a stopped command left undone is in it; what is done is not.
    """
    with Store(home.warehouse).connect() as connection:
        spans = spans_of_feeds(project, connection)
        changed = stale(project, connection, project.indicators)
    found = []
    for name, concerned in changed.items():
        driving = project.feed_of(project.indicators[name].indicator)
        if driving.id in spans:
            own = within(within(concerned, spans[driving.id]), months)
            # Whole histories share a run whatever their first months; parts of a history share it when
            # they are the same months, so that no month is computed again for another's sake.
            whole = own == within(spans[driving.id], months)
            if own[0] <= own[1]:
                found.append((name, (driving.feed.calendar.rhythm, None if whole else own), own))
    return _works(found)
