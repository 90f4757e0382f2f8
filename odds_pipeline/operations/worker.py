"""The celery application of a worker, made from the run launcher of ``dagster.yaml``.

One place says which broker and which settings; the side that launches runs and the side that
executes them cannot differ.
"""

import logging
from typing import Any

import dagster as dg
from celery.signals import setup_logging
from dagster_celery.tasks import create_execute_job_task, create_resume_job_task

from odds_pipeline.operations.logs import JsonFormatter
from odds_pipeline.orchestration.dagster_internals.launcher import Launcher
from odds_pipeline.orchestration.definitions import defs

# A run that could not begin, PostgreSQL being away for instance, is begun again; one that has begun and
# is delivered twice is left alone by Dagster.
AGAIN: dict[str, Any] = {
    "autoretry_for": (Exception,), "retry_backoff": 2, "retry_backoff_max": 30, "max_retries": 10,
}  # fmt: skip

_launcher = dg.DagsterInstance.get().run_launcher
if not isinstance(_launcher, Launcher):
    raise TypeError("this deployment launches no run on workers; ODDS_DEPLOYMENT=server does")
defs()  # read here, once: the processes that execute runs are forks of this one
app = _launcher.celery
app.conf.worker_redirect_stdouts = False  # lines of JSON would be wrapped in lines of celery
execute_job = create_execute_job_task(app, **AGAIN)
resume_job = create_resume_job_task(app)


def _one_object_a_line(**_: object) -> None:
    """In place of celery's own format."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


setup_logging.connect(_one_object_a_line, weak=False)
