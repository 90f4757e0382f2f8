"""What a reader may and may not learn from releases: rules, totals, rates, revisions, classes."""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import numbers, open_release
from odds_pipeline.secrecy.memory import Forgotten, whole
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.manifest import Unread

from .test_class_files import deliver

Figure = Callable[[str, str], str]


def foyers(small: dict[str, int], month: int = 0, variable: str = "foyers_monoparents") -> Figure:
    """A thousand or so of everything, a hundred or so of ``variable``, but in some communes."""

    def figure(code: str, name: str) -> str:
        own = int(code) % 17 + month * (int(code) % 5)
        return str(small.get(code, 100 + own) if name == variable else 1000 + 10 * own)

    return figure


def values(release: duckdb.DuckDBPyConnection, variable: str) -> dict[str, float | None]:
    rows = release.execute(
        "SELECT territory, value FROM observations WHERE variable = ?", [variable]
    ).fetchall()
    return dict(rows)


def hidden_by(release: duckdb.DuckDBPyConnection, table: str, **where: str) -> dict[str, str]:
    conditions = " AND ".join(f"{column} = ?" for column in where)
    rows = release.execute(
        f"SELECT territory, hidden_by FROM {table} WHERE hidden_by IS NOT NULL AND {conditions}",
        list(where.values()),
    ).fetchall()
    return dict(rows)


