"""Write, audit, publish: a delivered month reaches the accepted observations, or quarantine.

What waits for feeds is judged by the verdicts that an audit has kept, as many months and feeds as there
are in one turn. A turn is judged in one transaction: the states of its months and its accepted
observations are written together or not at all.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import duckdb
import pandas as pd

from odds_pipeline.declarations.project import FeedEntry, Project
from odds_pipeline.indicators.staleness import Months
from odds_pipeline.quality.batch import audit_all, audit_feed, without_shared
from odds_pipeline.quality.findings import Finding
from odds_pipeline.quality.verdicts import Due, findings_on, next_turns
from odds_pipeline.quality.waiting import Readings, read_ahead
from odds_pipeline.reception.recording import OLDER
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.sql import first, one, read_sql
from odds_pipeline.storage.store import Store, transaction

_log = logging.getLogger(__name__)

MONTHS = 1000
"""Months of feeds that are judged in one transaction: each has some thirty findings."""


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
CREATE OR REPLACE TEMP TABLE standing AS SELECT delivery, month FROM trusted_months
WHERE feed IN (SELECT feed FROM turn) AND reserve IS NULL
"""

_REPLACES = """
FROM observations o SEMI JOIN incoming n USING (variable, month, level) WHERE o.known_to IS NULL LIMIT 1
"""

_END = read_sql(__file__, "accept")

_BEGIN = """
INSERT INTO observations BY NAME
SELECT n.*, t.judgement AS known_from
FROM incoming n JOIN turn t USING (delivery)
ANTI JOIN (FROM observations WHERE known_to IS NULL) o
USING (variable, month, territory, level, geography)
"""

