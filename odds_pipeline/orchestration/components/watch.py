"""The sensor that tells of failures, refusals, delays and releases, where one is declared."""

from datetime import date

import dagster as dg
from dagster_duckdb import DuckDBResource

from odds_pipeline.declarations.deployment import deployment
from odds_pipeline.orchestration.components.shared import home_of, project


@dg.sensor(
    name="notices",
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells, once, of failed runs, refused months, late feeds and releases.",
)
def notices(context: dg.SensorEvaluationContext, warehouse: DuckDBResource) -> dg.SkipReason:
    """A tick sends one message at most to each address."""
    from odds_pipeline.orchestration.notices import facts, tell

    own, home = deployment(), home_of(warehouse)
    found = facts(project(), home, context.instance, own.interface, date.today())
    if silent := tell(found, own, home):
        raise RuntimeError(
            f"no answer from the address in {', '.join(silent)}: the next tick tries again"
        )
    return dg.SkipReason("Everything that stands has been told.")


class Watch(dg.Component, dg.Model, dg.Resolvable):
    """The sensor ``notices``; nothing where the deployment notifies nobody."""

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        return dg.Definitions(sensors=[notices] if deployment().notify else [])
