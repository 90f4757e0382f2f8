"""What a committee is asked to decide, from the facts that its page shows."""

from collections.abc import Iterable, Sequence

from odds_pipeline.declarations.project import Project
from odds_pipeline.publications.committees.facts import Activity
from odds_pipeline.publications.documents import Block, Bullets, Heading, Paragraph
from odds_pipeline.quality.feed_status import FeedStatus

Asked = tuple[int, str, str, str]
"""How many, of what (one, several), and what there is to decide."""


def technical(project: Project, facts: Activity, status: Sequence[FeedStatus]) -> tuple[Block, ...]:
    """Of deliveries: accept or wait, remind, recognise, warn."""
    overdue = [s for s in status if s.state == "overdue"]
    reserve = "accepter sous réserve, en disant pourquoi, ou attendre une autre livraison"
    return _asked(
        (
            (len(facts.quarantine), *_same("mois en quarantaine"), reserve),
            (
                len(overdue),
                *_same("flux très en retard"),
                f"qui relance {_partners(project, overdue)} ?",
            ),
            (
                facts.aside,
                "fichier mis de côté",
                "fichiers mis de côté",
                "écrire un contrat, ou écarter",
            ),
            (facts.told, "secret déjà dit", "secrets déjà dits", "prévenir les producteurs concernés"),
        )
    )


def steering(project: Project, status: Sequence[FeedStatus], without: int) -> tuple[Block, ...]:
    """Of partners and of the recueil; ``without``: indicators that have no value."""
    overdue = [s for s in status if s.state == "overdue"]
    never = [s for s in status if s.state == "never received"]
    return _asked(
        (
            (
                len(never),
                "flux jamais reçu",
                "flux jamais reçus",
                f"obtenir une première livraison ({_partners(project, never)}), ou y renoncer",
            ),
            (
                len(overdue),
                *_same("flux très en retard"),
                f"rappeler leur calendrier aux partenaires ({_partners(project, overdue)})",
            ),
            (
                without,
                "indicateur sans valeur",
                "indicateurs sans valeur",
                "attendre leurs données, ou les retirer du recueil",
            ),
        )
    )


def _same(words: str) -> tuple[str, str]:
    return words, words


def _partners(project: Project, status: Iterable[FeedStatus]) -> str:
    known = (project.feeds[s.feed] for s in status if s.feed in project.feeds)
    return ", ".join(dict.fromkeys(entry.partner.short_label for entry in known))


def _asked(found: Iterable[Asked]) -> tuple[Block, ...]:
    lines = tuple(f"{n} {one if n == 1 else many} : {what}" for n, one, many, what in found if n)
    listed = Bullets(lines, small=True) if lines else Paragraph("Aucune.")
    return Heading("Décisions demandées"), listed
