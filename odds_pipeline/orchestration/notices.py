"""What somebody should hear of: failed runs, refused months, late feeds, releases; each told once.

Sent by Apprise rather than by Dagster's own sensors, which know failed runs alone and one channel each:
an address is one line (``mailto://``, ``json://``, a chat's), whichever the body that runs this uses.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg

from odds_pipeline.declarations.deployment import Deployment
from odds_pipeline.declarations.project import Project
from odds_pipeline.orchestration.components.shared import MADE_OF, PUBLISH_JOB, gate_job
from odds_pipeline.orchestration.refusals import failures, refused
from odds_pipeline.quality.feed_status import statuses
from odds_pipeline.quality.quarantine import cases
from odds_pipeline.release.published import Absent, current_number, describe
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

LATE = {"late": "En retard", "overdue": "Très en retard"}
RECENT = timedelta(days=2)
"""How far back failed runs are looked for: longer than any time without a daemon that goes unnoticed."""


@dataclass(frozen=True)
class Fact:
    """One thing to tell; ``key`` is what makes it the same fact tomorrow."""

    key: str
    text: str
    link: str


def facts(
    project: Project, home: Home, instance: dg.DagsterInstance, interface: str, today: date
) -> list[Fact]:
    """Everything that stands to be told, told already or not."""
    with Store(home.warehouse).connect() as connection:
        refused = [
            Fact(
                f"refusé {case.delivery[:16]} {case.month}",
                f"Mois refusé : {case.feed} {case.month}, {case.file}. {case.why}",
                f"{interface}/assets/partners/{case.feed}?view=checks",
            )
            for case in cases(connection)
        ]
        late = [
            Fact(
                f"{status.state} {status.feed} {status.since}",
                f"{LATE[status.state]} : {status.feed} depuis le {status.since}, dernier mois "
                f"{status.last_accepted}, attendu {status.expected}.",
                f"{interface}/assets/partners/{status.feed}?view=partitions",
            )
            for status in statuses(project, connection, today, project.feeds)
            if status.state in LATE
        ]
    return [*_failed(instance, interface), *refused, *late, *_published(home, interface)]


def _published(home: Home, interface: str) -> Iterator[Fact]:
    try:
        number = current_number(home)
        release = describe(home, number) if number is not None else None
    except Absent as error:  # the rest is told all the same
        yield Fact("édition illisible", f"Aucune édition lisible : {error}", interface)
        return
    if release is not None:
        words = " DONNÉES SIMULÉES." if release.simulated else ""
        yield Fact(
            f"édition {number}",
            f"Édition {number} publiée : {release.indicators} indicateurs, {release.values} valeurs."
            f"{words}",
            f"{interface}/assets/catalogue/recueil",
        )


def _failed(instance: dg.DagsterInstance, interface: str) -> list[Fact]:
    """Runs that failed at their first attempt, but gates that refused: their months are told.

    What fails again for the same cause, as it is asked for again, is one fact: its first run.
    """
    recent = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.FAILURE], updated_after=datetime.now(UTC) - RECENT
    )
    found: dict[str, Fact] = {}
    for record in instance.get_run_records(recent, ascending=True):
        run = record.dagster_run
        gate = run.job_name.startswith(gate_job(""))
        if run.parent_run_id is not None or (gate and refused(instance, run)):
            continue
        withheld = run.job_name == PUBLISH_JOB
        what = "Édition non publiée" if withheld else f"Exécution échouée : {run.job_name}"
        why = _why(instance, run)
        key = f"échec {run.job_name} {_cause(instance, record, why)}"
        link = f"{interface}/runs/{run.run_id}"
        found.setdefault(key, Fact(key, f"{what}. {why}", link))
    return list(found.values())


_OF = (MADE_OF, "dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
"""Tags of a run that say what it was about."""


def _cause(instance: dg.DagsterInstance, record: dg.RunRecord, why: str) -> str:
    """The same for two runs that failed in the same words at the same work, none succeeding between.

    Numbers and what holds one are left out of the words: processes, times, names of temporary files.
    """
    run = record.dagster_run
    went_well = dg.RunsFilter(
        job_name=run.job_name,
        statuses=[dg.DagsterRunStatus.SUCCESS],
        created_before=record.create_timestamp,
    )
    since = [last.run_id for last in instance.get_runs(went_well, limit=1)]
    text = json.dumps([re.sub(r"\w*\d\w*", "", why), [run.tags.get(tag) for tag in _OF], since])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _why(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    return " ".join(words for _, words in failures(instance, run))[:500]


def tell(found: list[Fact], deployment: Deployment, home: Home) -> list[str]:
    """Send to each address what it was not told yet, in one message; addresses that did not answer.

    What no longer stands is forgotten: it is told again if it comes back. A message that was not taken
    is sent again at the next tick, to that address alone.
    """
    path = home.dagster / "notices.json"
    told: dict[str, list[str]] = json.loads(path.read_text()) if path.exists() else {}
    silent = []
    for name in deployment.notify:
        known = set(told.get(name, []))
        new = [fact for fact in found if fact.key not in known]
        if new and not _tell(os.environ.get(name, ""), new):
            silent.append(name)
            new = []
        told[name] = sorted({f.key for f in found} & known | {f.key for f in new})
        _write(path, told)
    return silent


def _write(path: Path, told: dict[str, list[str]]) -> None:
    half = path.with_suffix(".half")
    half.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    half.replace(path)


def _tell(address: str, found: list[Fact]) -> bool:
    title = found[0].text[:100] if len(found) == 1 else f"Observatoire : {len(found)} nouvelles"
    return send(address, title, "\n\n".join(f"{fact.text}\n{fact.link}" for fact in found))


def send(address: str, title: str, body: str) -> bool:
    """One message to an address of Apprise; whether it was taken."""
    import apprise  # 0.3 s, for those who have an address alone

    sender = apprise.Apprise()
    return bool(
        sender.add(address) and sender.notify(body, title, body_format=apprise.NotifyFormat.TEXT)
    )
