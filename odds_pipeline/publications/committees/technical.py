"""The technical committee's page: deliveries received, late, refused, revised; changes; questions."""

from collections.abc import Iterator, Sequence

from odds_pipeline.declarations.observatory import Committee
from odds_pipeline.declarations.project import Project
from odds_pipeline.french import french_number, numeric_month
from odds_pipeline.publications.committees import decisions
from odds_pipeline.publications.committees.facts import Activity
from odds_pipeline.publications.committees.span import Span
from odds_pipeline.publications.documents import (
    Block,
    Bullets,
    Column,
    Document,
    Heading,
    KeyFigure,
    KeyFigures,
    Paragraph,
    Side,
    Table,
)
from odds_pipeline.publications.origin import SIMULATED
from odds_pipeline.quality.feed_status import FeedStatus
from odds_pipeline.quality.quarantine import Case

SHOWN = 9
"""Rows of a table: the page holds three; the rest is counted and `odds status` lists it."""
TOLD = (
    "Chiffres secrets dans la dernière édition et qu’une édition antérieure avait publiés, ou laisse "
    "déduire : {}. Les masquer aujourd’hui ne les reprend pas à qui a gardé l’ancienne édition ; les "
    "producteurs concernés sont à prévenir."
)
LATE = {"late": "en retard", "overdue": "très en retard"}


def document(
    committee: Committee, project: Project, facts: Activity, status: list[FeedStatus], span: Span
) -> Document:
    """The page of one month."""
    return Document(
        title=committee.label,
        subtitle=f"Livraisons et recueil, {span.words}",
        footer=project.observatory.signature,
        date=f"{span.end.isoformat()}T00:00:00+00:00",
        blocks=tuple(_blocks(project, facts, status)),
        banner=SIMULATED if facts.simulated else "",
    )


def label_of(project: Project, feed: str) -> str:
    """The partner and the feed in words."""
    entry = project.feeds.get(feed)
    return f"{entry.partner.short_label} – {entry.feed.label}" if entry else feed


def rest(count: int) -> str:
    """What is said of the rows that are not shown."""
    return f"Et {count - SHOWN} autres." if count > SHOWN else ""


def _blocks(project: Project, facts: Activity, status: list[FeedStatus]) -> Iterator[Block]:
    late = [s for s in status if s.state in LATE]
    never = [s for s in status if s.state == "never received"]
    received = facts.received
    yield KeyFigures(
        (
            KeyFigure("Livraisons reçues", _counted(sum(r.files for r in received) + facts.aside)),
            KeyFigure("Mois acceptés", _counted(sum(r.accepted for r in received))),
            KeyFigure("dont révisions", _counted(sum(r.revised for r in received))),
            KeyFigure("Mois en quarantaine", _counted(len(facts.quarantine))),
            KeyFigure("Flux en retard", _counted(len(late)), f"{len(never)} jamais reçus"),
        )
    )
    yield from decisions.technical(project, facts, status)
    yield Heading("Livraisons du mois")
    if received:
        first = sorted(received, key=lambda r: (-r.refused, -r.accepted, r.feed))
        rows = [
            (label_of(project, r.feed), *map(_counted, (r.files, r.accepted, r.refused, r.revised)))
            for r in first[:SHOWN]
        ]
        columns = ("Fichiers", "Acceptés", "Refusés", "Révisés")
        yield Table(
            "Livraisons du mois, par flux",
            (Column("Flux", 4), *(Column(name, 1, True) for name in columns)),
            tuple(rows),
            note=rest(len(received)),
            bare=True,
        )
    else:
        yield Paragraph("Aucune livraison reçue.")
    if facts.aside:
        several = facts.aside > 1
        aside = f"{facts.aside} fichier{'s' if several else ''} mis de côté"
        yield Paragraph(f"{aside} : aucun contrat ne {'les' if several else 'le'} reconnaît.")
    yield Heading("En retard")
    if late:
        late.sort(key=lambda s: (s.state != "overdue", s.feed))
        yield Table(
            "Flux en retard",
            (
                Column("Flux", 4),
                Column("Dernier mois", 1.2),
                Column("Attendu", 1),
                Column("Retard", 1.2),
            ),
            tuple(
                (label_of(project, s.feed), _month(s.last_accepted), _month(s.expected), LATE[s.state])
                for s in late[:SHOWN]
            ),
            note=rest(len(late)),
            bare=True,
        )
    else:
        yield Paragraph("Aucun flux déjà reçu n’est en retard.")
    yield Heading("Questions ouvertes aux partenaires")
    if facts.quarantine:
        asked = questions(project, facts.quarantine)
        yield Bullets(tuple(asked[:SHOWN]), small=True)
        if rest(len(asked)):
            yield Paragraph(rest(len(asked)), "note")
    else:
        yield Paragraph("Aucune livraison n’attend de réponse.")
    yield Heading("Ce qui a changé dans le recueil")
    yield from changes(facts)
    if facts.told:
        yield Heading("Secret : ce qu’une édition antérieure avait dit")
        yield Paragraph(TOLD.format(facts.told))


def _counted(count: int) -> str:
    return french_number(count, 0)


def questions(project: Project, quarantine: Sequence[Case]) -> list[str]:
    """Each thing that is wrong of a file once, with the months that it is wrong of."""
    months: dict[tuple[str, str, str], list[str]] = {}
    for case in quarantine:
        months.setdefault((case.feed, case.file, case.why), []).append(_month(case.month))
    return [
        f"{label_of(project, feed)}, {', '.join(dict.fromkeys(known))} ({file}) : {why}"
        for (feed, file, why), known in months.items()
    ]


def _month(month: str | None) -> str:
    return numeric_month(month) if month and not month.startswith("0000") else "—"


def changes(facts: Activity) -> Iterator[Block]:
    """The last release of the span, and what the recueil gained and lost since the one before it."""
    if facts.last is None:
        yield Paragraph("Aucun recueil n’a été publié dans la période.")
        return
    was = f" (recueil n° {facts.before.number} auparavant)" if facts.before else ""
    yield Paragraph(
        f"Recueil n° {facts.last.number}{was} : {facts.valued} indicateurs avec une valeur, "
        f"{french_number(facts.last.values, 0)} valeurs."
    )
    if facts.changes is None:
        return
    columns: list[tuple[Block, ...]] = []
    changed = {c.indicator: c.label for c in facts.changes.changed}
    for title, found in (
        ("Ajoutés", facts.changes.added),
        ("Définition modifiée", changed),
        ("Retirés", facts.changes.retired),
    ):
        if found:
            names = list(found.values())
            more = [f"et {len(names) - 5} autres"] if len(names) > 5 else []
            items = Bullets((*names[:5], *more), small=True)
            columns.append((Heading(f"{title} ({len(names)})", 3), items))
    if columns:
        yield Side(tuple(columns))
    else:
        yield Paragraph("Aucune définition n’a changé.")
