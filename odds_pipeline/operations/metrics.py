"""What `odds health` asks, and a few counts, as the text that Prometheus reads."""

from collections import Counter
from datetime import UTC, datetime

import dagster as dg
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from odds_pipeline.operations.health import health
from odds_pipeline.orchestration import runs
from odds_pipeline.release.published import current_number, describe
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import NoWarehouse, Overtaken, Store

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

    def gauge(name: str, text: str, label: str | None = None) -> Gauge:
        return Gauge(f"odds_{name}", text, [label] if label else [], registry=registry)

    in_order = gauge("in_order", "1 when the question of odds health is answered well", "what")
    for answer in health(home):
        in_order.labels(answer.name).set(answer.ok)
    if (number := current_number(home)) is not None:
        published = datetime.fromisoformat(describe(home, number).published_at)
        age = (datetime.now(UTC) - published).total_seconds()
        gauge("release_number", "number of the current release").set(number)
        gauge("release_age_seconds", "seconds since the current release").set(age)
    months = gauge("months", "months delivered and not in use", "state")
    writer = gauge("writer", "1 while a writer is at work")
    try:
        for state, count in _months(home):
            months.labels(state).set(count)
    except Overtaken:
        writer.set(1)
    counted = gauge("runs", f"latest {LAST} runs of Dagster", "status")
    for status, count in _runs(home).items():
        counted.labels(status).set(count)
    text: bytes = generate_latest(registry)
    return text.decode()


def _months(home: Home) -> list[tuple[str, int]]:
    try:
        with Store(home.warehouse).reading() as connection:
            return connection.execute(_MONTHS).fetchall()
    except NoWarehouse:
        return []


def _runs(home: Home) -> Counter[str]:
    with runs.instance_of(home) as instance:
        found: Counter[str] = Counter(dict.fromkeys((s.value for s in dg.DagsterRunStatus), 0))
        found.update(run.status.value for run in instance.get_runs(limit=LAST))
    return found
