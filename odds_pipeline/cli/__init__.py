"""The ``odds`` command, one module per group of commands."""

from odds_pipeline.cli import declarations, quarantine, running, values
from odds_pipeline.cli.app import app

__all__ = ["app", "declarations", "quarantine", "running", "values"]
