"""A suite: how good a delivery must be. Each rule names a Great Expectations expectation."""

from typing import Any, Literal

from pydantic import Field

from odds_pipeline.declarations.base import Declaration, Name, Sentence

Severity = Literal["critical", "warning", "info"]
TOLERATED = ("warning", "info")
"""Severities that refuse nothing; any other one refuses, here and in the view ``failing_verdicts``."""


class Rule(Declaration):
    """``expect`` is the expectation's snake-case name; ``with`` are its arguments.

    ``message`` is French: what the partner is told, and ``remedy`` what to send again.
    """

    expect: Name
    severity: Severity
    message: Sentence
    remedy: Sentence
    overrulable: bool = Field(
        default=True, description="false: no person may accept figures that break it"
    )
    arguments: dict[str, Any] = Field(default={}, alias="with")


class Suite(Declaration):
    """``expectations/<path of the asset>.yaml``; a rule named as one it ``extends`` replaces it."""

    extends: str | None = None
    rules: dict[Name, Rule | None] = {}
