"""What `odds health` asks, and a few counts, as the text that Prometheus reads."""

from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime

import dagster as dg
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from odds_pipeline.operations.health import health
from odds_pipeline.orchestration import runs
from odds_pipeline.release.published import current_number, describe
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Overtaken, Store

_MONTHS = """
SELECT 'pending', count(*) FROM delivered_months WHERE state = 'pending'
UNION ALL SELECT 'quarantine', count(*) FROM quarantine
"""
LAST = 100
"""Runs counted by status: the latest, all those of some days."""


def metrics(home: Home) -> str:
    """Gauges ``odds_…``, in Prometheus' text format; what cannot be read now is absent.

    ``odds_in_order{what}`` 1 or 0; ``odds_release_age_seconds``; ``odds_months{state}`` that wait or are
    in quarantine; ``odds_writer`` 1 while one is at work; ``odds_runs{status}`` of the latest hundred.
    """
    registry = CollectorRegistry()
    in_order = _gauge(registry, "in_order", "1 when odds health is answered well", "what")
    for answer in health(home):
        in_order.labels(answer.name).set(answer.ok)
    for part in (_release, _months, _runs):
        with suppress(Exception):  # what is wrong is one of health's answers
            part(home, registry)
    text: bytes = generate_latest(registry)
    return text.decode()


def _gauge(registry: CollectorRegistry, name: str, text: str, label: str | None = None) -> Gauge:
    return Gauge(f"odds_{name}", text, [label] if label else [], registry=registry)


def _release(home: Home, registry: CollectorRegistry) -> None:
    if (number := current_number(home)) is None:
        return
    published = datetime.fromisoformat(describe(home, number).published_at)
    age = (datetime.now(UTC) - published).total_seconds()
    _gauge(registry, "release_number", "number of the current release").set(number)
    _gauge(registry, "release_age_seconds", "seconds since the current release").set(age)


def _months(home: Home, registry: CollectorRegistry) -> None:
    months = _gauge(registry, "months", "months delivered and not in use", "state")
    writer = _gauge(registry, "writer", "1 while a writer is at work")
    try:
        with Store(home.warehouse).reading() as connection:
            for state, count in connection.execute(_MONTHS).fetchall():
                months.labels(state).set(count)
    except Overtaken:
        writer.set(1)


def _runs(home: Home, registry: CollectorRegistry) -> None:
    with runs.instance_of(home) as instance:
        found: Counter[str] = Counter(dict.fromkeys((s.value for s in dg.DagsterRunStatus), 0))
        found.update(run.status.value for run in instance.get_runs(limit=LAST))
    counted = _gauge(registry, "runs", f"latest {LAST} runs of Dagster", "status")
    for status, number in found.items():
        counted.labels(status).set(number)
