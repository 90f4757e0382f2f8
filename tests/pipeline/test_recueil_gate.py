"""An indicator whose values are wrong keeps its last good ones and says so; the others go out."""

import json
from pathlib import Path

import duckdb
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.reception.receive import receive
from odds_pipeline.release import recueil_gate
from odds_pipeline.release import stages as publishing
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import current_number, open_release
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

from .test_gate import populations
from .test_release_notes import DOUBLE, FAMILY, PART, copied

__all__ = ["copied"]

BOBIGNY = 100 * 7019 / 7029  # fifth commune: 5 x 1,000 + 2,019 inhabitants, ten more counted apart
WRONG = PART.replace(  # ten times the numerator, its example as wrong
    "100 * insee.population_municipale",
    "100 * (insee.population_municipale + 9 * insee.population_municipale)",
).replace("value: 90", "value: 900")
KEPT = "Valeurs de l’édition 1 : la règle bornes_de_l_unite a échoué."
OWN = """
extends: indicators/defaults
rules:
  petites_communes:
    expect: expect_no_row_from_query
    severity: critical
    message: Aucune commune n'a autant d'habitants.
    remedy: Corriger la formule.
    with:
      query: SELECT indicator, month, territory, value FROM current WHERE level = 'commune' AND value > 60000
"""


def double(factor: int) -> str:
    return DOUBLE.format(name="double", label="En double", factor=factor, value=50 * factor)


def said(home: Home, indicator: str) -> list[tuple[float, str | None]]:
    with open_release(home) as connection:
        return connection.execute(
            "SELECT DISTINCT value, reserve FROM indicator_values "
            "WHERE indicator = ? AND territory = '93008' AND month = '2019-01'",
            [indicator],
        ).fetchall()


@pytest.fixture
def family(copied: Path, home: Home, tmp_path: Path) -> Path:
    """The file of a family; its figures are accepted already."""
    path = copied / "assets" / "indicators" / "cadrage" / "essai.yaml"
    path.write_text(FAMILY + PART + double(2), encoding="utf-8")
    list(receive(Project.load(), home, [populations(tmp_path / "in", 2019)]))
    judge_pending(Project.load(), home, "insee/populations_legales")
    return path


def test_a_wrong_formula_keeps_the_last_good_values(family: Path, home: Home) -> None:
    publish(Project.load(), home)
    ((value, reserve),) = said(home, "part_municipale")
    assert (value, reserve) == (pytest.approx(BOBIGNY), None)

    family.write_text(FAMILY + WRONG + double(3), encoding="utf-8")
    second = publish(Project.load(), home)
    assert second.number == 2
    assert said(home, "part_municipale") == [(value, KEPT)]
    assert said(home, "double")[0][1] is None  # the other is published, three times now
    with open_release(home) as connection:
        formula = connection.execute(
            "SELECT formula FROM definitions WHERE indicator = 'part_municipale'"
        ).fetchone()
        top = connection.execute(
            "SELECT max(value) FROM indicator_values WHERE indicator = 'part_municipale'"
        ).fetchone()
    assert formula == ("100 * insee.population_municipale / insee.population_totale",)
    assert top is not None and top[0] <= 100
    # The mark goes on naming the release they come from, and nothing new is made of it.
    assert not publish(Project.load(), home).new
    assert said(home, "part_municipale") == [(value, KEPT)]

    family.write_text(FAMILY + PART + double(3), encoding="utf-8")
    assert publish(Project.load(), home).number == 3
    assert said(home, "part_municipale") == [(value, None)]


def test_a_new_indicator_that_fails_stays_out(family: Path, home: Home) -> None:
    family.write_text(FAMILY + WRONG + double(2), encoding="utf-8")
    publish(Project.load(), home)
    assert said(home, "part_municipale") == []
    assert said(home, "double") != []
    with open_release(home) as connection:
        rows = connection.execute(
            "SELECT count(*) FROM definitions WHERE indicator = 'part_municipale'"
        ).fetchone()
    assert rows == (0,)
    with Store(home.warehouse).connect() as connection:
        failed = connection.execute(
            "SELECT indicator, rule FROM indicator_verdicts WHERE NOT passed AND severity = 'critical'"
        ).fetchall()
    assert failed == [("part_municipale", "bornes_de_l_unite")]


def test_a_rate_that_differs_from_its_producer_s_own_is_told(family: Path, home: Home) -> None:
    """Published all the same: which of the two is right is for people to say."""
    told = double(2) + "    published_as: insee.population_totale\n"
    family.write_text(FAMILY + PART + told, encoding="utf-8")
    publish(Project.load(), home)
    with Store(home.warehouse).connect() as connection:
        rows = connection.execute(
            "SELECT severity, passed, failing FROM indicator_verdicts "
            "WHERE rule = 'taux_du_producteur' AND indicator = 'double'"
        ).fetchall()
    assert rows == [("warning", False, 40)]
    assert said(home, "double") != []


