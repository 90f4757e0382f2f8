"""A warehouse kept open from one use to the next: others get in between, an error starts anew."""

import threading
import time
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from odds_pipeline.orchestration.components.shared import Warehouse
from odds_pipeline.storage.store import Store

INSERT = "INSERT INTO indicator_bases VALUES ('x', 'basis')"


def is_kept(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether it is the connection that was marked."""
    return bool(connection.execute("FROM duckdb_tables() WHERE table_name = 'mark'").fetchall())


def one_that_waits_gets_in(store: Store) -> None:
    """Between two uses; without one that waits the connection stays the same."""
    entered = threading.Event()

    def other() -> None:
        with store.connect() as connection:
            connection.execute(INSERT)
            entered.set()

    with store.kept_open():
        with store.connect() as connection:
            connection.execute("CREATE TEMP TABLE mark AS SELECT 1")
        with store.connect() as connection:
            assert is_kept(connection)
        thread = threading.Thread(target=other)
        thread.start()
        deadline = time.monotonic() + 60
        while not entered.is_set() and time.monotonic() < deadline:
            with store.connect():
                pass
        assert entered.is_set()
        thread.join()
        with store.connect() as connection:
            assert not is_kept(connection)
            assert connection.execute("SELECT count(*) FROM indicator_bases").fetchone() == (1,)


def an_error_starts_anew(store: Store) -> None:
    """What was begun is undone, the next use works, and the lock is free at the end."""
    with store.kept_open():
        with store.connect() as connection:
            connection.execute("CREATE TEMP TABLE mark AS SELECT 1")
        with pytest.raises(ZeroDivisionError), store.transaction() as connection:
            connection.execute(INSERT)
            raise ZeroDivisionError
        with store.connect() as connection:
            assert not is_kept(connection)
            assert connection.execute("SELECT count(*) FROM indicator_bases").fetchone() == (0,)
    with store.connect() as connection:
        connection.execute(INSERT)


def test_one_that_waits_gets_in(tmp_path: Path) -> None:
    one_that_waits_gets_in(Store(tmp_path / "warehouse.duckdb"))


def test_an_error_starts_anew(tmp_path: Path) -> None:
    an_error_starts_anew(Store(tmp_path / "warehouse.duckdb"))


def test_another_warehouse_is_another_one(tmp_path: Path) -> None:
    with (
        Store(tmp_path / "one.duckdb").kept_open(),
        Store(tmp_path / "one.duckdb").connect() as one,
        Store(tmp_path / "two.duckdb").connect() as two,
    ):
        one.execute(INSERT)
        assert two.execute("FROM indicator_bases").fetchall() == []


def test_a_run_opens_it_once_even_inside_a_command_that_keeps_it(tmp_path: Path) -> None:
    seen: list[bool] = []

    @dg.asset
    def first(warehouse: Warehouse) -> None:
        with warehouse.get_connection() as connection:
            connection.execute("CREATE OR REPLACE TEMP TABLE mark AS SELECT 1")

    @dg.asset(deps=[first])
    def second(warehouse: Warehouse) -> None:
        with warehouse.get_connection() as connection:
            seen.append(is_kept(connection))

    store = Store(tmp_path / "warehouse.duckdb")
    resources = {"warehouse": Warehouse(database=str(store.path))}
    assert dg.materialize([first, second], resources=resources).success
    with store.connect() as connection:  # free again
        seen.append(is_kept(connection))
    with store.kept_open():
        assert dg.materialize([first, second], resources=resources).success
        with store.connect() as connection:
            seen.append(is_kept(connection))
    assert seen == [True, False, True, True]