@pytest.fixture(scope="module")
def first(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Three foyers in Bobigny, under the CAF's threshold of five; a hundred or more elsewhere."""
    folder = tmp_path_factory.mktemp("first")
    home = Home(folder / "odds")
    path = folder / "caf_allocataires_2024-03.csv"
    deliver(project, home, path, "caf/allocataires", foyers({"93008": 3}))
    publish(project, home)
    return home


@pytest.fixture
def published(first: Home, home: Home) -> Home:
    """A copy of one's own, to change."""
    shutil.copytree(first.path, home.path, symlinks=True)
    return home


def _with_april(project: Project, first: Home, folder: Path, small: dict[str, int]) -> Home:
    """Release 2 after it: April is delivered too."""
    home = Home(folder / "odds")
    shutil.copytree(first.path, home.path, symlinks=True)
    april = folder / "caf_allocataires_2024-04.csv"
    deliver(project, home, april, "caf/allocataires", foyers(small, month=1))
    assert publish(project, home).number == 2
    return home


@pytest.fixture(scope="module")
def second(project: Project, first: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Nothing small in April."""
    return _with_april(project, first, tmp_path_factory.mktemp("second"), {})


@pytest.fixture(scope="module")
def small_again(project: Project, first: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Three foyers in Bobigny in April too."""
    return _with_april(project, first, tmp_path_factory.mktemp("small_again"), {"93008": 3})


def test_a_small_count_is_hidden_with_one_other_and_the_total_stays(first: Home) -> None:
    with open_release(first) as release:
        hidden = hidden_by(release, "observations", variable="caf.foyers_monoparents")
        total = release.execute(
            "SELECT value, conf_status FROM indicator_values "
            "WHERE indicator = 'part_foyers_monoparents' AND territory = '93'"
        ).fetchone()
    # One commune of the same EPT, Est Ensemble, is hidden with it: one of its two smallest, 103 foyers.
    assert hidden.pop("93008") == "primaire"
    assert hidden in ({"93010": "secondaire"}, {"93061": "secondaire"})
    assert total == (pytest.approx(100 * 4219 / 43170), "F")


def test_a_hidden_figure_is_neither_zero_nor_blank(first: Home) -> None:
    with open_release(first) as release:
        rows = release.execute(
            "SELECT DISTINCT hidden_by, value, obs_status, conf_status, lower_bound FROM observations "
            "WHERE hidden_by IS NOT NULL ORDER BY hidden_by"
        ).fetchall()
    assert rows == [("primaire", None, "Q", "C", None), ("secondaire", None, "Q", "D", None)]


def test_what_is_computed_from_a_hidden_figure_is_hidden(first: Home) -> None:
    """A rate with its denominator would give the count back."""
    with open_release(first) as release:
        rows = release.execute(
            "SELECT value, numerator, denominator, hidden_by FROM indicator_values "
            "WHERE indicator = 'part_foyers_monoparents' AND territory = '93008'"
        ).fetchall()
    assert rows == [(None, None, None, "primaire")]


def test_every_edition_hides_the_same(first: Home) -> None:
    found = []
    for access in ("partenaires", "membres"):
        with open_release(first, access=access) as release:  # type: ignore[arg-type]  # a literal
            found.append(hidden_by(release, "observations", variable="caf.foyers_monoparents"))
    assert found[0] == found[1] != {}


def test_hidden_again_in_the_next_release(second: Home) -> None:
    """Another month is delivered: nothing changes for the first one, so the same cells stay hidden."""
    found = []
    for number in (1, 2):
        with open_release(second, number) as release:
            own = hidden_by(release, "observations", variable="caf.foyers_monoparents", month="2024-03")
            found.append(own)
    assert found[0] == found[1] != {}


def test_what_a_killed_publication_wrote_is_forgotten(project: Project, published: Home) -> None:
    """It had noted that release 2 showed everything; no such release exists, so nothing was shown."""
    with duckdb.connect(str(published.warehouse)) as connection:
        connection.execute(
            "INSERT INTO published_cells SELECT 2, variable, month, territory, geography, value, NULL, "
            "small, threshold FROM published_cells"
        )
    (published.memory / "0002.half").write_bytes(b"written before its release was")
    assert not publish(project, published).new
    with duckdb.connect(str(published.warehouse)) as connection:
        assert connection.execute("SELECT max(release) FROM published_cells").fetchone() == (1,)


def test_what_a_release_told_is_remembered_without_the_warehouse(
    project: Project, published: Home, tmp_path: Path
) -> None:
    """Bobigny's 3 becomes 30: shown with all the others, release 1's total would give the 3 back."""
    again = tmp_path / "again"
    again.mkdir()
    shutil.copytree(published.path, tmp_path / "lost")
    lost = Home(tmp_path / "lost")
    lost.warehouse.unlink()
    feed = "caf/allocataires"
    deliver(project, lost, again / "caf_allocataires_2024-03.csv", feed, foyers({"93008": 3}))
    for home in (published, lost):
        deliver(project, home, again / "caf_allocataires_2024-03.csv", feed, foyers({"93008": 30}))
    kept, made_again = publish(project, published), publish(project, lost)
    assert kept.number == made_again.number == 2
    assert kept.content == made_again.content
    with open_release(lost) as release:
        assert hidden_by(release, "observations", variable="caf.foyers_monoparents")


def test_nothing_is_published_beside_a_release_that_nobody_remembers(
    project: Project, published: Home, tmp_path: Path
) -> None:
    published.warehouse.unlink()
    shutil.rmtree(published.memory)
    path = tmp_path / "again" / "caf_allocataires_2024-03.csv"
    path.parent.mkdir()
    deliver(project, published, path, "caf/allocataires", foyers({"93008": 30}))
    with pytest.raises(Forgotten, match=r"memory of release 1 is missing from .*Put it back"):
        publish(project, published)
    assert numbers(published) == [1]


def test_a_release_that_readers_see_and_that_is_gone_is_not_followed(
    project: Project, published: Home
) -> None:
    shutil.rmtree(published.releases / "0001")
    with pytest.raises(Forgotten, match="release 1 is the one that readers see, and it is not in"):
        publish(project, published)


def test_a_former_release_whose_folder_is_lost_is_remembered(
    project: Project, second: Home, home: Home, tmp_path: Path
) -> None:
    """Who took release 1 away still has it: what it hid must not be told by release 3."""
    published = home
    shutil.copytree(second.path, published.path, symlinks=True)
    shutil.rmtree(published.releases / "0001")
    (tmp_path / "again").mkdir()
    march = tmp_path / "again" / "caf_allocataires_2024-03.csv"
    deliver(project, published, march, "caf/allocataires", foyers({"93008": 30}))
    assert publish(project, published).number == 3
    with open_release(published) as release:
        assert hidden_by(release, "observations", variable="caf.foyers_monoparents", month="2024-03")
    published.warehouse.unlink()
    (published.memory / "0001.parquet").unlink()
    with pytest.raises(Forgotten, match="memory of release 1 is missing"):
        publish(project, published)


@pytest.mark.parametrize("lost", ["its folder", "its folder and its memory"])
def test_the_last_release_is_remembered_when_it_is_taken_back_by_hand(
    project: Project, small_again: Home, home: Home, tmp_path: Path, lost: str
) -> None:
    """Release 2 hid Bobigny's 3 of April, and readers had it: its number is not given again, and what it
    hid stays hidden, whether its file or the warehouse alone remembers it."""
    published = home
    shutil.copytree(small_again.path, published.path, symlinks=True)
    shutil.rmtree(published.releases / "0002")
    (published.releases / "current").write_text("1\n")
    if "memory" in lost:
        (published.memory / "0002.parquet").unlink()
    (tmp_path / "again").mkdir()
    again = tmp_path / "again" / "caf_allocataires_2024-04.csv"
    deliver(project, published, again, "caf/allocataires", foyers({"93008": 30}, month=1))
    assert publish(project, published).number == 3
    with open_release(published) as release:
        assert hidden_by(release, "observations", variable="caf.foyers_monoparents", month="2024-04")


def test_a_release_whose_publication_was_killed_before_its_memory_had_a_name_is_remembered(
    project: Project, published: Home
) -> None:
    file = published.memory / "0001.parquet"
    said = file.read_bytes()
    file.rename(file.with_suffix(".half"))
    published.warehouse.rename(published.warehouse.with_suffix(".lost"))
    with pytest.raises(Unread, match="odds rebuild"):
        publish(project, published)
    assert file.read_bytes() == said


def test_a_memory_of_which_one_bit_changed_is_not_believed(project: Project, published: Home) -> None:
    """Wherever the bit is, but where it changes no line."""
    file = published.memory / "0001.parquet"
    right, said = file.read_bytes(), duckdb.read_parquet(str(file)).fetchall()
    believed = []
    for place in range(4, len(right), len(right) // 50):
        damaged = bytearray(right)
        damaged[place] ^= 4
        file.write_bytes(damaged)
        if whole(file) and duckdb.read_parquet(str(file)).fetchall() != said:
            believed.append(place)
    assert believed == []
    file.write_bytes(right[:-200] + right[-100:])
    publish(project, published)
    assert file.read_bytes() == right


def test_memory_is_written_again_from_the_warehouse_for_its_owner_alone(
    project: Project, published: Home
) -> None:
    file = published.memory / "0001.parquet"
    before = file.read_bytes()
    shutil.rmtree(published.memory)
    assert not publish(project, published).new
    assert file.read_bytes() == before
    assert (file.stat().st_mode & 0o777, published.memory.stat().st_mode & 0o777) == (0o600, 0o700)


def test_no_quoted_figure_and_no_memory_in_a_release(first: Home) -> None:
    """Verdicts quote the rows they failed on; the memory of true values stays in the warehouse."""
    with open_release(first) as release:
        tables = [row[0] for row in release.execute("SHOW TABLES").fetchall()]
        rows = release.execute("SELECT DISTINCT rows FROM verdicts").fetchall()
    assert "published_cells" not in tables
    assert rows == [("[]",)]
