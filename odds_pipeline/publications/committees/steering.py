"""The steering committee's page: coverage, freshness, new partners, use."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from odds_pipeline.declarations.observatory import Committee
from odds_pipeline.declarations.project import Project
from odds_pipeline.french import NONE, french_month, french_number, numeric_day, numeric_month
from odds_pipeline.indicators import coverage as covered
from odds_pipeline.publications.committees import decisions
from odds_pipeline.publications.committees.facts import Activity
from odds_pipeline.publications.committees.span import Span
from odds_pipeline.publications.committees.technical import changes
from odds_pipeline.publications.documents import (
    Block,
    Bullets,
    Column,
    Document,
    Heading,
    KeyFigure,
    KeyFigures,
    Paragraph,
    Table,
)
from odds_pipeline.publications.origin import SIMULATED
from odds_pipeline.quality.feed_status import FeedStatus


@dataclass(frozen=True)
class Theme:
    """Indicators with a value, their values; those with a real one, and for the communes."""

    known: int
    values: int
    real: int
    for_communes: int


Coverage = dict[str, Theme]

_COVERAGE = """
SELECT d.theme, count(DISTINCT v.indicator), count(v.value)
FROM definitions d LEFT JOIN indicator_values v ON v.indicator = d.indicator AND v.value IS NOT NULL
GROUP BY d.theme
"""


def coverage(project: Project, connection: duckdb.DuckDBPyConnection) -> Coverage:
    """How much of each theme the open release holds, and how much of that is real."""
    rows = covered.coverage(project, connection)
    real = {t: covered.counts(r for r in rows if r.theme == t) for t in project.observatory.themes}
    return {
        theme: Theme(with_value, n, real[theme][1], real[theme][2])
        for theme, with_value, n in connection.execute(_COVERAGE).fetchall()
    }


def document(
    committee: Committee,
    project: Project,
    facts: Activity,
    status: list[FeedStatus],
    found: Coverage,
    use: dict[str, int] | None,
    span: Span,
) -> Document:
    """The page of one half-year. ``use``: sign-ins and downloads by kind, ``None`` when not measured."""
    return Document(
        title=committee.label,
        subtitle=f"Couverture, fraîcheur et usages, {span.words}",
        footer=project.observatory.signature,
        date=f"{span.end.isoformat()}T00:00:00+00:00",
        blocks=tuple(_blocks(project, facts, status, found, use, span)),
        banner=SIMULATED if facts.simulated else "",
    )


def _blocks(
    project: Project,
    facts: Activity,
    status: list[FeedStatus],
    found: Coverage,
    use: dict[str, int] | None,
    span: Span,
) -> Iterator[Block]:
    declared = dict.fromkeys(project.observatory.themes, 0)
    for entry in project.indicators.values():
        declared[entry.family.theme] += 1
    total, known = sum(declared.values()), sum(theme.known for theme in found.values())
    real = sum(theme.real for theme in found.values())
    fresh = [s for s in status if s.state == "up to date" and s.last_accepted]
    new = _new_partners(project, facts, span)
    yield KeyFigures(
        (
            KeyFigure("Indicateurs au recueil", str(total)),
            KeyFigure("avec une valeur", str(known), f"{100 * known / total:.0f} %"),
            KeyFigure("avec une valeur réelle", str(real), f"{100 * real / total:.0f} %"),
            KeyFigure("Flux à jour", str(len(fresh)), f"sur {len(status)}"),
            KeyFigure("Partenaires nouveaux", str(len(new))),
        )
    )
    yield from decisions.steering(project, status, total - known if facts.last else 0)
    yield Heading("Couverture")
    rows = []
    for theme, label in project.observatory.themes.items():
        one = found.get(theme, Theme(0, 0, 0, 0))
        share = f"{100 * one.known / declared[theme]:.0f} %" if declared[theme] else NONE
        told = (one.known, one.real, one.for_communes)
        rows.append((label, str(declared[theme]), *map(str, told), share, french_number(one.values, 0)))
    columns = ("Déclarés", "Avec une valeur", "réelle", "par commune", "Part", "Valeurs publiées")
    yield Table(
        "Couverture du recueil par thème",
        (Column("Thème", 3), *(Column(name, 1.2, True) for name in columns)),
        tuple(rows),
        note="Réelle : d’une livraison non simulée ; par commune : pour trente communes ou plus.",
        bare=True,
    )
    yield Heading("Depuis la dernière réunion")
    yield from changes(facts)
    yield Heading("Fraîcheur des livraisons")
    yield Table(
        "Fraîcheur par partenaire",
        (
            Column("Partenaire", 3),
            Column("Flux", 0.8, True),
            Column("À jour", 0.8, True),
            Column("En retard", 0.9, True),
            Column("Jamais reçus", 1.1, True),
            Column("Dernier mois", 1.1, True),
        ),
        tuple(_freshness(project, status)),
        bare=True,
    )
    yield Heading("Nouveaux partenaires")
    if new:
        yield Bullets(tuple(new))
    else:
        yield Paragraph("Aucun partenaire nouveau dans la période.")
    yield Heading("Usages")
    if use is None:
        yield Paragraph("L’extranet n’a pas été ouvert : ses usages ne sont pas mesurés.")
    elif not use:
        yield Paragraph("Aucune connexion à l’extranet dans la période.")
    else:
        yield Bullets(tuple(f"{kind} : {french_number(n, 0)}" for kind, n in use.items()))


def _new_partners(project: Project, facts: Activity, span: Span) -> list[str]:
    between = (span.start.isoformat(), span.end.isoformat())
    lines = []
    for partner in project.partners.values():
        first = facts.first_deliveries.get(partner.id)
        if first is not None and between[0] <= first <= between[1] and partner.status != "founder":
            lines.append(f"{partner.label} : première livraison acceptée le {numeric_day(first)}.")
        elif between[0][:7] <= partner.since <= between[1][:7]:
            lines.append(f"{partner.label} : a rejoint l’observatoire en {french_month(partner.since)}.")
    return lines


def _freshness(project: Project, status: list[FeedStatus]) -> Iterator[tuple[str, ...]]:
    for partner in project.partners.values():
        own = [s for s in status if s.feed.startswith(f"{partner.id}/")]
        fresh = [s for s in own if s.state == "up to date" and s.last_accepted]
        late = [s for s in own if s.state in ("late", "overdue")]
        never = [s for s in own if s.last_accepted is None]
        months = [s.last_accepted for s in own if s.last_accepted]
        last = numeric_month(max(months)) if months else NONE
        yield (partner.short_label, *map(str, (len(own), len(fresh), len(late), len(never))), last)
