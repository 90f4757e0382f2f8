"""Each file is received by itself: what it holds, what it replaces, and the way back of what was not read."""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, Timeout

from odds_pipeline.declarations.project import Project
from odds_pipeline.demo.deliveries import write_deliveries
from odds_pipeline.quality import batch, waiting
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.quality.notice import as_text, notice_of
from odds_pipeline.quality.quarantine import accept, cases, retry
from odds_pipeline.quality.verdicts import next_turns
from odds_pipeline.quality.waiting import reread
from odds_pipeline.reception import receive as receiving
from odds_pipeline.reception.aside import dismiss, set_aside, unread
from odds_pipeline.reception.contents import Delivery, deliveries_of
from odds_pipeline.reception.kept import archive_path
from odds_pipeline.reception.reading import Reading
from odds_pipeline.reception.receipt import Receipt
from odds_pipeline.reception.receive import receive, recognise_again
from odds_pipeline.reception.recording import Source, record
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store
from tests.judged import received_and_judged

from .test_gate import FEED, populations

NOVEMBER, DECEMBER = 1_732_924_800, 1_733_443_200


def _values(home: Home, territory: str = "93001") -> list[float]:
    with Store(home.warehouse).connect() as connection:
        return [
            value
            for (value,) in connection.execute(
                "SELECT value FROM observations WHERE known_to IS NULL AND territory = ? "
                "AND variable = 'insee.population_municipale'",
                [territory],
            ).fetchall()
        ]


def _raised(rows: list[list[str]]) -> None:
    rows[1][3], rows[1][5] = "3500", "3510"


def _two(tmp_path: Path) -> tuple[Path, Path]:
    """An older file and a newer one of the same month, the newer one first in order of name."""
    older = populations(tmp_path / "b", 2019)
    newer = populations(tmp_path / "a", 2019, _raised)
    os.utime(older, (NOVEMBER, NOVEMBER))
    os.utime(newer, (DECEMBER, DECEMBER))
    return older, newer


def test_the_same_bytes_under_another_months_name_are_not_passed_over(
    project: Project, home: Home, tmp_path: Path
) -> None:
    """January's file came first under February's name; January's own then says that one is wrong."""
    lines = ["code_insee;FSL_ACC;FSL_MAI;FSL_ENE;FSL_MT"]
    lines += [f"93{n:03d};31;41;51;60000" for n in (1, 5, 8)]
    for month in ("2024-02", "2024-01"):
        path = tmp_path / f"conseil_general_fsl_{month}.csv"
        path.write_text("\n".join(lines) + "\n")
    (first,) = receive(project, home, [tmp_path / "conseil_general_fsl_2024-02.csv"])
    assert first.months == ("2024-02",)
    (second,) = receive(project, home, [path])
    assert (second.feed, second.months) == (first.feed, ("2024-01",)) and second.reason is not None
    for said in ("conseil_general_fsl_2024-02.csv", "reçus pour février 2024", "dit janvier 2024"):
        assert said in second.reason
    both = sorted(tmp_path.glob("*.csv"))
    known = [r.known for now in (project, _mended(project)) for r in receive(now, home, both)]
    assert known == [True] * 4
    with Store(home.warehouse).connect() as connection:
        (case,) = cases(connection)
        notice = as_text(notice_of(project, connection, case))
    assert (case.file, case.month, case.rules) == (path.name, "2024-01", ("memes_octets",))
    assert "Dire lequel des deux noms est le bon" in notice and "fichier à renvoyer" in notice
    assert "cellule(s)" not in notice
    years: list[Receipt] = []
    for year in ("2020", "2021"):
        own = populations(tmp_path / year, 2019).rename(tmp_path / year / "donnees_communes.csv")
        years += receive(project, home, [own])
    assert years[0].months == ("2020-01",)
    assert years[1].reason is not None and "reçus pour janvier 2020" in years[1].reason
    copy = tmp_path / "copie" / "conseil_general_fsl_2024-02.csv"
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    (again,) = receive(project, home, [copy])
    assert again.known and again.reason is None


