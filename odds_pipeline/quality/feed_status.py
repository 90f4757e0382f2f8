"""Which feeds are up to date, late or overdue, by their own calendars."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import duckdb

from odds_pipeline.declarations.calendar import Calendar
from odds_pipeline.declarations.project import Project
from odds_pipeline.months import month_index, month_of, month_of_index, months_between, shifted
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

DUE_DAY = 6
"""Day of the month by which a delivery is due: the schedules ask for it that morning."""


@dataclass(frozen=True)
class FeedStatus:
    """Where a feed stands on a day.

    ``expected``: the latest month that should have come by now. ``state``: up to date, late (one
    delivery is missing), overdue (more than one), never received. ``refused``: months that wait in
    quarantine. ``since``: the day (ISO) from which a feed that is late has been so. ``missing``: months
    due since its first accepted one and not accepted, also those that later months overtook.
    """

    feed: str
    cadence: str
    last_accepted: str | None
    expected: str | None
    state: str
    refused: tuple[str, ...]
    since: str | None = None
    missing: tuple[str, ...] = ()


def expected_month(calendar: Calendar, today: date) -> str | None:
    """The latest month of the calendar that is due: by the 6th, ``lag`` months after it."""
    index = month_index(month_of(today)) - calendar.lag - (today.day < DUE_DAY)
    while index > 0:
        month = month_of_index(index)
        if month < calendar.first:
            return None
        if calendar.has(month):
            return month
        index -= 1
    return None


def _missing(calendar: Calendar, accepted: list[str], expected: str | None) -> tuple[str, ...]:
    if not accepted or expected is None:
        return ()
    months = months_between(min(accepted), expected)
    return tuple(month for month in months if calendar.has(month) and month not in accepted)


def _due(calendar: Calendar, month: str) -> str:
    """The day by which a month was to come."""
    return f"{shifted(month, calendar.lag)}-{DUE_DAY:02d}"


def _state(calendar: Calendar, last: str | None, expected: str | None) -> str:
    if expected is None or (last is not None and last >= expected):
        return "up to date"
    if last is None:
        return "never received"
    missed = month_index(expected) - month_index(last)
    return "late" if missed <= calendar.step else "overdue"


# `IN (SELECT …)` would not reach into the views: both made for all feeds, 12 ms for one instead of 5.
_MONTHS = """
SELECT feed, list(DISTINCT accepted ORDER BY accepted) FILTER (WHERE accepted IS NOT NULL),
       list(DISTINCT refused ORDER BY refused) FILTER (WHERE refused IS NOT NULL)
FROM (SELECT feed, month AS accepted, NULL AS refused FROM trusted_months
      UNION ALL SELECT feed, NULL, month FROM quarantine)
WHERE list_contains(?, feed) GROUP BY feed
"""


def feed_status(project: Project, home: Home, today: date) -> list[FeedStatus]:
    """One row per feed. A month refused since counts until a delivery of it is accepted."""
    with Store(home.warehouse).connect() as connection:
        return statuses(project, connection, today, project.feeds)


def statuses(
    project: Project, connection: duckdb.DuckDBPyConnection, today: date, feeds: Collection[str]
) -> list[FeedStatus]:
    """Where some feeds stand, for who has the warehouse open."""
    rows = connection.execute(_MONTHS, [list(feeds)]).fetchall()
    known = {feed: (accepted or [], tuple(refused or ())) for feed, accepted, refused in rows}
    result = []
    for name in feeds:
        entry = project.feeds[name]
        calendar = entry.feed.calendar
        accepted, refused = known.get(entry.id, ([], ()))
        last, expected = max(accepted, default=None), expected_month(calendar, today)
        state = _state(calendar, last, expected)
        missing = _missing(calendar, accepted, expected)
        since = next((_due(calendar, m) for m in missing if last is not None and m > last), None)
        result.append(
            FeedStatus(entry.id, calendar.cadence, last, expected, state, refused, since, missing)
        )
    return result
