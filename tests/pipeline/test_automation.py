"""New accepted figures ask once for exactly what depends on them; refused ones ask for nothing."""

from pathlib import Path

import dagster as dg
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.orchestration import runs
from odds_pipeline.orchestration.components.shared import RECUEIL, feed_key, indicator_key
from odds_pipeline.orchestration.definitions import defs
from odds_pipeline.quality.outstanding import outdated, waiting
from odds_pipeline.reception.receive import receive
from odds_pipeline.storage.home import Home

from .test_gate import FEED, populations

Requests = dict[dg.AssetKey, set[str | None]]


class Ticks:
    """The automation sensor's ticks, on a few assets: all 700 take a minute."""

    def __init__(self, instance: dg.DagsterInstance, keys: list[dg.AssetKey]) -> None:
        self.instance, self.keys, self.cursor = instance, keys, None

    def tick(self) -> Requests:
        result = dg.evaluate_automation_conditions(
            defs(), self.instance, dg.AssetSelection.assets(*self.keys), cursor=self.cursor
        )
        self.cursor = result.cursor
        found = {key: set(result.get_requested_partitions(key)) for key in self.keys}
        return {key: partitions for key, partitions in found.items() if partitions}


def test_what_is_accepted_is_computed_once_then_published(
    project: Project, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, other = (
        indicator_key("cadrage/population_municipale"),
        indicator_key("social/foyers_allocataires"),
    )
    assert other.path[1:] == project.indicators["foyers_allocataires"].path.split("/")

    def gate(folder: str, year: int, broken: bool = False) -> None:
        populations(tmp_path / folder, year, (lambda rows: rows.pop(4)) if broken else None)
        list(receive(project, home, [tmp_path / folder]))
        for batch in waiting(project, home):
            runs.run_feeds(instance, batch)

    with runs.instance_of(home) as instance:
        ticks = Ticks(instance, [own, other, RECUEIL])
        assert ticks.tick() == {}
        gate("a", 2018)
        gate("b", 2019, broken=True)
        gate("c", 2020)
        assert instance.get_materialized_partitions(feed_key(FEED)) == {"2018-01", "2020-01"}
        assert ticks.tick() == {own: {"2018-01", "2020-01"}}
        assert ticks.tick() == {}
        for batch in outdated(project, home):
            assert runs.run_indicators(instance, batch)
        assert ticks.tick() == {RECUEIL: {None}}
        assert runs.run_recueil(instance)
        assert ticks.tick() == {}
        # A delivery refused over an accepted month changes nothing for what depends on it.
        gate("d", 2018, broken=True)
        assert ticks.tick() == {}
