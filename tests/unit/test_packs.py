"""The committees' pages: what the warehouse holds of a period, on one page."""

import html
from datetime import date, datetime
from pathlib import Path

import duckdb
import pypdf
import pytest
from typer.testing import CliRunner

from odds_pipeline.cli import app
from odds_pipeline.declarations.access import WIDEST
from odds_pipeline.declarations.project import Project
from odds_pipeline.publications.committees import technical
from odds_pipeline.publications.committees.facts import read_facts
from odds_pipeline.publications.committees.publish import publish_pack
from odds_pipeline.publications.committees.span import Span
from odds_pipeline.publications.committees.technical import questions
from odds_pipeline.publications.documents import to_html
from odds_pipeline.quality.quarantine import Case
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store
from tests.class_file import write_class_file

pytestmark = pytest.mark.slow

FEED = "caf/rsa"


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("2025-02", date(2025, 2, 1), date(2025, 2, 28)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2024-12", date(2024, 12, 1), date(2024, 12, 31)),
        ("2025-S1", date(2025, 1, 1), date(2025, 6, 30)),
        ("2025-S2", date(2025, 7, 1), date(2025, 12, 31)),
    ],
)
def test_periods(name: str, start: date, end: date) -> None:
    period = Span.named(name)
    assert (period.start, period.end) == (start, end)


def test_the_last_whole_period() -> None:
    assert Span.month_before(date(2025, 1, 9)).name == "2024-12"
    assert Span.half_year_before(date(2025, 1, 10)).name == "2024-S2"
    assert Span.half_year_before(date(2025, 7, 10)).name == "2025-S1"


@pytest.mark.parametrize("name", ["2025", "2025-13", "2025-S3", "2025-1", "mars"])
def test_another_text_is_not_a_period(name: str) -> None:
    with pytest.raises(ValueError, match="neither a month"):
        Span.named(name)


def deliver(home: Home, order: int, month: str, day: str, state: str) -> None:
    """One delivery of one month, judged."""
    moment = datetime.fromisoformat(f"{day}T10:00:00")
    with Store(home.warehouse).transaction() as connection:
        connection.execute(
            "INSERT INTO deliveries (id, sha256, file_name, size, received_at, received_order, feed, simulated, levels) "
            "VALUES ($id, $id, $name, 1, $at, $order, $feed, false, ['commune'])",
            {"id": f"d{order}", "name": f"rsa_{order}.csv", "at": moment, "order": order, "feed": FEED},
        )
        connection.execute(
            "INSERT INTO delivered_months VALUES ($id, $feed, $month, $state, $order, $at)",
            {
                "id": f"d{order}",
                "feed": FEED,
                "month": month,
                "state": state,
                "order": order,
                "at": moment,
            },
        )
        connection.execute(
            "INSERT INTO verdicts VALUES ($id, $month, 'communes', 'critical', $passed, 'Des communes sont absentes.', 'Renvoyer.', 1, '[]')",
            {"id": f"d{order}", "month": month, "passed": state == "accepted"},
        )


@pytest.fixture
def deliveries(home: Home) -> Home:
    deliver(home, 1, "2025-01", "2025-02-10", "accepted")
    deliver(home, 2, "2025-02", "2025-03-10", "accepted")
    deliver(home, 3, "2025-01", "2025-03-11", "accepted")  # a correction of January
    deliver(home, 4, "2025-03", "2025-03-31", "refused")
    deliver(home, 5, "2025-04", "2025-04-01", "refused")
    return home


def test_facts_of_a_month(deliveries: Home) -> None:
    facts = read_facts(deliveries, Span.named("2025-03"))
    (received,) = facts.received
    assert (received.files, received.accepted, received.refused, received.revised) == (3, 2, 1, 1)
    assert [c.month for c in facts.quarantine] == ["2025-03"]
    assert facts.first_deliveries == {"caf": "2025-02-10"} and not facts.simulated


def test_the_technical_page(project: Project, deliveries: Home) -> None:
    written = publish_pack(project, deliveries, "technique", Span.named("2025-03"))
    pages = pypdf.PdfReader(written.folder / "comite-technique-2025-03.pdf").pages
    assert len(pages) == 1
    text = pages[0].extract_text()
    assert "Des communes sont absentes." in text and "rsa_4.csv" in text and "rsa_5.csv" not in text
    assert "Aucun recueil" in text and "SIMULÉES" not in text
    # One month waits; the feed came in February, so it is not overdue.
    assert "Décisions demandées" in text
    assert "1 mois en quarantaine : accepter sous réserve" in " ".join(text.split())
    assert "fichier mis de côté" not in text
    before = {p.name: p.read_bytes() for p in written.folder.iterdir()}
    again = publish_pack(project, deliveries, "technique", Span.named("2025-03"))
    assert {p.name: p.read_bytes() for p in again.folder.iterdir()} == before


def test_the_technical_page_says_what_an_earlier_release_told(
    project: Project, deliveries: Home
) -> None:
    row = {"indicator": "foyers_allocataires", "month": "2024-12", "territory": "93008", "value": 7.0}
    write_class_file(deliveries, project, [row], access=WIDEST)
    with duckdb.connect(str(deliveries.releases / "0001" / f"{WIDEST}.duckdb")) as connection:
        connection.execute("CREATE TABLE audit AS SELECT 3 AS told_before")
    span = Span.named("2025-01")
    found = read_facts(deliveries, span)
    one = project.observatory.committees["technique"]
    text = html.unescape(to_html(technical.document(one, project, found, [], span)).decode())
    words = " ".join(text.split())
    assert "ou laisse déduire : 3. Les masquer aujourd’hui ne les reprend pas" in words


def test_a_question_is_asked_once_of_the_months_of_a_file(project: Project) -> None:
    def case(month: str, why: str = "Le mois est vide.") -> Case:
        return Case("d", FEED, month, "rsa.csv", datetime(2025, 3, 1), (), why)

    asked = questions(
        project, [case("2024-12"), case("2025-01"), case("2024-12"), case("2025-01", "Doublons.")]
    )
    assert [one.partition(", ")[2] for one in asked] == [
        "12/2024, 01/2025 (rsa.csv) : Le mois est vide.",
        "01/2025 (rsa.csv) : Doublons.",
    ]


def test_the_steering_page(project: Project, deliveries: Home) -> None:
    written = publish_pack(project, deliveries, "pilotage", Span.named("2025-S1"))
    pages = pypdf.PdfReader(written.folder / "comite-pilotage-2025-S1.pdf").pages
    text = pages[0].extract_text()
    assert len(pages) == 1 and "Jamais reçus" in text and "ne sont pas mesurés" in text
    never = len(project.feeds) - 1
    assert f"{never} flux jamais reçus : obtenir une première livraison" in " ".join(text.split())
    assert "sans valeur" not in text  # no release: nothing is known of the indicators
    assert "Depuis la dernière réunion" in text and "Aucun recueil n’a été publié" in text


def test_the_command(deliveries: Home, tmp_path: Path) -> None:
    runner = CliRunner()
    done = runner.invoke(app, ["pack", "technique", "--period", "2025-03", "--json"])
    assert done.exit_code == 0 and "comites/technique/2025-03" in done.output
    for arguments in (
        ["technique", "--period", "2025-S1"],
        ["pilotage", "--period", "2025-03"],
        ["technique", "--period", "mars"],
        ["autre"],
    ):
        assert runner.invoke(app, ["pack", *arguments]).exit_code == 2
