"""The sensor of indicators: asks for runs of the values that no longer follow from what is trusted.

What is asked for is what the warehouse says, as `odds run` does it: months without figures are not asked
for, and the cost is one reading of the warehouse. Dagster's automation conditions over 700 indicators
took 11 s and 22 MB of its storage a time; a yearly figure asked for twelve months of a monthly one,
and what nobody had delivered ended the backfill as failed.
"""

import hashlib
import json
import time

import dagster as dg
from dagster_duckdb import DuckDBResource

from odds_pipeline.declarations.calendar import Calendar
from odds_pipeline.indicators.staleness import last_judgement
from odds_pipeline.orchestration.components.shared import (
    COMPUTES,
    RHYTHM,
    home_of,
    indicator_key,
    indicators_job,
    partitions_within,
    project,
    range_tags,
    under_way,
)
from odds_pipeline.orchestration.dagster_internals.jobs import AssetJob
from odds_pipeline.quality.outstanding import Batch, outdated
from odds_pipeline.storage.store import Overtaken, Store

PATIENCE = 10
"""Seconds that a tick waits for a writer; Dagster ends a tick after 60."""
AGAIN = 3600
"""Seconds after which what is still out of date is asked for again: its run was lost or broke."""


def indicators_sensor(jobs: list[AssetJob]) -> dg.SensorDefinition:
    """Asks for a run a rhythm and span of months, once the gates have ended."""

    @dg.sensor(
        name="indicators",
        jobs=jobs,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Computes what depends on newly accepted, corrected or overruled figures.",
    )
    def indicators(
        context: dg.SensorEvaluationContext, warehouse: DuckDBResource
    ) -> dg.SensorResult | dg.SkipReason:
        if under_way(context.instance, RHYTHM) or under_way(context.instance, COMPUTES):
            return dg.SkipReason("A gate or a computation is under way: the next tick looks again.")
        home = home_of(warehouse)
        try:
            with Store(home.warehouse, patience=PATIENCE).kept_open():
                batches = outdated(project(), home)
                with Store(home.warehouse).connect() as connection:
                    judgement = last_judgement(connection)
        except Overtaken:
            return dg.SkipReason("The warehouse is being written: the next tick tries again.")
        requests, asked = _requests(batches, judgement, json.loads(context.cursor or "{}"))
        return dg.SensorResult(run_requests=requests, cursor=json.dumps(asked))

    return indicators


def _calendar(batch: Batch) -> Calendar:
    return project().feed_of(project().indicators[batch.names[0]].indicator).feed.calendar


def _requests(
    batches: list[Batch], judgement: int, before: dict[str, float]
) -> tuple[list[dg.RunRequest], dict[str, float]]:
    """A run a batch, unless the same was asked for a short while ago; when each was asked for."""
    requests, asked = [], {}
    for batch in batches:
        text = f"{judgement} {batch}"
        digest, now = hashlib.sha256(text.encode()).hexdigest()[:16], time.time()
        asked[digest] = before.get(digest, 0.0)
        calendar = _calendar(batch)
        span = partitions_within(calendar, batch.first, batch.last)
        if span is None or now - asked[digest] < AGAIN:
            continue
        asked[digest] = now
        requests.append(
            dg.RunRequest(
                run_key=f"{digest}:{now:.0f}",
                job_name=indicators_job(calendar.rhythm),
                asset_selection=[indicator_key(project().indicators[n].path) for n in batch.names],
                tags={COMPUTES: calendar.rhythm, **range_tags(*span)},
            )
        )
    return requests, asked
