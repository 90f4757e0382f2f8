"""A second département with its own partner is added by declarations; each keeps its own figures."""

import csv
import shutil
from pathlib import Path

import duckdb
import pytest

from odds_pipeline.declarations.project import Project, project_root
from odds_pipeline.quality import gate as gate_module
from odds_pipeline.quality.gate import Judgement, judge_pending
from odds_pipeline.reception.receipt import Receipt
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.sql import read_sql

# A commune has the name of one of the other département, to be told from it.
VAL_D_OISE = {"95018": "Argenteuil", "95127": "Cergy", "95585": "Sarcelles", "95300": "Bobigny"}
PARTNER = """\
id: {id}
label: Caisse {id}
short_label: {id}
status: founder
since: 2011-10
description: Une caisse pour les tests
contact_role: Chargé d'études
{perimeter}licence: convention-odds
access: public
secrecy: {{threshold: 5, reference: Règle de la caisse}}
"""
FEED = """\
id: foyers
label: Foyers
description: Un contrat pour les tests
kind: template
source: Essai, source de test
owner: Essai
calendar: {{cadence: monthly, first: 2020-01, lag: 1}}
levels: [commune]
variables:
  foyers: {{label: Foyers, unit: foyers}}
columns: {{foyers: {column}}}
formats:
  - id: a
    file: '^foyers_(?P<year>20\\d\\d)-(?P<month>\\d\\d)'
    example: {{file: foyers_2020-01.csv}}
    period: {{file: '^foyers_(?P<year>20\\d\\d)-(?P<month>\\d\\d)'}}
    territory: {{columns: [code]}}
"""
FAMILY = """\
id: {id}
theme: social
label: Foyers {id}
description: Une famille pour les tests
indicators:
  foyers_{id}:
    label: Foyers de {id}
    short_label: Foyers {id}
    definition: Foyers qui reçoivent une prestation de {id}.
    unit: foyers
    formula: {id}.foyers
    numerator: Foyers
    population: Foyers
    levels: [commune, departement]
    direction: neutral
    limits: Aucune limite connue
    cautions: [Pour les tests]
    breaks: []
    decimals: 0
    owner: Essai
    example: {{inputs: {{{id}.foyers: 8}}, value: 8}}
"""
PARTNERS = {"caf_93": ["93"], "caf_95": ["95"], "nationale": []}
DEPLOYMENT = "label: Essai\nstorage: {{kind: duckdb}}\ndagster: dagster.yaml\nperimeter: {}\n"


