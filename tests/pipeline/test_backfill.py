"""A history asked from Dagster's interface: the mutation of its button, and the daemon that answers it."""

import logging

import dagster as dg
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._daemon.backfill import execute_backfill_iteration
from dagster_graphql.test.utils import execute_dagster_graphql

from odds_pipeline.declarations.project import Project
from odds_pipeline.orchestration import runs
from odds_pipeline.orchestration.components.shared import feed_key, indicator_key, partitions_of
from odds_pipeline.storage.home import Home

LAUNCH = """
mutation ($asked: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $asked) {
    __typename
    ... on PythonError { message }
  }
}
"""


def test_fifteen_years_are_one_run_whatever_the_first_month_of_each_feed(
    project: Project, home: Home
) -> None:
    feeds = [e for e in project.feeds.values() if e.feed.calendar.cadence == "monthly"]
    assert len({e.feed.calendar.first for e in feeds}) > 3
    dependent = [
        e.path for e in project.indicators.values() if project.feed_of(e.indicator).id == feeds[0].id
    ]
    keys = [feed_key(e.id) for e in feeds] + [indicator_key(path) for path in dependent]
    months = partitions_of(feeds[0].feed.calendar).get_partition_keys()[:180]
    workspace = WorkspaceFileTarget([str(project.root / "workspace.yaml")])
    with (
        runs.instance_of(home) as instance,
        WorkspaceProcessContext(instance, workspace) as context,
    ):
        asked = {"assetSelection": [{"path": key.path} for key in keys], "partitionNames": months}
        answer = execute_dagster_graphql(context.create_request_context(), LAUNCH, {"asked": asked})
        assert answer.data["launchPartitionBackfill"]["__typename"] == "LaunchBackfillSuccess", (
            answer.data
        )
        for _ in range(3):  # more than it takes: nothing is asked twice
            list(execute_backfill_iteration(context, logging.getLogger("backfill")))
        (run,) = instance.get_runs()
    assert run.asset_selection == frozenset(keys)
    assert run.tags["dagster/asset_partition_range_start"] == months[0] == "2009-01"
    assert run.tags["dagster/asset_partition_range_end"] == months[-1] == "2023-12"
    assert run.status == dg.DagsterRunStatus.QUEUED
