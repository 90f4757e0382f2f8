"""What a release changed for one territory and why, told to a reader of the indicators concerned."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import duckdb

from odds_pipeline.extranet.reading.serving import Serving, View
from odds_pipeline.release.published import numbers
from odds_pipeline.release.value_changes import ValueChange, value_changes

KINDS = ("révisée", "nouvelle", "retirée")
"""What became of values, in the order in which it matters; a status that changed is no news."""
CAUSES = {
    "livraison": "une nouvelle livraison du producteur",
    "livraison, convertie de géographie": "une nouvelle livraison, ramenée au périmètre actuel",
    "révision": "le producteur a livré des chiffres corrigés",
    "calcul": "un chiffre dont l’indicateur dépend a changé",
    "secret": "le secret statistique la protège désormais",
    "définition changée": "la définition de l’indicateur a changé",
    "indicateur ajouté": "l’indicateur est nouveau",
    "indicateur retiré": "l’indicateur n’est plus publié",
}


@dataclass(frozen=True)
class Piece:
    """Values of one indicator that had the same fate for the same reason; ``last`` is the latest."""

    indicator: str
    kind: str
    why: str
    months: int
    last: ValueChange


@dataclass(frozen=True)
class News:
    """``pieces`` by kind, in the order of the recueil; ``former`` is ``None`` for a first release."""

    number: int
    former: int | None
    pieces: dict[str, list[Piece]]

    def count(self, kind: str) -> int:
        """Values of one kind."""
        return sum(piece.months for piece in self.pieces[kind])


def news(serving: Serving, view: View, code: str) -> News:
    """What the release of ``view`` changed for a territory since the one before."""
    return view.once(("news", code), lambda: _news(serving, view, code), 100_000)


def _news(serving: Serving, view: View, code: str) -> News:
    former = max((n for n in numbers(serving.home) if n < view.number), default=None)
    changed: list[ValueChange] = []
    if former is not None:
        try:
            changed = value_changes(serving.home, former, view.number, view.rights.source, code)
        except (LookupError, duckdb.Error):  # a release that is gone or too old to compare
            former = None
    visible = [c for c in changed if c.indicator in view.definitions]
    return News(
        view.number, former, {k: list(_pieces(c for c in visible if c.kind == k)) for k in KINDS}
    )


def _pieces(changed: Iterable[ValueChange]) -> Iterable[Piece]:
    by = groupby(sorted(changed, key=lambda c: (c.indicator, c.cause)), lambda c: (c.indicator, c.cause))
    for (indicator, cause), found in by:
        same = sorted(found, key=lambda c: (c.month, c.geography))
        yield Piece(indicator, same[-1].kind, CAUSES.get(cause, cause), len(same), same[-1])
