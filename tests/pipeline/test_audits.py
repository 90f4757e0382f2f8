"""One audit for all that waits: the verdicts are those of each feed alone, and hold only for what they rest on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.suite import TOLERATED, Rule, Suite
from odds_pipeline.declarations.yaml_file import YamlFile
from odds_pipeline.demo.deliveries import write_deliveries
from odds_pipeline.quality import batch
from odds_pipeline.quality.gate import Judgement, judge_pending
from odds_pipeline.reception.kept import archive_path
from odds_pipeline.reception.receive import receive
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

from .test_gate import FEED, _set, populations, refusing

VERDICTS = (
    "SELECT delivery, month, rule, severity, passed, message, failing, rows FROM verdicts ORDER BY ALL"
)
PARTNER = "caf"


@pytest.fixture
def audits(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The feeds of each audit that is made."""
    made: list[set[str]] = []
    audit = batch.audit

    def counted(project: Project, waiting: Any, tables: Any) -> Any:
        made.append({one.feed for one in waiting})
        return audit(project, waiting, tables)

    monkeypatch.setattr(batch, "audit", counted)
    return made


def _caf(project: Project, home: Home, folder: Path, month: str) -> list[str]:
    """The feeds of a month of the CAF, one of whose files lacks a commune."""
    own = {feed for feed in project.feeds if feed.startswith(f"{PARTNER}/")}
    written = write_deliveries(project, folder / month, month, month, faults=False, feeds=own).paths
    paths = [path for path in written if path.name.startswith(f"{PARTNER}_")]
    lines = paths[0].read_bytes().splitlines(keepends=True)
    paths[0].write_bytes(b"".join(lines[:5] + lines[6:]))
    with Store(home.warehouse).kept_open():
        return sorted({str(receipt.feed) for receipt in receive(project, home, paths)})


def _judged(project: Project, home: Home, feeds: list[str]) -> dict[str, list[Judgement]]:
    with Store(home.warehouse).kept_open():  # as `odds run` does it
        return {feed: judge_pending(project, home, feed) for feed in feeds}


def _verdicts(home: Home) -> list[tuple[Any, ...]]:
    with Store(home.warehouse).connect() as connection:
        return connection.execute(VERDICTS).fetchall()


