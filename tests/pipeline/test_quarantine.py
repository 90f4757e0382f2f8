"""What was refused: its notice, its acceptance by a person, and how a re-delivery closes it."""

from dataclasses import replace
from pathlib import Path

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.demo.deliveries import write_deliveries
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.quality.notice import Notice, _one_cause, as_page, as_text, notice_of
from odds_pipeline.quality.quarantine import Case, NotAcceptable, accept, cases, one_case, retry
from odds_pipeline.quality.waiting import DamagedArchive
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

from .test_gate import FEED, _set, gate, populations

REASON = "Commune recensée à part cette année, confirmé par l'Insee"


def in_quarantine(home: Home) -> list[Case]:
    with Store(home.warehouse).connect() as connection:
        return cases(connection)


def notice(project: Project, home: Home, named: str) -> Notice:
    with Store(home.warehouse).connect() as connection:
        return notice_of(project, connection, one_case(connection, named))


def test_a_redelivery_that_passes_closes_the_case(project: Project, home: Home, tmp_path: Path) -> None:
    gate(project, home, populations(tmp_path / "a", 2019, lambda rows: rows.pop(4)))
    (case,) = in_quarantine(home)
    assert (case.feed, case.month, case.rules) == (FEED, "2019-01", ("toutes_les_communes",))
    gate(project, home, populations(tmp_path / "b", 2019, _set(6, 4, "-3")))
    assert len(in_quarantine(home)) == 2
    gate(project, home, populations(tmp_path / "c", 2019))
    assert in_quarantine(home) == []


def test_an_earlier_good_delivery_closes_nothing(project: Project, home: Home, tmp_path: Path) -> None:
    gate(project, home, populations(tmp_path / "a", 2019))
    gate(project, home, populations(tmp_path / "b", 2019, lambda rows: rows.pop(4)))
    assert [c.month for c in in_quarantine(home)] == ["2019-01"]


def test_what_a_person_accepts_is_published_with_the_reason(
    project: Project, home: Home, tmp_path: Path
) -> None:
    path = populations(tmp_path / "a", 2019, lambda rows: rows.pop(4))
    gate(project, home, path)
    judgement = accept(project, home, path.name, None, REASON, "A. Martin")
    assert judgement.accepted == ("2019-01",)
    assert in_quarantine(home) == []
    publish(project, home)
    with open_release(home) as release:
        reserves = release.execute(
            "SELECT DISTINCT reserve FROM indicator_values WHERE month = '2019-01'"
        ).fetchall()
        failed = release.execute("SELECT rule FROM verdicts WHERE NOT passed AND severity = 'critical'")
        assert failed.fetchall() == [("toutes_les_communes",)]
    ((reserve,),) = reserves
    assert REASON in reserve
    assert "A. Martin" in reserve
    # A complete delivery ends the reserve.
    gate(project, home, populations(tmp_path / "b", 2019))
    publish(project, home)
    with open_release(home) as release:
        assert release.execute("SELECT count(reserve) FROM indicator_values").fetchone() == (0,)


