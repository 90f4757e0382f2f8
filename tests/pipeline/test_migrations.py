"""A warehouse of each earlier version is brought up to date; one of a later version is left alone."""

from pathlib import Path

import duckdb
import pytest

from odds_pipeline.storage.home import Home
from odds_pipeline.storage.lake import attach_lake
from odds_pipeline.storage.migrations import Migration, NewerSchema, read_migrations
from odds_pipeline.storage.schema import MIGRATIONS, apply_schema, version_of, without_keys
from odds_pipeline.storage.store import Store

KEPT = Path(__file__).parent / "warehouses"
TABLES = (
    "deliveries", "delivered_months", "verdicts", "overrulings", "observations", "indicator_values",
    "indicator_bases", "indicator_verdicts", "published_cells",
)  # fmt: skip


def rows(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[object, ...]]]:
    return {table: connection.execute(f"FROM {table} ORDER BY ALL").fetchall() for table in TABLES}


def test_a_warehouse_of_each_version_is_kept() -> None:
    assert sorted(path.stem for path in KEPT.glob("*.sql")) == [
        f"{number:04d}" for number in range(len(MIGRATIONS))
    ]


def check_up_to_date(home: Home, before: dict[str, list[tuple[object, ...]]]) -> None:
    for _ in range(2):
        with Store(home.warehouse).connect() as connection:
            assert version_of(connection) == len(MIGRATIONS)
            assert rows(connection) == before
            reserve = connection.execute("SELECT reserve FROM trusted_months").fetchall()
            assert reserve == [
                ("Publié malgré une règle non respectée. Motif : connu "
                 "(le responsable, 06/01/2024).",)
            ]  # fmt: skip
            assert connection.execute("SELECT month FROM quarantine").fetchall() == [("2024-12",)]


@pytest.mark.parametrize("kept", sorted(KEPT.glob("*.sql")), ids=lambda path: path.stem)
def test_an_earlier_warehouse_is_brought_up_to_date(kept: Path, tmp_path: Path) -> None:
    home = Home(tmp_path)
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(kept.read_text(encoding="utf-8"))
        before = rows(connection)
    check_up_to_date(home, before)


@pytest.mark.parametrize("kept", sorted(KEPT.glob("*.sql")), ids=lambda path: path.stem)
def test_the_same_of_a_lake(kept: Path, bare_lake: str, tmp_path: Path) -> None:
    home = Home(tmp_path / "odds")
    storage = Store(home.warehouse).storage
    text = without_keys([Migration(1, "kept", kept.read_text(encoding="utf-8"))])[0].sql
    with duckdb.connect() as connection:
        attach_lake(connection, storage, "lake")  # type: ignore[arg-type]
        connection.execute("USE lake")
        connection.execute(text)
        before = rows(connection)
    check_up_to_date(home, before)


SECOND = Migration(len(MIGRATIONS) + 1, "essai", "ALTER TABLE deliveries ADD COLUMN sent_by VARCHAR")


def test_a_later_warehouse_is_refused_and_left_alone(home: Home) -> None:
    with Store(home.warehouse).connect() as connection:
        apply_schema(connection, [*MIGRATIONS, SECOND])
        assert version_of(connection) == SECOND.number
    with pytest.raises(NewerSchema, match="newer program"), Store(home.warehouse).connect():
        pass
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        assert version_of(connection) == SECOND.number
        connection.execute("SELECT sent_by FROM deliveries")


def test_a_migration_that_fails_leaves_the_version_before(home: Home) -> None:
    wrong = Migration(
        SECOND.number, "faux", "ALTER TABLE deliveries ADD COLUMN a INTEGER; SELECT 1 / nothing"
    )
    with pytest.raises(duckdb.Error), Store(home.warehouse).connect() as connection:
        apply_schema(connection, [*MIGRATIONS, wrong])
    with Store(home.warehouse).connect() as connection:
        assert version_of(connection) == len(MIGRATIONS)
        assert "a" not in [row[0] for row in connection.execute("DESCRIBE deliveries").fetchall()]


def test_a_number_left_out_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_text("")
    (tmp_path / "0003_b.sql").write_text("")
    with pytest.raises(AssertionError, match="missing"):
        read_migrations(tmp_path)
