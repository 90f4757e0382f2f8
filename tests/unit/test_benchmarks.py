"""The observatory that `make bench` measures follows the declarations' rules as they change."""

from pathlib import Path

from benchmarks.observatory import Size, fill, month, write_project
from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.compute import compute
from odds_pipeline.storage.store import Store


def test_it_loads_and_computes(tmp_path: Path) -> None:
    size = Size(indicators=24, months=14)
    write_project(tmp_path / "project", size.indicators)
    project = Project.load(tmp_path / "project")
    with Store(tmp_path / "warehouse.duckdb").connect() as connection:
        fill(project, connection, size.months)
        counts = compute(project, connection, list(project.indicators), month(0), month(13))
    assert len(counts) == size.asset_months
    assert sum(filled for _, filled in counts.values()) == size.values
