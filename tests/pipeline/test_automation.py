"""New accepted figures ask once for exactly what depends on them; refused ones ask for nothing."""

from pathlib import Path

import dagster as dg
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.orchestration import runs
from odds_pipeline.orchestration.components import computing
from odds_pipeline.orchestration.components.computing import indicators_sensor
from odds_pipeline.orchestration.components.shared import (
    COMPUTES,
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
from odds_pipeline.storage.home import Home

from .test_gate import FEED, populations

OWN, OTHER = indicator_key("cadrage/population_municipale"), indicator_key("social/foyers_allocataires")
Asked = dict[str, tuple[str, str, bool, bool]]


def without_a_commune(rows: list[list[str]]) -> None:
    rows.pop(4)


class Ticks:
    """The ticks of both sensors, that of indicators and Dagster's automation of what is published."""

    def __init__(self, instance: dg.DagsterInstance, home: Home) -> None:
        self.instance, self.home = instance, home
        self.cursor: str | None = None
        self.published: dg.AssetDaemonCursor | None = None

    def indicators(self) -> Asked | str:
        """By job, first and last month, whether it takes the population's and the other indicator."""
        resources = {"warehouse": Warehouse(database=str(self.home.warehouse))}
        job = dg.define_asset_job(indicators_job("annual_1"))
        with dg.build_sensor_context(self.instance, self.cursor, resources=resources) as context:
            result = indicators_sensor([job])(context)
        if isinstance(result, dg.SkipReason):
            return str(result.skip_message)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        found = {}
        for request in result.run_requests or []:
            first, last = (request.tags[f"dagster/asset_partition_range_{e}"] for e in ("start", "end"))
            keys = request.asset_selection or []
            found[str(request.job_name)] = (first, last, OWN in keys, OTHER in keys)
        return found

    def release(self) -> bool:
        """Whether a release is asked for."""
        result = dg.evaluate_automation_conditions(
            defs(), self.instance, dg.AssetSelection.assets(RECUEIL), cursor=self.published
        )
        self.published = result.cursor
        return result.total_requested == 1


def test_what_is_accepted_is_computed_once_then_published(
    project: Project, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert OTHER.path[1:] == project.indicators["foyers_allocataires"].path.split("/")

    def gate(folder: str, year: int, broken: bool = False) -> None:
        populations(tmp_path / folder, year, without_a_commune if broken else None)
        list(receive(project, home, [tmp_path / folder]))
        for batch in waiting(project, home):
            runs.run_feeds(instance, batch)

    with runs.instance_of(home) as instance:
        ticks = Ticks(instance, home)
        assert ticks.indicators() == {} and not ticks.release()
        gate("a", 2018)
        gate("b", 2019, broken=True)
        gate("c", 2020)
        assert instance.get_materialized_partitions(feed_key(FEED)) == {"2018-01", "2020-01"}
        assert ticks.indicators() == {indicators_job("annual_1"): ("2018-01", "2020-01", True, False)}
        assert ticks.indicators() == {}
        assert not ticks.release()
        # A lost run leaves the values out of date: they are asked for again.
        monkeypatch.setattr(computing, "AGAIN", 0)
        assert ticks.indicators() == {indicators_job("annual_1"): ("2018-01", "2020-01", True, False)}
        for batch in outdated(project, home):
            assert runs.run_indicators(instance, batch)
        assert ticks.indicators() == {}
        assert ticks.release()
        assert runs.run_recueil(instance)
        assert not ticks.release()
        # A delivery refused over an accepted month changes nothing for what depends on it.
        gate("d", 2018, broken=True)
        assert ticks.indicators() == {} and not ticks.release()


@pytest.mark.parametrize("tag", [RHYTHM, COMPUTES])
def test_nothing_is_computed_while_figures_are_judged_or_computed(home: Home, tag: str) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_run(
            dg.DagsterRun("any", tags={tag: "annual_1"}, status=dg.DagsterRunStatus.STARTED)
        )
        assert "under way" in str(Ticks(instance, home).indicators())