@pytest.mark.parametrize("cell", ["à vérifier", "1,234,567"])
def test_nobody_can_accept_what_cannot_be_read(
    project: Project, home: Home, tmp_path: Path, cell: str
) -> None:
    path = populations(tmp_path / "a", 2019, _set(3, 3, cell))
    gate(project, home, path)
    with pytest.raises(NotAcceptable, match="lisible"):
        accept(project, home, path.name, None, REASON, "A. Martin")
    with Store(home.warehouse).connect() as connection:
        for table in ("observations", "overrulings"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    assert len(in_quarantine(home)) == 1


def test_a_reason_and_a_name_are_needed(project: Project, home: Home, tmp_path: Path) -> None:
    path = populations(tmp_path / "a", 2019, lambda rows: rows.pop(4))
    gate(project, home, path)
    for reason, name in (("ok", "A. Martin"), (REASON, " ")):
        with pytest.raises(NotAcceptable, match="a reason"):
            accept(project, home, path.name, None, reason, name)


def test_a_case_that_a_later_delivery_closed_cannot_be_accepted(
    project: Project, home: Home, tmp_path: Path
) -> None:
    path = populations(tmp_path / "a", 2019, lambda rows: rows.pop(4))
    gate(project, home, path)
    gate(project, home, populations(tmp_path / "b", 2019))
    with pytest.raises(LookupError):
        accept(project, home, path.name, None, REASON, "A. Martin")


def test_the_notice_cites_the_cells_as_the_file_has_them(
    project: Project, home: Home, tmp_path: Path
) -> None:
    def edit(rows: list[list[str]]) -> None:
        rows[6][3] = "-12"
        rows.pop(8)

    path = populations(tmp_path / "a", 2019, edit)
    gate(project, home, path)
    found = notice(project, home, path.name)
    assert found.month == "janvier 2019"
    by_rule = {fault.rule: fault for fault in found.refusing}
    (cell,) = by_rule["pas_trop_petit"].cells
    assert (cell.line, cell.column, cell.territory, cell.found, cell.expected) == (
        "7", "PMUN — Population municipale", "Bondy (93010)", "-12", "au moins 0",
    )  # fmt: skip
    assert by_rule["toutes_les_communes"].cells[0].territory == "Clichy-sous-Bois (93014)"
    text = as_text(found)
    assert "- ligne 7, colonne PMUN — Population municipale, Bondy (93010) : -12" in text
    assert "janvier 2019, corrigé" in text


def test_a_line_that_comes_twice_is_cited_once_a_line(
    project: Project, home: Home, tmp_path: Path
) -> None:
    """Not once a column: it is one mistake."""
    (written,) = write_deliveries(
        project, tmp_path, "2024-11", "2024-11", faults=False, feeds={"caf/rsa"}
    ).paths
    lines = written.read_text(encoding="utf-8").splitlines()
    written.write_text("\n".join([*lines, lines[3]]) + "\n", encoding="utf-8")
    list(receive(project, home, [written]))
    judge_pending(project, home, "caf/rsa")
    (fault,) = notice(project, home, written.name).refusing
    assert fault.rule == "territoires_uniques"
    assert [cell.line for cell in fault.cells] == ["4", "42"]
    assert {cell.territory for cell in fault.cells} == {"Bagnolet (93006)"}


def test_a_code_mistyped_is_one_cause(project: Project, home: Home, tmp_path: Path) -> None:
    """Its commune is absent for that, and is not asked for besides."""
    months = write_deliveries(
        project, tmp_path, "2024-10", "2024-11", faults=False, feeds={"caf/rsa"}
    ).paths
    last = months[-1]
    last.write_text(last.read_text(encoding="utf-8").replace("93001;", "93OO1;"), encoding="utf-8")
    list(receive(project, home, months))
    judge_pending(project, home, "caf/rsa")
    found = notice(project, home, last.name)
    unknown, absent = found.refusing
    assert (unknown.rule, unknown.follows, unknown.cells[0].territory) == (
        "territoires_connus", False, "93OO1",
    )  # fmt: skip
    assert (absent.rule, absent.follows, absent.cells[0].territory) == (
        "toutes_les_communes", True, "Aubervilliers (93001)",
    )  # fmt: skip
    assert not any("la fois précédente" in fault.message for fault in found.doubtful)
    assert as_text(found).count("À faire :") == 1


def test_a_month_to_come_asks_for_another_name_and_one_cell_is_one_cause(
    project: Project, home: Home, tmp_path: Path
) -> None:
    months = write_deliveries(
        project, tmp_path, "2024-10", "2024-11", faults=False, feeds={"caf/rsa"}
    ).paths
    later = months[0].with_name("caf_rsa_2090-11.csv")
    later.write_bytes(months[0].read_bytes() + b"\n")
    rows = [line.split(";") for line in months[-1].read_text(encoding="utf-8").splitlines()]
    rows[1][2] = "1500000"  # people, in a commune of 90,000
    months[-1].write_text("\n".join(map(";".join, rows)) + "\n", encoding="utf-8")
    list(receive(project, home, [*months, later]))
    judge_pending(project, home, "caf/rsa")
    text = as_text(notice(project, home, later.name))
    assert "Le fichier décrit novembre 2090, qui" in text
    assert "le même fichier, sous le nom qui convient" in text and "de novembre 2090" not in text
    found = notice(project, home, months[-1].name)
    assert len(found.refusing) > 1 and [f.follows for f in found.refusing].count(False) == 1
    assert as_text(found).count("À faire :") == 1 and "1500000" in as_text(found)
    twice = [replace(found.refusing[0], rule=rule, follows=False) for rule in ("a", "b")]
    assert [fault.follows for fault in _one_cause(twice)] == [False, True]


def test_two_columns_exchanged_are_one_cause_in_the_words_of_the_partner(
    project: Project, home: Home, tmp_path: Path
) -> None:
    """The hundreds of parts above their total follow from it."""
    months = write_deliveries(
        project, tmp_path, "2024-07", "2024-11", faults=False, feeds={"caf/rsa"}
    ).paths
    last = months[-1]
    rows = [line.split(";") for line in last.read_text(encoding="utf-8").splitlines()]
    for row in rows[1:]:
        row[1], row[3] = row[3], row[1]
    last.write_text("\n".join(map(";".join, rows)) + "\n", encoding="utf-8")
    list(receive(project, home, months))
    judge_pending(project, home, "caf/rsa")
    found = notice(project, home, last.name)
    first, *others = found.refusing
    assert (first.rule, first.follows) == ("colonnes_echangees", False)
    assert [cell.found for cell in first.cells] == [
        "a les valeurs habituelles de « Foyers percevant le RSA majoré »",
        "a les valeurs habituelles de « Foyers allocataires du RSA »",
    ]
    assert {fault.rule for fault in others} == {"numerateur_sous_denominateur", "parties_dans_le_tout"}
    assert all(fault.follows and fault.cells == () for fault in others)
    text = as_text(found)
    assert text.count("À faire :") == 1 and "caf." not in text.partition("Contrat de fichier")[0]


def test_the_page_escapes_what_a_file_says(project: Project, home: Home, tmp_path: Path) -> None:
    path = populations(tmp_path / "a", 2019, _set(3, 3, "<script>alert(1)</script>"))
    gate(project, home, path)
    page = as_page(notice(project, home, path.name))
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "http" not in page


def test_a_file_that_cannot_be_opened_waits_under_its_month(
    project: Project, home: Home, tmp_path: Path
) -> None:
    path = tmp_path / "caf_allocataires_2024-03.zip"
    path.write_bytes(b"PK\x03\x04 cut short")
    (receipt,) = receive(project, home, [path])
    assert receipt.feed == "caf/allocataires"
    assert [(c.month, c.rules) for c in in_quarantine(home)] == [("2024-03", ("illisible",))]
    text = as_text(notice(project, home, path.name))
    assert "archive zip abîmée" in text and "Marques admises" not in text


def test_marks_are_told_to_who_is_asked_to_write_one(
    project: Project, home: Home, tmp_path: Path
) -> None:
    columns = project.feeds["caf/rsa"].feed.columns_of(project.feeds["caf/rsa"].feed.formats[0])
    cells = ["secret", *("7" for _ in columns)][: len(columns)]
    path = tmp_path / "caf_rsa_2024-11.csv"
    path.write_text("\n".join([f"code_insee;{';'.join(c.names[0] for c in columns.values())}",
                               f"93001;{';'.join(cells)}"]), "utf-8")  # fmt: skip
    list(receive(project, home, [path]))
    judge_pending(project, home, "caf/rsa")
    assert "Marques admises dans les cellules sans chiffre : <5 : secret" in as_text(
        notice(project, home, path.name)
    )


def test_a_mended_rule_judges_again(project: Project, home: Home, tmp_path: Path) -> None:
    path = populations(tmp_path / "a", 2019, lambda rows: rows.pop(4))
    gate(project, home, path)
    assert [c.month for c in retry(home, path.name)] == ["2019-01"]
    (judgement,) = judge_pending(project, home, FEED)
    assert judgement.refused == ("2019-01",)
    with Store(home.warehouse).connect() as connection:
        twice = connection.execute(
            "SELECT max(n) FROM (SELECT count(*) AS n FROM verdicts GROUP BY delivery, month, rule)"
        ).fetchone()
    assert twice == (1,)


def test_bytes_changed_in_the_archive_are_not_judged(
    project: Project, home: Home, tmp_path: Path
) -> None:
    (receipt,) = receive(project, home, [populations(tmp_path / "in", 2019)])
    archived = home.archive / receipt.delivery[:2] / receipt.delivery
    archived.chmod(0o644)
    archived.write_bytes(archived.read_bytes().replace(b"93008", b"93010"))
    with pytest.raises(DamagedArchive):
        judge_pending(project, home, FEED)
