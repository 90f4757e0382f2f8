"""The celery application of a worker, made from the run launcher of ``dagster.yaml``.

One place says which broker and which settings; the side that launches runs and the side that
executes them cannot differ.
"""

import dagster as dg
from dagster_celery.tasks import create_execute_job_task, create_resume_job_task

from odds_pipeline.operations.launcher import Launcher

_launcher = dg.DagsterInstance.get().run_launcher
if not isinstance(_launcher, Launcher):
    raise TypeError("this deployment launches no run on workers; ODDS_DEPLOYMENT=server does")
app = _launcher.celery
execute_job = create_execute_job_task(app)
resume_job = create_resume_job_task(app)
