"""Audits the deliveries of many feeds at once: their structure, then their suites, month by month."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import duckdb
import pandas as pd

from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.suite import Rule
from odds_pipeline.quality.findings import Finding, Outcome, Row, Subject, findings_of, outcomes_of
from odds_pipeline.quality.structure import notation_findings, structure_findings
from odds_pipeline.quality.tables import delivery_table, keep_delivered
from odds_pipeline.quality.waiting import Waiting
from odds_pipeline.reception.notations import cause_of


@dataclass(frozen=True)
class _Batch:
    """Deliveries audited together; ``owners`` says which one holds a feed's month."""

    project: Project
    waiting: Sequence[Waiting]
    frame: pd.DataFrame
    owners: dict[tuple[str, str], str]

    @cached_property
    def feeds(self) -> list[str]:
        return list(dict.fromkeys(feed for feed, _ in self.owners))

    def of(self, feed: str) -> "_Batch":
        """The part of one feed."""
        return _Batch(
            self.project,
            [one for one in self.waiting if one.feed == feed],
            self.frame[self.frame["feed"] == feed].reset_index(drop=True),
            {key: delivery for key, delivery in self.owners.items() if key[0] == feed},
        )

    def subjects(self, feed: str) -> list[Subject]:
        return [(delivery, month) for (own, month), delivery in self.owners.items() if own == feed]

    def feed_of(self, row: Row) -> str | None:
        """The feed that a failing row is of."""
        if row.get("feed") is not None:
            return str(row["feed"])
        return self._feeds_of_variables.get(str(row.get("variable")))

    @cached_property
    def _feeds_of_variables(self) -> dict[str, str]:
        entries = [self.project.feeds[feed] for feed in self.feeds]
        return {entry.variable_id(name): entry.id for entry in entries for name in entry.feed.variables}


def audit(
    project: Project, waiting: Sequence[Waiting], tables: duckdb.DuckDBPyConnection
) -> list[Finding]:
    """All findings on deliveries; no two hold the same month of a feed, no two feeds the same variable.

    ``tables`` holds what was accepted before and what is declared. Months of a wrong structure go no
    further.
    """
    findings = [
        finding
        for one in waiting
        for finding in (
            *structure_findings(project.feeds[one.feed], one.delivery, one.reading),
            *notation_findings(one.delivery, one.reading),
        )
    ]
    broken = {(f.subject, f.month) for f in findings if f.refuses}
    owners = {
        (one.feed, month): one.delivery
        for one in waiting
        for month in one.reading.months
        if (one.delivery, month) not in broken
    }
    if not owners:
        return findings
    sound = [one for one in waiting if any((one.feed, m) in owners for m in one.reading.months)]
    frame = delivery_table(project, sound)
    kept = pd.MultiIndex.from_frame(frame[["feed", "month"]]).isin(list(owners))
    batch = _Batch(project, sound, frame[kept].reset_index(drop=True), owners)
    found = _suites(batch, tables)
    _locate([row for finding in found for row in finding.rows], batch)
    _explain(found, waiting)
    return findings + found


def _suites(batch: _Batch, tables: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Findings of the suites: shared rules run once for all feeds, a feed's own rules once for it."""
    keep_delivered(tables, batch.frame, batch.waiting)
    outcomes = outcomes_of(batch.project.shared_rules, batch.frame, tables)
    if len(batch.feeds) > 1 and any(_nobodys(outcome, batch) for outcome in outcomes.values()):
        # What cannot be asked of one feed's figures must refuse that feed alone.
        return [finding for feed in batch.feeds for finding in _suites(batch.of(feed), tables)]
    by_feed = {name: _by_feed(outcome, batch) for name, outcome in outcomes.items()}
    findings: list[Finding] = []
    for feed in batch.feeds:
        rules = batch.project.rules_of(batch.project.feeds[feed])
        if not rules:
            raise ValueError(f"{feed}: a suite without rules audits nothing")
        own = {n: rule for n, rule in rules.items() if batch.project.shared_rules.get(n) is not rule}
        found = {name: by_feed[name][feed] for name in rules if name not in own}
        found |= outcomes_of(own, batch.of(feed).frame, tables, feed) if own else {}
        findings += _of_feed(batch, feed, rules, found)
    return findings


def _nobodys(outcome: Outcome, batch: _Batch) -> bool:
    return outcome.error is not None or any(
        batch.feed_of(row) not in batch.feeds for row in outcome.rows
    )


def _by_feed(outcome: Outcome, batch: _Batch) -> dict[str, Outcome]:
    """The same outcome for each feed; what is of no feed is of the only one there is."""
    if outcome.error is not None:
        return dict.fromkeys(batch.feeds, outcome)
    rows: dict[str, list[Row]] = {feed: [] for feed in batch.feeds}
    for row in outcome.rows:
        feed = batch.feed_of(row)
        rows[feed if feed in rows else batch.feeds[0]].append(row)
    return {feed: Outcome(own) for feed, own in rows.items()}


def _of_feed(
    batch: _Batch, feed: str, rules: dict[str, Rule], outcomes: dict[str, Outcome]
) -> Iterable[Finding]:
    def subjects_of(row: Row) -> list[Subject]:
        delivery = batch.owners.get((feed, str(row.get("month"))))
        return [(delivery, str(row["month"]))] if delivery else []

    subjects = batch.subjects(feed)
    for name, rule in rules.items():
        yield from findings_of(name, rule, outcomes[name], subjects, subjects_of)


def _explain(found: Sequence[Finding], waiting: Sequence[Waiting]) -> None:
    """Say beside each cell that is no number why it is none, when that can be told."""
    decimals = {one.delivery: one.reading.decimal for one in waiting}
    for finding in found:
        for row in finding.rows if finding.rule == "lisible" else ():
            cause = cause_of(str(row.get("raw")), decimals[finding.subject])
            if cause is not None:
                row["detail"] = cause


def _locate(rows: list[Row], batch: _Batch) -> None:
    """Add to failing rows the line, the text and the column of the file that they speak of."""
    if not rows:
        return
    frame = batch.frame
    keys = zip(frame["month"], frame["variable"], frame["territory"], strict=True)
    cells = dict(zip(keys, zip(frame["line"], frame["raw"], strict=True), strict=True))
    columns = {
        (month, variable): name
        for one in batch.waiting
        for month in one.reading.months
        for variable, name in one.reading.columns.items()
    }
    for row in rows:
        row.pop("feed", None)
        month, variable = str(row.get("month")), str(row.get("variable"))
        if (month, variable) in columns:
            row["column"] = columns[month, variable]
        cell = cells.get((month, variable, row.get("territory")))
        if cell is not None:
            row.setdefault("line", int(cell[0]))
            row.setdefault("raw", cell[1])
