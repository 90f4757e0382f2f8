"""One release holds three files: each class of readers finds its own figures and no others."""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from odds_pipeline.declarations.access import WIDEST, WIDEST_FIRST, strictest
from odds_pipeline.declarations.project import Project
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.reception.receive import receive
from odds_pipeline.release import class_files
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.sql import quoted
from odds_pipeline.storage.store import Store

from .test_gate import COMMUNES, populations


def deliver(
    project: Project, home: Home, path: Path, feed: str, figure: Callable[[str, str], str]
) -> None:
    """Deliver one month of a feed with the template's columns; ``figure`` takes commune and variable."""
    declared = project.feeds[feed].feed
    names = list(declared.variables)
    lines = [";".join(["code_insee", *(declared.columns[n].names[0] for n in names)])]
    lines += [";".join([code, *(figure(code, name) for name in names)]) for code in COMMUNES]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with Store(home.warehouse).kept_open():
        list(receive(project, home, [path]))
        (judgement,) = judge_pending(project, home, feed)
    assert judgement.accepted, judgement.findings


def test_each_class_file_holds_what_its_class_may_read(
    project: Project, home: Home, tmp_path: Path
) -> None:
    """Populations are public, the CAF's foyers are for members: the public file has the first only."""
    list(receive(project, home, [populations(tmp_path / "in", 2019)]))
    judge_pending(project, home, "insee/populations_legales")
    deliver(
        project, home, tmp_path / "caf_allocataires_2024-03.csv", "caf/allocataires", lambda c, v: "1000"
    )
    release = publish(project, home)
    assert sorted(p.name for p in release.path.iterdir()) == sorted(f"{e}.duckdb" for e in WIDEST_FIRST)
    partners = {}
    for access in WIDEST_FIRST:
        with open_release(home, access=access) as connection:
            rows = connection.execute("SELECT DISTINCT split_part(variable, '.', 1) FROM observations")
            partners[access] = {row[0] for row in rows.fetchall()}
            feeds = {row[0] for row in connection.execute("SELECT feed FROM deliveries").fetchall()}
            classes = connection.execute("SELECT DISTINCT access FROM definitions").fetchall()
            foyers = connection.execute(
                "SELECT count(*) FROM indicator_values WHERE indicator = 'foyers_allocataires'"
            ).fetchone()
        assert ("caf/allocataires" in feeds) == (access != "public")
        assert (foyers != (0,)) == (access != "public")
        assert strictest(row[0] for row in classes) == access
    assert partners == {
        "public": {"insee"},
        "membres": {"insee", "caf"},
        "partenaires": {"insee", "caf"},
    }


@pytest.mark.parametrize(
    ("indicator", "access"),
    [
        ("population_municipale", "public"),
        ("foyers_allocataires", "membres"),
    ],
)
def test_the_strictest_of_what_a_formula_reads_wins(
    project: Project, indicator: str, access: str
) -> None:
    assert project.access_of(project.indicators[indicator].indicator) == access


def test_a_rate_over_a_public_population_stays_for_partners(project: Project) -> None:
    entry = next(
        e
        for e in project.indicators.values()
        if {project.variables[v][0].access for v in e.indicator.parsed.variables}
        == {"public", "partenaires"}
    )
    assert project.access_of(entry.indicator) == "partenaires"


def test_provisional_figures_are_for_members_first(project: Project, home: Home, tmp_path: Path) -> None:
    """Until the producer confirms them, neither the figures nor what is computed from them are public."""
    list(
        receive(project, home, [populations(tmp_path / "in", 2019), populations(tmp_path / "in", 2020)])
    )
    judge_pending(project, home, "insee/populations_legales")
    with Store(home.warehouse).transaction() as connection:
        (latest,) = connection.execute("SELECT max(month) FROM observations").fetchall()
        connection.execute("UPDATE observations SET obs_status = 'P' WHERE month = ?", latest)
    publish(project, home)
    months = {}
    for access in WIDEST_FIRST:
        with open_release(home, access=access) as connection:
            for table in ("observations", "indicator_values", "converted_values"):
                rows = connection.execute(
                    f"SELECT DISTINCT month, obs_status FROM {table} WHERE value IS NOT NULL"
                ).fetchall()
                months[access, table] = {m for m, _ in rows}
                assert access != "public" or not any(status == "P" for _, status in rows)
    for table in ("observations", "indicator_values", "converted_values"):
        assert latest[0] not in months["public", table]
        assert latest[0] in months["membres", table]
        assert months["public", table] == months["membres", table] - {latest[0]}


