"""Write, audit, publish: a delivered month reaches the accepted observations, or quarantine.

Deliveries that wait for one feed are audited together, as many months as there are in one batch,
each month with its own verdict. A batch is judged in one transaction: its verdicts, the state of
its months and its accepted observations are written together or not at all.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import pandas as pd

from odds_pipeline.declarations.project import FeedEntry, Project
from odds_pipeline.quality.accepted import accepted_before
from odds_pipeline.quality.ahead import made
from odds_pipeline.quality.audit import Finding, audit
from odds_pipeline.quality.waiting import Batch, Waiting, batches_of, pending, waiting_of
from odds_pipeline.reception.kept import forget
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.sql import first, one
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


_SAME = """
o.variable = n.variable AND o.month = n.month AND o.territory = n.territory AND o.level = n.level
AND o.geography = n.geography
"""

# A figure that stood on an overruled rule, or lost its verdict, is not the same once delivered again.
_STANDING = """
CREATE OR REPLACE TEMP TABLE standing AS
SELECT delivery, month FROM trusted_months WHERE feed = $feed AND reserve IS NULL
"""

_EQUAL = """
o.value IS NOT DISTINCT FROM n.value AND o.obs_status = n.obs_status
AND o.conf_status = n.conf_status AND o.lower_bound IS NOT DISTINCT FROM n.lower_bound
AND EXISTS (FROM standing s WHERE s.delivery = o.delivery AND s.month = o.month)
"""

_REPLACES = """
FROM observations o SEMI JOIN incoming n USING (variable, month, level) WHERE o.known_to IS NULL LIMIT 1
"""

# What a delivery replaces: its variables, months and levels. Other levels of the same feed come in
# files of their own.
_END = f"""
UPDATE observations o SET known_to = $judgement
WHERE o.known_to IS NULL
  AND EXISTS (FROM incoming n WHERE n.variable = o.variable AND n.month = o.month AND n.level = o.level)
  AND NOT EXISTS (FROM incoming n WHERE {_SAME} AND {_EQUAL})
"""

_BEGIN = f"""
INSERT INTO observations BY NAME
SELECT n.variable, n.month, n.territory, n.level, n.geography, n.value, n.obs_status, n.conf_status,
       n.lower_bound, n.delivery, n.line, n.lines, $judgement AS known_from,
       CAST(n.correction AS VARCHAR) AS correction
FROM incoming n WHERE NOT EXISTS (FROM observations o WHERE o.known_to IS NULL AND {_SAME})
"""


# What another contract delivers before this one: kept as figures that were replaced on arrival.
_OUTRANKED = """
CREATE OR REPLACE TEMP TABLE outranked AS
SELECT DISTINCT o.variable, o.month, o.level FROM observations o
SEMI JOIN incoming USING (variable, month, level)
JOIN deliveries d ON d.id = o.delivery
JOIN preferred p ON p.variable = o.variable AND p.feed = d.feed
WHERE o.known_to IS NULL;
INSERT INTO observations BY NAME
SELECT n.variable, n.month, n.territory, n.level, n.geography, n.value, n.obs_status, n.conf_status,
       n.lower_bound, n.delivery, n.line, n.lines, {judgement} AS known_from, {judgement} AS known_to,
       CAST(n.correction AS VARCHAR) AS correction
