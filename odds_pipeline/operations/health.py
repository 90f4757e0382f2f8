"""Is the observatory in order? A few questions, each answered from what is really there."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import dagster as dg

from odds_pipeline.declarations.deployment import LakeStorage, deployment
from odds_pipeline.release.published import current_number, describe
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.sql import one
from odds_pipeline.storage.store import Store, check_unique


@dataclass(frozen=True)
class Answer:
    """One question; ``detail`` is a figure when it is in order, else what is wrong."""

    name: str
    ok: bool
    detail: str


def _warehouse(home: Home) -> str:
    with Store(home.warehouse).connect() as connection:
        check_unique(connection)
        deliveries, quarantined = one(
            connection, "SELECT (SELECT count(*) FROM deliveries), (SELECT count(*) FROM quarantine)"
        )
    return f"{deliveries} deliveries, {quarantined} months in quarantine"


def _release(home: Home) -> str:
    number = current_number(home)
    if number is None:
        return "none yet"
    release = describe(home, number)
    return f"release {number} of {release.published_at}, {release.values} values"


def _shared(home: Home) -> str:
    home.archive.mkdir(parents=True, exist_ok=True)
    probe = home.archive / f".health-{os.getpid()}"
    probe.write_text("")
    probe.unlink()
    return str(home.shared)


def _workers(instance: dg.DagsterInstance) -> str:
    from odds_pipeline.operations.launcher import Launcher

    assert isinstance(instance.run_launcher, Launcher)
    found = instance.run_launcher.celery.control.ping(timeout=3)
    if not found:
        raise RuntimeError("no worker answers: `odds worker` on each machine; is redis up?")
    return f"{len(found)} answer"


def _coordinator(instance: dg.DagsterInstance) -> str:
    from dagster._daemon.controller import all_daemons_live

    if not all_daemons_live(instance):
        raise RuntimeError("the coordinator gives no sign of life: `odds coordinator`")
    return "alive"


def _ask(name: str, question: Callable[[], str]) -> Answer:
    try:
        return Answer(name, True, question())
    except Exception as error:  # whatever is wrong is the answer
        return Answer(name, False, f"{type(error).__name__}: {str(error).strip()}"[:300])


def health(home: Home) -> list[Answer]:
    """Ask all; on a server also of its workers and its coordinator."""
    answers = [
        _ask("warehouse", lambda: _warehouse(home)),
        _ask("release", lambda: _release(home)),
        _ask("shared folder", lambda: _shared(home)),
    ]
    if isinstance(deployment().storage, LakeStorage):
        from odds_pipeline.orchestration import runs

        def with_instance(question: Callable[[dg.DagsterInstance], str]) -> str:
            with runs.instance_of(home) as instance:
                return question(instance)

        answers.append(_ask("workers", lambda: with_instance(_workers)))
        answers.append(_ask("coordinator", lambda: with_instance(_coordinator)))
    return answers
