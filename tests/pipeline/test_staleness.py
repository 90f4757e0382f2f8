"""What a new figure makes stale: exactly the months that read it, and the same values as from scratch."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.compute import compute
from odds_pipeline.indicators.staleness import ALL, stale
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

from .test_gate import gate, populations


def _named(project: Project) -> list[str]:
    feed = "insee/populations_legales"
    reads = {n: {project.variables[v][0].id for v in e.indicator.parsed.variables} for n, e in project.indicators.items()}  # fmt: skip
    return [n for n, feeds in reads.items() if feed in feeds]


def _refresh(project: Project, connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, str]]:
    found = stale(project, connection, _named(project))
    for months in set(found.values()):
        compute(project, connection, [n for n, m in found.items() if m == months], *months)
    assert stale(project, connection, _named(project)) == {}
    return found


def _values(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT * FROM indicator_values ORDER BY ALL").fetchall()


@pytest.fixture
def deliver(project: Project, home: Home, tmp_path: Path) -> Callable[..., None]:
    def some(*years: int, more: int = 0) -> None:
        def edit(rows: list[list[str]]) -> None:
            rows[5][3], rows[5][5] = str(int(rows[5][3]) + more), str(int(rows[5][5]) + more)

        files = [populations(tmp_path / f"{year}-{more}", year, edit) for year in years]
        assert [j.refused for j in gate(project, home, *files)] == [()] * len(years)

    return some


def test_a_new_or_corrected_month_costs_the_months_that_read_it(
    project: Project, home: Home, deliver: Callable[..., None]
) -> None:
    deliver(*range(2012, 2019))
    with Store(home.warehouse).connect() as connection:
        assert set(_refresh(project, connection).values()) == {ALL}
        assert len(_values(connection)) > 500
    deliver(2019)
    deliver(2013, more=100)
    with Store(home.warehouse).connect() as connection:
        found = _refresh(project, connection)
        own = project.indicators["population_municipale"]
        assert found[own.id] == ("2013-01", "2019-01")
        after = _values(connection)
        compute(project, connection, _named(project))
        assert _values(connection) == after
    deliver(2020)
    with Store(home.warehouse).connect() as connection:
        assert _refresh(project, connection)[own.id] == ("2020-01", "2020-01")
        after = _values(connection)
        compute(project, connection, _named(project))
        assert _values(connection) == after


def test_a_verdict_withdrawn_makes_all_of_it_stale(
    project: Project, home: Home, deliver: Callable[..., None]
) -> None:
    deliver(2018, 2019)
    with Store(home.warehouse).connect() as connection:
        _refresh(project, connection)
        connection.execute("DELETE FROM verdicts WHERE month = '2018-01'")
        found = _refresh(project, connection)
        assert found["population_municipale"] == ALL
        months = connection.execute(
            "SELECT DISTINCT month FROM indicator_values WHERE indicator = 'population_municipale'"
        ).fetchall()
    assert months == [("2019-01",)]


def test_a_month_computed_alone_leaves_the_others_stale(
    project: Project, home: Home, deliver: Callable[..., None]
) -> None:
    deliver(2018, 2019)
    with Store(home.warehouse).connect() as connection:
        compute(project, connection, ["population_municipale"], "2019-01", "2019-01")
        assert stale(project, connection, ["population_municipale"]) == {"population_municipale": ALL}
