"""Partner feeds: each contract becomes a partitioned asset that is the gate of its deliveries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from odds_pipeline.declarations.calendar import Calendar
from odds_pipeline.declarations.project import FeedEntry
from odds_pipeline.indicators.staleness import ALL, Months
from odds_pipeline.orchestration.components.check_reports import (
    Broken,
    broken_rules,
    check_specs,
    report_calendar,
    report_months,
    report_quarantine,
)
from odds_pipeline.orchestration.components.shared import (
    BACKFILL,
    RECEPTION,
    RHYTHM,
    SIMULATED,
    TIMEZONE,
    code_reference,
    feed_key,
    gate_job,
    home_of,
    job_of_rhythm,
    opened,
    partitions_of,
    project,
    rhythm_tag,
    schedules_status,
    tried_again,
)
from odds_pipeline.orchestration.components.told import TRUSTED, failed_months, next_step
from odds_pipeline.orchestration.dagster_internals.jobs import AssetJob
from odds_pipeline.orchestration.dagster_internals.recorded import DATA_VERSION_TAG, versions
from odds_pipeline.orchestration.dagster_internals.recording import record, record_attempts
from odds_pipeline.quality.feed_status import FeedStatus, expected_month, statuses
from odds_pipeline.quality.gate import Judgement, judge_together, judge_waiting
from odds_pipeline.quality.verdicts import next_turns
from odds_pipeline.quality.waiting import read_ahead
from odds_pipeline.storage.home import Home

_COLUMNS = {
    "variable": "ce qui est compté, dans le vocabulaire du partenaire",
    "month": "mois de référence",
    "territory": "code du territoire",
    "level": "commune, ept, epci, departement, france…",
    "geography": "année de la géographie du code",
    "value": "la valeur, vide quand elle manque",
    "obs_status": "SDMX : A normale, M manquante, B rupture…",
    "conf_status": "SDMX : F libre, C secrète",
    "delivery": "fichier d’où vient la valeur",
    "line": "sa ligne dans le fichier",
}


def _columns() -> dg.TableSchema:
    """Of the table that all feeds share: a row a figure."""
    kinds = {"value": "double", "geography": "int", "line": "int"}
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name, kinds.get(name, "varchar"), description=words)
            for name, words in _COLUMNS.items()
        ]
    )


def _variables(entry: FeedEntry) -> dg.TableMetadataValue:
    rows = [
        dg.TableRecord({"variable": entry.variable_id(n), "libellé": v.label, "unité": v.unit})
        for n, v in entry.feed.variables.items()
    ]
    return dg.MetadataValue.table(
        rows, schema=dg.TableSchema([dg.TableColumn(n) for n in ("variable", "libellé", "unité")])
    )


def _spec(entry: FeedEntry) -> dg.AssetSpec:
    feed, partner = entry.feed, entry.partner
    return dg.AssetSpec(
        feed_key(entry.id),
        deps=[RECEPTION],
        description=f"{feed.label}\n\n{feed.description}\n\nSource : {feed.source}.",
        group_name=partner.id,
        owners=[f"team:{partner.id}"],
        kinds={"duckdb", "csv"},
        tags={
            "cadence": feed.calendar.cadence,
            "contract": feed.kind,
            **rhythm_tag(feed.calendar.rhythm),
        },
        metadata={
            "dagster/column_schema": _columns(),
            "dagster/table_name": "observations",
            "variables": _variables(entry),
            "licence": partner.licence,
            "lag_months": feed.calendar.lag,
            **code_reference(entry.file.path, 1),
        },
        skippable=True,
    )


@dataclass(frozen=True)
class _Month:
    """An accepted month: the version of what it rests on, and how many cells hold what."""

    version: str
    simulated: bool
    cells: int
    filled: int
    secret: int
    territories: int


@dataclass(frozen=True)
class _State:
    """What the warehouse says of a feed: accepted months, broken rules by month, where it stands."""

    trusted: dict[str, _Month]
    broken: dict[str, list[Broken]]
    status: FeedStatus


def _states(
    connection: duckdb.DuckDBPyConnection, feeds: Sequence[str], context: dg.AssetExecutionContext
) -> dict[str, _State]:
    """Of some feeds, over the months of a run."""
    first, last = context.partition_key_range
    given = {"feeds": list(feeds), "first": first, "last": last}
    trusted: dict[str, dict[str, _Month]] = {feed: {} for feed in feeds}
    for feed, month, *rest in connection.execute(TRUSTED, given).fetchall():
        trusted[feed][month] = _Month(*rest)
    broken = broken_rules(connection, feeds, first, last)
    return {
        status.feed: _State(trusted[status.feed], broken[status.feed], status)
        for status in statuses(project(), connection, date.today(), feeds)
    }


class Gate:
    """The gate of one run: the first of its steps judges what waits for all of its feeds, together.

    A feed's own step judges what that left: a file that takes seconds to read, or cannot be read, and
    what must be compared with figures that another feed has just brought.
    """

    def __init__(self) -> None:
        self._judged: dict[str, list[Judgement]] | None = None
        self._states: dict[str, _State] = {}

    def judged(
        self, context: dg.AssetExecutionContext, warehouse: DuckDBResource, entry: FeedEntry
    ) -> tuple[list[Judgement], _State]:
        """What was judged of a feed in this run, and where it stands then; asked again, anew."""
        months, home = _months_of(context, entry), home_of(warehouse)
        with tried_again():
            if self._judged is None:
                with opened(warehouse) as connection:
                    self._together(context, home, connection, _feeds_of(context, entry), months)
            assert self._judged is not None
            judged = self._judged.setdefault(entry.id, [])
            if entry.id in self._states:
                return judged, self._states.pop(entry.id)
            ahead = read_ahead(project(), home, entry.id, months)
            with opened(warehouse) as connection:
                judged += judge_waiting(project(), home, connection, entry.id, months, ahead)
                return judged, _states(connection, [entry.id], context)[entry.id]

    def _together(
        self,
        context: dg.AssetExecutionContext,
        home: Home,
        connection: duckdb.DuckDBPyConnection,
        feeds: list[str],
        months: Months,
    ) -> None:
        judged = judge_together(project(), home, connection, feeds, months)
        left = next_turns(project(), connection, feeds, months)
        self._states = _states(connection, [feed for feed in feeds if feed not in left], context)
        # Without what was found: of a history these are hundreds of thousands.
        self._judged = {f: [replace(one, findings=()) for one in own] for f, own in judged.items()}


@dg.resource(description="What waits for the feeds of a run, judged together.")
def gate_of_run() -> Gate:
    """A gate for each run."""
    return Gate()


def _months_of(context: dg.AssetExecutionContext, entry: FeedEntry) -> Months:
    """What a run judges; before the first partition or after the last one is nobody else's to refuse."""
    window, partitions = context.partition_key_range, partitions_of(entry.feed.calendar)
    return (
        ALL[0] if window.start == partitions.get_first_partition_key() else window.start,
        ALL[1] if window.end == partitions.get_last_partition_key() else window.end,
    )


