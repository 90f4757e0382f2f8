"""What is put side by side: lists of indicators under a label, and their rows for some territories."""

from collections.abc import Sequence
from dataclasses import dataclass

from odds_pipeline.declarations.socle import Socle
from odds_pipeline.declarations.templates import Template
from odds_pipeline.extranet.reading import queries
from odds_pipeline.extranet.reading.groups import GROUP, members, together
from odds_pipeline.extranet.reading.serving import Place, Row, Unknown, View
from odds_pipeline.extranet.reading.situation import situation

ALL = "tous"
"""Every indicator of every theme; without anything asked for, those that are read first."""


@dataclass(frozen=True)
class Choice:
    """``sections`` by label, in the order of reading; ``why`` says what a template is for."""

    sections: dict[str, list[str]]
    why: str = ""

    @property
    def names(self) -> list[str]:
        """Those of the sections, once each."""
        return list(dict.fromkeys(name for names in self.sections.values() for name in names))


def chosen(
    view: View,
    socle: Socle | None,
    templates: dict[str, Template],
    theme: str,
    indicators: Sequence[str],
) -> Choice:
    """A theme, a template, all, the given indicators, or else those that are read first.

    What the reader may not see is left out, as if it did not exist. :class:`Unknown`: no such list.
    """
    if theme in templates:
        template = templates[theme]
        parts = {part.label: part.indicators for part in template.parts}
        return Choice(_visible(view, parts), template.why)
    if theme and theme != ALL and theme not in view.observatory.themes:
        raise Unknown(theme)
    if theme == ALL or (not theme and not indicators and socle is None):
        return Choice(_by_theme(view, list(view.definitions)))
    if theme:
        return Choice(_by_theme(view, [n for n, s in view.definitions.items() if s["theme"] == theme]))
    return Choice(_by_theme(view, indicators or (socle.indicators if socle else [])))


def _visible(view: View, lists: dict[str, list[str]]) -> dict[str, list[str]]:
    kept = {label: [n for n in names if n in view.definitions] for label, names in lists.items()}
    return {label: names for label, names in kept.items() if names}


def _by_theme(view: View, names: Sequence[str]) -> dict[str, list[str]]:
    known = [name for name in dict.fromkeys(names) if name in view.definitions]
    return _visible(view, {
        label: [name for name in known if view.definitions[name]["theme"] == theme]
        for theme, label in view.observatory.themes.items()
    })  # fmt: skip


def side_by_side(view: View, names: list[str], places: list[Place]) -> dict[str, dict[str, Row]]:
    """Rows by indicator and territory, each with what is said of its place among the communes."""
    codes = list(dict.fromkeys(code for place in places for code in members(place)))
    given: dict[str, dict[str, Row]] = {}
    for row in queries.side_by_side(view, names, codes):
        given.setdefault(row["indicator"], {})[row["territory"]] = row
    rows: dict[str, dict[str, Row]] = {}
    for name, own in given.items():
        for place in places:
            if (found := _row(view, place, own, name)) is not None:
                told = situation(found, view.definitions[name])
                rows.setdefault(name, {})[place.code] = {**found, "situation": told}
    return rows


def _row(view: View, place: Place, own: dict[str, Row], name: str) -> Row | None:
    if place.level != GROUP:
        return own.get(place.code)
    return together(place, [own[code] for code in members(place)], view.definitions[name])
