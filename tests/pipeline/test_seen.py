"""What happens to a file is seen in Dagster, whoever did it, with what to do; and can be done from there."""

import os
from pathlib import Path

import dagster as dg
import pytest
from dagster_duckdb import DuckDBResource

from odds_pipeline.declarations.project import Project
from odds_pipeline.orchestration import runs
from odds_pipeline.orchestration.components.decisions import JOBS
from odds_pipeline.orchestration.components.shared import RECEPTION, feed_key
from odds_pipeline.orchestration.components.told import failed_months, tell_receptions, untold
from odds_pipeline.quality.outstanding import waiting
from odds_pipeline.reception.receive import receive
from odds_pipeline.storage.home import Home, NoHome

from .test_gate import FEED, _corrected, populations


def events(instance: dg.DagsterInstance) -> list[tuple[str, str, str, str]]:
    """State, file, feed and months of each reception's event, oldest first."""
    records = instance.fetch_observations(RECEPTION, limit=50, ascending=True).records
    found = [r.asset_observation.metadata for r in records if r.asset_observation]
    return [tuple(str(m[k].value) for k in ("état", "fichier", "source", "mois")) for m in found]  # type: ignore[misc]


def decide(
    instance: dg.DagsterInstance, home: Home, name: str, **config: str
) -> dg.ExecuteInProcessResult:
    (job,) = [job for job in JOBS if job.name == name]
    return job.execute_in_process(
        instance=instance,
        raise_on_error=False,
        resources={"warehouse": DuckDBResource(database=str(home.warehouse))},
        run_config={"ops": {f"{name}_file": {"config": config}}},
    )


def said(result: dg.ExecuteInProcessResult) -> str:
    (event,) = [e for e in result.all_events if e.is_successful_output]
    return str(event.step_output_data.metadata["dit"].value)


def reason(result: dg.ExecuteInProcessResult) -> str:
    (event,) = [e for e in result.all_events if e.is_step_failure]
    assert event.step_failure_data.user_failure_data is not None
    return str(event.step_failure_data.user_failure_data.description)


def test_every_file_is_an_event_and_what_waits_is_decided_from_the_interface(
    project: Project, home: Home, tmp_path: Path
) -> None:
    bad = populations(tmp_path / "in", 2018, lambda rows: rows[3].__setitem__(3, "-12"))
    stray = tmp_path / "in" / "divers.csv"
    stray.write_text("couleur;nombre\nrouge;3\n")
    list(receive(project, home, [bad, stray]))
    with runs.instance_of(home) as instance:
        tell_receptions(instance, home)
        assert tell_receptions(instance, home) == 0
        assert set(events(instance)) == {
            ("reçu", bad.name, FEED, "2018-01"),
            ("mis de côté", stray.name, "aucune", "aucun"),
        }
        (batch,) = waiting(project, home)
        assert not runs.run_feeds(instance, batch)
        assert failed_months(instance, feed_key(FEED)) == {"2018-01"}
        assert untold(instance, home) == set()

        letter = said(decide(instance, home, "notice", file=bad.name))
        assert "-12" in letter and bad.name in letter
        assert "figure" in reason(decide(instance, home, "accept", file=bad.name, reason="12 confirmés", by="direction"))  # fmt: skip
        decide(instance, home, "dismiss", file=stray.name, reason="liste de couleurs", by="équipe")
        assert events(instance)[-1][:2] == ("écarté", stray.name)
        assert "nothing named" in reason(decide(instance, home, "retry", file=stray.name[:3] + "zz"))
        assert "2018-01" in said(decide(instance, home, "retry", file=bad.name))
    assert [batch.first for batch in waiting(project, home)] == ["2018-01"]


def test_a_month_refused_at_reception_or_accepted_by_a_person_asks_for_its_run(
    project: Project, home: Home, tmp_path: Path
) -> None:
    right = populations(tmp_path / "a", 2019)
    list(receive(project, home, [right]))
    other = populations(tmp_path / "b", 2019, _corrected)
    os.utime(other, (1_500_000_000, 1_500_000_000))  # older than what it would replace
    with runs.instance_of(home) as instance:
        (batch,) = waiting(project, home)
        assert runs.run_feeds(instance, batch)
        list(receive(project, home, [other]))
        assert waiting(project, home) == []
        assert untold(instance, home) == {(FEED, "2019-01")}
        (batch,) = waiting(project, home, also=untold(instance, home))
        assert not runs.run_feeds(instance, batch)
        assert failed_months(instance, feed_key(FEED)) == {"2019-01"}
        done = decide(instance, home, "accept", file=other.name, reason="recensement corrigé", by="chargé d’études")  # fmt: skip
        assert done.success
        assert untold(instance, home) == {(FEED, "2019-01")}
        (batch,) = waiting(project, home, also=untold(instance, home))
        assert runs.run_feeds(instance, batch)
        assert untold(instance, home) == set() == failed_months(instance, feed_key(FEED))


@pytest.mark.parametrize("folder", ["elsewhere", "project"])
def test_nothing_is_made_outside_a_project(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ODDS_HOME", raising=False)
    if folder == "project":
        (tmp_path / "assets").mkdir()
        assert Home.from_environment().path == tmp_path / "data"
        return
    with pytest.raises(NoHome, match="ODDS_HOME is not set"):
        Home.from_environment()
