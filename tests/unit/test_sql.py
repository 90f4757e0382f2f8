"""How the code asks DuckDB."""

import re
from pathlib import Path

import duckdb
import pytest

import odds_pipeline
from odds_pipeline.storage.sql import first, one

PACKAGE = Path(odds_pipeline.__file__).parent
HALF_READ = re.compile(r"\bconnection\.execute\((?:[^()]|\([^()]*\))*\)\s*\.fetchone")
"""What asks DuckDB is called ``connection``; results of SQLite and PostgreSQL may be left open."""


def test_no_answer_of_duckdb_is_left_half_read() -> None:
    assert HALF_READ.search('connection.execute(\n    "SELECT max(a) FROM b", [c]\n).fetchone()')
    found = [p for p in PACKAGE.rglob("*.py") if HALF_READ.search(p.read_text(encoding="utf-8"))]
    assert found == []


def test_one_row_is_read_whole() -> None:
    with duckdb.connect() as connection:
        assert one(connection, "SELECT unnest(?) AS n ORDER BY n", [[2, 1]]) == (1,)
        assert one(connection, "SELECT $a", {"a": 3}) == (3,)
        assert first(connection, "SELECT 1 WHERE false") is None
        with pytest.raises(LookupError, match="no answer"):
            one(connection, "SELECT 1 WHERE false")


OF_DUCKDB = [path for path in sorted(PACKAGE.rglob("*.sql")) if "identity" not in path.parts]
"""The accounts' schema is SQLite's."""


@pytest.mark.parametrize("path", OF_DUCKDB, ids=lambda p: p.stem)
def test_sql_files_parse_and_say_what_they_are_about(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("--")
    with duckdb.connect() as connection:
        assert connection.extract_statements(text)
