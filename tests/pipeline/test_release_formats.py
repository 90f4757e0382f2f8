"""A release says what made it and what its indicators read; releases of former formats stay readable."""

import shutil
import tempfile
from pathlib import Path

import duckdb
import pytest

from odds_pipeline import __version__
from odds_pipeline.declarations.access import WIDEST_FIRST
from odds_pipeline.declarations.fingerprint import fingerprint
from odds_pipeline.declarations.project import Project
from odds_pipeline.extranet.reading.queries import sources_of
from odds_pipeline.extranet.reading.rights import VISITOR, Rights
from odds_pipeline.extranet.reading.serving import View
from odds_pipeline.publications.portrait.figures import Figures
from odds_pipeline.release.changes import changed_definitions
from odds_pipeline.release.formats import FORMAT
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import describe, open_release, release_path
from odds_pipeline.release.value_changes import value_changes
from odds_pipeline.storage.home import Home

from .test_class_files import deliver
from .test_secrecy import foyers

SHARE = "part_foyers_monoparents"
RATE = "taux_pauvrete"

# What the first releases were made of.
FORMER = (
    "CREATE OR REPLACE TABLE about AS FROM about SELECT number, published_at, content, edition, indicators, "
    "values_count, simulated",
    "ALTER TABLE definitions DROP COLUMN kind",
    "ALTER TABLE definitions DROP COLUMN change_unit",
    "ALTER TABLE definitions DROP COLUMN to_the_unit",
    "CREATE OR REPLACE TABLE indicator_values AS FROM indicator_values SELECT indicator, month, territory, level, "
    "geography, value, obs_status, conf_status, hidden_by, numerator, denominator, oldest_input, reserve",
    "DROP TABLE inputs",
)


def month(project: Project, home: Home, folder: Path, number: int) -> None:
    path = folder / f"caf_allocataires_2024-{number:02d}.csv"
    deliver(project, home, path, "caf/allocataires", foyers({}, number))


def make_former(home: Home, number: int) -> None:
    for access in WIDEST_FIRST:
        path = release_path(home, number) / f"{access}.duckdb"
        path.chmod(0o644)
        with duckdb.connect(str(path)) as connection:
            for statement in FORMER:
                connection.execute(statement)


@pytest.fixture(scope="module")
def former(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Release 1 of the first format, release 2 of today's with one month more; only read."""
    tmp_path = tmp_path_factory.mktemp("former")
    home = Home(tmp_path / "odds")
    month(project, home, tmp_path, 3)
    publish(project, home)
    make_former(home, 1)
    month(project, home, tmp_path, 4)
    publish(project, home)
    return home


def test_a_release_says_what_made_it(project: Project, home: Home, tmp_path: Path) -> None:
    month(project, home, tmp_path, 3)
    made = publish(project, home)
    assert (made.software, made.format) == (__version__, FORMAT)
    assert made.declarations == fingerprint(project.root)
    with open_release(home) as release:
        read = release.execute(
            "SELECT role, variable, lag, of_year, coefficient FROM inputs WHERE indicator = ? ORDER BY role DESC",
            [SHARE],
        ).fetchall()
        weights = release.execute("SELECT variable FROM inputs WHERE role = 'weight'").fetchall()
        kind = release.execute("SELECT kind FROM definitions WHERE indicator = ?", [SHARE]).fetchall()
        several = release.execute("SELECT count(DISTINCT format) FROM about").fetchall()
    assert read == [
        ("numerator", "caf.foyers_monoparents", 0, False, 1.0),
        ("denominator", "caf.foyers_allocataires", 0, False, 1.0),
    ]
    assert ("insee.personnes_menages_fiscaux",) in weights
    assert kind == [("proportion",)] and several == [(1,)]


def test_a_fingerprint_changes_with_any_declaration(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "a.yaml").write_text("a: 1\n")
    before = fingerprint(tmp_path)
    (tmp_path / "assets" / "a.yaml").write_text("a: 2\n")
    assert fingerprint(tmp_path) != before
    (tmp_path / "assets" / "a.yaml").rename(tmp_path / "assets" / "b.yaml")
    assert len({before, fingerprint(tmp_path)}) == 2


def test_a_release_of_the_first_format_is_described_and_read(project: Project, former: Home) -> None:
    old, new = describe(former, 1), describe(former, 2)
    assert (old.format, old.software, new.format) == (1, None, FORMAT)
    with open_release(former, 1) as release:
        read = release.execute("SELECT variable FROM inputs WHERE indicator = ?", [SHARE]).fetchall()
        figures = Figures(project, release, [SHARE, RATE], 2024)
        cell = figures.cell(SHARE, "93008")
    with open_release(former, 2) as release:
        new_sheets = Figures(project, release, [RATE], 2024).sheets
    # An edition is read with its own decimals: one that does not say has those of its sheet.
    assert (figures.sheets[RATE].to_the_unit, new_sheets[RATE].to_the_unit) == (False, True)
    assert sorted(read) == [("caf.foyers_allocataires",), ("caf.foyers_monoparents",)]
    assert cell is not None and cell.value is not None and cell.rank is None and cell.reserve == ""
    assert figures.sheets[SHARE].kind == "proportion"


def test_a_release_of_the_first_format_is_compared_with_todays(former: Home) -> None:
    assert changed_definitions(former, 1, 2).changed == ()
    found = {(c.month, c.kind, c.cause) for c in value_changes(former, 1, 2) if c.indicator == SHARE}
    assert ("2024-04", "nouvelle", "livraison") in found


@pytest.mark.parametrize("number", [1, 2])
def test_the_site_shows_a_release_of_either_format(project: Project, former: Home, number: int) -> None:
    with tempfile.TemporaryDirectory() as workshop:
        view = View(
            former, number, Rights("partenaires", frozenset()), Path(workshop), project.observatory
        )
        assert [row["feed"] for row in sources_of(view, SHARE)] == ["caf/allocataires"]
        assert view.indicator(SHARE)["kind"] == {1: None, 2: "proportion"}[number]
        assert View(former, number, VISITOR, Path(workshop), project.observatory).definitions


def reserved(home: Home, number: int, reserve: str) -> None:
    """All values of a release under a reserve, as a month accepted against a rule makes them."""
    for access in WIDEST_FIRST:
        path = release_path(home, number) / f"{access}.duckdb"
        path.chmod(0o644)
        with duckdb.connect(str(path)) as connection:
            connection.execute("UPDATE indicator_values SET reserve = ?", [reserve])


def test_a_reserve_that_named_its_rule_is_the_same_reserve(
    project: Project, former: Home, home: Home
) -> None:
    """As the month is: the first release after an upgrade would tell each value under reserve as changed."""
    shutil.copytree(former.path, home.path, symlinks=True)
    said = "Publié malgré une règle non respectée{}. Motif : confirmé (A. Martin)."
    reserved(home, 1, said.format(" (saut_d_echelle)"))
    reserved(home, 2, said.format(""))
    assert {c.kind for c in value_changes(home, 1, 2)} == {"nouvelle"}
    with open_release(home, 1) as release, tempfile.TemporaryDirectory() as workshop:
        view = View(home, 1, Rights("partenaires", frozenset()), Path(workshop), project.observatory)
        shown = view.one("SELECT any_value(reserve) AS reserve FROM indicator_values")
        printed = Figures(project, release, [SHARE], 2024).cell(SHARE, "93008")
    assert shown == {"reserve": said.format("")}
    assert printed is not None and printed.reserve == said.format("")
    reserved(home, 2, said.format("") + " De plus.")
    assert {c.kind for c in value_changes(home, 1, 2)} == {"nouvelle", "statut"}