def test_kept_values_go_with_the_verdict_they_rest_on(family: Path, home: Home, tmp_path: Path) -> None:
    """While another month, trusted, still makes the formula fail: nothing of the indicator is kept."""
    list(receive(Project.load(), home, [populations(tmp_path / "in", 2020)]))
    judge_pending(Project.load(), home, "insee/populations_legales")
    publish(Project.load(), home)
    family.write_text(FAMILY + WRONG + double(2), encoding="utf-8")
    publish(Project.load(), home)
    assert [reserve for _, reserve in said(home, "part_municipale")] == [KEPT]
    with Store(home.warehouse).connect() as connection:
        connection.execute("DELETE FROM verdicts WHERE month = '2019-01'")
    publish(Project.load(), home)
    assert said(home, "part_municipale") == []
    with Store(home.warehouse).connect() as connection:
        connection.execute("DELETE FROM verdicts")
    with pytest.raises(recueil_gate.RecueilRefused, match="contenu_non_vide"):
        publish(Project.load(), home)


def test_unchanged_values_are_not_audited_again(
    family: Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(Project.load(), home)

    def audited(*_: object) -> None:
        raise AssertionError("audited again")

    monkeypatch.setattr(recueil_gate, "suite_findings", audited)
    assert not publish(Project.load(), home).new


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ("DELETE FROM protected", "contenu_non_vide"),
        (
            "DELETE FROM indicator_verdicts WHERE indicator = 'double'; UPDATE protected SET value = 3 "
            "WHERE indicator = 'double'",
            "verdict_favorable",
        ),
        ("UPDATE protected SET conf_status = 'D' WHERE territory = '93008'", "secret_sans_valeur"),
    ],
)
def test_an_edition_that_breaks_a_rule_is_not_published(
    family: Path, home: Home, monkeypatch: pytest.MonkeyPatch, fault: str, rule: str
) -> None:
    publish(Project.load(), home)
    hide = publishing.hide_values

    def faulty(connection: duckdb.DuckDBPyConnection, project: Project) -> None:
        hide(connection, project)
        connection.execute(fault)

    monkeypatch.setattr(publishing, "hide_values", faulty)
    with pytest.raises(recueil_gate.RecueilRefused, match=f"^{rule} : "):
        publish(Project.load(), home)
    assert current_number(home) == 1
    names = [path.name for path in sorted(home.releases.iterdir())]
    assert names == ["0001", "current", "memory"]  # what releases told stands beside them


def test_a_level_that_changes_is_published_with_a_warning(family: Path, home: Home) -> None:
    publish(Project.load(), home)
    family.write_text(FAMILY + PART + double(5), encoding="utf-8")
    assert publish(Project.load(), home).number == 2
    assert said(home, "double") == [(5 * 7029, None)]
    with Store(home.warehouse).connect() as connection:
        failed = connection.execute(
            "SELECT indicator, rule, severity, rows FROM indicator_verdicts WHERE NOT passed"
        ).fetchall()
    ((indicator, rule, severity, rows),) = failed
    assert (indicator, rule, severity) == ("double", "saut_depuis_l_edition", "warning")
    assert [row["value"] for row in json.loads(rows)] == [2.5]  # from twice to five times


@pytest.mark.parametrize(
    ("now", "lost"),
    [
        (
            [(2024, 100)],
            False,
        ),  # the file of the year itself came after another one's, of later communes
        ([(2025, 100)], False),
        ([(2024, None)], True),
        ([], True),
    ],
)
def test_values_of_another_geography_are_not_lost(
    project: Project, now: list[tuple[int, int | None]], lost: bool
) -> None:
    """What the last edition said of 2025's communes stands beside what is computed of one geography."""
    query = project.rules("indicators/defaults")["valeurs_perdues"].arguments["query"]
    told = {(c, g): (v, None) for c in range(93001, 93041) for g, v in now}
    for commune in range(93001, 93040):
        value, _ = told.get((commune, 2025), (None, None))
        told[commune, 2025] = (value, 90)
    rows = [("population", "2016-01", str(c), "commune", g, *ends) for (c, g), ends in told.items()]
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE compared (indicator VARCHAR, month VARCHAR, territory VARCHAR, level VARCHAR, "
            "geography INTEGER, value DOUBLE, published DOUBLE, conf_status VARCHAR)"
        )
        connection.executemany("INSERT INTO compared VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", rows)
        found = connection.execute(query).fetchall()
    assert found == ([("population", "2016-01", "39 communes sur 39")] if lost else [])


def test_a_family_may_have_rules_of_its_own(family: Path, home: Home, copied: Path) -> None:
    suite = copied / "expectations" / "indicators" / "cadrage" / "essai.yaml"
    suite.parent.mkdir()
    suite.write_text(OWN, encoding="utf-8")
    publish(Project.load(), home)
    assert said(home, "double") == []  # 2 x 40,000 inhabitants and more
    assert said(home, "part_municipale") != []
    with Store(home.warehouse).connect() as connection:
        failed = connection.execute(
            "SELECT indicator, rule FROM indicator_verdicts WHERE NOT passed"
        ).fetchall()
    assert failed == [("double", "petites_communes")]
