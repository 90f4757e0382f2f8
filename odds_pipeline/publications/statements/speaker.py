"""Says the declared sentences of a place, and keeps the figures behind each or why it is silent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from odds_pipeline.declarations.portrait import Portrait
from odds_pipeline.declarations.statement import ReleaseText, Statement
from odds_pipeline.french import french_day
from odds_pipeline.geography.territories import GROUPS, Territory
from odds_pipeline.publications.portrait.figures import Figures, Sheet
from odds_pipeline.publications.statements.facts import FACTS, At
from odds_pipeline.publications.statements.slots import Silent, Slot, example_slot, raw


@dataclass(frozen=True)
class Said:
    """A sentence and the figures behind it; ``signed`` when a committee wrote it."""

    statement: str
    text: str
    indicator: str = ""
    figures: dict[str, Any] = field(default_factory=dict)
    signed: str = ""


@dataclass(frozen=True)
class Unsaid:
    """A sentence that is silent, and why."""

    statement: str
    reason: str


def written(statement: Statement, slots: Mapping[str, Slot]) -> str:
    """The text with its figures, its first letter a capital."""
    text = statement.text.format(**slots)
    return text[0].upper() + text[1:]


def example(statement: Statement, sheet: Sheet) -> str:
    """What the worked example gives."""
    kinds = FACTS[statement.fact].slots
    given = statement.example.figures
    return written(statement, {name: example_slot(kinds[name], v, sheet) for name, v in given.items()})


def sentence(one: Said) -> str:
    """With its full stop, and signed where a committee wrote it."""
    text = one.text if one.text.endswith((".", "?", "!")) else f"{one.text}."
    return f"{text} ({one.signed})" if one.signed else text


class Speaker:
    """The declared sentences over the figures of one release."""

    def __init__(
        self,
        statements: Mapping[str, Statement],
        figures: Figures,
        territories: Sequence[Territory],
        portrait: Portrait,
        texts: Iterable[ReleaseText] = (),
    ) -> None:
        self.statements, self.figures, self.portrait = statements, figures, portrait
        self.communes = tuple(t for t in territories if t.level == "commune")
        codes = {t.group for t in self.communes}
        self.groups = tuple(t for t in territories if t.code in codes)
        self.texts = tuple(texts)

    def say(self, name: str, place: Territory) -> Said | Unsaid:
        """One sentence, unless it is silent, or as the committee replaced it."""
        for text in self.texts:
            if (text.statement, text.place) == (name, place.code):
                return self._given(name, text)
        statement = self.statements[name]
        if statement.indicator not in self.figures.months:
            return Unsaid(name, "l’indicateur n’a aucune valeur dans cette édition")
        try:
            slots = FACTS[statement.fact].find(self._at(statement, place))
            return Said(
                name,
                written(statement, slots),
                statement.indicator,
                {slot: raw(slots[slot]) for slot in sorted(slots)},
            )
        except Silent as silent:
            return Unsaid(name, str(silent))
        except KeyError as lacking:
            return Unsaid(name, f"le chiffre {lacking} n’est pas publié")

    def said(self, names: Iterable[str], place: Territory, most: int) -> list[Said]:
        """The first ``most`` sentences that speak."""
        found = (self.say(name, place) for name in names)
        return [one for one in found if isinstance(one, Said)][:most]

    def added(self, theme: str, place: Territory) -> list[Said]:
        """What the committee adds to a theme."""
        return [
            Said("", text.text or "", signed=_signature(text))
            for text in self.texts
            if (text.action, text.theme, text.place) == ("add", theme, place.code)
        ]

    def _given(self, name: str, text: ReleaseText) -> Said | Unsaid:
        if text.action == "strike":
            return Unsaid(name, f"retirée : {text.reason} ({_signature(text)})")
        return Said(name, text.text or "", self.statements[name].indicator, signed=_signature(text))

    def _at(self, statement: Statement, place: Territory) -> At:
        inside = tuple(t for t in self.communes if place.level not in GROUPS or t.group == place.code)
        groups = self.groups if place.level == "departement" else ()
        sheet = self.figures.sheets[statement.indicator]
        oldest = 12 * self.portrait.oldest_years
        return At(self.figures, sheet, place, inside, groups, oldest, self.portrait.population)


def _signature(text: ReleaseText) -> str:
    return f"{text.by}, {french_day(text.on)}"