def test_verdicts_are_those_of_each_feed_alone(
    project: Project, tmp_path: Path, audits: list[set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for figures in (batch.FIGURES, 1):  # all at once, or no more than one feed at a time
        monkeypatch.setattr(batch, "FIGURES", figures)
        home = Home(tmp_path / str(figures))
        for month in ("2024-11", "2024-12"):
            feeds = _caf(project, home, tmp_path / "in", month)
            assert len(feeds) > 5
            _judged(project, home, feeds)
        found.append(_verdicts(home))
    assert found[0] == found[1]
    assert {passed for _, _, _, _, passed, *_ in found[0]} == {True, False}
    assert audits[:2] == [set(feeds), set(feeds)]
    assert audits[2:] == [{feed} for feed in [*feeds, *feeds]]


def test_a_refusal_is_that_of_its_feed_alone(project: Project, home: Home, tmp_path: Path) -> None:
    feeds = _caf(project, home, tmp_path / "in", "2024-12")
    judged = _judged(project, home, feeds)
    refused = {feed for feed, own in judged.items() if any(j.refused for j in own)}
    assert len(refused) == 1
    assert all(j.accepted for feed, own in judged.items() if feed not in refused for j in own)


def _receive(project: Project, home: Home, folder: Path, *years: int, edit: Any = None) -> None:
    with Store(home.warehouse).kept_open():
        list(receive(project, home, [populations(folder, year, edit) for year in years]))


@pytest.mark.parametrize("changed", ["value", "delivery", "rule"])
def test_a_verdict_holds_only_for_what_it_rests_on(
    project: Project, home: Home, tmp_path: Path, audits: list[set[str]], changed: str
) -> None:
    _receive(project, home, tmp_path / "a", 2018, 2019)
    judge_pending(project, home, FEED, "2018-01", "2018-01")
    with Store(home.warehouse).connect() as connection:
        batch.audit_all(project, home, connection)
        batch.audit_all(project, home, connection)  # nothing is out of date
    assert len(audits) == 2
    if changed == "value":
        with Store(home.warehouse).connect() as connection:
            connection.execute("UPDATE observations SET value = 2 * value WHERE month = '2018-01'")
    elif changed == "delivery":
        _receive(project, home, tmp_path / "b", 2020)
    else:
        suite, file = project.suites["partners/defaults"]
        rules = {n: r for n, r in suite.rules.items() if n != "evolution"}
        suites = {
            **project.suites,
            "partners/defaults": (suite.model_copy(update={"rules": rules}), file),
        }
        project = replace(project, suites=suites)
    judge_pending(project, home, FEED)
    assert len(audits) == 3


def test_a_month_delivered_twice_is_judged_in_turns(
    project: Project, home: Home, tmp_path: Path
) -> None:
    """The second file is audited as coming after the first, and revises it."""
    _receive(project, home, tmp_path / "a", 2019)
    _receive(project, home, tmp_path / "b", 2019, edit=_set(5, 4, "11"))
    first, second = judge_pending(project, home, FEED)
    assert (first.accepted, second.accepted) == (("2019-01",), ("2019-01",))
    assert {f.rule for f in second.findings if not f.passed} == {"deja_livre"}
    with Store(home.warehouse).connect() as connection:
        assert connection.execute("SELECT count(*) FROM staged").fetchone() == (0,)
        row = connection.execute(
            "SELECT value FROM observations WHERE known_to IS NULL AND territory = '93008' "
            "AND variable = 'insee.population_comptee_a_part'"
        ).fetchone()
    assert row == (11.0,)


def test_a_month_delivered_twice_takes_one_audit_a_turn(
    project: Project, home: Home, tmp_path: Path, audits: list[set[str]]
) -> None:
    _receive(project, home, tmp_path / "a", 2019)
    _receive(project, home, tmp_path / "b", 2019, edit=_set(5, 4, "11"))
    judge_pending(project, home, FEED)
    assert len(audits) == 2


def test_an_archive_that_is_damaged_stops_its_own_feed_only(
    project: Project, home: Home, tmp_path: Path
) -> None:
    feeds = _caf(project, home, tmp_path / "in", "2024-12")
    with Store(home.warehouse).connect() as connection:
        rows = connection.execute("SELECT feed, id FROM deliveries ORDER BY feed").fetchall()
    damaged, delivery = rows[-1]
    archived = archive_path(home, delivery)
    archived.chmod(0o644)
    archived.write_bytes(b"other bytes")
    judged = _judged(project, home, [feed for feed in feeds if feed != damaged])
    assert all(judged.values())
    with pytest.raises(Exception, match="no longer holds the bytes received"):
        judge_pending(project, home, damaged)


def _with_rule(project: Project, key: str, name: str, query: str) -> Project:
    nothing = (Suite(extends="partners/defaults"), YamlFile(Path(key), {}))
    suite, file = project.suites.get(key, nothing)
    rule = Rule.model_validate(
        {
            "expect": "expect_no_row_from_query",
            "severity": "warning",
            "message": "Une règle de plus.",
            "remedy": "Rien.",
            "with": {"query": query},
        }
    )
    changed = suite.model_copy(update={"rules": {**suite.rules, name: rule}})
    return replace(project, suites={**project.suites, key: (changed, file)})


def test_a_rule_that_cannot_run_refuses(project: Project, home: Home, tmp_path: Path) -> None:
    """Whatever its own severity, and only the feed whose figures it cannot be asked of."""
    query = (
        "SELECT feed, month FROM delivery WHERE variable LIKE 'insee.%' AND CAST(variable AS INT) > 0"
    )
    broken = _with_rule(project, "partners/defaults", "impossible", query)
    feeds = _caf(broken, home, tmp_path / "in", "2024-12")
    _receive(broken, home, tmp_path / "b", 2019)
    (judgement,) = judge_pending(broken, home, FEED)
    assert judgement.refused == ("2019-01",)
    assert refusing(judgement) == {"impossible"}
    (finding,) = (f for f in judgement.findings if f.rule == "impossible")
    assert "n'a pas pu être évaluée" in finding.message
    for others in _judged(broken, home, feeds).values():
        assert all("impossible" not in refusing(other) for other in others)


def test_the_rules_of_a_feed_see_its_figures_alone(project: Project, home: Home, tmp_path: Path) -> None:
    """Though those of all feeds are audited together; a query may begin with tables of its own."""
    query = (
        "WITH seen AS (SELECT DISTINCT month, variable FROM delivery) SELECT month, variable FROM seen"
    )
    own = _with_rule(project, f"partners/{FEED}", "tout_voir", query)
    _caf(own, home, tmp_path / "in", "2024-12")
    _receive(own, home, tmp_path / "b", 2019)
    (judgement,) = judge_pending(own, home, FEED)
    (finding,) = (f for f in judgement.findings if f.rule == "tout_voir")
    assert {row["variable"].partition(".")[0] for row in finding.rows} == {"insee"}
    assert finding.count == 3


def test_a_suite_without_rules_audits_nothing(project: Project, home: Home, tmp_path: Path) -> None:
    own = {f"partners/{FEED}": (Suite(), YamlFile(Path("empty"), {}))}
    empty = replace(project, suites={**project.suites, **own})
    _receive(empty, home, tmp_path / "a", 2019)
    with pytest.raises(ValueError, match="audits nothing"):
        judge_pending(empty, home, FEED)


def test_a_month_that_no_rule_was_run_on_is_refused(
    project: Project, home: Home, tmp_path: Path
) -> None:
    _receive(project, home, tmp_path / "a", 2019)
    with Store(home.warehouse).connect() as connection:
        batch.audit_all(project, home, connection)
        connection.execute("DELETE FROM verdicts")
    (judgement,) = judge_pending(project, home, FEED)
    assert (judgement.accepted, judgement.refused) == ((), ("2019-01",))


@pytest.mark.parametrize("severity", ["critical", *TOLERATED, "unheard_of"])
def test_what_refuses_is_the_same_in_the_gate_and_in_the_warehouse(
    project: Project, home: Home, tmp_path: Path, severity: str
) -> None:
    _receive(project, home, tmp_path / "a", 2019)
    with Store(home.warehouse).connect() as connection:
        batch.audit_all(project, home, connection)
        connection.execute(
            "UPDATE verdicts SET passed = false, severity = ? WHERE rule = 'lisible'", [severity]
        )
        failing = connection.execute("SELECT rule FROM failing_verdicts").fetchall()
    (judgement,) = judge_pending(project, home, FEED)
    assert refusing(judgement) == {rule for (rule,) in failing}
    assert bool(judgement.refused) == (severity not in TOLERATED)
