"""Whether a failed run refused something, as the same inputs would be again, or broke or was lost."""

import re
from collections.abc import Iterator

import dagster as dg


def failures(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[tuple[bool, str]]:
    """Of each failed step: whether it refused in words of ours, and its words."""
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        assert entry.dagster_event is not None
        data = entry.dagster_event.step_failure_data
        own = data.user_failure_data
        error = (data.error.cause or data.error).message if data.error else ""
        yield own is not None, (own.description or "" if own else words(error)).strip()


def words(text: str) -> str:
    """What an error says to a person, without its class; whose fault it is, when it is none of ours."""
    named = re.match(r"([\w.<>]+)(?:: |\s*$)", text)
    said = text[named.end() if named else 0 :].strip()
    if named and named[1].startswith("odds_pipeline."):
        return said
    return f"a fault of this software or of the machine, not of a file{f' ({said})' if said else ''}"


def refused(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether all that failed in it are refusals."""
    found = [own for own, _ in failures(instance, run)]
    return bool(found) and all(found)
