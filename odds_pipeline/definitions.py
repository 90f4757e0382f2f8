"""The code location: every component instance of ``defs/`` and the warehouse they share."""

import warnings

import dagster as dg

import odds_pipeline.defs
from odds_pipeline.components.shared import warehouse
from odds_pipeline.model.deployment import FileStorage, deployment
from odds_pipeline.model.project import project_root

# Freshness, code references and component loading are still labelled beta or preview in 1.13.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)


@dg.definitions
def defs() -> dg.Definitions:
    """Load every component instance."""
    tree = dg.ComponentTree.from_module(defs_module=odds_pipeline.defs, project_root=project_root())
    # A worker's process executes a run whole: a process more for each step costs 3 CPU seconds.
    executor = None if isinstance(deployment().storage, FileStorage) else dg.in_process_executor
    shared = dg.Definitions(resources={"warehouse": warehouse()}, executor=executor)
    return dg.Definitions.merge(tree.build_defs(), shared)