def _feeds_of(context: dg.AssetExecutionContext, entry: FeedEntry) -> list[str]:
    """The feeds that a run is about; the one that asks, where the run does not say."""
    keys = context.run.asset_selection or {feed_key(entry.id)}
    return [feed for feed in project().feeds if feed_key(feed) in keys]


def _materialization(
    entry: FeedEntry, month: str, found: _Month, judgement: Judgement | None
) -> dg.AssetMaterialization:
    """An accepted month; what was judged in this run says of which file and how many rows."""
    metadata: dict[str, dg.RawMetadataValue] = {**SIMULATED} if found.simulated else {}
    metadata |= {
        "valeurs": found.filled,
        "manquantes": found.cells - found.filled - found.secret,
        "secrètes": found.secret,
        "territoires": found.territories,
    }
    if judgement is not None:
        metadata |= {
            "dagster/partition_row_count": judgement.rows.get(month, 0),
            "fichier": judgement.file_name,
            "sha256": judgement.delivery,
        }
    return dg.AssetMaterialization(
        feed_key(entry.id), partition=month, metadata=metadata, tags={DATA_VERSION_TAG: found.version}
    )


def _to_show(
    context: dg.AssetExecutionContext, entry: FeedEntry, state: _State, judged: set[str]
) -> list[str]:
    """Refused months of the run that it ends as failed for.

    All of them where a person named the months; else those judged now and those that no run has shown,
    so that an old refusal between two new months fails no run of theirs.
    """
    keys = set(context.partition_keys)
    standing = {month for month in state.status.refused if month in keys}
    if RHYTHM in context.run.tags:
        standing -= failed_months(context.instance, feed_key(entry.id)) - judged
    return sorted(standing | judged)


def _refusal(entry: FeedEntry, state: _State, refused: list[str], absent: list[str]) -> dg.Failure:
    """What a person reads first of a run that failed: months, files, rules, and what to do."""
    rules = [one for month in refused for one in state.broken.get(month, []) if one.refuses]
    words = [f"{entry.id}: {len(refused)} month(s) refused: {', '.join(refused)}."] if refused else []
    words += [f"{one.month}, {one.file}: {one.message}" for one in rules[:6]]
    words += ["They wait in quarantine; accepted months of this run are kept."] if refused else []
    files = sorted({one.file for one in rules})
    words += [next_step("refusé", file, entry.id) for file in files[:3]]
    if absent:
        words.append(f"Nothing was delivered for {len(absent)} month(s): {', '.join(absent)}.")
    metadata = {"mois_refusés": len(refused), "mois_absents": len(absent)}
    return dg.Failure("\n".join(words), metadata=metadata, allow_retries=False)


