"""Reception: what lands is received and told as events; a person's decisions are jobs."""

import dagster as dg

from odds_pipeline.orchestration.components.decisions import JOBS
from odds_pipeline.orchestration.components.landing import landing_sensor
from odds_pipeline.orchestration.components.partner_feeds import gate_jobs
from odds_pipeline.orchestration.components.shared import RECEPTION, feed_key, project

DESCRIPTION = """Les fichiers reçus, refusés, mis de côté, écartés ou acceptés par une personne.

Chacun est un événement : source, mois, motif, et ce qu’il reste à faire.
"""


class Reception(dg.Component, dg.Model, dg.Resolvable):
    """``reception/fichiers``, the landing sensor, the gate's jobs and those of the quarantine."""

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        entries = list(project().feeds.values())
        files = dg.AssetSpec(
            RECEPTION,
            description=DESCRIPTION,
            group_name="reception",
            owners=["team:odds"],
            kinds={"file"},
        )
        return dg.Definitions(
            assets=[files],
            jobs=[*gate_jobs(entries), *JOBS],
            sensors=[landing_sensor([feed_key(entry.id) for entry in entries])],
        )
