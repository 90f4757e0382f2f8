"""The code location: every component instance of ``defs/`` and the warehouse they share."""

import os
import warnings
from functools import cache
from typing import Any

import dagster as dg

import odds_pipeline.orchestration.defs
from odds_pipeline.declarations.project import project_root
from odds_pipeline.orchestration.components.partner_feeds import gate_of_run
from odds_pipeline.orchestration.components.shared import Warehouse
from odds_pipeline.storage.home import Home, private_files

# Freshness, code references and component loading are still labelled beta or preview in 1.13.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

private_files()

WAREHOUSE = "ODDS_WAREHOUSE"
"""Variable that names the warehouse to runs: that of ``ODDS_HOME``, or ``./data`` inside a project."""
if home := Home.if_known():
    os.environ.setdefault(WAREHOUSE, str(home.warehouse))


def build_defs(**resources: Any) -> dg.Definitions:
    """Every component instance; ``resources`` take the place of the deployment's, in tests."""
    tree = dg.ComponentTree.from_module(
        defs_module=odds_pipeline.orchestration.defs, project_root=project_root()
    )
    own = {"warehouse": Warehouse(database=dg.EnvVar(WAREHOUSE)), "gate": gate_of_run, **resources}
    # A run is a process of its own and its steps write one after the other: a process more for each
    # step costs 3 CPU seconds.
    shared = dg.Definitions(resources=own, executor=dg.in_process_executor)
    return dg.Definitions.merge(tree.build_defs(), shared)


@dg.definitions
@cache
def defs() -> dg.Definitions:
    """Load every component instance, once a process: a worker asks for each run that it executes."""
    return build_defs()
