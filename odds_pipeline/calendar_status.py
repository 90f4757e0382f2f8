"""Which feeds are up to date, late or overdue, by their own calendars."""

from dataclasses import dataclass
from datetime import date

from odds_pipeline.home import Home
from odds_pipeline.model.calendar import Calendar
from odds_pipeline.model.project import Project
from odds_pipeline.warehouse.store import Store


@dataclass(frozen=True)
class FeedStatus:
    """``expected``: the latest month that should have come by now. ``state``: à jour, en retard, …"""

    feed: str
    cadence: str
    last_accepted: str | None
    expected: str | None
    state: str
    refused: tuple[str, ...]


def month_of_index(index: int) -> str:
    """The month ``YYYY-MM`` of a count of months, ``year * 12 + month``."""
    return f"{(index - 1) // 12:04d}-{(index - 1) % 12 + 1:02d}"


def expected_month(calendar: Calendar, today: date) -> str | None:
    """The latest month of the calendar that is due: it is delivered ``lag`` months after it."""
    index = today.year * 12 + today.month - calendar.lag
    while index > 0:
        month = month_of_index(index)
        if month < calendar.first:
            return None
        if calendar.has(month):
            return month
        index -= 1
    return None


def _state(calendar: Calendar, last: str | None, expected: str | None) -> str:
    if expected is None or (last is not None and last >= expected):
        return "up to date"
    if last is None:
        return "never received"
    missed = (int(expected[:4]) - int(last[:4])) * 12 + int(expected[5:]) - int(last[5:])
    return "late" if missed <= calendar.step else "overdue"


def feed_status(project: Project, home: Home, today: date) -> list[FeedStatus]:
    """One row per feed. A month refused since counts until a delivery of it is accepted."""
    with Store(home.warehouse).connect() as connection:
        rows = connection.execute(
            "SELECT feed, max(last), list(DISTINCT refused ORDER BY refused) "
            "FILTER (WHERE refused IS NOT NULL) FROM ("
            "SELECT feed, month AS last, NULL AS refused FROM trusted_months "
            "UNION ALL SELECT feed, NULL, month FROM quarantine) GROUP BY feed"
        ).fetchall()
    known = {feed: (last, tuple(refused or ())) for feed, last, refused in rows}
    result = []
    for entry in project.feeds.values():
        calendar = entry.feed.calendar
        last, refused = known.get(entry.id, (None, ()))
        expected = expected_month(calendar, today)
        state = _state(calendar, last, expected)
        result.append(FeedStatus(entry.id, calendar.cadence, last, expected, state, refused))
    return result
