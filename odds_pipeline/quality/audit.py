"""Audits one delivery: its structure, then its suite, month by month."""

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb
import pandas as pd

from odds_pipeline.declarations.project import FeedEntry, Project
from odds_pipeline.declarations.suite import Rule, Severity
from odds_pipeline.quality.tables import delivery_table, register
from odds_pipeline.reception.notations import cause_of
from odds_pipeline.reception.reading import Reading
from odds_pipeline.storage.scratch import scratch

SHOWN = 20
"""Failing rows kept with a verdict; the count is always complete."""


@dataclass(frozen=True)
class Finding:
    """The outcome of one rule on one month. ``rows`` are the failing ones, the first few.

    ``overrulable``: a person may accept the figures all the same.
    """

    month: str
    rule: str
    severity: Severity
    passed: bool
    message: str
    remedy: str
    count: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    overrulable: bool = True

    @property
    def refuses(self) -> bool:
        return not self.passed and self.severity == "critical"

    @property
    def rows_json(self) -> str:
        return json.dumps(self.rows, ensure_ascii=False, default=str)


def structure_findings(entry: FeedEntry, reading: Reading) -> list[Finding]:
    """What is wrong with the file before any figure is looked at."""
    calendar = entry.feed.calendar
    today = f"{date.today():%Y-%m}"
    rows = [{"line": line, "detail": text} for line, text in reading.problems]
    findings = []
    for month in reading.months:
        calendar_ok = calendar.has(month)
        findings.append(
            Finding(
                month,
                "calendrier",
                "critical",
                calendar_ok,
                f"Le mois {month} n'est pas attendu : {entry.feed.label} commence en "
                f"{calendar.first} ({calendar.cadence})."
                if not calendar_ok
                else "Le mois est au calendrier.",
                "Vérifier la période du fichier et de son nom.",
                overrulable=False,
            )
        )
        findings.append(
            Finding(
                month,
                "periode_future",
                "critical",
                month <= today,
                f"Le fichier décrit {month}, qui n'est pas encore passé.",
                "Vérifier la période du fichier et de son nom.",
                overrulable=False,
            )
        )
        findings.append(
            Finding(
                month,
                "corrections",
                "critical",
                not reading.idle,
                "Des corrections déclarées ne trouvent plus l'erreur de la source : "
                f"{', '.join(reading.idle)}.",
                "Rien n'est demandé au partenaire : l'équipe de l'observatoire revoit ses corrections.",
                overrulable=False,
            )
        )
        findings.append(
            Finding(
                month,
                "lignes",
                "critical",
                not rows,
                f"{len(rows)} ligne(s) du fichier ne suivent pas l'en-tête." if rows else "",
                "Corriger les lignes citées et renvoyer le fichier entier.",
                len(rows),
                rows[:SHOWN],
                overrulable=False,
            )
        )
    return findings


def notation_findings(entry: FeedEntry, reading: Reading) -> list[Finding]:
    """One cause, told once, of many cells that are no numbers."""
    if reading.notation is None:
        return []
    unread = reading.frame[reading.frame["unreadable"].notna()]
    found = []
    for month in reading.months:
        own = unread[unread["month"] == month]
        if own.empty:
            continue
        shown = own[["month", "variable", "territory", "line", "raw"]].head(3)
        found.append(
            Finding(
                month,
                "lisible",
                "critical",
                False,
                f"{len(own)} cellules ne sont pas des nombres : elles ont {reading.notation}.",
                "Renvoyer le fichier avec des nombres en chiffres seuls : ni unité, ni séparateur de "
                "milliers, et le signe décimal du contrat.",
                len(own),
                [{str(k): v for k, v in row.items()} for row in shown.to_dict("records")],
                overrulable=False,
            )
        )
    return found


def _failing_rows(result: Any, rule: Rule, batch: pd.DataFrame) -> list[dict[str, Any]]:
    details = result.result.get("details") or {}
    if "rows" in details:
        rows: list[dict[str, Any]] = details["rows"]
        return rows
    index = result.result.get("unexpected_index_list") or []
    bounds = [v for v in rule.arguments.values() if v in ("minimum", "maximum")]
    shown = batch.loc[index, ["month", "variable", "territory", "line", "raw", "value", *bounds]]
    found = shown.astype(object).where(shown.notna(), None)
    return [{str(k): v for k, v in record.items()} for record in found.to_dict("records")]