def test_a_converted_figure_alone_that_is_provisional_is_not_public(
    project: Project, home: Home, tmp_path: Path
) -> None:
    list(receive(project, home, [populations(tmp_path / "in", 2019)]))
    judge_pending(project, home, "insee/populations_legales")
    release = publish(project, home)
    widest, narrower = tmp_path / "widest.duckdb", tmp_path / "public.duckdb"
    shutil.copy(release.path / f"{WIDEST}.duckdb", widest)
    widest.chmod(0o600)
    with duckdb.connect(str(widest)) as connection:
        (before,) = connection.execute("SELECT count(*) FROM converted_values").fetchall()
        connection.execute("UPDATE converted_values SET obs_status = 'P'")
    about = class_files.ReleaseMetadata(1, "", "", "", "", None, pd.DataFrame({"edition": ["public"]}))
    class_files.write_narrower(project, widest, narrower, "public", about)
    with duckdb.connect(str(narrower), read_only=True) as connection:
        assert before[0] and connection.execute("FROM converted_values").fetchall() == []


def test_comparisons_taken_from_the_widest_file_are_those_of_the_file_itself(
    project: Project, home: Home, tmp_path: Path
) -> None:
    """A rank, a quartile or an interval rests on values of its own indicator alone."""
    list(receive(project, home, [populations(tmp_path / "in", year) for year in (2014, 2019, 2020)]))
    judge_pending(project, home, "insee/populations_legales")
    deliver(
        project,
        home,
        tmp_path / "caf_allocataires_2024-03.csv",
        "caf/allocataires",
        lambda c, v: str(int(c) - 92900),
    )
    release = publish(project, home)
    counts = []
    for access in WIDEST_FIRST:
        with duckdb.connect() as anew, open_release(home, access=access) as written:
            anew.execute(f"ATTACH {quoted(release.path / f'{WIDEST}.duckdb')} AS widest (READ_ONLY)")
            anew.register("shown", written.execute("SELECT indicator FROM definitions").df())
            anew.execute("CREATE TABLE definitions AS FROM shown")
            class_files._compare_anew(project, anew, "2024-03")
            rows = written.execute("FROM indicator_values ORDER BY ALL").fetchall()
            assert rows == anew.execute("FROM indicator_values ORDER BY ALL").fetchall()
            counts.append(len(rows))
    assert len(set(counts)) == 2


def test_what_a_try_before_left_of_a_file_is_written_anew(
    project: Project, home: Home, tmp_path: Path
) -> None:
    """The second process may end in the middle of a file: this one then writes it."""
    list(receive(project, home, [populations(tmp_path / "in", 2019)]))
    judge_pending(project, home, "insee/populations_legales")
    release = publish(project, home)
    widest, again = release.path / f"{WIDEST}.duckdb", tmp_path / "public.duckdb"
    for left in (again, tmp_path / "public.duckdb.wal"):
        left.write_bytes(b"half a file")
    about = class_files.ReleaseMetadata(1, "", "", "", "", None, pd.DataFrame({"edition": ["public"]}))
    class_files.write_narrower(project, widest, again, "public", about)
    with (
        duckdb.connect(str(again), read_only=True) as one,
        open_release(home, access="public") as other,
    ):
        for table in ("observations", "indicator_values", "deliveries"):
            rows = one.execute(f"FROM {table} ORDER BY ALL").fetchall()
            assert rows == other.execute(f"FROM {table} ORDER BY ALL").fetchall() != []
