"""Finds indicators by words, as a reader would write them: accents, case and plural do not matter."""

from odds_pipeline.declarations.project import IndicatorEntry, Project
from odds_pipeline.geography.territories import plain


def find(project: Project, words: str = "", theme: str | None = None) -> list[IndicatorEntry]:
    """Indicators in which every word begins some word of their sheet; no words find all.

    The one of that very id comes first, then those whose label holds all the words, then those found
    by short label, id or family, then by definition or source; within each, in the recueil's order.
    """
    wanted = [_singular(word) for word in plain(words).split()]
    ranked = []
    for entry in project.indicators.values():
        if theme is not None and entry.family.theme != theme:
            continue
        if words.strip() == entry.id:
            ranked.append((-1, entry))
            continue
        text = ""
        for place, more in enumerate(_places(project, entry)):
            text += f" {plain(more)}"
            if all(f" {word}" in text for word in wanted):
                ranked.append((place, entry))
                break
    return [entry for _, entry in sorted(ranked, key=lambda found: found[0])]


def _places(project: Project, entry: IndicatorEntry) -> tuple[str, str, str]:
    indicator = entry.indicator
    feeds = {project.variables[v][0].id: project.variables[v][0] for v in indicator.parsed.variables}
    sources = " ".join(f"{f.feed.source} {f.partner.short_label} {f.partner.id}" for f in feeds.values())
    return (
        indicator.label,
        f"{indicator.short_label} {entry.id} {entry.family.label}",
        f"{indicator.definition} {sources}",
    )


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] in "sx" else word
