"""Portals: each is asked at its publisher's rhythm; what it has is observed, what is new lands."""

import hashlib
import json
from collections.abc import Sequence

import dagster as dg
from dagster_duckdb import DuckDBResource

from odds_pipeline.declarations.portal import Portal
from odds_pipeline.fetch.fetch import Outcome, fetch
from odds_pipeline.orchestration.components.shared import TIMEZONE, home_of, project, schedules_status


def _key(name: str) -> dg.AssetKey:
    return dg.AssetKey(["portals", name])


def observation_of(name: str, outcomes: Sequence[Outcome]) -> dg.AssetObservation:
    """What the portal has and what became of it; its version changes with any of it."""
    rows = [[o.feed, o.file, o.state, o.why or o.late or ""] for o in outcomes]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    version = hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()[:16]
    return dg.AssetObservation(
        _key(name),
        metadata={
            "new": sum(o.state == "new" for o in outcomes),
            "failed": sum(o.state == "failed" for o in outcomes),
            "late": sum(o.late is not None for o in outcomes),
            "files": dg.MarkdownMetadataValue(f"| contrat | fichier | | |\n| - | - | - | - |\n{table}"),
        },
        tags={"dagster/data_version": version},
    )


def portal_job(name: str, portal: Portal) -> dg.JobDefinition:
    """Fetch from one portal what is new; the landing sensor receives it."""

    @dg.op(name=f"fetch_{name}", description=f"Fetch what is new on {portal.label}.")
    def take(context: dg.OpExecutionContext, warehouse: DuckDBResource) -> None:
        outcomes = list(fetch(project(), home_of(warehouse), portal=name))
        context.log_event(observation_of(name, outcomes))
        failures = [o.why for o in outcomes if o.state == "failed" and o.why]
        if failures:
            raise dg.Failure("\n".join(failures), allow_retries=False)

    @dg.job(name=f"fetch_from_{name}", description=f"Fetch what is new on {portal.label}.")
    def job() -> None:
        take()

    return job


class PublicPortals(dg.Component, dg.Model, dg.Resolvable):
    """The portals that a contract names: a job and a schedule each."""

    declaration: str

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        used = {origin.portal for e in project().feeds.values() for origin in e.feed.origins}
        portals = {name: p for name, p in project().portals.items() if name in used}
        jobs = {name: portal_job(name, portal) for name, portal in portals.items()}
        return dg.Definitions(
            jobs=list(jobs.values()),
            schedules=[
                dg.ScheduleDefinition(
                    name=f"{name}_portal",
                    job=jobs[name],
                    cron_schedule=portal.schedule,
                    execution_timezone=TIMEZONE,
                    default_status=schedules_status(),
                )
                for name, portal in portals.items()
            ],
        )
