"""Revisions and known errors: twelve real versions of one series, and corrections declared beside a contract."""

import csv
import shutil
from pathlib import Path

import pytest

from odds_pipeline.declarations.project import Project, project_root
from odds_pipeline.indicators.explain import explain
from odds_pipeline.quality.gate import Judgement, judge_pending
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.history import releases_that_say, revisions
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import open_release
from odds_pipeline.release.value_changes import value_changes
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

PARIS = "75"
PARTNER = """\
id: paris
label: Ville de Paris
short_label: Paris
status: joining
since: 2021-03
description: Publie une série mensuelle, chaque édition republiant toute l'histoire.
contact_role: Données ouvertes
licence: Licence Ouverte 2.0
access: public
secrecy: {threshold: 0, reference: Série départementale publique}
"""
FEED = r"""
id: rsa
label: Foyers allocataires du RSA
description: Tableau croisé, mois en ligne et années en colonne.
kind: public
source: Ville de Paris, données ouvertes
owner: Ville de Paris
calendar: {cadence: monthly, first: 2017-01, lag: 2}
levels: [departement]
variables:
  foyers_rsa: {label: Foyers allocataires du RSA, unit: foyers}
formats:
  - id: croise
    file: '^\d\d_20\d\d-\d\d-\d\d_[0-9a-f]{8}'
    example: {file: 01_2021-03-16_2d856e6c.csv, cell: Janvier, column: '2020'}
    territory: {columns: [Titre], level: departement, fixed: '75'}
    period: {column: Titre, pattern: '^(?P<mois>\w{3,9})$'}
    unpivot: {columns: '^(?P<year>20\d\d)$', variable: foyers_rsa}
    short_lines: true
"""
FAMILY = """\
id: minima
theme: social
label: Minima sociaux
description: Le RSA à Paris
indicators:
  foyers_rsa:
    label: Foyers allocataires du RSA
    short_label: Foyers RSA
    definition: Foyers qui perçoivent le RSA au cours du mois.
    unit: foyers
    formula: paris.foyers_rsa
    numerator: Foyers allocataires du RSA
    population: Foyers
    levels: [departement]
    direction: neutral
    limits: Série révisée sans annonce
    breaks: []
    cautions: [Série révisée sans annonce]
    decimals: 0
    owner: Ville de Paris
    example: {inputs: {paris.foyers_rsa: 5}, value: 5}
"""
MONTHS = ["janv", "févr", "mars", "avr", "mai", "juin", "juil", "août", "sept", "oct", "nov", "déc"]


@pytest.fixture
def paris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one département, Paris, with one partner, one feed and one indicator."""
    root, own = project_root(), tmp_path / "project"
    shutil.copytree(root / "resources", own / "resources")
    for path in (own / "resources" / "deployments").glob("*.yaml"):
        path.write_text(path.read_text(encoding="utf-8").replace('"93"', '"75"'), encoding="utf-8")
    reference = own / "resources" / "reference"
    header = (reference / "territories.csv").read_text(encoding="utf-8").splitlines()[0].split(";")
    row = dict.fromkeys(header, "") | {
        "code": PARIS, "label": "Paris", "level": "departement", "valid_from": "1968-01-01",
    }  # fmt: skip
    text = ";".join(header) + "\n" + ";".join(row[name] for name in header) + "\n"
    (reference / "territories.csv").write_text(text, encoding="utf-8")
    events = (reference / "territory_events.csv").read_text(encoding="utf-8").splitlines()[0]
    (reference / "territory_events.csv").write_text(events + "\n", encoding="utf-8")
    for path, content in {
        "assets/partners/paris/partner.yaml": PARTNER,
        "assets/partners/paris/rsa.yaml": FEED,
        "assets/indicators/social/minima.yaml": FAMILY,
    }.items():
        (own / path).parent.mkdir(parents=True, exist_ok=True)
        (own / path).write_text(content, encoding="utf-8")
    shutil.copy(root / "assets/observatory.yaml", own / "assets")
    (own / "expectations/partners").mkdir(parents=True)
    shutil.copy(root / "expectations/partners/defaults.yaml", own / "expectations/partners")
    shutil.copytree(root / "expectations/indicators", own / "expectations/indicators")
    shutil.copy(root / "expectations/recueil.yaml", own / "expectations")
    monkeypatch.setenv("ODDS_PROJECT", str(own))
    return own


def cells(path: Path) -> dict[str, float]:
    """What a person reads in a version: month → figure. Written apart from the code under test."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        first, *rows = csv.reader(file, delimiter=";")
    return {
        f"{year}-{MONTHS.index(row[0]) + 1:02d}": float(cell.replace(" ", ""))
        for row in rows
        for year, cell in zip(first[1:], row[1:], strict=False)
        if cell.strip()
    }


