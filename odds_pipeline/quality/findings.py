"""What the rules of a suite find, said of what was audited: a month, an indicator, a study."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pandas as pd

from odds_pipeline.declarations.suite import TOLERATED, Rule

SHOWN = 20
"""Failing rows kept with a verdict; the count is always complete."""

Row = dict[str, Any]
Subject = tuple[str, str]
"""What a finding is about: a delivery or an indicator, and of a delivery the month."""
WHOLE: Subject = ("", "")
"""The one subject of what is audited as a whole."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The outcome of one rule on one subject. ``rows`` are the failing ones, the first few.

    ``overrulable``: a person may accept the figures all the same.
    """

    subject: str = ""
    month: str = ""
    rule: str
    severity: str
    passed: bool
    message: str
    remedy: str
    count: int = 0
    rows: list[Row] = field(default_factory=list)
    overrulable: bool = True

    @property
    def refuses(self) -> bool:
        """As the view ``failing_verdicts`` has it: a severity that is not known refuses."""
        return not self.passed and self.severity not in TOLERATED

    @property
    def rows_json(self) -> str:
        return json.dumps(self.rows, ensure_ascii=False, default=str)


@dataclass(frozen=True)
class Outcome:
    """What one rule found: its failing rows, or why it could not run."""

    rows: list[Row]
    error: str | None = None


def outcomes_of(
    rules: dict[str, Rule], batch: pd.DataFrame, tables: duckdb.DuckDBPyConnection, feed: str = ""
) -> dict[str, Outcome]:
    """Run the rules once, all of them in one validation; those of ``feed`` see its figures alone."""
    from odds_pipeline.quality.expectations import validate  # 2 CPU seconds: only when auditing

    results = validate(rules, batch, tables, feed)
    return {
        name: _outcome(result, rule, batch)
        for (name, rule), result in zip(rules.items(), results, strict=True)
    }


def _outcome(result: Any, rule: Rule, batch: pd.DataFrame) -> Outcome:
    if _raised(result):
        return Outcome([], f"{result.exception_info}"[:500])
    rows = _failing_rows(result, rule, batch)
    if not result.success and not rows:
        rows = [{"detail": str(result.result.get("observed_value"))}]
    return Outcome(rows)


def _raised(result: Any) -> bool:
    info = result.exception_info or {}
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(i.get("raised_exception") for i in info.values() if isinstance(i, dict))


def _failing_rows(result: Any, rule: Rule, batch: pd.DataFrame) -> list[Row]:
    details = result.result.get("details") or {}
    if "rows" in details:
        rows: list[Row] = details["rows"]
        return rows
    index = result.result.get("unexpected_index_list") or []
    bounds = [v for v in rule.arguments.values() if v in ("minimum", "maximum")]
    shown = batch.loc[index, ["month", "variable", "territory", "line", "raw", "value", *bounds]]
    found = shown.astype(object).where(shown.notna(), None)
    return [{str(k): v for k, v in record.items()} for record in found.to_dict("records")]


def findings_of(
    name: str,
    rule: Rule,
    outcome: Outcome,
    subjects: Sequence[Subject],
    subjects_of: Callable[[Row], Iterable[Subject]] = lambda _: (),
) -> list[Finding]:
    """One finding for each subject. A rule that could not run refuses them all.

    A row that is of no subject is everyone's: a fault is never nobody's.
    """
    if outcome.error is not None:
        return [_not_run(name, outcome.error, subject) for subject in subjects]
    own: dict[Subject, list[Row]] = {subject: [] for subject in subjects}
    for row in outcome.rows:
        for subject in [s for s in subjects_of(row) if s in own] or subjects:
            own[subject].append(row)
    return [
        Finding(
            subject=subject,
            month=month,
            rule=name,
            severity=rule.severity,
            passed=not rows,
            message=rule.message,
            remedy=rule.remedy,
            count=len(rows),
            rows=rows[:SHOWN],
            overrulable=rule.overrulable,
        )
        for (subject, month), rows in own.items()
    ]


def _not_run(name: str, error: str, subject: Subject) -> Finding:
    return Finding(
        subject=subject[0],
        month=subject[1],
        rule=name,
        severity="critical",
        passed=False,
        message=f"La règle {name} n'a pas pu être évaluée : {error}",
        remedy="Rien n'est demandé au partenaire : l'équipe de l'observatoire répare sa règle.",
        overrulable=False,
    )


def suite_findings(
    rules: dict[str, Rule],
    batch: pd.DataFrame,
    tables: duckdb.DuckDBPyConnection,
    subjects: Sequence[str] = ("",),
    by: str = "",
) -> list[Finding]:
    """Run a suite on subjects without months; ``by`` is the column of failing rows that names them."""
    named = [(subject, "") for subject in subjects]
    return [
        finding
        for name, outcome in outcomes_of(rules, batch, tables).items()
        for finding in findings_of(
            name, rules[name], outcome, named, lambda row: [(str(row.get(by)), "")]
        )
    ]