def test_a_file_renamed_as_its_refusal_asks_is_read(
    project: Project, home: Home, tmp_path: Path
) -> None:
    """The same bytes, first under a name that tells no month: they are known, but nobody read them."""
    path = tmp_path / "conseil_general_fsl_2024-02.csv"
    lines = ["code_insee;FSL_ACC;FSL_MAI;FSL_ENE;FSL_MT"]
    path.write_text("\n".join([*lines, *(f"93{n:03d};31;41;51;60000" for n in (1, 5, 8))]) + "\n")
    told = []
    for name in ("export.csv", "fsl février.csv", path.name, "export.csv"):
        copy = path.with_name(name)
        copy.write_bytes(path.read_bytes())
        told += [(r.feed, r.months, r.known) for r in receive(project, home, [copy])]
    feed = "conseil_general/fsl"
    assert told == [
        (None, ("0000-00",), False), (None, (), True), (feed, ("2024-02",), False), (feed, (), True),
    ]  # fmt: skip
    with Store(home.warehouse).connect() as connection:
        assert set_aside(connection) == []
        assert connection.execute("SELECT count(*) FROM arrivals").fetchall() == [(1,)]


def test_a_folder_tells_the_month_that_a_name_lacks(
    project: Project, home: Home, tmp_path: Path
) -> None:
    """The columns are one contract's: its partner is asked for the name, of that month."""
    (written,) = write_deliveries(
        project, tmp_path, "2024-11", "2024-11", faults=False, feeds={"caf/rsa"}
    ).paths
    path = tmp_path / "2024-11" / "rsa.csv"
    path.parent.mkdir()
    written.rename(path)
    (receipt,) = receive(project, home, [path])
    assert (receipt.feed, receipt.months) == ("caf/rsa", ("2024-11",))
    assert "caf_rsa_2024-11.csv" in str(receipt.reason)


def test_a_file_renamed_since_its_month_could_not_be_waits_for_the_gate(
    project: Project, home: Home, tmp_path: Path
) -> None:
    """Refused bytes may come again under the name that was asked for; what was refused is closed by it."""
    wrong = populations(tmp_path, 2090)
    assert [j.refused for j in received_and_judged(project, home, [wrong])[1]] == [("2090-01",)]
    copy = wrong.with_name("donnees_communes_pop2090 (1).csv")
    copy.write_bytes(wrong.read_bytes())
    (same,) = receive(project, home, [copy])
    assert same.known and same.refused == ("2090-01",)
    right = copy.rename(tmp_path / "donnees_communes_pop2019.csv")
    receipts, judged = received_and_judged(project, home, [right])
    assert [(r.months, r.reason) for r in receipts] == [(("2019-01",), None)]
    assert [j.accepted for j in judged] == [("2019-01",)] and len(_values(home)) == 1
    with Store(home.warehouse).connect() as connection:
        assert cases(connection) == []
    assert [r.known for r in receive(project, home, [wrong, right])] == [True, True]


def test_two_formats_of_the_same_columns_are_told_apart_by_name(
    project: Project, home: Home, tmp_path: Path
) -> None:
    """Rents of flats and of houses: the name alone tells them, and says so of the same bytes twice."""
    names = [f"indicateurs-loyers-{kind}_2018.csv" for kind in ("appartements", "maisons")]

    def sent(name: str, rent: str) -> Receipt:
        path = tmp_path / name
        rows = (f"93{n:03d};{rent};{rent};{rent}" for n in (1, 5, 8))
        path.write_text("\n".join(["INSEE;loypredm2;lwr.IPm2;upr.IPm2", *rows]) + "\n")
        (receipt,) = receive(project, home, [path])
        return receipt

    read = [sent(name, rent) for name, rent in zip(names, ("15,1", "16,2"), strict=True)]
    assert [(r.feed, r.format) for r in read] == [
        ("drihl/loyers", "appartements"), ("drihl/loyers", "maisons"),
    ]  # fmt: skip
    for name, rent, other in ((names[0], "16,2", names[1]), (names[1], "15,1", names[0])):
        receipt = sent(name, rent)
        assert receipt.feed == "drihl/loyers" and receipt.reason is not None
        for said in (f"« {other} »", "annonce des maisons »", "annonce des appartements »"):
            assert said in receipt.reason
    neither = sent("loyers_2018.csv", "17,3")
    assert neither.reason is not None and "le nom du fichier n'est pas de la forme" in neither.reason


def test_the_later_of_two_files_is_the_newer_whatever_their_names(
    project: Project, home: Home, tmp_path: Path
) -> None:
    _two(tmp_path)
    list(receive(project, home, [tmp_path]))
    judge_pending(project, home, FEED)
    assert _values(home) == [3500]
    with Store(home.warehouse).connect() as connection:
        assert cases(connection) == []


