"""The publications as assets: made anew after each release, from the one that readers see."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_duckdb import DuckDBResource

from odds_pipeline.declarations.observatory import Committee
from odds_pipeline.declarations.read_publications import load_publications
from odds_pipeline.declarations.study import Study
from odds_pipeline.orchestration.components.shared import (
    AUTOMATION,
    RECUEIL,
    TIMEZONE,
    code_reference,
    home_of,
    project,
    schedules_status,
)
from odds_pipeline.publications.committees.publish import publish_pack
from odds_pipeline.publications.committees.span import Span
from odds_pipeline.publications.portrait.publish import publish_portrait
from odds_pipeline.publications.studies.publish import publish_study
from odds_pipeline.publications.studies.study import StudyRefused
from odds_pipeline.publications.writer import Published

GATE = "conditions_de_publication"
PORTRAIT = dg.AssetKey(["portrait", "portrait_social"])


def _schedule(name: str, cron: str, keys: list[dg.AssetKey]) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=name,
        target=dg.AssetSelection.assets(*keys),
        cron_schedule=cron,
        execution_timezone=TIMEZONE,
        default_status=schedules_status(),
        description="Made from the release that readers see.",
    )


def study_key(name: str) -> dg.AssetKey:
    """Asset key of a study's publication."""
    return dg.AssetKey(["studies", name, "publication"])


def written(published: Published) -> dict[str, Any]:
    """What Dagster shows of documents written."""
    return {
        "folder": dg.MetadataValue.path(str(published.folder)),
        "documents": published.documents,
        "size": published.size,
    }


class PortraitSocial(dg.Component, dg.Model, dg.Resolvable):
    """``portrait/portrait_social``: every portrait of the current release."""

    declaration: str

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        portrait = load_publications(project()).portrait
        if portrait is None:
            return dg.Definitions()
        declared = portrait

        @dg.asset(
            key=PORTRAIT,
            deps=[RECUEIL],
            description=declared.description,
            group_name="portrait",
            owners=[declared.owner],
            kinds={"html", "pdf"},
            automation_condition=AUTOMATION,
            metadata={
                "label": declared.label,
                **code_reference(load_publications(project()).files["portrait"], 1),
            },
        )
        def portrait_social(warehouse: DuckDBResource) -> dg.MaterializeResult:  # type: ignore[type-arg]  # dagster reads [None] as several outputs
            published = publish_portrait(project(), declared, home_of(warehouse))
            return dg.MaterializeResult(metadata=written(published))

        return dg.Definitions(assets=[portrait_social])


class Studies(dg.Component, dg.Model, dg.Resolvable):
    """``studies/<id>/publication``: each study, published when its gate passes, else refused.

    A refused study has no materialisation: what was published before stays, and the check says why.
    """

    folder: str

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        declared = load_publications(project())
        return dg.Definitions(
            assets=[_study(study, declared.files[study.id]) for study in declared.studies.values()]
        )


def _study(study: Study, file: Path) -> dg.AssetsDefinition:
    key = study_key(study.id)
    spec = dg.AssetSpec(
        key,
        deps=[RECUEIL],
        description=study.description,
        group_name="studies",
        owners=[study.owner],
        kinds={"html", "pdf"},
        automation_condition=AUTOMATION,
        metadata={"label": study.label, **code_reference(file, 1)},
        skippable=True,
    )
    check = dg.AssetCheckSpec(
        GATE, asset=key, description="Les conditions de publication de l’étude sont remplies."
    )

    @dg.multi_asset(name=f"study_{study.id}", specs=[spec], check_specs=[check])
    def publication(warehouse: DuckDBResource) -> Iterator[Any]:
        try:
            published = publish_study(project(), study, home_of(warehouse))
        except StudyRefused as refused:
            yield dg.AssetCheckResult(
                check_name=GATE, asset_key=key, passed=False, description=str(refused)
            )
            return
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={
                "folder": dg.MetadataValue.path(str(published.folder)),
                "dagster/row_count": len(published.result.ranks),
            },
            check_results=[dg.AssetCheckResult(check_name=GATE, asset_key=key, passed=True)],
        )

    return publication


class CommitteePacks(dg.Component, dg.Model, dg.Resolvable):
    """``comites/<id>``: the page of each committee, on its own calendar."""

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        committees = project().observatory.committees
        return dg.Definitions(
            assets=[_pack(name, committee) for name, committee in committees.items()],
            schedules=[
                _schedule(f"comite_{name}", committee.schedule, [pack_key(name)])
                for name, committee in committees.items()
            ],
        )


def pack_key(name: str) -> dg.AssetKey:
    """Asset key of a committee's page."""
    return dg.AssetKey(["comites", name])


def _pack(name: str, committee: Committee) -> dg.AssetsDefinition:
    @dg.asset(
        key=pack_key(name),
        deps=[RECUEIL],
        description=committee.description,
        group_name="comites",
        owners=["team:odds"],
        kinds={"html", "pdf"},
        automation_condition=AUTOMATION,
    )
    def page(warehouse: DuckDBResource) -> dg.MaterializeResult:  # type: ignore[type-arg]  # dagster reads [None] as several outputs
        span = Span.before(date.today(), committee.every)
        return dg.MaterializeResult(
            metadata=written(publish_pack(project(), home_of(warehouse), name, span))
        )

    return page
