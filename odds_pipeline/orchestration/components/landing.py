"""The landing sensor: receives what has come, and asks for a run a rhythm of what waits for its gate.

What is asked for is what waits in the warehouse, whoever received it: a tick that was lost, a process
that died, a cursor that was reset and `odds receive` by hand all end in the same runs.
"""

import hashlib
import json
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dagster as dg

from odds_pipeline.orchestration.components.partner_feeds import gate_jobs
from odds_pipeline.orchestration.components.shared import (
    ACTIVE,
    RHYTHM,
    Answer,
    covering,
    feed_key,
    gate_job,
    project,
    range_tags,
    warehouse_sensor,
)
from odds_pipeline.orchestration.components.told import tell_receptions, tell_unopened, untold
from odds_pipeline.quality.outstanding import Work, pending_months, waiting
from odds_pipeline.reception.receive import receive
from odds_pipeline.storage.home import Home

AGAIN = 900
"""Seconds after which what still waits, unchanged, is asked for again: its run was lost or broke."""

RECEIVING = 30
"""Seconds after which the files that are left wait for the next tick: Dagster drops what a tick of more
than 60 asked for, and makes the next one beside it."""
PROCESS = uuid.uuid4().hex
"""Of this process: what a fault of ours kept out is tried again by another, maybe of mended software."""


def landing_sensor(keys: list[dg.AssetKey]) -> dg.SensorDefinition:
    """Receives what is new in the landing folder and asks for the months that wait."""
    feeds = {"/".join(key.path[1:]) for key in keys}

    def landing(context: dg.SensorEvaluationContext, home: Home, state: dict[str, Any]) -> Answer:
        until, end = state.get("until", 0), time.monotonic() + RECEIVING
        failed, passed = state.get("failed"), state.get("passed", {})
        if failed and failed[0] != PROCESS:
            until, failed, passed = min(until, failed[1]), None, {}
        new, left, seen = _arrived(home, until, state.get("unfinished", {}))
        names = {path: str(path.relative_to(home.landing)) for path in new}
        passed = {name: stamp for name, stamp in passed.items() if seen.get(name) == stamp}
        new = [path for path in new if names[path] not in passed]
        for receipt in receive(project(), home, new, enough=lambda: time.monotonic() > end):
            tell_unopened(context.log, receipt)
            if receipt.failed:
                failed = failed or [PROCESS, until]
                name = names[Path(receipt.failed)]
                passed = {**passed, name: seen[name]}  # the next tick would spend its time on it again
        tell_receptions(context.instance, home)
        kept = {"failed": failed, "passed": passed} if failed else {}
        if time.monotonic() > end:  # the next tick finds them all again, and passes over what is known
            kept |= {"until": until, "unfinished": seen, "asked": state.get("asked", {})}
            words = "Files may be left to receive: the next tick goes on."
            return dg.SensorResult(skip_reason=words, cursor=json.dumps(kept))
        unseen = untold(context.instance, home, feeds)
        runs = waiting(project(), home, feeds, also=unseen)
        contents = pending_months(home)
        for feed, month in sorted(unseen):
            contents.setdefault(feed, []).append(("", month))
        requests, asked = _requests(context.instance, runs, contents, state.get("asked", {}))
        waits = "What waits is under way, or was asked for within the quarter of an hour."
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else waits if runs else "Nothing new, and nothing waits.",
            cursor=json.dumps({**kept, **left, "asked": asked}),
        )

    return warehouse_sensor(
        "landing",
        gate_jobs([project().feeds[feed] for feed in sorted(feeds)]),
        "Receives new files of the landing folder, then runs the gate of what waits.",
        landing,
    )


def _arrived(
    home: Home, until: int, seen: dict[str, str]
) -> tuple[list[Path], dict[str, Any], dict[str, str]]:
    """Files that came after ``until`` and do not change any more; what the cursor is to say; all stamps.

    A file still being written changes from one tick to the next: it is left until it does not. The time
    is that of the file's last change of any kind, its arrival in the folder included.
    """
    found = {path: path.stat() for path in _files(home.landing)}
    late = {path: s for path, s in found.items() if s.st_ctime_ns > until}
    stamps = {str(p.relative_to(home.landing)): f"{s.st_ctime_ns}:{s.st_size}" for p, s in late.items()}
    ready = [p for p in late if seen.get(name := str(p.relative_to(home.landing))) == stamps[name]]
    unfinished = {p: s for p, s in late.items() if p not in ready}
    until = max([until, *(late[p].st_ctime_ns for p in ready)])
    until = min([until, *(s.st_ctime_ns - 1 for s in unfinished.values())])
    names = {str(p.relative_to(home.landing)) for p in unfinished}
    left = {"until": until, "unfinished": {n: stamps[n] for n in sorted(names)}}
    return sorted(ready), left, stamps


def _files(folder: Path) -> Iterable[Path]:
    return (p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))


def _requests(
    instance: dg.DagsterInstance,
    runs: list[Work],
    contents: dict[str, list[tuple[str, str]]],
    before: dict[str, list[Any]],
) -> tuple[list[dg.RunRequest], dict[str, list[Any]]]:
    """A run a rhythm, unless one is under way or the same was asked for a short while ago."""
    requests, asked = [], {}
    for run in runs:
        calendar = project().feeds[run.names[0]].feed.calendar
        rhythm, now = calendar.rhythm, time.time()
        text = json.dumps([contents.get(feed) for feed in run.names])
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        known, when = before.get(rhythm, ["", 0.0])
        asked[rhythm] = [digest, when]
        active = dg.RunsFilter(tags={RHYTHM: rhythm}, statuses=ACTIVE)
        if instance.get_runs_count(active) or (known == digest and now - when < AGAIN):
            continue
        asked[rhythm] = [digest, now]
        requests.append(
            dg.RunRequest(
                run_key=f"{rhythm}:{digest}:{now:.0f}",
                job_name=gate_job(rhythm),
                asset_selection=[feed_key(feed) for feed in run.names],
                tags={RHYTHM: rhythm, **range_tags(*covering(calendar, run.first, run.last))},
            )
        )
    return requests, asked
