"""The sensor that tells of failures, refusals, delays and releases, where one is declared."""

from datetime import date

import dagster as dg
from dagster_duckdb import DuckDBResource

from odds_pipeline.declarations.deployment import deployment
from odds_pipeline.declarations.extranet import Settings
from odds_pipeline.orchestration.components.shared import home_of, project


@dg.sensor(
    name="notices",
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells, once, of failures, refusals, late feeds, releases; writes to members.",
)
def notices(context: dg.SensorEvaluationContext, warehouse: DuckDBResource) -> dg.SkipReason:
    """A tick sends one message at most to each address."""
    from odds_pipeline.orchestration.letters import write_letters
    from odds_pipeline.orchestration.notices import facts, tell

    own, home = deployment(), home_of(warehouse)
    refused = write_letters(home, Settings.read(project().root), own.letters) if own.letters else 0
    found = facts(project(), home, context.instance, own.interface, date.today())
    if silent := tell(found, own, home):
        raise RuntimeError(
            f"no answer from the address in {', '.join(silent)}: the next tick tries again"
        )
    if refused:
        raise RuntimeError(f"{refused} letters to members were not taken: the next tick tries again")
    return dg.SkipReason("Everything that stands has been told.")


class Watch(dg.Component, dg.Model, dg.Resolvable):
    """The sensor ``notices``; nothing where the deployment tells nobody."""

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        return dg.Definitions(sensors=[notices] if deployment().notify or deployment().letters else [])
