"""No database that is opened draws a bar on standard output, where JSON is read, or asks the network."""

from pathlib import Path

import duckdb
import pytest

import odds_pipeline
from odds_pipeline.storage.duck import connect
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.scratch import scratch
from odds_pipeline.storage.store import Store

_ASKED = """
SELECT current_setting('enable_progress_bar'), current_setting('autoinstall_known_extensions')
"""


def settings(connection: duckdb.DuckDBPyConnection) -> tuple[object, ...]:
    return connection.execute(_ASKED).fetchall()[0]


def test_a_warehouse(home: Home) -> None:
    with Store(home.warehouse).connect() as connection:
        assert settings(connection) == (False, False)
    with Store(home.warehouse).reading() as connection:
        assert settings(connection) == (False, False)


def test_a_lake(lake: str, home: Home) -> None:
    test_a_warehouse(home)


def test_tables_in_memory() -> None:
    with scratch() as connection:
        assert settings(connection) == (False, False)


def test_a_file_whose_settings_are_locked(tmp_path: Path) -> None:
    with connect(tmp_path / "one") as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS x")
    with (
        connect(tmp_path / "one", read_only=True, locked=True) as connection,
        connect(tmp_path / "one", read_only=True, locked=True) as beside,
    ):
        assert settings(connection) == (False, False)
        assert beside.execute("FROM t").fetchall() == [(1,)]
        with pytest.raises(duckdb.InvalidInputException, match="locked"):
            beside.execute("SET enable_progress_bar = true")


def test_there_is_no_other_way() -> None:
    package = Path(odds_pipeline.__file__).parent
    opened = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "duckdb.connect(" in path.read_text(encoding="utf-8")
    ]
    assert opened == ["storage/duck.py"]