FROM incoming n SEMI JOIN outranked USING (variable, month, level);
DELETE FROM incoming USING outranked o
WHERE incoming.variable = o.variable AND incoming.month = o.month AND incoming.level = o.level
"""


def _preferred(project: Project, entry: FeedEntry) -> pd.DataFrame:
    """The feeds whose figures come before those of ``entry``, for each variable it delivers."""
    rows = []
    for name in entry.feed.variables:
        variable = entry.variable_id(name)
        feeds = [source.id for source in project.sources_of(variable)]
        rows += [(variable, feed) for feed in feeds[: feeds.index(entry.id)]]
    return pd.DataFrame(rows, columns=["variable", "feed"])


def _give_way(
    connection: duckdb.DuckDBPyConnection, project: Project, entry: FeedEntry, judgement: int
) -> None:
    """Take out of ``incoming`` what a preferred source has delivered, keeping it as history."""
    preferred = _preferred(project, entry)
    if preferred.empty:
        return
    connection.register("preferred", preferred)
    connection.execute(_OUTRANKED.format(judgement=int(judgement)))
    connection.unregister("preferred")


def _apply(
    connection: duckdb.DuckDBPyConnection,
    project: Project,
    entry: FeedEntry,
    frame: pd.DataFrame,
    judgement: int,
) -> None:
    # Copied once: each statement would turn the frame's texts into the engine's own again.
    connection.register("incoming_frame", frame)
    connection.execute("CREATE OR REPLACE TEMP TABLE incoming AS FROM incoming_frame")
    connection.unregister("incoming_frame")
    if first(connection, _REPLACES):  # a month's first delivery does not, nearly always
        _give_way(connection, project, entry, judgement)
        connection.execute(_STANDING, {"feed": entry.id})
        connection.execute(_END, {"judgement": judgement})
    connection.execute(_BEGIN, {"judgement": judgement})
    connection.execute("DROP TABLE incoming")  # a warehouse that is kept open would keep it too


def _record(connection: duckdb.DuckDBPyConnection, judgements: list[Judgement], number: int) -> None:
    verdicts = pd.DataFrame(
        [
            (
                j.delivery,
                f.month,
                f.rule,
                f.severity,
                f.passed,
                f.message,
                f.remedy,
                f.count,
                f.rows_json,
            )
            for j in judgements
            for f in j.findings
        ],
        columns=[
            "delivery",
            "month",
            "rule",
            "severity",
            "passed",
            "message",
            "remedy",
            "failing",
            "rows",
        ],
    )
    states = pd.DataFrame(
        [(j.delivery, m, "accepted") for j in judgements for m in j.accepted]
        + [(j.delivery, m, "refused") for j in judgements for m in j.refused],
        columns=["delivery", "month", "state"],
    )
    connection.register("findings", verdicts)
    connection.register("states", states)
    # A new judgement of the same bytes replaces their verdict.
    connection.execute(
        "DELETE FROM verdicts v WHERE EXISTS "
        "(FROM states s WHERE s.delivery = v.delivery AND s.month = v.month)"
    )
    connection.execute("INSERT INTO verdicts BY NAME FROM findings")
    connection.execute(
        "UPDATE delivered_months m SET state = s.state, judgement = ?, judged_at = ? FROM states s "
        "WHERE m.delivery = s.delivery AND m.month = s.month",
        [number, datetime.now(UTC).replace(tzinfo=None)],
    )
    connection.unregister("findings")
    connection.unregister("states")


def _judgement(
    one: Waiting, findings: list[Finding], overruled: frozenset[str] = frozenset()
) -> Judgement:
    own = tuple(f for f in findings if f.month in one.months)
    refused = {f.month for f in own if f.refuses and not (f.overrulable and f.rule in overruled)}
    # A month that no rule was run on has no verdict: it is refused.
    refused |= set(one.months) - {f.month for f in own}
    accepted = tuple(m for m in one.months if m not in refused)
    frame = one.frame
    rows = frame[frame["month"].isin(accepted)]["month"].value_counts()
    return Judgement(
        one.delivery,
        one.file_name,
        accepted,
        tuple(m for m in one.months if m in refused),
        own,
        {str(month): int(count) for month, count in rows.items()},
    )


def judge(
    project: Project,
    connection: duckdb.DuckDBPyConnection,
    entry: FeedEntry,
    batch: Batch,
    overruled: frozenset[str] = frozenset(),
) -> list[Judgement]:
    """Judge a batch and write its outcome; call it inside a transaction.

    Rules named in ``overruled`` do not refuse; their verdicts stay what they are.
    """
    findings = made(project, connection, entry, batch)
    if findings is None:
        findings = audit(project, entry, batch.readings, *accepted_before(connection, entry))
    judgements = [_judgement(one, findings, overruled) for one in batch.waiting]
    frames = [
        each.frame[each.frame["month"].isin(judgement.accepted)]
        for each, judgement in zip(batch.waiting, judgements, strict=True)
    ]
    (number,) = one(connection, "SELECT coalesce(max(judgement), 0) + 1 FROM delivered_months")
    _record(connection, judgements, number)
    _apply(connection, project, entry, pd.concat(frames), number)
    return judgements


def _refuse_unread(
    connection: duckdb.DuckDBPyConnection, delivery: str, file_name: str, months: list[str]
) -> Judgement:
    """A delivery that its own contract, changed since, no longer recognises."""
    findings = tuple(
        Finding(
            m,
            "contrat",
            "critical",
            False,
            "Le contrat ne reconnaît plus ce fichier.",
            "Prévenir l'équipe de l'observatoire.",
            overrulable=False,
        )
        for m in months
    )
    judgement = Judgement(delivery, file_name, (), tuple(months), findings, {})
    with transaction(connection):
        _record(connection, [judgement], 0)
    return judgement


def _still_waits(connection: duckdb.DuckDBPyConnection, batch: Batch) -> bool:
    """Whether no other run has judged one of the batch's months since they were listed.

    The writer's lock sees to it; but a lock in a database ends with its connection, and then this
    question, asked inside the transaction, is what keeps a month from being judged twice.
    """
    deliveries = [one.delivery for one in batch.waiting]
    wanted = {(one.delivery, month) for one in batch.waiting for month in one.months}
    return wanted <= set(
        connection.execute(
            "SELECT delivery, month FROM delivered_months "
            "WHERE state = 'pending' AND delivery IN (SELECT unnest(?))",
            [deliveries],
        ).fetchall()
    )


def judge_pending(
    project: Project, home: Home, feed: str, first: str = "0000-00", last: str = "9999-99"
) -> list[Judgement]:
    """Judge what waits for ``feed`` between two months, in order of reception."""
    with Store(home.warehouse).connect() as connection:
        return judge_waiting(project, home, connection, feed, first, last)


def judge_waiting(
    project: Project,
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    feed: str,
    first: str,
    last: str,
) -> list[Judgement]:
    """The same in the open warehouse; each batch is a transaction of its own."""
    entry = project.feeds[feed]
    judgements: list[Judgement] = []
    rows = pending(connection, [feed], first, last).get(feed, [])
    waiting, unread = waiting_of(project, home, feed, rows)
    for delivery, file_name, _, months in unread:
        judgements.append(_refuse_unread(connection, delivery, file_name, months))
    for batch in batches_of(waiting):
        with transaction(connection):
            if _still_waits(connection, batch):
                judgements += judge(project, connection, entry, batch)
    for each in waiting:
        forget(each.delivery, feed, each.format)
    return judgements
