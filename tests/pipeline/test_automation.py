"""New accepted figures ask once for exactly what depends on them; refused ones ask for nothing."""

from dataclasses import replace
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.orchestration import runs
from odds_pipeline.orchestration.components import computing
from odds_pipeline.orchestration.components.computing import computing_sensor
from odds_pipeline.orchestration.components.shared import (
    COMPUTES,
    PUBLISH_JOB,
    RECUEIL,
    RHYTHM,
    Warehouse,
    feed_key,
    indicator_key,
    indicators_job,
)
from odds_pipeline.orchestration.definitions import defs
from odds_pipeline.quality.outstanding import outdated, waiting
from odds_pipeline.reception.receive import receive
from odds_pipeline.release import stages
from odds_pipeline.release.stages import hide_values
from odds_pipeline.storage.home import Home

from .test_gate import FEED, populations

OWN, OTHER = indicator_key("cadrage/population_municipale"), indicator_key("social/foyers_allocataires")
COMPUTE = indicators_job("annual_1")
Asked = dict[str, tuple[str, str, bool, bool]]


def without_a_commune(rows: list[list[str]]) -> None:
    rows.pop(4)


def emptied(connection: duckdb.DuckDBPyConnection, project: Project) -> None:
    """A release without one value, which the suite of the catalogue refuses."""
    hide_values(connection, project)
    connection.execute("DELETE FROM protected")


class Ticks:
    """The ticks of the sensor that computes and publishes."""

    def __init__(self, instance: dg.DagsterInstance, home: Home) -> None:
        self.instance, self.home = instance, home
        self.cursor: str | None = None

    def tick(self) -> Asked | str:
        """By job, first and last month, whether it takes the population's and the other indicator."""
        resources = {"warehouse": Warehouse(database=str(self.home.warehouse))}
        jobs = [dg.define_asset_job(name) for name in (COMPUTE, PUBLISH_JOB)]
        with dg.build_sensor_context(self.instance, self.cursor, resources=resources) as context:
            result = computing_sensor(jobs)(context)
        if isinstance(result, dg.SkipReason):
            return str(result.skip_message)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        found = {}
        for request in result.run_requests or []:
            tags, keys = request.tags, request.asset_selection or []
            first, last = (tags.get(f"dagster/asset_partition_range_{e}", "") for e in ("start", "end"))
            found[str(request.job_name)] = (first, last, OWN in keys, OTHER in keys)
        return found


def test_what_is_accepted_is_computed_once_then_published(
    project: Project, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert OTHER.path[1:] == project.indicators["foyers_allocataires"].path.split("/")

    def gate(folder: str, year: int, broken: bool = False) -> None:
        populations(tmp_path / folder, year, without_a_commune if broken else None)
        list(receive(project, home, [tmp_path / folder]))
        for batch in waiting(project, home):
            runs.run_feeds(instance, batch)

    computed: Asked = {COMPUTE: ("2018-01", "2020-01", True, False)}
    release: Asked = {PUBLISH_JOB: ("", "", False, False)}
    with runs.instance_of(home) as instance:
        ticks = Ticks(instance, home)
        assert ticks.tick() == {}
        gate("a", 2018)
        gate("b", 2019, broken=True)
        gate("c", 2020)
        assert instance.get_materialized_partitions(feed_key(FEED)) == {"2018-01", "2020-01"}
        assert ticks.tick() == computed
        # A lost run leaves the values out of date: they are asked for again.
        monkeypatch.setattr(computing, "AGAIN", 0)
        assert ticks.tick() == computed
        for batch in outdated(project, home):
            assert runs.run_indicators(instance, batch)
        assert ticks.tick() == release
        # Its run was lost too: it is asked for again.
        instance.add_run(dg.DagsterRun(PUBLISH_JOB, status=dg.DagsterRunStatus.FAILURE))
        assert ticks.tick() == release
        # One that was refused is not: the same values would be refused again, until something changes.
        with monkeypatch.context() as broken:
            broken.setattr(stages, "hide_values", emptied)
            assert "contenu_non_vide" in str(runs.run_recueil(instance).reasons)
        assert ticks.tick() == {}
        with monkeypatch.context() as edited:
            edited.setattr(computing, "_declared", lambda: "another suite")
            assert ticks.tick() == release
        assert runs.run_recueil(instance)
        ticks.cursor = None
        assert ticks.tick() == {}
        # A delivery refused over an accepted month changes nothing for what depends on it.
        gate("d", 2018, broken=True)
        assert ticks.tick() == {}


def test_what_is_asked_for_in_vain_holds_no_release_up(
    project: Project, home: Home, tmp_path: Path
) -> None:
    list(receive(project, home, [populations(tmp_path / "in", 2019)]))
    with runs.instance_of(home) as instance:
        (gate,) = waiting(project, home)
        assert runs.run_feeds(instance, gate)
        ticks = Ticks(instance, home)
        assert COMPUTE in ticks.tick()
        (batch,) = outdated(project, home)
        assert len(batch.names) > 1
        # The run of all but one of them was lost.
        assert runs.run_indicators(instance, replace(batch, names=batch.names[:1]))
        assert set(ticks.tick()) == {COMPUTE}
        assert set(ticks.tick()) == {PUBLISH_JOB}
        assert ticks.tick() == {}
        # Publishing computes the others too.
        assert runs.run_recueil(instance)
        assert outdated(project, home) == []


def test_between_indicators_and_recueil_stand_themes_and_families(project: Project) -> None:
    """A lineage draws the parents of an asset in one column: five of them can be read, not fifty-five."""
    graph = defs().resolve_asset_graph()
    themes = graph.get(RECUEIL).parent_keys
    assert len(themes) == len(project.observatory.themes)
    families = {key for theme in themes for key in graph.get(theme).parent_keys}
    assert len(families) == len({e.family.id for e in project.indicators.values()})
    assert {key for family in families for key in graph.get(family).parent_keys} == {
        indicator_key(e.path) for e in project.indicators.values()
    }


@pytest.mark.parametrize(
    ("job", "tags"),
    [("gate_annual_1", {RHYTHM: "annual_1"}), (COMPUTE, {COMPUTES: "annual_1"}), (PUBLISH_JOB, {})],
)
def test_nothing_is_computed_while_figures_are_judged_computed_or_published(
    home: Home, job: str, tags: dict[str, str]
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_run(dg.DagsterRun(job, tags=tags, status=dg.DagsterRunStatus.STARTED))
        assert "under way" in str(Ticks(instance, home).tick())
