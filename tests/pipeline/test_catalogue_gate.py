"""An indicator whose values are wrong keeps its last good ones and says so; the others go out."""

from pathlib import Path

import pytest

from odds_pipeline.home import Home
from odds_pipeline.model.project import Project
from odds_pipeline.quality import catalogue_gate
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.reception.receive import receive
from odds_pipeline.warehouse.publish import publish
from odds_pipeline.warehouse.release import open_release
from odds_pipeline.warehouse.store import Store

from .test_gate import populations
from .test_release_notes import DOUBLE, FAMILY, PART, copied

__all__ = ["copied"]

BOBIGNY = 100 * 7019 / 7029  # fifth commune: 5 x 1,000 + 2,019 inhabitants, ten more counted apart
WRONG = PART.replace(  # ten times the numerator, its example as wrong
    "100 * insee.population_municipale",
    "100 * (insee.population_municipale + 9 * insee.population_municipale)",
).replace("value: 90", "value: 900")
KEPT = "Valeurs de l’édition 1 : la règle bornes_de_l_unite a échoué."


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
    # The mark goes on naming the edition they come from, and nothing new is made of it.
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


def test_kept_values_go_with_the_verdict_they_rest_on(family: Path, home: Home) -> None:
    publish(Project.load(), home)
    family.write_text(FAMILY + WRONG + double(2), encoding="utf-8")
    publish(Project.load(), home)
    with Store(home.warehouse).connect() as connection:
        connection.execute("DELETE FROM verdicts")
    publish(Project.load(), home)
    assert said(home, "part_municipale") == []


def test_unchanged_values_are_not_audited_again(
    family: Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(Project.load(), home)

    def audited(*_: object) -> None:
        raise AssertionError("audited again")

    monkeypatch.setattr(catalogue_gate, "suite_findings", audited)
    assert not publish(Project.load(), home).new
