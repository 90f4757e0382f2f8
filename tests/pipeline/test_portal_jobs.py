"""In Dagster: a schedule a portal, and what the portal has as an observation."""

import dagster as dg
import pytest
import stamina

from odds_pipeline.declarations.project import Project
from odds_pipeline.orchestration.components import portals as component
from odds_pipeline.orchestration.components.shared import Warehouse
from odds_pipeline.orchestration.definitions import defs
from odds_pipeline.storage.home import Home

from ..portals import Reply, as_json, portals


def test_each_portal_that_a_contract_names_has_its_schedule(project: Project) -> None:
    used = {origin.portal for entry in project.feeds.values() for origin in entry.feed.origins}
    loaded = defs() if callable(defs) else defs
    named = {s.name: s for s in loaded.schedules or [] if s.name.endswith("_portal")}
    assert {name.removesuffix("_portal") for name in named} == used
    for name in used:
        assert named[f"{name}_portal"].cron_schedule == project.portals[name].schedule


def test_what_a_portal_has_is_observed_and_a_fault_told(
    project: Project, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with portals() as mirror, stamina.set_testing(True, attempts=2, cap=True):
        here = project.portals["insee"].model_copy(update={"address": f"{mirror.address}/i", "pause": 0})
        monkeypatch.setitem(project.portals, "insee", here)
        monkeypatch.setattr(component, "project", lambda: project)
        mirror.replies["/i/7739582/ensemble.zip"] = Reply(b"REG;COM\n11;93001\n")
        mirror.replies["/i/8290591/ensemble.zip"] = as_json({"message": "Not found"}, 404)
        instance = dg.DagsterInstance.ephemeral()
        result = component.portal_job("insee", here).execute_in_process(
            resources={"warehouse": Warehouse(database=str(home.warehouse))},
            instance=instance,
            raise_on_error=False,
        )
    assert not result.success
    (record,) = instance.fetch_observations(dg.AssetKey(["portals", "insee"]), limit=5).records
    observed = record.asset_observation
    assert observed is not None and observed.metadata["new"].value == 1
    assert "répond 404" in str(observed.metadata["files"].value)