_STATES = """
UPDATE delivered_months m SET state = s.state, judgement = t.judgement, judged_at = $now
FROM states s JOIN turn t USING (delivery) WHERE m.delivery = s.delivery AND m.month = s.month
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


def _preferred(project: Project, entries: Iterable[FeedEntry]) -> pd.DataFrame:
    """The feeds whose figures come before those of ``entries``, for each variable these deliver."""
    rows = []
    for entry in entries:
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


def _apply(
    connection: duckdb.DuckDBPyConnection, project: Project, entries: Sequence[FeedEntry]
) -> None:
    """Write what is in ``incoming``, whose feeds and judgements ``turn`` tells.

    What a preferred source or a newer edition delivered is taken out of it first, and kept as history,
    unless a person said that the older of two files is right.
    """
    if first(connection, _REPLACES):  # a month's first delivery does not, nearly always
        connection.register("lies_in", _lies_in(project))
        connection.register("preferred", _preferred(project, entries))
        connection.execute(_GIVE_WAY)
        connection.execute(_STANDING)
        connection.execute(_END)
        connection.unregister("preferred")
        connection.unregister("lies_in")
    connection.execute(_BEGIN)
    connection.execute("DROP TABLE incoming")


def _record(connection: duckdb.DuckDBPyConnection, states: dict[tuple[str, str], str]) -> None:
    rows = [(delivery, month, state) for (delivery, month), state in states.items()]
    connection.register("states", pd.DataFrame(rows, columns=["delivery", "month", "state"]))
    connection.execute(_STATES, {"now": datetime.now(UTC).replace(tzinfo=None)})
    connection.unregister("states")
    connection.execute(_CLEAR)


def judge(
    project: Project,
    connection: duckdb.DuckDBPyConnection,
    turn: dict[str, list[Due]],
    findings: Sequence[Finding],
    overruled: frozenset[str] = frozenset(),
) -> dict[str, list[Judgement]]:
    """Judge months of deliveries, by feed, and write the outcome; call it inside a transaction.

    No two feeds deliver the same variable. Rules named in ``overruled`` do not refuse; their verdicts
    stay what they are. A month that no rule was run on has no verdict: it is refused.
    """
    refused = {
        (f.subject, f.month)
        for f in findings
        if f.refuses and not (f.overrulable and f.rule in overruled)
    }
    due = [(each.delivery, each.month) for own in turn.values() for each in own]
    refused |= set(due) - {(f.subject, f.month) for f in findings}
    states = {key: "refused" if key in refused else "accepted" for key in due}
    (last,) = one(connection, "SELECT coalesce(max(judgement), 0) FROM delivered_months")
    rows = {
        each.delivery: (each.delivery, feed, last + number, OLDER in overruled)
        for number, (feed, own) in enumerate(turn.items(), start=1)
        for each in own
    }
    columns = ["delivery", "feed", "judgement", "decided"]
    connection.register("turn", pd.DataFrame(list(rows.values()), columns=columns))
    counts = _incoming(connection, [key for key, state in states.items() if state == "accepted"])
    _apply(connection, project, [project.feeds[feed] for feed in turn])
    _record(connection, states)
    connection.unregister("turn")
    # By delivery: of a history both are thousands.
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        if (finding.subject, finding.month) in states:
            found.setdefault(finding.subject, []).append(finding)
    judged: dict[str, list[Due]] = {}
    for each in (each for own in turn.values() for each in own):
        judged.setdefault(each.delivery, []).append(each)
    judgements: dict[str, list[Judgement]] = {feed: [] for feed in turn}
    for delivery, months in judged.items():
        judgement = _judgement(delivery, months, states, found.get(delivery, []), counts)
        judgements[rows[delivery][1]].append(judgement)
    return judgements


def _judgement(
    delivery: str,
    due: list[Due],
    states: dict[tuple[str, str], str],
    findings: Sequence[Finding],
    counts: dict[tuple[str, str], int],
) -> Judgement:
    def months(wanted: str) -> tuple[str, ...]:
        return tuple(each.month for each in due if states[delivery, each.month] == wanted)

    return Judgement(
        delivery,
        due[0].file_name,
        months("accepted"),
        months("refused"),
        tuple(findings),
        {each.month: counts[delivery, each.month] for each in due if (delivery, each.month) in counts},
    )


def _still_wait(connection: duckdb.DuckDBPyConnection, turn: dict[str, list[Due]]) -> bool:
    """Whether no other run has judged one of these months since they were listed.

    The writer's lock sees to it; but a lock in a database ends with its connection, and then this
    question, asked inside the transaction, is what keeps a month from being judged twice.
    """
    months = {(each.delivery, each.month) for own in turn.values() for each in own}
    return months <= set(
        connection.execute(
            "SELECT delivery, month FROM delivered_months "
            "WHERE state = 'pending' AND delivery IN (SELECT unnest(?))",
            [sorted({delivery for delivery, _ in months})],
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
            judgements += _judged(project, connection, {feed: turn}).get(feed, [])
            audits = [alone]
        elif audits:
            audits.pop()()
        else:
            raise RuntimeError(f"{feed}: the verdicts that were just made do not hold")
    return judgements


def judge_together(
    project: Project,
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    feeds: Sequence[str],
    months: Months,
) -> dict[str, list[Judgement]]:
    """Judge what waits for many feeds, a transaction a turn; by feed, what was judged.

    What has no verdict after one audit of all is left to :func:`judge_waiting`, and so is everything
    when it ends on an error, which may be of one feed.
    """
    judgements: dict[str, list[Judgement]] = {}
    audits = [partial(audit_all, project, home, connection)]
    while turns := next_turns(project, connection, feeds, months):
        ready = {feed: turn for feed, turn in turns.items() if turn is not None}
        if audits and len(ready) < len(turns):
            audits.pop()()
            continue
        try:
            judged = _judged(project, connection, _some(project, ready))
        except duckdb.OperationalError:
            raise  # the warehouse is gone
        except Exception:
            _log.exception("feeds are judged one by one")
            break
        if not judged:
            break
        for feed, own in judged.items():
            judgements.setdefault(feed, []).extend(own)
    return judgements


def _some(project: Project, ready: dict[str, list[Due]]) -> dict[str, list[Due]]:
    """The feeds that one transaction judges: none delivers a variable of another."""
    turn: dict[str, list[Due]] = {}
    for entry in without_shared([project.feeds[feed] for feed in ready]):
        if turn and sum(map(len, turn.values())) + len(ready[entry.id]) > MONTHS:
            break
        turn[entry.id] = ready[entry.id]
    return turn


def _judged(
    project: Project, connection: duckdb.DuckDBPyConnection, turn: dict[str, list[Due]]
) -> dict[str, list[Judgement]]:
    with transaction(connection):
        if not turn or not _still_wait(connection, turn):
            return {}
        months = [(each.delivery, each.month) for own in turn.values() for each in own]
        return judge(project, connection, turn, findings_on(connection, months))
