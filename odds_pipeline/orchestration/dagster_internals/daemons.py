"""Whether the daemon gives a sign of life: Dagster's public API has no such question."""

from dagster import DagsterInstance
from dagster._daemon.controller import all_daemons_live


def daemons_alive(instance: DagsterInstance) -> bool:
    """Whether every daemon that the instance needs has lately said so."""
    return all_daemons_live(instance)
