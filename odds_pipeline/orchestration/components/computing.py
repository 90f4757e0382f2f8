"""The sensor that asks for the values that no longer follow from what is trusted, then for a release.

What is asked for is what the warehouse says, as `odds run` does it: months without figures are not asked
for, and the cost is one reading of the warehouse. Dagster's automation conditions over 700 indicators
took 11 s and 22 MB of its storage a time; a yearly figure asked for twelve months of a monthly one,
and what nobody had delivered ended the backfill as failed.
"""

import hashlib
import json
import time
from functools import cache
from typing import Any

import dagster as dg
import duckdb

from odds_pipeline.declarations.fingerprint import fingerprint
from odds_pipeline.indicators.staleness import last_judgement, trusted_now
from odds_pipeline.orchestration.components.shared import (
    ACTIVE,
    COMPUTES,
    MADE_OF,
    PUBLISH_JOB,
    RECUEIL,
    RHYTHM,
    Answer,
    calendar_of,
    indicator_key,
    indicators_job,
    partitions_within,
    project,
    range_tags,
    warehouse_sensor,
)
from odds_pipeline.orchestration.dagster_internals.jobs import AssetJob
from odds_pipeline.orchestration.refusals import refused
from odds_pipeline.quality.outstanding import Work, outdated
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

AGAIN = 3600
"""Seconds after which what is still out of date is asked for again: its run was lost or broke."""


def computing_sensor(jobs: list[AssetJob]) -> dg.SensorDefinition:
    """Once the gates have ended, a run a rhythm and span of months; once these have, a release."""

    def computing(context: dg.SensorEvaluationContext, home: Home, state: dict[str, Any]) -> Answer:
        if any(map(context.instance.get_runs_count, _first())):
            return dg.SkipReason("A gate, a computation or a release is under way: the next tick looks.")
        works = outdated(project(), home)
        with Store(home.warehouse).connect() as connection:
            judgement, inputs = last_judgement(connection), made_of(connection)
        before = state.get("asked", {})
        requests, asked = _requests(works, judgement, before)
        why = None if requests else _published(context.instance, inputs)
        # What was asked for in vain holds nothing up: publishing computes what is left.
        if not requests and not why:
            asked[inputs] = before.get(inputs, 0.0)
            why = "What is out of date was asked for within the hour."
            if (now := time.time()) - asked[inputs] >= AGAIN:
                asked[inputs], why = now, None
                requests = [dg.RunRequest(run_key=f"{inputs}:{now:.0f}", job_name=PUBLISH_JOB)]
        cursor = json.dumps({"asked": asked})
        return dg.SensorResult(run_requests=requests, skip_reason=why, cursor=cursor)

    return warehouse_sensor(
        "computing",
        jobs,
        "Computes what depends on new, corrected or overruled figures, then publishes.",
        computing,
    )


def _first() -> list[dg.RunsFilter]:
    """The runs whose end is waited for: values that change under a release would pass for published."""
    rhythms = sorted({entry.feed.calendar.rhythm for entry in project().feeds.values()})
    tagged = [dg.RunsFilter(tags={tag: rhythms}, statuses=ACTIVE) for tag in (RHYTHM, COMPUTES)]
    return [*tagged, dg.RunsFilter(job_name=PUBLISH_JOB, statuses=ACTIVE)]


@cache
def _declared() -> str:
    return fingerprint(project().root)


def made_of(connection: duckdb.DuckDBPyConnection) -> str:
    """What a release would be made of now, in short: figures, declarations; empty before the first."""
    trusted = trusted_now(connection)
    return trusted and hashlib.sha256(f"{trusted} {_declared()}".encode()).hexdigest()[:16]


def _published(instance: dg.DagsterInstance, inputs: str) -> str | None:
    """Why no release is to be made of ``inputs``; none when one is.

    A run that was lost refused nothing: what it was asked for still stands to be made.
    """
    if not inputs:
        return "No figure is trusted yet."
    event = instance.get_latest_materialization_event(RECUEIL)
    told = event.asset_materialization if event else None
    if told and MADE_OF in told.metadata and told.metadata[MADE_OF].value == inputs:
        return "The last release says all that is trusted."
    same = dg.RunsFilter(tags={MADE_OF: inputs}, statuses=[dg.DagsterRunStatus.FAILURE])
    for run in instance.get_runs(same):
        if refused(instance, run):
            return (
                f"Run {run.run_id[:8]} refused a release of these figures: it is asked for again once "
                "figures or declarations change."
            )
    return None


def _requests(
    works: list[Work], judgement: int, before: dict[str, float]
) -> tuple[list[dg.RunRequest], dict[str, float]]:
    """A run a work, unless the same was asked for a short while ago; when each was asked for."""
    requests, asked = [], {}
    for work in works:
        text = f"{judgement} {work}"
        digest, now = hashlib.sha256(text.encode()).hexdigest()[:16], time.time()
        asked[digest] = before.get(digest, 0.0)
        calendar = calendar_of(project().indicators[work.names[0]])
        span = partitions_within(calendar, work.first, work.last)
        if span is None or now - asked[digest] < AGAIN:
            continue
        asked[digest] = now
        requests.append(
            dg.RunRequest(
                run_key=f"{digest}:{now:.0f}",
                job_name=indicators_job(calendar.rhythm),
                asset_selection=[indicator_key(project().indicators[n].path) for n in work.names],
                tags={COMPUTES: calendar.rhythm, **range_tags(*span)},
            )
        )
    return requests, asked
