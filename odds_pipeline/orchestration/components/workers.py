"""The sensor that ends runs which died with their worker before they began, where workers execute runs.

Dagster asks after started runs only; of the others it waits for ``start_timeout_seconds``, as long as
one may stand in the queue. A worker may be killed in the second or two before its run begins, too.
"""

import dagster as dg

from odds_pipeline.declarations.deployment import LakeStorage, deployment


@dg.sensor(
    name="lost_runs",
    minimum_interval_seconds=20,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Ends what died with its worker before it began: it is launched again.",
)
def lost_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """A tick asks the workers of the runs that were handed to one and have not begun."""
    from odds_pipeline.orchestration.dagster_internals.launcher import Launcher

    instance, launcher = context.instance, context.instance.run_launcher
    if not isinstance(launcher, Launcher):
        return dg.SkipReason("No worker executes runs here.")
    ended = 0
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING])):
        if why := launcher.why_gone(run):
            now = instance.get_run_by_id(run.run_id)
            if now is not None and now.status == run.status:  # it may have begun meanwhile
                instance.report_run_failed(run, why)
                ended += 1
    return dg.SkipReason(f"{ended} runs died with their worker before they began.")


class Workers(dg.Component, dg.Model, dg.Resolvable):
    """The sensor ``lost_runs``; nothing where runs are executed on one machine."""

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        beyond_one = isinstance(deployment().storage, LakeStorage)
        return dg.Definitions(sensors=[lost_runs] if beyond_one else [])
