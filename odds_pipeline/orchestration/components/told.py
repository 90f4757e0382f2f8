"""What Dagster has been told of, beside what stands in the warehouse: receptions, refusals, decisions.

Commands, sensors and jobs all tell it from the warehouse, so that nothing is lost with a process and
nothing is told twice.
"""

import logging
from collections.abc import Collection
from datetime import datetime
from typing import Any

import dagster as dg
from filelock import FileLock

from odds_pipeline.indicators.staleness import ALL, Months
from odds_pipeline.orchestration.components.shared import (
    RECEPTION,
    feed_key,
    gate_job,
    partitions_of,
    project,
)
from odds_pipeline.orchestration.dagster_internals.recorded import versions
from odds_pipeline.reception.receipt import Receipt
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.sql import read_sql
from odds_pipeline.storage.store import Store

_RECEIVED, TRUSTED = read_sql(__file__, "received"), read_sql(__file__, "trusted")
UNTIL = "jusqu_a"
"""Metadata of a reception's event: the moment in the warehouse that it tells of."""

# Months that wait in quarantine, and those that a person accepted.
_DECIDED = """
SELECT feed, month, true FROM quarantine
UNION SELECT d.feed, o.month, false FROM overrulings o JOIN deliveries d ON d.id = o.delivery
JOIN trusted_months t ON t.delivery = o.delivery AND t.month = o.month
"""


def tell_unopened(log: logging.Logger, receipt: Receipt) -> None:
    """Say in a tick's or a run's log that no delivery was made of a file: no event tells it."""
    if not receipt.delivery:
        log.warning("%s was not received: %s", receipt.file, receipt.reason)


def next_step(kind: str, file: str, feed: str | None) -> str:
    """What a person, or the machine, does next about a file."""
    rhythm = project().feeds[feed].feed.calendar.rhythm if feed in project().feeds else ""
    return {
        "reçu": f"La porte juge ses mois : tâche {gate_job(rhythm)}, demandée par le capteur landing.",
        "refusé": f"Envoyer la lettre : tâche `notice` ou `odds quarantine show '{file}'` ; contrat ou "
        f"règle à corriger : les corriger, puis tâche `retry` ou `odds quarantine retry '{file}'`.",
        "mis de côté": "Ce n’est pas une livraison : tâche `dismiss` ou `odds quarantine dismiss`. "
        "C’en est une : écrire son contrat (`odds new-feed`), puis tâche `retry`.",
        "écarté": "Rien : un contrat qui viendrait à lire ce fichier le prendra.",
        "accepté": "Les chiffres entrent dans la prochaine édition, avec le motif.",
    }[kind]


def _event(row: tuple[Any, ...]) -> dg.AssetObservation:
    moment, kind, file, feed, months, reason, delivery = row
    return dg.AssetObservation(
        RECEPTION,
        description=f"{file} : {kind}. {reason or ''}".strip(),
        metadata={
            "état": kind,
            "fichier": file,
            "source": feed or "aucune",
            "mois": ", ".join(months or []) or "aucun",
            "nombre_de_mois": len(months or []),
            "motif": reason or "",
            "ensuite": next_step(kind, file, feed),
            "livraison": delivery,
            UNTIL: moment.isoformat(),
        },
    )


def tell_receptions(instance: dg.DagsterInstance, home: Home) -> int:
    """Tell Dagster of what was received, dismissed and accepted since it was told last; how many."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    with FileLock(str(home.dagster / "told.lock")):  # two commands would tell the same
        events = [_event(row) for row in _since(home, _told_until(instance))]
        for event in events:
            instance.report_runless_asset_event(event)
    return len(events)


def _told_until(instance: dg.DagsterInstance) -> datetime:
    last = instance.fetch_observations(RECEPTION, limit=1).records
    told = last[0].asset_observation if last else None
    return datetime.fromisoformat(str(told.metadata[UNTIL].value)) if told else datetime.min


def _since(home: Home, until: datetime) -> list[tuple[Any, ...]]:
    with Store(home.warehouse).connect() as connection:
        return connection.execute(_RECEIVED, {"until": until}).fetchall()


def failed_months(instance: dg.DagsterInstance, key: dg.AssetKey) -> set[str]:
    """Months that the interface shows as failed, or under way."""
    log = instance.event_log_storage
    return set(log.get_latest_asset_partition_materialization_attempts_without_materializations(key))


def untold(
    instance: dg.DagsterInstance, home: Home, feeds: Collection[str] | None = None, months: Months = ALL
) -> set[tuple[str, str]]:
    """Refused months that no run has shown as failed, accepted ones that none has shown as such."""
    with Store(home.warehouse).connect() as connection:
        decided = [
            (feed, month, refused)
            for feed, month, refused in connection.execute(_DECIDED).fetchall()
            if feed in project().feeds
            and (feeds is None or feed in feeds)
            and months[0] <= month <= months[1]
            and month in partitions_of(project().feeds[feed].feed.calendar).get_partition_keys()
        ]
        accepted = {(feed, month) for feed, month, refused in decided if not refused}
        stand = [month for _, month in accepted]
        given = {
            "feeds": sorted({feed for feed, _ in accepted}),
            "first": min(stand, default=""),
            "last": max(stand, default=""),
        }
        accepted_now = {
            (feed, month): version
            for feed, month, version, *_ in connection.execute(TRUSTED, given).fetchall()
            if (feed, month) in accepted
        }
    failed = {feed: failed_months(instance, feed_key(feed)) for feed, _, _ in decided}
    refused = {(f, m) for f, m, refused in decided if refused and m not in failed[f]}
    unseen = {
        (feed, month)
        for (feed, month), version in accepted_now.items()
        if versions(instance, feed_key(feed), [month]).get(month) != version
    }
    return refused | unseen