def feed_asset(entry: FeedEntry) -> dg.AssetsDefinition:
    """The asset of one contract; each accepted month is a materialised partition."""
    partitions = partitions_of(entry.feed.calendar)
    key = feed_key(entry.id)

    @dg.multi_asset(
        name=f"{entry.partner.id}__{entry.feed.id}",
        specs=[_spec(entry)],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=check_specs(entry),
        can_subset=True,
    )
    def judged(
        context: dg.AssetExecutionContext, warehouse: DuckDBResource, gate: dg.ResourceParam[Gate]
    ) -> Iterator[dg.AssetCheckResult | dg.AssetCheckEvaluation]:
        judgements, state = gate.judged(context, warehouse, entry)
        latest = {month: j for j in judgements for month in j.accepted}
        refused = _to_show(context, entry, state, {m for j in judgements for m in j.refused})
        known = versions(context.instance, key, state.trusted)
        # Dagster counts as failed what a backfill did not materialise, be it in use already.
        backfill = BACKFILL in context.run.tags
        # Stored before the months' checks, which point at them. A month that rests on what it rested on
        # keeps its materialisation: nothing changed for what depends on it.
        record(
            context,
            [
                _materialization(entry, month, found, latest.get(month))
                for month, found in state.trusted.items()
                if backfill or known.get(month) != found.version
            ],
        )
        record_attempts(
            context, key, [month for month in refused if partitions.has_partition_key(month)]
        )
        yield report_quarantine(entry, state.status.refused)
        yield report_calendar(state.status)
        yield from report_months(context, entry, state.broken)
        absent = sorted(set(context.partition_keys) - state.trusted.keys() - set(refused))
        if refused or (backfill and absent):
            raise _refusal(entry, state, refused, absent if backfill else [])
        if not state.trusted:
            months = context.partition_key_range
            context.log.warning(f"No delivery of {entry.id} for {months.start} to {months.end}.")

    return judged


def expected_cron(calendar: Calendar) -> str:
    """When a new month is due: 6:00 on the 6th, ``lag`` months after the reference month."""
    if calendar.cadence == "monthly":
        return "0 6 6 * *"
    due = (calendar.month + calendar.lag - 1) % calendar.step + 1
    return f"0 6 6 {','.join(str(month) for month in range(due, 13, calendar.step))} *"


def feed_schedule(entry: FeedEntry) -> dg.ScheduleDefinition:
    """Gate the feed's latest month when its calendar says it is due."""
    partitions = partitions_of(entry.feed.calendar)
    name = f"{entry.partner.id}_{entry.feed.id}"

    @dg.schedule(
        name=f"{name}_{entry.feed.calendar.cadence}",
        cron_schedule=expected_cron(entry.feed.calendar),
        execution_timezone=TIMEZONE,
        default_status=schedules_status(),
        job_name=gate_job(entry.feed.calendar.rhythm),
        description=f"Gate the month of {entry.id} that is due.",
    )
    def due(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        now = context.scheduled_execution_time
        month = expected_month(entry.feed.calendar, now.date())
        if month in partitions.get_partition_keys(now):
            yield dg.RunRequest(
                run_key=f"{entry.id}:{month}:{now:%Y-%m-%d}",
                partition_key=month,
                asset_selection=[feed_key(entry.id)],
                tags={RHYTHM: entry.feed.calendar.rhythm},
            )

    return due


def _gate_job(rhythm: str) -> AssetJob:
    words = f"Gate the deliveries of feeds whose rhythm is {rhythm}."
    return job_of_rhythm(gate_job(rhythm), "partners", rhythm, words)


def gate_jobs(entries: Sequence[FeedEntry]) -> list[AssetJob]:
    """A job a rhythm: command, sensor, schedules and backfills of its feeds are one history."""
    return [_gate_job(rhythm) for rhythm in sorted({e.feed.calendar.rhythm for e in entries})]


class PartnerFeeds(dg.Component, dg.Model, dg.Resolvable):
    """Every contract under ``folder`` as a gated asset with its schedule."""

    folder: str

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        entries = [e for e in project().feeds.values() if e.file.path.as_posix().startswith(self.folder)]
        return dg.Definitions(
            assets=[feed_asset(entry) for entry in entries],
            schedules=[feed_schedule(entry) for entry in entries],
        )


__all__ = ["PartnerFeeds", "feed_asset"]