@pytest.mark.parametrize("judged", [True, False])
def test_older_figures_wait_for_a_person(
    project: Project, home: Home, tmp_path: Path, judged: bool
) -> None:
    older, newer = _two(tmp_path)
    list(receive(project, home, [newer]))
    if judged:
        judge_pending(project, home, FEED)
    list(receive(project, home, [older]))
    judge_pending(project, home, FEED)
    assert _values(home) == [3500]
    with Store(home.warehouse).connect() as connection:
        (case,) = cases(connection)
    assert case.rules == ("plus_ancien",)
    assert newer.name in case.why and "30/11/2024" in case.why and "06/12/2024" in case.why
    assert retry(home, case.file) == []
    judgement = accept(
        project, home, case.delivery, None, "la correction était une erreur", "Service études"
    )
    assert judgement.accepted == ("2019-01",)
    assert _values(home) == [3019]


def test_the_same_figures_are_no_older_ones(project: Project, home: Home, tmp_path: Path) -> None:
    older, newer = populations(tmp_path / "b", 2019), populations(tmp_path / "a", 2019)
    newer.write_text(newer.read_text() + "\n")
    os.utime(older, (NOVEMBER, NOVEMBER))
    list(receive(project, home, [newer]))
    judge_pending(project, home, FEED)
    (receipt,) = receive(project, home, [older])
    assert receipt.reason is None
    assert [j.refused for j in judge_pending(project, home, FEED)] == [()]


def test_what_is_no_file_is_named_and_keeps_no_other_waiting(
    project: Project, home: Home, tmp_path: Path
) -> None:
    landing = tmp_path / "in"
    populations(landing, 2019)
    (tmp_path / "secret.csv").write_text("a;b\n")
    (landing / "lien_2020.csv").symlink_to(tmp_path / "secret.csv")
    (landing / "dossier").symlink_to(tmp_path)
    os.mkfifo(landing / "tube")
    latin = os.path.join(os.fsencode(landing), b"donnees_communes_pop\xe9_2018.csv")  # noqa: PTH118
    with open(latin, "wb") as file:  # noqa: PTH123
        file.write(b"a;b\n1;2\n")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(landing / "prise"))
        receipts = {r.file: r for r in receive(project, home, [landing])}
    assert "lien symbolique" in str(receipts["lien_2020.csv"].reason)
    assert "lien symbolique" in str(receipts["dossier"].reason)
    assert "pas un fichier" in str(receipts["tube"].reason)
    assert receipts["prise"].reason is not None
    assert receipts["donnees_communes_pop2019.csv"].feed == FEED
    assert "donnees_communes_popé_2018.csv" in receipts
    assert not any(p.read_bytes() == b"a;b\n" for p in home.archive.rglob("*") if p.is_file())


