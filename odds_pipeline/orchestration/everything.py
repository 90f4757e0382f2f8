"""Everything that is to do, in its order: reception, gate, indicators, one release.

`odds run`, `odds backfill` and Dagster's job ``everything`` are this. Stopping it is safe: what is done
is kept, and the same call does what is left.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.staleness import Months
from odds_pipeline.orchestration import runs
from odds_pipeline.orchestration.components.told import tell_receptions, untold
from odds_pipeline.quality.outstanding import outdated, waiting
from odds_pipeline.reception.receipt import Receipt
from odds_pipeline.reception.receive import receive
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

Tell = Callable[[str, str, int, int | None], None]
"""Told of progress: stage, what is being done, how many of how many."""


@dataclass
class Done:
    """Receipts, how many runs, in words what failed, and whether deliveries or files were refused."""

    receipts: list[Receipt] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    gates: int = 0
    groups: int = 0
    refused: bool = False


def everything(
    project: Project,
    home: Home,
    instance: dg.DagsterInstance,
    sources: Sequence[Path],
    feeds: set[str] | None,
    months: Months,
    tell: Tell,
) -> Done:
    """Receive ``landing`` and ``sources``; judge ``feeds`` over ``months``, compute and publish."""
    done = Done()
    home.check_share()
    home.make_landing()
    with Store(home.warehouse).kept_open():
        before = _refused(home)
        tell("receiving", "", 0, None)
        for receipt in receive(project, home, [home.landing, *sources]):
            done.receipts.append(receipt)
            tell("receiving", receipt.file, 0, None)
        tell_receptions(instance, home)
        _judge(project, home, instance, feeds, months, tell, done)
        done.refused = bool(_refused(home) - before) or any(
            receipt.reason and not receipt.known for receipt in done.receipts
        )
        if _compute(project, home, instance, months, tell, done):
            tell("publishing", "", 0, None)
            done.failed += [f"No release: {why}" for why in runs.run_recueil(instance).reasons]
    return done


def _refused(home: Home) -> set[tuple[str, str]]:
    with Store(home.warehouse).connect() as connection:
        return set(connection.execute("SELECT delivery, month FROM quarantine").fetchall())


def _judge(
    project: Project,
    home: Home,
    instance: dg.DagsterInstance,
    feeds: set[str] | None,
    months: Months,
    tell: Tell,
    done: Done,
) -> None:
    gates = waiting(project, home, feeds, months, also=untold(instance, home, feeds, months))
    total, at = sum(len(work.names) for work in gates), 0
    done.gates = len(gates)
    for work in gates:
        tell("gate", _named(work.names), at, total)
        try:
            runs.run_feeds(instance, work)
        except runs.GateFailed as error:
            done.failed.append(f"Gate failed: {error}")
        at += len(work.names)


def _compute(
    project: Project, home: Home, instance: dg.DagsterInstance, months: Months, tell: Tell, done: Done
) -> bool:
    groups = outdated(project, home, months)
    total, at = sum(len(work.names) for work in groups), 0
    done.groups = len(groups)
    for work in groups:
        tell("indicators", _named(work.names), at, total)
        outcome = runs.run_indicators(instance, work)
        done.failed += [f"Indicators failed ({_named(work.names)}): {w}" for w in outcome.reasons]
        if not outcome:
            return False
        at += len(work.names)
    return True


def _named(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
