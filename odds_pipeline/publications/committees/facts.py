"""What happened in a span: deliveries, verdicts and releases, read from the warehouse."""

from dataclasses import dataclass

from odds_pipeline.publications.committees.span import Span
from odds_pipeline.quality.quarantine import Case, cases
from odds_pipeline.release.changes import Definitions, changed_definitions
from odds_pipeline.release.published import Release, describe, numbers, open_release, told_before
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.sql import one, read_sql
from odds_pipeline.storage.store import Store


@dataclass(frozen=True)
class Received:
    """Deliveries of one feed in the span; months accepted, refused, and revised among the accepted."""

    feed: str
    files: int
    accepted: int
    refused: int
    revised: int


_RECEIVED = read_sql(__file__, "received")

_VALUED = "SELECT count(DISTINCT indicator) FROM indicator_values WHERE value IS NOT NULL"
_ASIDE = """
SELECT count(*) FROM deliveries
WHERE feed IS NULL AND CAST(received_at AS DATE) BETWEEN $start AND $end
"""

_FIRST = """
SELECT split_part(d.feed, '/', 1) AS partner, CAST(min(d.received_at) AS DATE) AS first
FROM deliveries d JOIN trusted_months t ON t.delivery = d.id GROUP BY partner
"""


@dataclass(frozen=True)
class Activity:
    """``before`` is the last release made before the span, ``last`` the last one of it.

    ``valued`` counts the indicators of which it has a value, ``told`` the figures that it hides and an
    earlier one had told.
    """

    received: list[Received]
    aside: int
    quarantine: list[Case]
    first_deliveries: dict[str, str]
    simulated: bool
    before: Release | None
    last: Release | None
    changes: Definitions | None
    told: int = 0
    valued: int = 0


def read_facts(home: Home, span: Span) -> Activity:
    """Everything that the packs say of a span."""
    between = {"start": span.start, "end": span.end}
    with Store(home.warehouse).connect() as connection:
        received = [Received(*row) for row in connection.execute(_RECEIVED, between).fetchall()]
        (aside,) = one(connection, _ASIDE, between)
        waiting = [c for c in cases(connection) if c.received_at.date() <= span.end]
        first = {str(partner): day.isoformat() for partner, day in connection.execute(_FIRST).fetchall()}
        row = one(connection, "SELECT coalesce(bool_or(simulated), false) FROM deliveries")
    made = [describe(home, number) for number in numbers(home)]
    until = [r for r in made if r.published_at[:10] <= span.end.isoformat()]
    earlier = [r for r in until if r.published_at[:10] < span.start.isoformat()]
    before = earlier[-1] if earlier else None
    last = until[-1] if until and until[-1] != before else None
    changes = changed_definitions(home, before.number, last.number) if before and last else None
    return Activity(
        received=received,
        aside=aside,
        quarantine=waiting,
        first_deliveries=first,
        simulated=bool(row and row[0]),
        before=before,
        last=last,
        changes=changes,
        told=told_before(home, last.number) if last else 0,
        valued=_valued(home, last.number) if last else 0,
    )


def _valued(home: Home, number: int) -> int:
    with open_release(home, number) as connection:
        (valued,) = one(connection, _VALUED)
    return int(valued)