def test_a_fault_of_ours_is_told_as_such_and_the_file_is_received_again(
    project: Project, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = populations(tmp_path, 2018), populations(tmp_path, 2019)

    def failing(project: Project, name: str, *given: Any) -> list[Delivery]:
        if name == first.name:
            raise ZeroDivisionError("a bug")
        return deliveries_of(project, name, *given)

    with monkeypatch.context() as patch:
        patch.setattr(receiving, "deliveries_of", failing)
        broken, received = receive(project, home, [first, second])
    assert broken.failed and "Erreur de l'observatoire" in str(broken.reason)
    assert "« a bug »" in str(broken.reason) and "ZeroDivisionError" not in str(broken.reason)
    assert received.reason is None
    again, known = receive(project, home, [first, second])
    assert (again.feed, again.known, known.known) == (FEED, False, True)


def test_a_file_that_cannot_be_recorded_keeps_no_other_waiting(
    project: Project, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = populations(tmp_path, 2018), populations(tmp_path, 2019)

    def failing(connection: object, found: list[tuple[Source, Delivery]], *given: Any) -> None:
        if any(source.file == first.name for source, _ in found):
            raise KeyError("a bug")
        record(connection, found, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(receiving, "record", failing)
    broken, received = receive(project, home, [first, second])
    assert broken.failed and "Erreur de l'observatoire" in str(broken.reason)
    assert (received.feed, received.reason) == (FEED, None)
    monkeypatch.setattr(receiving, "record", record)
    assert [(r.feed, r.known) for r in receive(project, home, [first, second])] == [
        (FEED, False), (FEED, True),
    ]  # fmt: skip


@pytest.mark.parametrize("packed", [False, True])
def test_nobody_waits_while_a_file_is_read(
    project: Project, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    """Nor while a small archive is, whatever is in it."""
    free: list[bool] = []

    def watched(project: Project, name: str, *given: Any) -> list[Delivery]:
        with FileLock(f"{home.warehouse}.lock", timeout=0):
            free.append(True)
        return deliveries_of(project, name, *given)

    monkeypatch.setattr(receiving, "deliveries_of", watched)
    files = [populations(tmp_path, year) for year in (2018, 2019)]
    if packed:
        files = [
            Path(shutil.make_archive(str(f.with_suffix("")), "zip", tmp_path, f.name)) for f in files
        ]
    else:
        monkeypatch.setattr(receiving, "LARGE", 10)
    list(receive(project, home, files[:1]))
    with Store(home.warehouse).kept_open():
        list(receive(project, home, files[1:]))
    assert free == [True, True]


_opened: list[str] | None = None
"""Files opened while a test listens: a hook of the interpreter cannot be taken away."""


def _hear(event: str, given: tuple[object, ...]) -> None:
    if event == "open" and _opened is not None:
        _opened.append(str(given[0]))


sys.addaudithook(_hear)


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """The paths that are opened from here on, in order."""
    global _opened
    _opened = []
    try:
        yield _opened
    finally:
        _opened = None


def test_a_backfill_reads_each_file_once_the_large_ones_while_nobody_waits(
    project: Project, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    free: dict[str, bool] = {}

    def watched(project: Project, home: Home, delivery: str, *given: Any) -> Reading | None:
        lock = FileLock(f"{home.warehouse}.lock")
        try:
            with lock.acquire(timeout=0):
                free[delivery] = True
        except Timeout:
            free[delivery] = False
        return reread(project, home, delivery, *given)

    files = [populations(tmp_path, year) for year in range(2015, 2021)]
    for path in files[::2]:  # every other one is longer, by a note
        path.write_text(path.read_text(encoding="utf-8") + "note " * 9_000 + "\n", encoding="utf-8")
    for moment, path in enumerate(files):
        os.utime(path, (NOVEMBER + moment, NOVEMBER + moment))
    sizes = [path.stat().st_size for path in files]
    receipts = {r.file: r.delivery for r in receive(project, home, files)}
    deliveries = [receipts[path.name] for path in files]
    monkeypatch.setattr(waiting, "LARGE", min(sizes[::2]) - 1)
    assert max(sizes[1::2]) < min(sizes[::2]) - 1
    for module in (waiting, batch):
        monkeypatch.setattr(module, "reread", watched)
    opened.clear()
    with Store(home.warehouse).kept_open():
        judged = judge_pending(project, home, FEED)
    assert [j.accepted for j in judged] == [(f"{year}-01",) for year in range(2015, 2021)]
    archived = [str(archive_path(home, delivery)) for delivery in deliveries]
    assert {path: opened.count(path) for path in archived} == dict.fromkeys(archived, 1)
    assert free == {d: number % 2 == 0 for number, d in enumerate(deliveries)}


def test_a_feed_with_a_large_file_is_left_to_its_own_gate(
    project: Project, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    """Nobody waits while it is read: another feed's gate, which audits all that waits, does not."""
    (receipt,) = receive(project, home, [populations(tmp_path, 2019)])
    monkeypatch.setattr(waiting, "LARGE", 10)
    with Store(home.warehouse).connect() as connection:
        batch.audit_all(project, home, connection)
        assert next_turns(project, connection) == {FEED: None}
    opened.clear()
    (judgement,) = judge_pending(project, home, FEED)
    assert judgement.accepted == ("2019-01",)
    assert opened.count(str(archive_path(home, receipt.delivery))) == 1


def _renamed(rows: list[list[str]]) -> None:
    rows[0][3] = "POP_MUN"


def _mended(project: Project) -> Project:
    """The same contracts, whose column may also be called as in the file of :func:`_renamed`."""
    entry = project.feeds[FEED]
    column = entry.feed.columns["population_municipale"]
    other = column.model_copy(update={"name": [*column.names, "POP_MUN"]})
    columns = {**entry.feed.columns, "population_municipale": other}
    mended = replace(entry, feed=entry.feed.model_copy(update={"columns": columns}))
    return replace(project, feeds={**project.feeds, FEED: mended})


@pytest.mark.parametrize("way", ["received again", "retried"])
def test_a_refusal_whose_cause_was_the_contract_has_a_way_back(
    project: Project, home: Home, tmp_path: Path, way: str
) -> None:
    path = populations(tmp_path, 2019, _renamed)
    (refused,) = receive(project, home, [path])
    assert (refused.feed, refused.months) == (FEED, ("2019-01",))
    assert "POP_MUN" in str(refused.reason)
    (same,) = receive(project, home, [path])
    assert same.known
    mended = _mended(project)
    if way == "received again":
        (receipt,) = receive(mended, home, [path])
    else:
        with Store(home.warehouse).connect() as connection:
            files = unread(connection, path.name)
        (receipt,) = recognise_again(mended, home, files)
    assert (receipt.reason, receipt.months, receipt.known) == (None, ("2019-01",), False)
    assert [j.accepted for j in judge_pending(mended, home, FEED)] == [("2019-01",)]


def test_a_file_set_aside_can_be_dismissed(project: Project, home: Home, tmp_path: Path) -> None:
    path = tmp_path / "tableau_divers.csv"
    path.write_text("x;y\n1;2\n")

    def listed() -> list[str]:
        list(receive(project, home, [path]))
        with Store(home.warehouse).connect() as connection:
            return [file for _, file, _ in set_aside(connection)]

    assert listed() == [path.name]
    with pytest.raises(LookupError):
        dismiss(home, "autre.csv", "pas une livraison", "Service études")
    assert dismiss(home, path.name, "pas une livraison", "Service études") == [path.name]
    assert listed() == []


def test_copies_of_the_same_bytes_are_one_delivery(project: Project, home: Home, tmp_path: Path) -> None:
    first = populations(tmp_path / "a", 2019)
    second = populations(tmp_path / "b", 2019)
    nameless = tmp_path / "b" / "sans nom.csv"  # it tells no month: nothing contradicts the first
    shutil.copyfile(second, nameless)
    receipts: list[Receipt] = list(receive(project, home, [first, second, nameless]))
    assert [(r.known, r.reason) for r in receipts] == [(False, None), (True, None), (True, None)]


def test_bytes_that_another_process_received_meanwhile_are_known(
    project: Project, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = populations(tmp_path, 2019)

    def meanwhile(*given: Any) -> list[Delivery]:
        monkeypatch.undo()
        assert [r.known for r in receive(project, home, [path])] == [False]
        return deliveries_of(*given)

    monkeypatch.setattr(receiving, "deliveries_of", meanwhile)
    assert [r.known for r in receive(project, home, [path])] == [True]


def _edition(folder: Path, last: int, sexual: int, thefts: int) -> Path:
    """Offences of each year to ``last`` in the ministry's layout; an edition revises all its years."""
    lines = [
        "classe;annee;Code.département;Code.région;unité.de.compte;millPOP;millLOG;faits;POP;LOG;tauxpourmille"
    ]
    for year in range(16, last + 1):
        for kind, count in (("Violences sexuelles", sexual), ("Vols violents sans arme", thefts)):
            if count:
                lines.append(
                    f"{kind};{year};93;11;victime;{year};{year};{count + year};1600000;660000;1,5"
                )
    folder.mkdir()
    path = folder / f"donnee-dep-20{last}.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("dates", [(NOVEMBER, DECEMBER), (DECEMBER, NOVEMBER)])
def test_an_older_edition_of_a_series_only_fills_what_the_newer_one_lacks(
    project: Project, home: Home, tmp_path: Path, order: tuple[int, int], dates: tuple[int, int]
) -> None:
    editions = [_edition(tmp_path / "b", 22, 2400, 8000), _edition(tmp_path / "a", 24, 2900, 0)]
    for path, date in zip(editions, dates, strict=True):
        os.utime(path, (date, date))
    for place in order:
        list(receive(project, home, [editions[place]]))
        (judgement,) = judge_pending(project, home, "prefecture/delinquance")
        assert judgement.refused == ()
    with Store(home.warehouse).connect() as connection:
        kept = connection.execute(
            "SELECT variable, month, value FROM observations WHERE known_to IS NULL AND month IN ('2022-12', "
            "'2024-12') AND territory = '93' AND (variable LIKE '%violences_sexuelles' "
            "OR variable LIKE '%vols_violents') AND variable NOT LIKE '%taux%' ORDER BY ALL"
        ).fetchall()
    assert kept == [
        ("prefecture.violences_sexuelles", "2022-12", 2922.0),
        ("prefecture.violences_sexuelles", "2024-12", 2924.0),
        ("prefecture.vols_violents", "2022-12", 8022.0),
    ]