def add_territories(path: Path) -> None:
    """Val-d'Oise and four communes at the end of the table."""
    with path.open(encoding="utf-8", newline="") as file:
        columns = csv.DictReader(file, delimiter=";").fieldnames or ()
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", delimiter=";")
        since = {"valid_from": "1968-01-01"}
        writer.writerow({"code": "95", "label": "Val-d'Oise", "level": "departement", **since})
        for code, label in VAL_D_OISE.items():
            row = {"code": code, "label": label, "level": "commune", "departement": "95", **since}
            writer.writerow(row)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two départements, a fund of each, and one that speaks of both."""
    project, here = project_root(), tmp_path / "project"
    reference = here / "resources" / "reference"
    shutil.copytree(project / "resources" / "reference", reference)
    add_territories(reference / "territories.csv")
    for name, perimeter in PARTNERS.items():
        folder = here / "assets/partners" / name
        folder.mkdir(parents=True)
        line = f"perimeter: {perimeter}\n".replace("'", '"') if perimeter else ""
        (folder / "partner.yaml").write_text(PARTNER.format(id=name, perimeter=line))
        (folder / "foyers.yaml").write_text(FEED.format(column="NAT" if name == "nationale" else "NB"))
        families = here / "assets/indicators/social"
        families.mkdir(parents=True, exist_ok=True)
        (families / f"{name}.yaml").write_text(FAMILY.format(id=name))
    shutil.copy(project / "assets/observatory.yaml", here / "assets")
    (here / "expectations/partners").mkdir(parents=True)
    shutil.copy(project / "expectations/partners/defaults.yaml", here / "expectations/partners")
    shutil.copytree(project / "expectations/indicators", here / "expectations/indicators")
    shutil.copy(project / "expectations/recueil.yaml", here / "expectations")
    for name, codes in {"both": '["93", "95"]', "one": '["93"]'}.items():
        (tmp_path / f"{name}.yaml").write_text(DEPLOYMENT.format(codes))
    monkeypatch.setenv("ODDS_DEPLOYMENT", str(tmp_path / "both.yaml"))
    return here


def figures(project: Project, departement: str, first: int) -> dict[str, int]:
    """So many households in each commune: ``first`` and one more for each next commune."""
    communes = [t for t in project.territories.communes(2024) if t.departement == departement]
    return {t.code: first + rank for rank, t in enumerate(communes)}


def write(folder: Path, column: str, values: dict[str, int]) -> Path:
    folder.mkdir(parents=True)
    path = folder / "foyers_2020-01.csv"
    path.write_text(f"code;{column}\n" + "".join(f"{code};{n}\n" for code, n in values.items()))
    return path


def gate(project: Project, home: Home, *paths: Path) -> tuple[list[Receipt], list[Judgement]]:
    receipts = list(receive(project, home, paths))
    return receipts, [j for feed in project.feeds for j in judge_pending(project, home, feed)]


def test_two_departements_keep_apart(root: Path, tmp_path: Path) -> None:
    project, home = Project.load(root), Home(tmp_path / "odds")
    east, north = figures(project, "93", 100), figures(project, "95", 200)
    receipts, judgements = gate(
        project, home,
        write(tmp_path / "a", "NB", east),
        write(tmp_path / "b", "NB", {**north, "95127": 3}),
        write(tmp_path / "c", "NAT", east | north | {"75056": 9}),
    )  # fmt: skip
    # Files of one name and one layout: each goes to the fund of its own département.
    assert [r.feed for r in receipts] == ["caf_93/foyers", "caf_95/foyers", "nationale/foyers"]
    assert [j.refused for j in judgements] == [(), (), ()]
    publish(project, home)
    with open_release(home) as release:
        wholes = release.execute(
            "SELECT indicator, territory, value, conf_status FROM indicator_values "
            "WHERE level = 'departement' AND geography = 2024 ORDER BY ALL"
        ).fetchall()
        hidden = release.execute(
            "SELECT indicator, territory, hidden_by FROM indicator_values "
            "WHERE value IS NULL AND geography = 2024 ORDER BY hidden_by"
        ).fetchall()
        ranked = dict(
            release.execute(
                "SELECT t.departement, max(ranked) FROM indicator_values v "
                "JOIN territories t USING (territory, geography, level) "
                "WHERE indicator = 'foyers_nationale' AND v.geography = 2024 AND v.level = 'commune' "
                "GROUP BY ALL"
            ).fetchall()
        )
    assert wholes == [
        ("foyers_caf_93", "93", sum(range(100, 140)), "F"),
        ("foyers_caf_95", "95", 200 + 3 + 202 + 203, "F"),
        ("foyers_nationale", "93", sum(range(100, 140)), "F"),
        ("foyers_nationale", "95", sum(range(200, 204)), "F"),
    ]
    # Cergy is under the threshold; the total would tell it, so one more commune of its département is hidden.
    assert [(i, by) for i, _, by in hidden] == [
        ("foyers_caf_95", "primaire"),
        ("foyers_caf_95", "secondaire"),
    ]
    assert hidden[0][1] == "95127" and hidden[1][1].startswith("95")
    assert ranked == {"93": 40, "95": 4}


def test_a_fund_that_lacks_a_commune_of_its_departement_is_refused(root: Path, tmp_path: Path) -> None:
    project, home = Project.load(root), Home(tmp_path / "odds")
    values = figures(project, "95", 200)
    values.pop("95018")
    _, (judgement,) = gate(project, home, write(tmp_path / "a", "NB", values))
    assert {f.rule for f in judgement.findings if f.refuses} == {"toutes_les_communes"}


def test_a_file_of_one_of_two_departements_is_used_for_that_one(root: Path, tmp_path: Path) -> None:
    """It was refused for the 648 communes of the other; a part of a département still is."""
    project, home = Project.load(root), Home(tmp_path / "odds")
    east, north = figures(project, "93", 100), figures(project, "95", 200)
    _, (judgement,) = gate(project, home, write(tmp_path / "a", "NAT", east))
    assert judgement.refused == ()
    told = [(f.rule, f.refuses, [r["territory"] for r in f.rows]) for f in judgement.findings if f.rows]
    assert told == [("tous_les_departements", False, ["95"])]
    _, (judgement,) = gate(project, home, write(tmp_path / "b", "NAT", {**east, "95018": 200}))
    assert {f.rule for f in judgement.findings if f.refuses} == {"toutes_les_communes"}
    _, (judgement,) = gate(project, home, write(tmp_path / "c", "NAT", north))
    assert judgement.refused == ()
    publish(project, home)
    with open_release(home) as release:
        wholes = release.execute(
            "SELECT territory, value FROM indicator_values WHERE indicator = 'foyers_nationale' "
            "AND level = 'departement' AND geography = 2024 ORDER BY ALL"
        ).fetchall()
    # Each file is the newest of its own communes.
    assert wholes == [("93", sum(range(100, 140))), ("95", sum(range(200, 204)))]


def test_an_older_edition_fills_the_departement_that_the_newer_one_lacks() -> None:
    """The newer one holds the 93 alone: the older one's figures of the 59 are used, those of the 93 are not."""
    with duckdb.connect() as connection:
        for statement in (
            "CREATE TABLE incoming AS SELECT 'v' AS variable, '2020-12' AS month, unnest(['93001', '59350']) "
            "AS territory, 'commune' AS level, 'old' AS delivery",
            "CREATE TABLE observations AS SELECT * REPLACE ('new' AS delivery), 1 AS known_from, "
            "NULL::INTEGER AS known_to FROM incoming WHERE territory = '93001'",
            "CREATE TABLE deliveries AS SELECT unnest(['old', 'new']) AS id, 'f' AS feed",
            "CREATE TABLE delivered_series AS SELECT id AS delivery, feed, "
            "if(id = 'old', 2010, 2012) AS begins, if(id = 'old', 2020, 2022) AS ends FROM deliveries",
            "CREATE TABLE turn AS SELECT 'old' AS delivery, 'f' AS feed, 2 AS judgement, false AS decided",
            "CREATE TABLE preferred AS SELECT 'v' AS variable, 'f' AS feed LIMIT 0",
            "CREATE TABLE lies_in AS SELECT level, territory, left(territory, 2) AS departement FROM incoming",
        ):
            connection.execute(statement)
        connection.execute(read_sql(gate_module.__file__, "give_way"))
        left = connection.execute("SELECT territory FROM incoming").fetchall()
        kept = connection.execute("SELECT territory, known_to FROM observations WHERE delivery = 'old'")
        assert (left, kept.fetchall()) == ([("59350",)], [("93001", 2)])


def test_a_name_of_two_communes_names_neither(root: Path) -> None:
    both = Project.load(root)
    assert "bobigny" not in both.territories.by_label
    assert both.territories_of(both.feeds["caf_93/foyers"]).by_label["bobigny"] == "93008"
    assert both.territories_of(both.feeds["caf_95/foyers"]).by_label["bobigny"] == "95300"


def test_a_deployment_of_one_departement_leaves_the_other_out(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODDS_DEPLOYMENT", str(tmp_path / "one.yaml"))
    one = Project.load(root)
    assert set(one.partners) == {"caf_93", "nationale"}
    assert set(one.indicators) == {"foyers_caf_93", "foyers_nationale"}
    assert {t.departement for t in one.territories.communes(2024)} == {"93"}


def test_a_departement_that_no_table_knows_is_a_mistake(root: Path) -> None:
    path = root / "assets/partners/caf_95/partner.yaml"
    path.write_text(path.read_text().replace('["95"]', '["59"]'))
    problems = [str(p) for p in Project.read(root).problems]
    assert problems == [
        "assets/partners/caf_95/partner.yaml:1: perimeter: no département '59' in territories.csv"
    ]
