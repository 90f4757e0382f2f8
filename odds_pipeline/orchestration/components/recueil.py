"""The recueil: what passed the gate is published as a release."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import yaml
from dagster_duckdb import DuckDBResource

from odds_pipeline.declarations.suite import TOLERATED
from odds_pipeline.orchestration.components.computing import computing_sensor, made_of
from odds_pipeline.orchestration.components.indicator_families import job_of
from odds_pipeline.orchestration.components.shared import (
    MADE_OF,
    PUBLISH_JOB,
    RECUEIL,
    calendar_of,
    code_reference,
    home_of,
    indicator_key,
    opened,
    part_key,
    parts,
    project,
    published_keys,
    tried_again,
)
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import open_release
from odds_pipeline.release.recueil_gate import RecueilRefused
from odds_pipeline.secrecy.protect import SecrecyError
from odds_pipeline.storage.sql import one

PROVENANCE = "valeurs_sur_verdict"
SUITE, INDICATORS = "suite_du_catalogue", "suites_des_indicateurs"

_FAILED = """
SELECT indicator, rule, severity, message, remedy, failing FROM indicator_verdicts
WHERE NOT passed AND severity <> 'info' ORDER BY severity, indicator, rule
"""

_VALUES = """
SELECT indicator, count(*), count(value), max(month) FROM indicator_values GROUP BY indicator
"""

_WITHOUT_VERDICT = f"""
SELECT count(*) FROM observations o WHERE NOT EXISTS (
    FROM verdicts v WHERE v.delivery = o.delivery AND v.month = o.month
) OR EXISTS (
    FROM verdicts v WHERE v.delivery = o.delivery AND v.month = o.month
     AND NOT v.passed AND v.severity NOT IN {TOLERATED}
     AND NOT EXISTS (FROM overrulings w
         WHERE w.delivery = v.delivery AND w.month = v.month AND w.rule = v.rule)
)
"""


class Recueil(dg.Component, dg.Model, dg.Resolvable):
    """``catalogue/recueil``: the numbered, immutable release that readers see."""

    declaration: str

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        declared = yaml.safe_load((project().root / self.declaration).read_text(encoding="utf-8"))
        checks = [
            dg.AssetCheckSpec(
                PROVENANCE,
                asset=RECUEIL,
                blocking=True,
                description="Chaque valeur publiée repose sur une livraison au verdict favorable.",
            ),
            dg.AssetCheckSpec(
                SUITE,
                asset=RECUEIL,
                blocking=True,
                description="L’édition suit expectations/recueil.yaml ; sinon rien n’est publié.",
            ),
            dg.AssetCheckSpec(
                INDICATORS,
                asset=RECUEIL,
                description="Les valeurs de chaque indicateur suivent la suite de sa famille ; sinon il "
                "garde celles de l’édition précédente.",
            ),
        ]

        label = {"label": declared["label"], **code_reference(Path(self.declaration), 1)}
        recueil_spec = dg.AssetSpec(
            RECUEIL,
            deps=[part_key(theme) for theme in parts() if "/" not in theme],
            description=declared["description"],
            group_name="catalogue",
            owners=[declared["owner"]],
            kinds={"duckdb"},
            metadata=label,
        )

        @dg.multi_asset(name="recueil", specs=[*_parts(), recueil_spec], check_specs=checks)
        def recueil(context: dg.AssetExecutionContext, warehouse: DuckDBResource) -> Iterator[Any]:
            with opened(warehouse) as connection:
                inputs = made_of(connection)
            context.instance.add_run_tags(context.run.run_id, {MADE_OF: inputs})
            try:
                with tried_again():
                    release = publish(project(), home_of(warehouse))
            except (RecueilRefused, SecrecyError) as refused:
                with opened(warehouse) as connection:
                    failed = connection.execute(_FAILED).fetchall()
                yield from _withheld(refused, failed)
                raise dg.Failure(str(refused), allow_retries=False) from refused
            with open_release(home_of(warehouse), release.number) as connection:
                (bad,) = one(connection, _WITHOUT_VERDICT)
                values = connection.execute(_VALUES).fetchall()
            with opened(warehouse) as connection:
                failed = connection.execute(_FAILED).fetchall()
            yield from _published(values)
            yield dg.MaterializeResult(
                asset_key=RECUEIL,
                metadata={
                    MADE_OF: inputs,
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
                        metadata={"observations_sans_verdict": bad},
                    ),
                    dg.AssetCheckResult(
                        check_name=SUITE,
                        passed=True,
                        description=f"Les {release.values} valeurs de {release.indicators} indicateurs "
                        "suivent les règles.",
                        metadata={"valeurs": release.values, "indicateurs": release.indicators},
                    ),
                    _of_indicators(failed),
                ],
            )

        publications = dg.AutomationConditionSensorDefinition(
            "automation",
            target=dg.AssetSelection.all(),
            minimum_interval_seconds=60,
            default_status=dg.DefaultSensorStatus.RUNNING,
            description="Makes the documents of a release: portraits, studies, committees' pages.",
        )
        job = dg.define_asset_job(
            PUBLISH_JOB, dg.AssetSelection.assets(*published_keys()), description="Publish a release."
        )
        rhythms = {calendar_of(entry).rhythm for entry in project().indicators.values()}
        # The sensor brings its jobs into the definitions.
        computing = computing_sensor([*map(job_of, sorted(rhythms)), job])
        return dg.Definitions(assets=[recueil], sensors=[computing, publications])


def _parts() -> list[dg.AssetSpec]:
    """Between 700 indicators and the recueil: what it publishes of each theme, and of each family."""
    specs = []
    for path, own in parts().items():
        theme, _, family = path.partition("/")
        of_theme = {part_key(f"{theme}/{entry.family.id}"): None for entry in own}
        specs.append(
            dg.AssetSpec(
                part_key(path),
                deps=[indicator_key(entry.path) for entry in own] if family else list(of_theme),
                description=own[0].family.label if family else project().observatory.themes[theme],
                group_name="catalogue",
                kinds={"duckdb"},
                tags={"theme": theme, **({"family": family} if family else {})},
            )
        )
    return specs


def _published(values: list[tuple[str, int, int, str]]) -> Iterator[dg.MaterializeResult[None]]:
    """Of each theme and family: how many indicators and values the release has, and its last month."""
    told = {name: (cells, filled, last) for name, cells, filled, last in values}
    for path, members in parts().items():
        own = [told[entry.id] for entry in members if entry.id in told]
        yield dg.MaterializeResult(
            asset_key=part_key(path),
            metadata={
                "indicators": len(own),
                "dagster/row_count": sum(cells for cells, _, _ in own),
                "values": sum(filled for _, filled, _ in own),
                "last_month": max((last for _, _, last in own), default=""),
            },
        )


def _withheld(
    refused: RecueilRefused | SecrecyError, failed: list[tuple[Any, ...]]
) -> Iterator[dg.AssetCheckResult]:
    """The checks of a release that is not made: one without a result would pass for a broken one.

    The suites of the indicators come first in a publication, whatever refuses it afterwards.
    """
    suite = isinstance(refused, RecueilRefused)
    not_asked = f"Non évalué : aucune édition n’est faite. {refused}"
    for name, said in ((SUITE, str(refused) if suite else not_asked), (PROVENANCE, not_asked)):
        yield dg.AssetCheckResult(
            asset_key=RECUEIL,
            check_name=name,
            passed=False,
            severity=dg.AssetCheckSeverity.WARN if said is not_asked else dg.AssetCheckSeverity.ERROR,
            description=said,
        )
    yield _of_indicators(failed)


_COLUMNS = ["indicateur", "règle", "gravité", "message", "à faire", "valeurs"]


def _of_indicators(failed: list[tuple[Any, ...]]) -> dg.AssetCheckResult:
    """What the suites of the indicators said: a table of the rules broken, a rule a line."""
    held = sorted({row[0] for row in failed if row[2] not in TOLERATED})
    schema = dg.TableSchema(
        columns=[dg.TableColumn(name, "int" if name == "valeurs" else "string") for name in _COLUMNS]
    )
    records = [
        dg.TableRecord(dict(zip(_COLUMNS, (name, rule, severity, message, remedy, count), strict=True)))
        for name, rule, severity, message, remedy, count in failed
    ]
    return dg.AssetCheckResult(
        asset_key=RECUEIL,
        check_name=INDICATORS,
        passed=not held,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"Retenus à leur dernière édition, ou absents : {', '.join(held)}."
        if held
        else f"Aucun indicateur retenu ; {len(failed)} avertissement(s).",
        metadata={
            "indicateurs_retenus": len(held),
            "règles_enfreintes": len(failed),
            **({"règles": dg.MetadataValue.table(records, schema=schema)} if records else {}),
        },
    )
