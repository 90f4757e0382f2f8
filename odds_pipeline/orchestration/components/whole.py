"""The job that does everything of a month, and the schedule that asks for it."""

import os
import re

import dagster as dg
from dagster_duckdb import DuckDBResource
from pydantic import Field

from odds_pipeline.indicators.staleness import ALL
from odds_pipeline.orchestration.components.shared import TIMEZONE, home_of, project, schedules_status
from odds_pipeline.orchestration.components.told import tell_unopened


class Month(dg.Config):
    """Which month: all that waits without one."""

    month: str = Field(
        default="", description="YYYY-MM: only this reference month; empty: all that waits"
    )


@dg.op(description="Receive, judge, compute and publish, as `odds run`; each step is a run of its own.")
def do_everything(context: dg.OpExecutionContext, config: Month, warehouse: DuckDBResource) -> None:
    """Its runs carry this one's process: they end with it."""
    from odds_pipeline.orchestration.everything import everything

    if config.month and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", config.month):
        raise dg.Failure(f"{config.month!r} is no month: YYYY-MM", allow_retries=False)
    home = home_of(warehouse)
    os.environ |= {"ODDS_HOME": str(home.path), "ODDS_WAREHOUSE": str(home.warehouse)}
    months = (config.month, config.month) if config.month else ALL
    done = everything(
        project(), home, context.instance, [], None, months,
        lambda stage, words, at, of: context.log.info(f"{stage} {words} {at}/{of or '?'}"),
    )  # fmt: skip
    for receipt in done.receipts:
        tell_unopened(context.log, receipt)
    received = [r for r in done.receipts if not r.known]
    context.add_output_metadata(
        {"fichiers": len(received), "portes": done.gates, "calculs": done.groups}
    )
    if done.failed:
        raise dg.Failure("\n".join(done.failed), allow_retries=False)


@dg.job(name="everything", description="Everything of a month: reception, gate, indicators, release.")
def everything_job() -> None:
    """One step."""
    do_everything()


class WholeMonth(dg.Component, dg.Model, dg.Resolvable):
    """The job ``everything``, asked for each month when the partners' files are due."""

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        schedule = dg.ScheduleDefinition(
            name="everything_monthly",
            job=everything_job,
            cron_schedule="0 7 8 * *",
            execution_timezone=TIMEZONE,
            default_status=schedules_status(),
            description="All that waits, then the month's release, two days after the feeds' schedules.",
        )
        return dg.Definitions(jobs=[everything_job], schedules=[schedule])