def gate(project: Project, home: Home, path: Path) -> Judgement:
    list(receive(project, home, [path]))
    (judgement,) = judge_pending(project, home, "paris/rsa")
    return judgement


@pytest.mark.slow
def test_twelve_versions_give_the_history_that_a_person_finds(
    paris: Path, home: Home, realdata: Path
) -> None:
    project = Project.load(paris)
    expected: dict[str, list[tuple[float, str]]] = {}
    for path in sorted((realdata / "revisions").glob("*.csv")):
        for month, value in cells(path).items():
            known = expected.setdefault(month, [])
            if not known or known[-1][0] != value:
                known.append((value, path.name))
        judgement = gate(project, home, path)
        assert judgement.refused == (), path.name
        publish(project, home)
    with Store(home.warehouse).connect() as connection:
        rows = connection.execute(
            "SELECT o.month, o.value, d.file_name FROM observations o "
            "JOIN deliveries d ON d.id = o.delivery ORDER BY o.month, o.known_from"
        ).fetchall()
        april = revisions(project, connection, "foyers_rsa", PARIS, "2021-04")
    found: dict[str, list[tuple[float, str]]] = {}
    for month, value, file in rows:
        found.setdefault(month, []).append((value, file))
    assert found == expected
    # One figure was revised without a word, the day it was first published.
    assert {month for month, versions in expected.items() if len(versions) > 1} == {"2021-04"}
    assert [(r.value, r.file, r.what) for r in april] == [
        (66049.0, "04_2021-06-24_458991d3.csv", "première"),
        (66725.0, "05_2021-06-24_1e54f6b9.csv", "révision"),
    ]
    told = releases_that_say(home, "foyers_rsa", PARIS, "2021-04")
    assert [(e.release, e.value) for e in told] == [(4, 66049.0), (5, 66725.0)]
    (change,) = value_changes(home, 4, 5)
    assert (change.kind, change.month, change.before, change.after, change.cause, change.files) == (
        "révisée", "2021-04", 66049.0, 66725.0, "révision", "05_2021-06-24_1e54f6b9.csv",
    )  # fmt: skip
    new = {c.month for c in value_changes(home, 5, 6)}
    assert new == {"2021-05", "2021-06", "2021-07"}


def test_a_roll_back_is_told(paris: Path, home: Home, realdata: Path, tmp_path: Path) -> None:
    """The producer comes back to the figures of an earlier version: other bytes, the same values."""
    project = Project.load(paris)
    fourth = realdata / "revisions" / "04_2021-06-24_458991d3.csv"
    back = tmp_path / "13_2021-07-01_00000000.csv"
    back.write_bytes(fourth.read_bytes() + b"\n")
    for path in (fourth, realdata / "revisions" / "05_2021-06-24_1e54f6b9.csv", back):
        gate(project, home, path)
    with Store(home.warehouse).connect() as connection:
        april = revisions(project, connection, "foyers_rsa", PARIS, "2021-04")
    assert [(r.value, r.what) for r in april] == [
        (66049.0, "première"), (66725.0, "révision"), (66049.0, "retour à une valeur antérieure"),
    ]  # fmt: skip


