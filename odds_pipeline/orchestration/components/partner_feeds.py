"""Partner feeds: each contract becomes a partitioned asset that is the gate of its deliveries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import dagster as dg
import duckdb

from odds_pipeline.declarations.calendar import Calendar
from odds_pipeline.declarations.project import FeedEntry
from odds_pipeline.indicators.staleness import ALL
from odds_pipeline.orchestration.components.check_reports import (
    Broken,
    broken_rules,
    check_specs,
    report_months,
    report_quarantine,
)
from odds_pipeline.orchestration.components.landing import landing_sensor
from odds_pipeline.orchestration.components.shared import (
    SIMULATED,
    TIMEZONE,
    Warehouse,
    code_reference,
    feed_key,
    gate_job,
    partitions_of,
    project,
    rhythm_tag,
    tried_again,
)
from odds_pipeline.orchestration.dagster_internals.jobs import AssetJob
from odds_pipeline.orchestration.dagster_internals.recorded import DATA_VERSION_TAG, versions
from odds_pipeline.orchestration.dagster_internals.recording import record
from odds_pipeline.quality.feed_status import expected_month
from odds_pipeline.quality.gate import Judgement, judge_waiting


def _columns(entry: FeedEntry) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                entry.variable_id(name), "double", description=f"{variable.label} ({variable.unit})"
            )
            for name, variable in entry.feed.variables.items()
        ]
    )


def _spec(entry: FeedEntry) -> dg.AssetSpec:
    feed, partner = entry.feed, entry.partner
    # Late ten days after the next delivery was due, overdue when a second one is missing.
    step, patience = timedelta(days=31 * feed.calendar.step), timedelta(days=10)
    return dg.AssetSpec(
        feed_key(entry.id),
        description=f"**{feed.label}**\n\n{feed.description}\n\nSource : {feed.source}.",
        group_name=partner.id,
        owners=[f"team:{partner.id}"],
        kinds={"duckdb", "csv"},
        tags={
            "cadence": feed.calendar.cadence,
            "contract": feed.kind,
            **rhythm_tag(feed.calendar.rhythm),
        },
        metadata={
            "dagster/column_schema": _columns(entry),
            "dagster/table_name": "observations",
            "licence": partner.licence,
            "lag_months": feed.calendar.lag,
            **code_reference(entry.file.path, 1),
        },
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=2 * step + patience, warn_window=step + patience
        ),
        skippable=True,
    )


@dataclass(frozen=True)
class _State:
    """What the warehouse says of a feed.

    Months with figures, each with the version of what it rests on (delivery, judgement, reserve), and
    those of them that are simulated; broken rules by month; months in quarantine.
    """

    trusted: dict[str, str]
    simulated: frozenset[str]
    broken: dict[str, list[Broken]]
    quarantined: list[str]


_TRUSTED = """
SELECT month, md5(string_agg(concat_ws('|', delivery, judgement, reserve), '&' ORDER BY delivery)),
       bool_or(delivery IN (SELECT id FROM deliveries WHERE simulated))
FROM trusted_months WHERE feed = ? AND month BETWEEN ? AND ? GROUP BY month ORDER BY month
"""


def _state(connection: duckdb.DuckDBPyConnection, feed: str, first: str, last: str) -> _State:
    trusted = connection.execute(_TRUSTED, [feed, first, last]).fetchall()
    refused = connection.execute(
        "SELECT DISTINCT month FROM quarantine WHERE feed = ? ORDER BY month", [feed]
    ).fetchall()
    broken = broken_rules(connection, feed, first, last)
    return _State(
        {month: version for month, version, _ in trusted},
        frozenset(month for month, _, simulated in trusted if simulated),
        broken,
        [month for (month,) in refused],
    )


def _materialization(
    entry: FeedEntry, month: str, version: str, judgement: Judgement | None, simulated: bool
) -> dg.AssetMaterialization:
    """An accepted month; what was judged in this run says of which file and how many rows."""
    metadata: dict[str, dg.RawMetadataValue] = {**SIMULATED} if simulated else {}
    if judgement is not None:
        metadata |= {
            "dagster/partition_row_count": judgement.rows.get(month, 0),
            "fichier": judgement.file_name,
            "sha256": judgement.delivery,
        }
    return dg.AssetMaterialization(
        feed_key(entry.id), partition=month, metadata=metadata, tags={DATA_VERSION_TAG: version}
    )


def feed_asset(entry: FeedEntry) -> dg.AssetsDefinition:
    """The asset of one contract; each accepted month is a materialised partition."""
    partitions = partitions_of(entry.feed.calendar)

    @dg.multi_asset(
        name=f"{entry.partner.id}__{entry.feed.id}",
        specs=[_spec(entry)],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=check_specs(entry),
        can_subset=True,
    )
    def gate(
        context: dg.AssetExecutionContext, warehouse: Warehouse
    ) -> Iterator[dg.AssetCheckResult | dg.AssetCheckEvaluation]:
        window = context.partition_key_range
        # What lies before the first partition or after the last one is nobody else's to refuse.
        first = ALL[0] if window.start == partitions.get_first_partition_key() else window.start
        last = ALL[1] if window.end == partitions.get_last_partition_key() else window.end
        with tried_again(), warehouse.get_connection() as connection:
            judgements = judge_waiting(project(), warehouse.home, connection, entry.id, (first, last))
            state = _state(connection, entry.id, window.start, window.end)
        latest = {month: j for j in judgements for month in j.accepted}
        refused = sorted({month for j in judgements for month in j.refused})
        known = versions(context.instance, feed_key(entry.id), state.trusted)
        # Stored before the months' checks, which point at them. A month that rests on what it rested on
        # keeps its materialisation: nothing changed for what depends on it.
        record(
            context,
            [
                _materialization(entry, month, version, latest.get(month), month in state.simulated)
                for month, version in state.trusted.items()
                if known.get(month) != version
            ],
        )
        yield report_quarantine(entry, state.quarantined)
        yield from report_months(context, entry, state.broken)
        if refused:
            raise dg.Failure(
                f"{len(refused)} month(s) refused: {', '.join(refused)}. They wait in quarantine; "
                f"accepted months of this run are kept.",
                allow_retries=False,
            )
        if not state.trusted:
            context.log.warning(f"No delivery of {entry.id} for {window.start} to {window.end}.")

    return gate


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
            )

    return due


def gate_jobs(entries: Sequence[FeedEntry]) -> list[AssetJob]:
    """A job a rhythm: command, sensor, schedules and backfills of its feeds are one history."""
    tags = sorted({entry.feed.calendar.rhythm for entry in entries})
    feeds = dg.AssetSelection.key_prefixes("partners")
    return [
        dg.define_asset_job(
            gate_job(rhythm),
            feeds & dg.AssetSelection.tag("rhythm", rhythm),
            description=f"Gate the deliveries of feeds whose rhythm is {rhythm}.",
        )
        for rhythm in tags
    ]


class PartnerFeeds(dg.Component, dg.Model, dg.Resolvable):
    """Every contract under ``folder`` as a gated asset with its schedule, and the landing sensor."""

    folder: str

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        entries = [e for e in project().feeds.values() if e.file.path.as_posix().startswith(self.folder)]
        return dg.Definitions(
            assets=[feed_asset(entry) for entry in entries],
            jobs=gate_jobs(entries),
            schedules=[feed_schedule(entry) for entry in entries],
            sensors=[landing_sensor([feed_key(entry.id) for entry in entries])],
        )


__all__ = ["PartnerFeeds", "feed_asset"]
