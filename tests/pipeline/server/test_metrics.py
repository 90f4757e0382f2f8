"""What a monitoring system reads of an observatory."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.operations import checks
from odds_pipeline.reception.receive import receive
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

from ... import services
from ..test_gate import populations

Read = dict[tuple[str, ...], float]


def read(home: Home) -> Read:
    """The gauges as Prometheus reads them: name and labels → value. All are of this observatory."""
    from prometheus_client.parser import text_string_to_metric_families

    from odds_pipeline.operations.metrics import metrics

    families = text_string_to_metric_families(metrics(home))
    samples = [sample for family in families for sample in family.samples]
    assert {sample.labels.pop("observatory") for sample in samples} == {"odds93"}
    return {(s.name, *s.labels.values()): s.value for s in samples}


def test_what_waits_and_what_is_in_order(project: Project, home: Home) -> None:
    home.landing.mkdir(parents=True)
    populations(home.landing, 2021)
    list(receive(project, home, sorted(home.landing.iterdir())))
    found = read(home)
    assert found["odds_months", "pending"] == 1
    assert found["odds_months", "quarantine"] == 0
    assert found["odds_in_order", "warehouse"] == 1
    assert found["odds_runs", "FAILURE"] == 0
    assert "odds_release_age_seconds" not in {name for name, *_ in found}


def test_a_writer_at_work_is_not_waited_for(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "WAIT_SECONDS", 0)
    with Store(home.warehouse).connect():
        found = read(home)
    assert found["odds_writers", "at work"] == 1
    assert found["odds_writers", "waiting"] == 0
    assert not [key for key in found if key[0] == "odds_months"]


def test_writers_of_a_lake_that_wait_are_counted(lake: str, home: Home) -> None:
    store = Store(home.warehouse)
    assert store.writers() == (0, 0)
    with ThreadPoolExecutor() as pool, store.connect():
        waits = pool.submit(_writes, store)
        services.until(lambda: store.writers() == (1, 1), 60, "a second writer")
        found = read(home)
        assert found["odds_writers", "at work"] == found["odds_writers", "waiting"] == 1
        assert found["odds_months", "pending"] == 0  # a lake is read whoever writes
    waits.result()
    assert store.writers() == (0, 0)


def _writes(store: Store) -> None:
    with store.connect():
        pass


def test_a_broken_observatory_is_still_told(home: Home) -> None:
    """What cannot be read is absent; that it is wrong is what the watch came for."""
    home.releases.mkdir(parents=True)
    (home.releases / "current").write_text("x")
    home.warehouse.write_bytes(b"no database")
    found = read(home)
    assert (found["odds_in_order", "release"], found["odds_in_order", "warehouse"]) == (0, 0)
    assert found["odds_runs", "FAILURE"] == 0
    assert "odds_release_number" not in {name for name, *_ in found}
