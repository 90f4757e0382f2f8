"""Several contracts of one variable: the preferred one is read, whatever came first; a change of source is a break."""

from pathlib import Path

import pytest

from odds_pipeline.declarations.project import DeclarationError, Project
from odds_pipeline.indicators.explain import explain
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

from .test_revisions import FAMILY, PARTNER, paris

__all__ = ["paris"]

MONTHLY = r"""
id: rsa
label: Foyers allocataires du RSA
description: Extraction mensuelle du partenaire, un total par département.
kind: template
source: Ville de Paris
owner: Ville de Paris
sources: [annuel]
calendar: {cadence: monthly, first: 2017-01, lag: 2}
levels: [departement]
variables:
  foyers_rsa: {label: Foyers allocataires du RSA, unit: foyers}
columns: {foyers_rsa: RSA}
formats:
  - id: modele
    file: '^rsa_'
    example: {file: rsa_2019-12.csv}
    territory: {columns: [dep], level: departement}
    period: {file: '^rsa_(?P<year>20\d\d)-(?P<month>\d\d)'}
"""
ANNUAL = r"""
id: annuel
label: Foyers allocataires du RSA au 31 décembre
description: Fichier public annuel, un total par département.
kind: public
source: Cnaf
owner: Cnaf
calendar: {cadence: annual, first: 2017-12, lag: 12}
levels: [departement]
columns: {foyers_rsa: foyers}
formats:
  - id: annuel
    file: '^foyers'
    example: {file: foyers.csv, cell: '2019'}
    territory: {columns: [code], level: departement}
    period: {column: annee, pattern: '(?P<year>20\d\d)'}
"""


@pytest.fixture
def two(paris: Path) -> Project:
    """A partner whose variable is delivered monthly, and once a year by a public file."""
    for path, content in {
        "assets/partners/paris/partner.yaml": PARTNER,
        "assets/partners/paris/rsa.yaml": MONTHLY,
        "assets/partners/paris/annuel.yaml": ANNUAL,
        "assets/indicators/social/minima.yaml": FAMILY,
    }.items():
        (paris / path).write_text(content, encoding="utf-8")
    return Project.load(paris)


def publish_in_order(project: Project, home: Home, files: list[tuple[str, str]], folder: Path) -> None:
    folder.mkdir()
    for name, text in files:
        (folder / name).write_text(text, encoding="utf-8")
        list(receive(project, home, [folder / name]))
        for feed in project.feeds:
            judge_pending(project, home, feed)
    publish(project, home)


EXTRACTION = ("rsa_2019-12.csv", "dep;RSA\n75;62000\n")
PUBLIC = ("foyers.csv", "code;annee;foyers\n75;2018;60000\n75;2019;61000\n75;2020;65000\n")


@pytest.mark.parametrize(
    "files", [[EXTRACTION, PUBLIC], [PUBLIC, EXTRACTION]], ids=["extraction", "public"]
)
def test_the_preferred_source_is_read_whatever_came_first(
    two: Project, home: Home, tmp_path: Path, files: list[tuple[str, str]]
) -> None:
    publish_in_order(two, home, files, tmp_path / "in")
    with open_release(home) as release:
        values = release.execute("SELECT month, value FROM indicator_values ORDER BY month").fetchall()
        source = explain(two, release, "foyers_rsa", "75", "2019-12").inputs["paris.foyers_rsa"][0].feed
    assert values == [("2018-12", 60000.0), ("2019-12", 62000.0), ("2020-12", 65000.0)]
    assert source == "paris/rsa"


def test_the_figure_of_the_other_source_is_kept_as_history(
    two: Project, home: Home, tmp_path: Path
) -> None:
    publish_in_order(two, home, [EXTRACTION, PUBLIC], tmp_path / "in")
    with Store(home.warehouse).connect() as connection:
        kept = connection.execute(
            "SELECT value, known_from = known_to FROM observations WHERE known_to IS NOT NULL"
        ).fetchall()
    assert kept == [(61000.0, True)]


def test_a_change_of_source_is_a_break_unless_the_two_agree(
    two: Project, home: Home, tmp_path: Path
) -> None:
    # 61,000 and 62,000 differ by 1.6 %: neither year of the change is published.
    publish_in_order(two, home, [EXTRACTION, PUBLIC], tmp_path / "in")
    with open_release(home) as release:
        changes = release.execute("SELECT change_1y FROM indicator_values ORDER BY month").fetchall()
        told = release.execute(
            "SELECT feed, other, figures, agree, gap FROM sources_compared"
        ).fetchall()
    assert changes == [(None,), (None,), (None,)]
    assert told == [("paris/annuel", "paris/rsa", 1, False, None)]
    # 61,500 and 62,000 differ by 0.8 %.
    closer = ("foyers.csv", PUBLIC[1].replace("61000", "61500"))
    publish_in_order(two, home, [closer], tmp_path / "again")
    with open_release(home) as release:
        changes = release.execute("SELECT change_1y FROM indicator_values ORDER BY month").fetchall()
    assert changes == [(None,), (pytest.approx(100 * 2 / 60),), (pytest.approx(100 * 3 / 62),)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sources: [annuel]", "sources: [annuelle]", "no other feed paris/annuelle"),
        ("sources: [annuel]", "sources: [rsa]", "no other feed paris/rsa"),
        ("sources: [annuel]\n", "", "no contract has it for source"),
        ("cadence: monthly", "cadence: annual, month: 6", "are not months of this calendar"),
    ],
)
def test_a_source_that_cannot_be_one_is_told(
    paris: Path, two: Project, old: str, new: str, message: str
) -> None:
    (paris / "assets/partners/paris/rsa.yaml").write_text(MONTHLY.replace(old, new), encoding="utf-8")
    with pytest.raises(DeclarationError, match=message):
        Project.load(paris)
