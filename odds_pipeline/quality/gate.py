"""Write, audit, publish: a delivered month reaches the accepted observations, or quarantine.

What waits for a feed is judged by the verdicts that an audit has kept, as many months as there are in
one turn. A turn is judged in one transaction: the states of its months and its accepted observations
are written together or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import duckdb
import pandas as pd

from odds_pipeline.declarations.project import FeedEntry, Project
from odds_pipeline.indicators.staleness import Months
from odds_pipeline.quality.batch import audit_all, audit_feed
from odds_pipeline.quality.findings import Finding
from odds_pipeline.quality.verdicts import Due, findings_on, next_turns
from odds_pipeline.quality.waiting import Readings, read_ahead
from odds_pipeline.reception.recording import OLDER
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.sql import first, one, read_sql
from odds_pipeline.storage.store import Store, transaction


@dataclass(frozen=True)
class Judgement:
    """What the gate decided of one delivery: months accepted and refused, with their findings."""

    delivery: str
    file_name: str
    accepted: tuple[str, ...]
    refused: tuple[str, ...]
    findings: tuple[Finding, ...]
    rows: dict[str, int]


_INCOMING = """
CREATE OR REPLACE TEMP TABLE incoming AS FROM staged SEMI JOIN accepted_months USING (delivery, month)
"""

_ROWS = "SELECT delivery, month, count(*) FROM incoming GROUP BY ALL"

_GIVE_WAY = read_sql(__file__, "give_way")

_STANDING = """
CREATE OR REPLACE TEMP TABLE standing AS
SELECT delivery, month FROM trusted_months WHERE feed = $feed AND reserve IS NULL
"""

_REPLACES = """
FROM observations o SEMI JOIN incoming n USING (variable, month, level) WHERE o.known_to IS NULL LIMIT 1
"""

_END = read_sql(__file__, "accept")

_BEGIN = """
INSERT INTO observations BY NAME
SELECT n.*, $judgement AS known_from
FROM incoming n ANTI JOIN (FROM observations WHERE known_to IS NULL) o
USING (variable, month, territory, level, geography)
"""

_STATES = """
UPDATE delivered_months m SET state = s.state, judgement = $number, judged_at = $now
FROM states s WHERE m.delivery = s.delivery AND m.month = s.month
"""

# Figures wait no longer when nothing does; one by one they would be a file each to delete from a lake.
_CLEAR = "DELETE FROM staged WHERE NOT EXISTS (FROM delivered_months WHERE state = 'pending')"


def _incoming(
    connection: duckdb.DuckDBPyConnection, accepted: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """The figures of accepted months in a table of their own; how many they are."""
    frame = pd.DataFrame(accepted, columns=["delivery", "month"], dtype="string")
    connection.register("accepted_months", frame)
    connection.execute(_INCOMING)
    connection.unregister("accepted_months")
    return {(d, month): count for d, month, count in connection.execute(_ROWS).fetchall()}


def _preferred(project: Project, entry: FeedEntry) -> pd.DataFrame:
    """The feeds whose figures come before those of ``entry``, for each variable it delivers."""
    rows = []
    for name in entry.feed.variables:
        variable = entry.variable_id(name)
        feeds = [source.id for source in project.sources_of(variable)]
        rows += [(variable, feed) for feed in feeds[: feeds.index(entry.id)]]
    return pd.DataFrame(rows, columns=["variable", "feed"], dtype="string")


def _lies_in(project: Project) -> pd.DataFrame:
    """The département of each territory, where there are several: each may come in files of its own."""
    several = len(project.territories.departements) > 1
    rows = {
        (t.level, t.code, t.code if t.level == "departement" else t.departement)
        for t in project.territories.all
        if several
    }
    return pd.DataFrame(sorted(rows), columns=["level", "territory", "departement"], dtype="string")


def _give_way(
    connection: duckdb.DuckDBPyConnection,
    project: Project,
    entry: FeedEntry,
    judgement: int,
    overruled: frozenset[str],
) -> None:
    """Take out of ``incoming`` what a preferred source or a newer edition delivered; keep it as history.

    Unless a person said that the older of two files is right.
    """
    turn = {"feed": entry.id, "judgement": judgement, "decided": OLDER in overruled}
    connection.register("turn", pd.DataFrame([turn]))
    connection.register("preferred", _preferred(project, entry))
    connection.execute(_GIVE_WAY)
    connection.unregister("preferred")
    connection.unregister("turn")


def _apply(
    connection: duckdb.DuckDBPyConnection,
    project: Project,
    entry: FeedEntry,
    judgement: int,
    overruled: frozenset[str],
) -> None:
    if first(connection, _REPLACES):  # a month's first delivery does not, nearly always
        connection.register("lies_in", _lies_in(project))
        _give_way(connection, project, entry, judgement, overruled)
        connection.execute(_STANDING, {"feed": entry.id})
        connection.execute(_END, {"judgement": judgement})
        connection.unregister("lies_in")
    connection.execute(_BEGIN, {"judgement": judgement})
    connection.execute("DROP TABLE incoming")


def _record(
    connection: duckdb.DuckDBPyConnection, states: dict[tuple[str, str], str], number: int
) -> None:
    rows = [(delivery, month, state) for (delivery, month), state in states.items()]
    connection.register("states", pd.DataFrame(rows, columns=["delivery", "month", "state"]))
    now = datetime.now(UTC).replace(tzinfo=None)
    connection.execute(_STATES, {"number": number, "now": now})
    connection.unregister("states")
    connection.execute(_CLEAR)


def judge(
    project: Project,
    connection: duckdb.DuckDBPyConnection,
    feed: str,
    due: Sequence[Due],
    findings: Sequence[Finding],
    overruled: frozenset[str] = frozenset(),
) -> list[Judgement]:
    """Judge months of deliveries and write the outcome; call it inside a transaction.

    Rules named in ``overruled`` do not refuse; their verdicts stay what they are. A month that no rule
    was run on has no verdict: it is refused.
    """
    refused = {
        (f.subject, f.month)
        for f in findings
        if f.refuses and not (f.overrulable and f.rule in overruled)
    }
    refused |= {(each.delivery, each.month) for each in due} - {(f.subject, f.month) for f in findings}
    states = {
        (each.delivery, each.month): "refused" if (each.delivery, each.month) in refused else "accepted"
        for each in due
    }
    (number,) = one(connection, "SELECT coalesce(max(judgement), 0) + 1 FROM delivered_months")
    counts = _incoming(connection, [key for key, state in states.items() if state == "accepted"])
    _apply(connection, project, project.feeds[feed], number, overruled)
    _record(connection, states, number)
    names = {each.delivery: each.file_name for each in due}
    return [_judgement(delivery, name, states, findings, counts) for delivery, name in names.items()]


def _judgement(
    delivery: str,
    file_name: str,
    states: dict[tuple[str, str], str],
    findings: Sequence[Finding],
    counts: dict[tuple[str, str], int],
) -> Judgement:
    def months(wanted: str) -> tuple[str, ...]:
        return tuple(m for (d, m), state in states.items() if (d, state) == (delivery, wanted))

    return Judgement(
        delivery,
        file_name,
        months("accepted"),
        months("refused"),
        tuple(f for f in findings if (f.subject, f.month) in states and f.subject == delivery),
        {month: count for (d, month), count in counts.items() if d == delivery},
    )


def _still_waits(connection: duckdb.DuckDBPyConnection, turn: Sequence[Due]) -> bool:
    """Whether no other run has judged one of these months since they were listed.

    The writer's lock sees to it; but a lock in a database ends with its connection, and then this
    question, asked inside the transaction, is what keeps a month from being judged twice.
    """
    return {(each.delivery, each.month) for each in turn} <= set(
        connection.execute(
            "SELECT delivery, month FROM delivered_months "
            "WHERE state = 'pending' AND delivery IN (SELECT unnest(?))",
            [[each.delivery for each in turn]],
        ).fetchall()
    )


def judge_pending(
    project: Project, home: Home, feed: str, first: str = "0000-00", last: str = "9999-99"
) -> list[Judgement]:
    """Judge what waits for ``feed`` between two months, in order of reception."""
    ahead = read_ahead(project, home, feed, (first, last))
    with Store(home.warehouse).connect() as connection:
        return judge_waiting(project, home, connection, feed, (first, last), ahead)


def judge_waiting(
    project: Project,
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    feed: str,
    months: Months,
    ahead: Readings,
) -> list[Judgement]:
    """The same in the open warehouse; each turn is a transaction of its own."""
    judgements: list[Judgement] = []
    alone = partial(audit_feed, project, home, connection, feed, months, ahead)
    audits = [
        alone,
        partial(audit_all, project, home, connection, feed, ahead),
    ]  # with all that waits, then alone
    while feed in (turns := next_turns(project, connection, [feed], months)):
        turn = turns[feed]
        if turn is not None:
            judgements += _judged(project, connection, feed, turn)
            audits = [alone]
        elif audits:
            audits.pop()()
        else:
            raise RuntimeError(f"{feed}: the verdicts that were just made do not hold")
    return judgements


def _judged(
    project: Project, connection: duckdb.DuckDBPyConnection, feed: str, turn: Sequence[Due]
) -> list[Judgement]:
    with transaction(connection):
        if not _still_waits(connection, turn):
            return []
        findings = findings_on(connection, [(each.delivery, each.month) for each in turn])
        return judge(project, connection, feed, turn, findings)
