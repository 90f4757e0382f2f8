"""The stages of publishing read and make the tables that they declare, and leave none behind."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.release.publish import publish
from odds_pipeline.release.recueil_gate import Held
from odds_pipeline.release.stages import DECIDE, WRITE, Publication, Stage, keep_values
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store
from odds_pipeline.storage.temporary import ending, temporaries

from .test_class_files import deliver
from .test_secrecy import foyers

READ = re.compile(r"\b(?:FROM|JOIN)\s+(?:temp\.)?([a-z_]+)\b(?!\.)")
MADE = re.compile(
    r"\b(?:CREATE (?:OR REPLACE )?(?:TEMP )?(?:TABLE|VIEW)|INSERT INTO|UPDATE|DELETE FROM)\s+([a-z_]+)\b(?!\.)"
)


class Recorder:
    """A connection that remembers what it was asked."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection, self.asked = connection, list[str]()

    def execute(self, sql: str, *given: Any) -> Any:
        self.asked.append(re.sub(r"--.*", "", sql))
        return self.connection.execute(sql, *given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def known(self) -> set[str]:
        """The tables and views there are, of the warehouse and temporary."""
        rows = self.connection.execute(
            "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views() WHERE NOT internal"
        ).fetchall()
        return {name for (name,) in rows}


@contextmanager
def only(connection: duckdb.DuckDBPyConnection, names: tuple[str, ...]) -> Iterator[None]:
    """Inside, no other temporary table has its name."""
    away = [n for n, kind in temporaries(connection).items() if kind == "TABLE" and n not in names]
    for name in away:
        connection.execute(f"ALTER TABLE temp.{name} RENAME TO {name}_away")
    yield
    for name in away:
        connection.execute(f"ALTER TABLE temp.{name}_away RENAME TO {name}")


@pytest.fixture(scope="module")
def one_more(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Home:
    tmp_path = tmp_path_factory.mktemp("one_more")
    home = Home(tmp_path / "odds")
    for month, small in (("03", {"93008": 9}), ("04", {"93008": 8})):
        path = tmp_path / f"caf_allocataires_2024-{month}.csv"
        deliver(project, home, path, "caf/allocataires", foyers(small, int(month)))
        if month == "03":
            publish(project, home)
    return home


@pytest.fixture
def second(one_more: Home, home: Home) -> Home:
    """An observatory with one release, hidden figures in it, and one more month to publish; one's own."""
    shutil.copytree(one_more.path, home.path, symlinks=True)
    return home


def test_stages_read_and_make_what_they_declare(project: Project, second: Home) -> None:
    folder = second.releases / ".0002.tmp"
    with Store(second.warehouse).connect() as connection, ending(connection):
        recorder = Recorder(connection)
        publication = Publication(project, second, recorder, 1, folder)  # type: ignore[arg-type]
        made = set(temporaries(connection))
        for stage in (*DECIDE, *WRITE):
            name, recorder.asked = stage.does.__name__, []
            if stage.does is keep_values:  # as if an indicator were held: else there is nothing to keep
                publication.held = Held({"population_municipale": "rule"}, frozenset())
            with only(connection, stage.reads + stage.makes):
                known = recorder.known()
                stage.run(publication)
            sql = re.sub(r'USE release.*USE "', "", "\n".join(recorder.asked), flags=re.S)
            written = set(MADE.findall(sql)) & (known | recorder.known())
            read = set(READ.findall(re.sub(r"DELETE FROM", "", sql))) & known
            assert written == set(stage.makes), name
            assert read - set(stage.makes) == set(stage.reads) - set(stage.makes), name
            made |= set(stage.makes)
            assert set(temporaries(connection)) <= made, name
    assert folder.exists()


def test_no_temporary_table_outlives_a_publication(project: Project, second: Home) -> None:
    with Store(second.warehouse).kept_open():
        with Store(second.warehouse).connect() as connection:
            views = temporaries(connection)
        publish(project, second)
        with Store(second.warehouse).connect() as connection:
            assert temporaries(connection) == views


def test_a_stage_that_leaves_a_table_undeclared_has_it_dropped() -> None:
    def leaves(p: Publication) -> None:
        p.connection.execute("CREATE TEMP TABLE left_over AS SELECT 1 AS a")
        p.connection.execute("CREATE TEMP VIEW seen AS FROM left_over")

    with duckdb.connect() as connection:
        publication = Publication(None, None, connection, 0, Path())  # type: ignore[arg-type]
        Stage(leaves).run(publication)
        assert temporaries(connection) == {}
        Stage(leaves, makes=("left_over",)).run(publication)
        assert set(temporaries(connection)) == {"left_over"}
