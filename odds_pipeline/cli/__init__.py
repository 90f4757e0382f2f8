"""The ``odds`` command, one module per group of commands."""

from odds_pipeline.cli import (
    changes,
    coverage,
    declarations,
    extranet,
    fetch,
    keeping,
    onboarding,
    publications,
    quarantine,
    running,
    secrecy,
    server,
    values,
)
from odds_pipeline.cli.app import app

__all__ = [
    "app",
    "changes",
    "coverage",
    "declarations",
    "extranet",
    "fetch",
    "keeping",
    "onboarding",
    "publications",
    "quarantine",
    "running",
    "secrecy",
    "server",
    "values",
]
