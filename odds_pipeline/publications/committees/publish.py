"""A committee's page from the warehouse and the releases to its files."""

import sqlite3
from datetime import timedelta

from odds_pipeline.declarations.project import Project
from odds_pipeline.french import EVENTS
from odds_pipeline.publications.committees import steering, technical
from odds_pipeline.publications.committees.facts import read_facts
from odds_pipeline.publications.committees.span import Span
from odds_pipeline.publications.documents import Document
from odds_pipeline.publications.writer import Published, write_documents
from odds_pipeline.quality.feed_status import feed_status
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home


def pack(project: Project, home: Home, committee: str, span: Span) -> Document:
    """The page. Feeds are late or not as seen on the day after the span."""
    facts = read_facts(home, span)
    status = feed_status(project, home, span.end + timedelta(days=1))
    one = project.observatory.committees[committee]
    if one.page == "deliveries":
        return technical.document(one, project, facts, status, span)
    found: steering.Coverage = {}
    if facts.last or facts.before:
        shown = facts.last or facts.before
        assert shown is not None
        with open_release(home, shown.number) as connection:
            found = steering.coverage(project, connection)
    return steering.document(one, project, facts, status, found, extranet_use(home, span), span)


def publish_pack(project: Project, home: Home, committee: str, span: Span) -> Published:
    """Write the page among the publications, as HTML and PDF."""
    folder = home.publications / "comites" / committee / span.name
    return write_documents(
        folder, [(f"comite-{committee}-{span.name}", pack(project, home, committee, span))]
    )


def extranet_use(home: Home, span: Span) -> dict[str, int] | None:
    """Events of the extranet by kind, in words; ``None`` when it was never opened."""
    path = home.accounts
    if not path.exists():
        return None
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        rows = database.execute(
            "SELECT event, count(*) FROM journal WHERE substr(at, 1, 10) BETWEEN ? AND ? GROUP BY event",
            [span.start.isoformat(), span.end.isoformat()],
        ).fetchall()
    counts = dict(rows)
    return {words: counts[event] for event, words in EVENTS.items() if event in counts}
