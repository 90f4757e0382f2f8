"""What `odds health` asks, and a few counts, as the text that Prometheus reads."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import dagster as dg
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from odds_pipeline.operations.health import health
from odds_pipeline.orchestration import runs
from odds_pipeline.release.published import current_number, describe
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.owner import observatory_id
from odds_pipeline.storage.store import Store

_MONTHS = """
SELECT 'pending', count(*) FROM delivered_months WHERE state = 'pending'
UNION ALL SELECT 'quarantine', count(*) FROM quarantine
"""
LAST = 100
"""Runs counted by status: the latest, all those of some days."""


def metrics(home: Home) -> str:
    """Gauges ``odds_…``, in Prometheus' text format; what cannot be read now is absent.

    ``odds_in_order{what}`` 1 or 0; ``odds_release_age_seconds``; ``odds_months{state}`` that wait or are
    in quarantine; ``odds_writers{state}`` at work or waiting for another; ``odds_runs{status}`` of the
    latest hundred. Each says of which observatory it is.
    """
    registry = CollectorRegistry()
    in_order = _gauge(registry, "in_order", "1 when odds health is answered well", "what")
    for answer in health(home):
        in_order(answer.name).set(answer.ok)
    for part in (_release, _months, _writers, _runs):
        with suppress(Exception):  # what is wrong is one of health's answers
            part(home, registry)
    text: bytes = generate_latest(registry)
    return text.decode()


Labelled = Callable[..., Gauge]


def _gauge(registry: CollectorRegistry, name: str, text: str, *labels: str) -> Labelled:
    """A gauge, to be given its labels; it has the observatory's: several are watched on one machine."""
    gauge = Gauge(f"odds_{name}", text, ["observatory", *labels], registry=registry)
    return partial(gauge.labels, observatory_id())


def _release(home: Home, registry: CollectorRegistry) -> None:
    if (number := current_number(home)) is None:
        return
    published = datetime.fromisoformat(describe(home, number).published_at)
    age = (datetime.now(UTC) - published).total_seconds()
    _gauge(registry, "release_number", "number of the current release")().set(number)
    _gauge(registry, "release_age_seconds", "seconds since the current release")().set(age)


def _months(home: Home, registry: CollectorRegistry) -> None:
    with Store(home.warehouse).reading() as connection:
        found = connection.execute(_MONTHS).fetchall()
    months = _gauge(registry, "months", "months delivered and not in use", "state")
    for state, count in found:
        months(state).set(count)


def _writers(home: Home, registry: CollectorRegistry) -> None:
    writers = _gauge(registry, "writers", "processes that write in the tables, or wait to", "state")
    for state, count in zip(("at work", "waiting"), Store(home.warehouse).writers(), strict=True):
        writers(state).set(count)


def _runs(home: Home, registry: CollectorRegistry) -> None:
    with runs.instance_of(home) as instance:
        found: Counter[str] = Counter(dict.fromkeys((s.value for s in dg.DagsterRunStatus), 0))
        found.update(run.status.value for run in instance.get_runs(limit=LAST))
    counted = _gauge(registry, "runs", f"latest {LAST} runs of Dagster", "status")
    for status, number in found.items():
        counted(status).set(number)
