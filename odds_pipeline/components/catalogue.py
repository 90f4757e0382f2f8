"""The catalogue: what passed the gate is published as a release."""

from pathlib import Path

import dagster as dg
import yaml

from odds_pipeline.components.shared import (
    AUTOMATION,
    RECUEIL,
    TIMEZONE,
    WRITER_POOL,
    Warehouse,
    code_reference,
    indicator_key,
    project,
    tried_again,
)
from odds_pipeline.warehouse.publish import publish
from odds_pipeline.warehouse.release import open_release

PROVENANCE = "valeurs_sur_verdict"

_WITHOUT_VERDICT = """
SELECT count(*) FROM observations o WHERE NOT EXISTS (
    FROM verdicts v WHERE v.delivery = o.delivery AND v.month = o.month
) OR EXISTS (
    FROM verdicts v WHERE v.delivery = o.delivery AND v.month = o.month
     AND NOT v.passed AND v.severity NOT IN ('warning', 'info')
     AND NOT EXISTS (FROM overrulings w
         WHERE w.delivery = v.delivery AND w.month = v.month AND w.rule = v.rule)
)
"""


class Catalogue(dg.Component, dg.Model, dg.Resolvable):
    """``catalogue/recueil``: the numbered, immutable edition that readers see."""

    declaration: str

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        declared = yaml.safe_load((project().root / self.declaration).read_text(encoding="utf-8"))
        deps = [indicator_key(entry.path) for entry in project().indicators.values()]
        check = dg.AssetCheckSpec(
            PROVENANCE,
            asset=RECUEIL,
            blocking=True,
            description="Chaque figure publiée repose sur une livraison dont le verdict est favorable.",
        )

        @dg.asset(
            key=RECUEIL,
            deps=deps,
            description=declared["description"],
            group_name="catalogue",
            owners=[declared["owner"]],
            kinds={"duckdb"},
            metadata={"label": declared["label"], **code_reference(Path(self.declaration), 1)},
            check_specs=[check],
            automation_condition=AUTOMATION,
            pool=WRITER_POOL,
        )
        def recueil(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:  # type: ignore[type-arg]  # dagster reads [None] as several outputs
            with tried_again():
                release = publish(project(), warehouse.home)
            with open_release(warehouse.home, release.number) as connection:
                row = connection.execute(_WITHOUT_VERDICT).fetchone()
            bad = row[0] if row else 0
            return dg.MaterializeResult(
                metadata={
                    "release": release.number,
                    "new": release.new,
                    "indicators": release.indicators,
                    "dagster/row_count": release.values,
                    "simulated": release.simulated,
                    "content": release.content,
                },
                check_results=[
                    dg.AssetCheckResult(
                        check_name=PROVENANCE,
                        passed=bad == 0,
                        description=f"{bad} observation(s) sans verdict favorable.",
                    )
                ],
            )

        job = dg.define_asset_job(
            "publish_recueil", dg.AssetSelection.assets(RECUEIL), description="Publish a release."
        )
        schedule = dg.ScheduleDefinition(
            name="recueil_monthly",
            job=job,
            cron_schedule="0 7 8 * *",
            execution_timezone=TIMEZONE,
            description="Publish the month's release, two days after the partners' schedules.",
        )
        automation = dg.AutomationConditionSensorDefinition(
            "automation",
            target=dg.AssetSelection.all(),
            minimum_interval_seconds=60,
            default_status=dg.DefaultSensorStatus.RUNNING,
            description="Computes what depends on newly accepted figures, then publishes.",
        )
        return dg.Definitions(assets=[recueil], jobs=[job], schedules=[schedule], sensors=[automation])
