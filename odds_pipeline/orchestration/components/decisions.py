"""Jobs by which a person decides about what was refused or set aside, as `odds quarantine` does."""

from collections.abc import Callable
from typing import Any

import dagster as dg
from dagster_duckdb import DuckDBResource
from pydantic import Field

from odds_pipeline.orchestration.components.shared import home_of, project
from odds_pipeline.orchestration.components.told import tell_receptions
from odds_pipeline.quality.notice import as_text, notice_of
from odds_pipeline.quality.quarantine import NotAcceptable, accept, one_case, retry
from odds_pipeline.quality.reserve import objection
from odds_pipeline.reception.aside import dismiss, unread
from odds_pipeline.reception.receive import recognise_again
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store


class Named(dg.Config):
    """What is decided about."""

    file: str = Field(description="name of the file, or beginning of its sha256")


class OfMonth(Named):
    """One refused month of it."""

    month: str = Field(default="", description="YYYY-MM, when several months of the file were refused")


class Accepted(OfMonth):
    """Why refused figures are right all the same: every reader reads it, for ever."""

    reason: str = Field(description="shown to readers beside every figure; no figure, nobody's name")
    by: str = Field(description="role of who decides, nobody's name")


class Dismissed(Named):
    """Why a file is no delivery."""

    reason: str = Field(description="why the file is no delivery")
    by: str = Field(description="role of who decides")


def _accept(home: Home, config: Accepted) -> str:
    if found := objection(config.reason, config.by):
        raise NotAcceptable(found)
    done = accept(project(), home, config.file, config.month or None, config.reason, config.by)
    return f"{done.file_name}: {', '.join(done.accepted)} accepted; the landing sensor does the rest."


def _retry(home: Home, config: Named) -> str:
    with Store(home.warehouse).connect() as connection:
        files = unread(connection, config.file)
    receipts = recognise_again(project(), home, files)
    again = [f"{c.feed} {c.month}" for c in retry(home, config.file)]
    again += [f"{r.feed} {m}" for r in receipts if r.reason is None for m in r.months]
    if not again:
        why = " ".join(r.reason or "" for r in receipts)
        raise LookupError(f"nothing named {config.file!r} can be judged again. {why}")
    return f"{', '.join(again)}: judged again, the landing sensor asks for it."


def _dismiss(home: Home, config: Dismissed) -> str:
    return f"{', '.join(dismiss(home, config.file, config.reason, config.by))}: dismissed."


def _notice(home: Home, config: OfMonth) -> str:
    with Store(home.warehouse).connect() as connection:
        case = one_case(connection, config.file, config.month or None)
        return as_text(notice_of(project(), connection, case))


def _job(
    name: str, words: str, act: Callable[[Home, Any], str], config: type[dg.Config]
) -> dg.JobDefinition:
    def run(context: dg.OpExecutionContext, config, warehouse):  # type: ignore[no-untyped-def]  # annotated below
        home = home_of(warehouse)
        try:
            said = act(home, config)
        except (LookupError, NotAcceptable) as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        tell_receptions(context.instance, home)
        context.log.info(said)
        context.add_output_metadata({"dit": dg.MetadataValue.md(said)})

    run.__annotations__ |= {"config": config, "warehouse": DuckDBResource}
    step = dg.op(name=f"{name}_file", description=words)(run)

    @dg.job(name=name, description=words)
    def job() -> None:
        step()

    return job


JOBS = [
    _job("accept", "Accept refused figures all the same, with a reason.", _accept, Accepted),
    _job(
        "retry",
        "Judge refused months, or recognise an unread file, again after a mending.",
        _retry,
        Named,
    ),
    _job("dismiss", "Say that a file set aside is no delivery.", _dismiss, Dismissed),
    _job("notice", "Write the rejection notice in French, ready to be sent.", _notice, OfMonth),
]
