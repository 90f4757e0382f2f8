"""Is the observatory in order? A few questions, each answered from what is really there."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import dagster as dg

from odds_pipeline.declarations.deployment import LakeStorage, deployment
from odds_pipeline.declarations.problems import Explained
from odds_pipeline.operations.checks import QUESTIONS, Wrong
from odds_pipeline.operations.failures import causes
from odds_pipeline.storage.home import Home


@dataclass(frozen=True)
class Answer:
    """One question; ``detail`` is a figure when it is in order, else what is wrong."""

    name: str
    ok: bool
    detail: str


def _workers(instance: dg.DagsterInstance) -> str:
    from odds_pipeline.orchestration.dagster_internals.launcher import Launcher

    assert isinstance(instance.run_launcher, Launcher)
    found = instance.run_launcher.workers(3)
    if not found:
        raise Wrong("no worker answers: `odds worker` on each machine; is redis up?")
    return f"{len(found)} answer"


def _coordinator(instance: dg.DagsterInstance) -> str:
    from odds_pipeline.orchestration.dagster_internals.daemons import daemons_alive

    if not daemons_alive(instance):
        raise Wrong("the coordinator gives no sign of life: `odds coordinator`")
    return "alive"


def _ask(name: str, question: Callable[[], str]) -> Answer:
    try:
        return Answer(name, True, question())
    except Exception as error:  # whatever is wrong is the answer
        fault = (
            ""
            if isinstance(error, Explained)
            else _silent(error) or "could not be asked, and nothing of ours says why: "
        )
        return Answer(name, False, f"{fault}{str(error).strip()}"[:400])


_SERVICES = {"psycopg2": "PostgreSQL", "redis": "redis", "kombu": "redis"}


def _silent(error: BaseException) -> str | None:
    """Which service does not answer, wherever in the causes of an error it stands."""
    for each in causes(error):
        if service := _SERVICES.get(type(each).__module__.partition(".")[0]):
            return f"{service} does not answer, is it up? "
    return None


def health(home: Home, deep: bool = False) -> list[Answer]:
    """Ask all; on a server also of its workers and its coordinator."""
    answers = [_ask(name, partial(asked, home, deep)) for name, asked in QUESTIONS.items()]
    if isinstance(deployment().storage, LakeStorage):
        from odds_pipeline.orchestration import runs

        def with_instance(question: Callable[[dg.DagsterInstance], str]) -> str:
            with runs.instance_of(home) as instance:
                return question(instance)

        answers.append(_ask("workers", lambda: with_instance(_workers)))
        answers.append(_ask("coordinator", lambda: with_instance(_coordinator)))
    return answers
