"""Verdicts in the warehouse: written by an audit, read by the gate that judges what it is about.

A verdict rests on the bytes of its delivery, on what was accepted before them and on the declarations:
it is kept with a fingerprint of the last two, its *basis*, and counts as long as they are the same.
Files of several levels, and a month delivered twice, are judged in turns: the basis of a turn supposes
that the turns before it were judged as they were found.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import pandas as pd

from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.staleness import ALL, Months
from odds_pipeline.quality.accepted import prints_of
from odds_pipeline.quality.findings import Finding
from odds_pipeline.storage.sql import read_sql

Audited = tuple[str, str, int, str]
"""Delivery, month, turn, basis."""

_REPLACE = """
DELETE FROM {table} t WHERE EXISTS (FROM audited a WHERE a.delivery = t.delivery AND a.month = t.month)
"""
_STAGE = read_sql(__file__, "stage")


def basis_of(project: Project, feed: str, accepted: str) -> str:
    """What a verdict rests on besides the delivery; this month tells what is in the future."""
    return f"{date.today():%Y-%m} {project.fingerprints[feed]} {accepted}"


def keep_verdicts(
    connection: duckdb.DuckDBPyConnection,
    findings: Sequence[Finding],
    audited: Sequence[Audited],
    figures: pd.DataFrame | None = None,
) -> None:
    """Keep the findings on what was audited and its figures as read, in place of former ones."""
    columns = ["delivery", "month", "turn", "basis"]
    connection.register("audited", pd.DataFrame(audited, columns=columns))
    for table in ("verdicts", "audits", "staged"):
        connection.execute(_REPLACE.format(table=table))
    connection.execute("INSERT INTO audits BY NAME FROM audited")
    connection.unregister("audited")
    rows = pd.DataFrame(
        [
            (f.subject, f.month, f.rule, f.severity, f.passed, f.message, f.remedy, f.count, f.rows_json)
            for f in findings
        ],
        columns=["delivery", "month", "rule", "severity", "passed", "message", "remedy", "failing",
                 "rows"],
    )  # fmt: skip
    connection.register("found", rows)
    connection.execute("INSERT INTO verdicts BY NAME FROM found")
    connection.unregister("found")
    if figures is not None:
        connection.register("figures", figures)
        connection.execute(_STAGE)
        connection.unregister("figures")


def findings_on(
    connection: duckdb.DuckDBPyConnection, judged: Sequence[tuple[str, str]]
) -> list[Finding]:
    """The findings that are kept on months of deliveries."""
    rows = connection.execute(
        "SELECT delivery, month, rule, severity, passed, message, remedy, failing, rows FROM verdicts "
        "WHERE delivery IN (SELECT unnest(?))",
        [sorted({delivery for delivery, _ in judged})],
    ).fetchall()
    wanted = set(judged)
    return [
        Finding(
            subject=delivery,
            month=month,
            rule=rule,
            severity=severity,
            passed=passed,
            message=message,
            remedy=remedy,
            count=failing,
            rows=json.loads(cells),
        )
        for delivery, month, rule, severity, passed, message, remedy, failing, cells in rows
        if (delivery, month) in wanted
    ]


@dataclass(frozen=True)
class Due:
    """A month of a delivery that waits for the gate; without a turn no audit knows it."""

    delivery: str
    file_name: str
    month: str
    turn: int | None = None
    basis: str | None = None


_DUE = """
SELECT m.feed, m.delivery, d.file_name, m.month, a.turn, a.basis
FROM delivered_months m JOIN deliveries d ON d.id = m.delivery
LEFT JOIN audits a ON a.delivery = m.delivery AND a.month = m.month
WHERE m.state = 'pending' AND m.month BETWEEN $first AND $last AND m.feed IN (SELECT unnest($feeds))
ORDER BY d.received_order, m.month
"""


def next_turns(
    project: Project,
    connection: duckdb.DuckDBPyConnection,
    feeds: Sequence[str] | None = None,
    months: Months = ALL,
) -> dict[str, list[Due] | None]:
    """By feed for which something waits, what is to be judged first; ``None`` where its verdicts are
    absent or out of date.
    """
    asked = list(project.feeds if feeds is None else feeds)
    given = {"feeds": asked, "first": months[0], "last": months[1]}
    due: dict[str, list[Due]] = {}
    for feed, *row in connection.execute(_DUE, given).fetchall():
        due.setdefault(feed, []).append(Due(*row))
    prints = prints_of(project, connection, [project.feeds[feed] for feed in due])
    return {feed: _turn(own, basis_of(project, feed, prints[feed][1])) for feed, own in due.items()}


def _turn(due: Sequence[Due], basis: str) -> list[Due] | None:
    if any(one.turn is None for one in due):
        return None
    first = min(one.turn or 0 for one in due)
    turn = [one for one in due if one.turn == first]
    return turn if all(one.basis == basis for one in turn) else None