CORRECTIONS = """\
corrections:
  - id: avril_2021
    match: {file: '^04_2021-06-24', month: 2021-04, variable: foyers_rsa, raw: '66 049'}
    action: ACTION
    reason: Chiffre provisoire publié par erreur, corrigé le jour même
    reported_to: Service des données ouvertes, le 24 juin 2021
    status: confirmed
"""


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("set\n    value: 66725", (66725.0, "A", "F")),
        ("missing", (None, "L", "F")),
        ("secret", (None, "Q", "C")),
    ],
)
def test_a_known_error_is_corrected_and_told(
    paris: Path, home: Home, realdata: Path, action: str, said: tuple[float | None, str, str]
) -> None:
    (paris / "assets/partners/paris/rsa.corrections.yaml").write_text(
        CORRECTIONS.replace("ACTION", action), encoding="utf-8"
    )
    project = Project.load(paris)
    judgement = gate(project, home, realdata / "revisions" / "04_2021-06-24_458991d3.csv")
    assert "2021-04" in judgement.accepted or said[0] is None
    with Store(home.warehouse).connect() as connection:
        row = connection.execute(
            "SELECT value, obs_status, conf_status, correction FROM observations WHERE month = '2021-04'"
        ).fetchone()
    if said[0] is None and row is None:
        assert "2021-04" in judgement.refused  # a month without any figure is no figure
        return
    assert row is not None
    assert row[:3] == said
    assert row[3].startswith("avril_2021 : Chiffre provisoire")
    assert "66 049" in row[3]
    if said[0] is not None:
        publish(project, home)
        with open_release(home) as release:
            found = explain(project, release, "foyers_rsa", PARIS, "2021-04")
        (figure,) = found.inputs["paris.foyers_rsa"]
        assert "avril_2021" in str(figure.correction)


def test_a_correction_that_finds_nothing_refuses(paris: Path, home: Home, realdata: Path) -> None:
    text = CORRECTIONS.replace("ACTION", "missing").replace("^04_2021-06-24", "^0[45]_2021-06-24")
    (paris / "assets/partners/paris/rsa.corrections.yaml").write_text(text, encoding="utf-8")
    project = Project.load(paris)
    judgement = gate(project, home, realdata / "revisions" / "05_2021-06-24_1e54f6b9.csv")
    assert judgement.accepted == ()
    assert {f.rule for f in judgement.findings if f.refuses} == {"corrections"}


def test_rows_are_dropped_or_moved_to_their_month(paris: Path, home: Home, realdata: Path) -> None:
    text = CORRECTIONS.replace("ACTION", "move\n    month: 2021-05")
    (paris / "assets/partners/paris/rsa.corrections.yaml").write_text(text, encoding="utf-8")
    project = Project.load(paris)
    judgement = gate(project, home, realdata / "revisions" / "04_2021-06-24_458991d3.csv")
    assert {"2021-05"} <= set(judgement.accepted)
    assert "2021-04" not in judgement.accepted + judgement.refused


def test_a_wrong_correction_is_told_with_its_line(paris: Path) -> None:
    path = paris / "assets/partners/paris/rsa.corrections.yaml"
    path.write_text(
        CORRECTIONS.replace("ACTION", "set").replace("foyers_rsa", "foyers_rsb"), encoding="utf-8"
    )
    told = [str(p) for p in Project.read(paris).problems]
    assert any("`value` goes with action `set`" in t for t in told)
    path.write_text(
        CORRECTIONS.replace("ACTION", "drop").replace("foyers_rsa", "foyers_rsb"), encoding="utf-8"
    )
    told = [str(p) for p in Project.read(paris).problems]
    assert told == [
        "assets/partners/paris/rsa.corrections.yaml:2: no variable 'foyers_rsb' here (did you mean foyers_rsa?)"
    ]