def _raised(result: Any) -> bool:
    info = result.exception_info or {}
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(i.get("raised_exception") for i in info.values() if isinstance(i, dict))


def suite_findings(
    rules: dict[str, Rule],
    batch: pd.DataFrame,
    tables: duckdb.DuckDBPyConnection,
    months: tuple[str, ...],
    by: str = "month",
) -> list[Finding]:
    """One finding per rule and month. A rule that could not run refuses every month.

    ``by`` is the column of failing rows that tells whose they are, when it is not the month's.
    """
    from odds_pipeline.quality.expectations import validate  # 4 CPU seconds: only when auditing

    findings: list[Finding] = []
    results = validate(rules, batch, tables)
    for (name, rule), result in zip(rules.items(), results, strict=True):
        if _raised(result):
            findings += [
                Finding(
                    m,
                    name,
                    "critical",
                    False,
                    f"La règle {name} n'a pas pu être évaluée : {result.exception_info}"[:500],
                    "Prévenir l'équipe de l'observatoire.",
                    overrulable=False,
                )
                for m in months
            ]
            continue
        rows = _failing_rows(result, rule, batch)
        if not result.success and not rows:
            rows = [{"detail": str(result.result.get("observed_value"))}]
        for month in months:
            # A row that is of none of them is everyone's: a fault is never nobody's.
            own = [row for row in rows if row.get(by) == month or row.get(by) not in months]
            findings.append(
                Finding(
                    month,
                    name,
                    rule.severity,
                    not own,
                    rule.message,
                    rule.remedy,
                    len(own),
                    own[:SHOWN],
                    rule.overrulable,
                )
            )
    return findings


def _locate(rows: list[dict[str, Any]], batch: pd.DataFrame, readings: list[Reading]) -> None:
    """Add to failing rows the line, the text and the column of the file that they speak of."""
    if not rows:
        return
    keys = zip(batch["month"], batch["variable"], batch["territory"], strict=True)
    cells = dict(zip(keys, zip(batch["line"], batch["raw"], strict=True), strict=True))
    columns = {(m, v): name for r in readings for m in r.months for v, name in r.columns.items()}
    for row in rows:
        month, variable = str(row.get("month")), str(row.get("variable"))
        if (month, variable) in columns:
            row["column"] = columns[month, variable]
        cell = cells.get((month, variable, row.get("territory")))
        if cell is not None:
            row.setdefault("line", int(cell[0]))
            row.setdefault("raw", cell[1])


def _explain(found: list[Finding], readings: list[Reading]) -> None:
    """Say beside each cell that is no number why it is none, when that can be told."""
    for row in (row for finding in found if finding.rule == "lisible" for row in finding.rows):
        if (cause := cause_of(str(row.get("raw")), readings[0].decimal)) is not None:
            row["detail"] = cause


def _raw(readings: list[Reading]) -> pd.DataFrame:
    return pd.concat([reading.frame for reading in readings], ignore_index=True)


def audit(
    project: Project,
    entry: FeedEntry,
    readings: list[Reading],
    accepted: pd.DataFrame,
    former_columns: set[str] = frozenset(),  # type: ignore[assignment]  # an immutable default
) -> list[Finding]:
    """All findings on readings that share no month; months of a wrong structure go no further.

    ``accepted`` holds the feed's accepted observations: variable, month, territory, level,
    geography, value, conf_status, lines. ``former_columns`` are those of its accepted files.
    """
    findings = [f for reading in readings for f in structure_findings(entry, reading)]
    notations = [f for reading in readings for f in notation_findings(entry, reading)]
    _locate([row for finding in notations for row in finding.rows], _raw(readings), readings)
    findings += notations
    broken = {f.month for f in findings if f.refuses}
    months = tuple(m for reading in readings for m in reading.months if m not in broken)
    if not months:
        return findings
    batch = delivery_table(project, entry, readings)
    batch = batch[batch["month"].isin(months)].reset_index(drop=True)
    rules = project.rules(f"partners/{entry.id}")
    with scratch() as connection:
        register(connection, project, entry, readings, batch, accepted, former_columns)
        found = suite_findings(rules, batch, connection, months)
    _locate([row for finding in found for row in finding.rows], batch, readings)
    _explain(found, readings)
    return findings + found
