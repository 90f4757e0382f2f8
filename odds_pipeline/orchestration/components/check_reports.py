"""Verdicts as Dagster asset checks: each month of each check has its own result, also in a range run.

An ``AssetCheckResult`` of a range run records no month: the evaluations are logged here by month, each
pointing at the materialisation of its month, so that a blocking check withholds that month alone from
what waits for it. They are read from the warehouse, whoever launched the judgement.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import duckdb
from dagster import AssetCheckEvaluation

from odds_pipeline.declarations.project import FeedEntry
from odds_pipeline.declarations.suite import TOLERATED
from odds_pipeline.orchestration.components.shared import feed_key, partitions_of, project
from odds_pipeline.orchestration.dagster_internals.recorded import Target, targets
from odds_pipeline.quality.feed_status import FeedStatus
from odds_pipeline.storage.sql import read_sql

CRITICAL, WARNINGS, QUARANTINE = "regles_bloquantes", "avertissements", "rien_en_quarantaine"
CALENDAR = "a_l_heure"
"""Whether the month that is due has come: the answer of `odds status`."""

_STANDING = read_sql(__file__, "standing")


@dataclass(frozen=True)
class Broken:
    """A rule that the last delivery of a month broke; ``reason`` when a person overruled it."""

    month: str
    file: str
    rule: str
    severity: str
    message: str
    remedy: str
    count: int
    rows: list[dict[str, Any]]
    reason: str | None

    @property
    def refuses(self) -> bool:
        """Whether the month is refused for it."""
        return self.severity not in TOLERATED and self.reason is None


def check_specs(entry: FeedEntry) -> list[dg.AssetCheckSpec]:
    """The checks of a feed: two by month, and two that stand for all months."""
    key, partitions = feed_key(entry.id), partitions_of(entry.feed.calendar)
    return [
        dg.AssetCheckSpec(
            CRITICAL,
            asset=key,
            blocking=True,
            partitions_def=partitions,
            description="Règles qui refusent une livraison.",
        ),
        dg.AssetCheckSpec(
            WARNINGS,
            asset=key,
            partitions_def=partitions,
            description="Règles qui signalent sans refuser.",
        ),
        dg.AssetCheckSpec(
            QUARANTINE, asset=key, description="Aucun mois n'attend une nouvelle livraison."
        ),
        dg.AssetCheckSpec(
            CALENDAR,
            asset=key,
            description="Le mois attendu à ce jour est accepté, quoi qu’on ait chargé hier.",
        ),
    ]


def broken_rules(
    connection: duckdb.DuckDBPyConnection, feeds: Sequence[str], first: str, last: str
) -> dict[str, dict[str, list[Broken]]]:
    """By feed and judged month between two months, the rules that its last delivery broke."""
    found: dict[str, dict[str, list[Broken]]] = {feed: {} for feed in feeds}
    given = {"feeds": list(feeds), "first": first, "last": last}
    for feed, month, file, rule, severity, message, remedy, count, cells, reason in connection.execute(
        _STANDING, given
    ).fetchall():
        own = found[feed].setdefault(month, [])
        if rule is not None:
            own.append(
                Broken(month, file, rule, severity, message, remedy, count, json.loads(cells), reason)
            )
    return found


def _shown(row: dict[str, Any]) -> str:
    """A failing row in words: line, variable, territory, what was found."""
    where = [f"ligne {row['line']}"] if row.get("line") else []
    where += [str(row[key]) for key in ("variable", "territory") if row.get(key)]
    found = row.get("raw") or row.get("value") or row.get("detail") or ""
    return f"{', '.join(where)} : {found}"


def _next(one: Broken) -> str:
    """What a person does about a broken rule, from the interface or the command."""
    if not one.refuses:
        return "Rien : le mois est accepté."
    named = f"file: '{one.file}', month: '{one.month}'"
    return (
        f"Lettre au partenaire : tâche `notice` ({named}). Chiffres exacts : tâche `accept`, avec le "
        f"motif. Contrat ou règle corrigés : tâche `retry`. Ou `odds quarantine show '{one.file}'`."
    )


_COLUMNS = [
    "mois",
    "fichier",
    "règle",
    "message",
    "territoires",
    "cellules",
    "valeurs",
    "à demander",
    "ensuite",
]


def _table(broken: list[Broken]) -> dg.TableMetadataValue:
    """Rule, month, territories, values and what to ask the partner, as a table in the UI."""
    labels = {t.code: t.label for t in reversed(project().territories.all)}
    records = []
    for one in broken:
        codes = sorted({str(row["territory"]) for row in one.rows if row.get("territory")})
        records.append(
            dg.TableRecord(
                {
                    "mois": one.month,
                    "fichier": one.file,
                    "règle": one.rule,
                    "message": one.message,
                    "territoires": ", ".join(labels.get(code, code) for code in codes[:8]),
                    "cellules": one.count,
                    "valeurs": " ; ".join(_shown(row) for row in one.rows[:3]),
                    "à demander": one.remedy if one.reason is None else f"Levée : {one.reason}",
                    "ensuite": _next(one),
                }
            )
        )
    schema = dg.TableSchema(
        columns=[dg.TableColumn(name, "int" if name == "cellules" else "string") for name in _COLUMNS]
    )
    return dg.MetadataValue.table(records, schema=schema)


def _evaluation(
    key: dg.AssetKey, name: str, month: str, broken: list[Broken], target: Target | None
) -> AssetCheckEvaluation:
    failing = [one for one in broken if one.reason is None]
    words = [
        one.message if one.reason is None else f"Levée ({one.reason}) : {one.message}" for one in broken
    ]
    return AssetCheckEvaluation(
        key,
        name,
        passed=not failing,
        metadata={
            **({"anomalies": _table(broken)} if broken else {}),
            "règles": len(failing),
            "cellules": sum(one.count for one in failing),
        },
        target_materialization_data=target,
        severity=dg.AssetCheckSeverity.ERROR if name == CRITICAL else dg.AssetCheckSeverity.WARN,
        description=" ".join(words) or "Aucune anomalie.",
        # The month is refused already; the other months of the run go on.
        blocking=False,
        partition=month,
    )


def report_months(
    context: dg.AssetExecutionContext, entry: FeedEntry, broken: dict[str, list[Broken]]
) -> Iterator[AssetCheckEvaluation]:
    """One evaluation by month and check; their materialisations must be stored already."""
    key = feed_key(entry.id)
    materialized = targets(context.instance, key, list(broken))
    for month, found in sorted(broken.items()):
        warnings = [one for one in found if one.severity == "warning"]
        critical = [one for one in found if one.severity not in TOLERATED]
        yield _evaluation(key, CRITICAL, month, critical, materialized.get(month))
        yield _evaluation(key, WARNINGS, month, warnings, materialized.get(month))


def report_quarantine(entry: FeedEntry, months: Sequence[str]) -> dg.AssetCheckResult:
    """The standing check: an engineer sees what waits, whatever month the last run was about."""
    return dg.AssetCheckResult(
        asset_key=feed_key(entry.id),
        check_name=QUARANTINE,
        passed=not months,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"En quarantaine : {', '.join(months)}. {CRITICAL} dit quoi faire de chacun."
        if months
        else "Aucun mois en quarantaine.",
        metadata={"mois": len(months)},
    )


def report_calendar(status: FeedStatus) -> dg.AssetCheckResult:
    """Where the feed stands by its own calendar, as `odds status` says."""
    late = status.state in ("late", "overdue")
    words = {"up to date": "À jour", "never received": "Jamais reçue"}.get(status.state, "En retard")
    since = f" depuis le {status.since}" if status.since else ""
    return dg.AssetCheckResult(
        asset_key=feed_key(status.feed),
        check_name=CALENDAR,
        passed=not late,
        severity=dg.AssetCheckSeverity.ERROR
        if status.state == "overdue"
        else dg.AssetCheckSeverity.WARN,
        description=f"{words}{since} : dernier mois accepté {status.last_accepted or 'aucun'}, attendu "
        f"{status.expected or 'aucun'}." + (" À faire : relancer le partenaire." if late else ""),
        metadata={"mois_manquants": len(status.missing), "mois": ", ".join(status.missing)},
    )
