"""Where the declarations are: the folder that holds ``assets/``, ``expectations/``, ``resources/``."""

import importlib.resources
import os
from pathlib import Path


def project_root() -> Path:
    """``ODDS_PROJECT``, else the checkout, else the wheel's own copy."""
    if named := os.environ.get("ODDS_PROJECT"):
        return Path(named).absolute()
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "assets").is_dir():
        return checkout
    return Path(str(importlib.resources.files("odds_pipeline"))) / "_project"
