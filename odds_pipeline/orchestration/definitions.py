"""The code location: every component instance of ``defs/`` and the warehouse they share."""

import warnings

import dagster as dg

import odds_pipeline.orchestration.defs
from odds_pipeline.declarations.project import project_root
from odds_pipeline.orchestration.components.shared import warehouse
from odds_pipeline.storage.home import private_files

# Freshness, code references and component loading are still labelled beta or preview in 1.13.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

private_files()


@dg.definitions
def defs() -> dg.Definitions:
    """Load every component instance."""
    tree = dg.ComponentTree.from_module(
        defs_module=odds_pipeline.orchestration.defs, project_root=project_root()
    )
    # A run is a process of its own and its steps write one after the other: a process more for each
    # step costs 3 CPU seconds.
    shared = dg.Definitions(resources={"warehouse": warehouse()}, executor=dg.in_process_executor)
    return dg.Definitions.merge(tree.build_defs(), shared)
