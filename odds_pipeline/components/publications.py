"""The Portrait social as an asset: made from the release that readers see."""

from typing import Any

import dagster as dg

from odds_pipeline.components.shared import RECUEIL, Warehouse, code_reference, project
from odds_pipeline.model.publication import load_publications
from odds_pipeline.portrait.publish import Published, publish_portrait

PORTRAIT = dg.AssetKey(["portrait", "portrait_social"])


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
            metadata={
                "label": declared.label,
                **code_reference(load_publications(project()).files["portrait"], 1),
            },
        )
        def portrait_social(warehouse: Warehouse) -> dg.MaterializeResult:  # type: ignore[type-arg]  # dagster reads [None] as several outputs
            published = publish_portrait(project(), declared, warehouse.home)
            return dg.MaterializeResult(metadata=written(published))

        return dg.Definitions(assets=[portrait_social])
