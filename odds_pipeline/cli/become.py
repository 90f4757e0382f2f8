"""This process becomes one of Dagster's own, on the instance of this observatory."""

import os
import sys
from pathlib import Path
from typing import NoReturn

from odds_pipeline.declarations.deployment import deployment
from odds_pipeline.declarations.root import project_root
from odds_pipeline.storage.home import Home


def become(program: str, *arguments: str, alone: bool = False) -> NoReturn:
    """Run ``program`` of this environment in place of this process; it ends when that does.

    ``alone``: it holds a daemon, of which an observatory has one.
    """
    from odds_pipeline.orchestration import runs
    from odds_pipeline.orchestration.process import watch_alone

    folder = runs.dagster_home(Home.from_environment())
    if alone:
        watch_alone(folder)
    path = str(Path(sys.executable).parent / program)
    os.execv(path, [path, *arguments])


def workspace() -> tuple[str, str]:
    """The option that tells a daemon or a web server where the code is."""
    return "-w", str(project_root() / deployment().workspace)
