"""Which indicators of a release have a real value, by level, and who could give what is missing."""

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import pandas as pd

from odds_pipeline.declarations.feed import LEVELS
from odds_pipeline.declarations.project import FeedEntry, IndicatorEntry, Project
from odds_pipeline.french import french_month
from odds_pipeline.storage.sql import read_sql

_COVERED = read_sql(__file__, "coverage")

# Variables with a figure that is not simulated, and the contracts it came by.
_GIVEN = """
SELECT o.variable, list_sort(list(DISTINCT d.feed)) FROM observations o
JOIN deliveries d ON d.id = o.delivery WHERE NOT d.simulated AND o.value IS NOT NULL GROUP BY ALL
"""

ENOUGH = 30
"""Communes from which an indicator is said to be known for the communes."""

KINDS = {
    "public": "fichier public",
    "documented": "fichier public, pas encore rencontré",
    "template": "extraction du partenaire",
}


@dataclass(frozen=True)
class Covered:
    """One indicator: territories with a real value by level, what it came by, what is missing.

    ``missing`` gives each variable without a real figure with the contracts that could deliver it.
    """

    indicator: str
    label: str
    theme: str
    partners: tuple[str, ...]
    levels: dict[str, int]
    latest: str | None
    sources: tuple[str, ...]
    missing: dict[str, tuple[str, ...]]
    public: bool


def _reads(project: Project) -> pd.DataFrame:
    rows = [(i.id, v) for i in project.indicators.values() for v in i.indicator.parsed.variables]
    return pd.DataFrame(rows, columns=["indicator", "variable"])


def _covered(
    project: Project,
    entry: IndicatorEntry,
    levels: dict[str, tuple[int, str]],
    given: dict[str, list[str]],
) -> Covered:
    variables = sorted(entry.indicator.parsed.variables)
    feeds = {v: project.sources_of(v) for v in variables}
    return Covered(
        entry.id,
        entry.indicator.label,
        entry.family.theme,
        tuple(sorted({own[0].partner.id for own in feeds.values()})),
        {level: levels[level][0] for level in LEVELS if level in levels},
        max((latest for _, latest in levels.values()), default=None),
        tuple(sorted({feed for v in variables for feed in given.get(v, [])})),
        {v: tuple(e.id for e in own) for v, own in feeds.items() if v not in given},
        all(any(e.feed.kind != "template" for e in own) for own in feeds.values()),
    )


def coverage(project: Project, connection: duckdb.DuckDBPyConnection) -> list[Covered]:
    """What the release open in ``connection`` covers, one line an indicator of the project."""
    connection.register("reads", _reads(project))
    found: dict[str, dict[str, tuple[int, str]]] = {}
    for indicator, level, territories, latest in connection.execute(_COVERED).fetchall():
        found.setdefault(indicator, {})[level] = territories, latest
    connection.unregister("reads")
    given = dict(connection.execute(_GIVEN).fetchall())
    return [
        _covered(project, entry, found.get(entry.id, {}), given) for entry in project.indicators.values()
    ]


def counts(rows: Iterable[Covered]) -> tuple[int, int, int, int, int, int]:
    """Indicators: all, with a value, known for the communes, département, France, public source."""
    own = list(rows)
    return (
        len(own),
        sum(bool(r.levels) for r in own),
        sum(r.levels.get("commune", 0) >= ENOUGH for r in own),
        sum("departement" in r.levels for r in own),
        sum("france" in r.levels for r in own),
        sum(r.public for r in own),
    )


def page(project: Project, rows: list[Covered]) -> str:
    """The coverage as a Markdown page, in French: a table of the themes, then each indicator."""
    lines = ["# Couverture du recueil", "", _HEAD, "", _COLUMNS, "|---" * 7 + "|"]
    declared = project.observatory.themes.items()
    themes = {label: [r for r in rows if r.theme == theme] for theme, label in declared}
    for label, own in [*themes.items(), ("Ensemble", rows)]:
        lines.append(f"| {label} | " + " | ".join(str(n) for n in counts(own)) + " |")
    for label, own in themes.items():
        lines += ["", f"## {label}", "", _DETAIL, "|---" * 7 + "|"]
        lines += [_line(project, row) for row in own]
    return "\n".join(lines) + "\n"


_HEAD = (
    "Un indicateur est couvert quand il a au moins une valeur qui vient d’un fichier réel ; il l’est "
    f"pour les communes à partir de {ENOUGH} communes."
)
_COLUMNS = "| | indicateurs | couverts | communes | département | France | source publique |"
_DETAIL = "| indicateur | communes | département | France | dernière période | source | ce qui manque |"


def _line(project: Project, row: Covered) -> str:
    cells = [row.label, *(str(row.levels.get(lv, "—")) for lv in ("commune", "departement", "france"))]
    cells.append(french_month(row.latest) if row.latest else "—")
    cells.append(" ; ".join(project.feeds[feed].feed.label for feed in row.sources) or "—")
    wanted = {feed: None for feeds in row.missing.values() for feed in feeds}
    cells.append(" ; ".join(_giver(project.feeds[feed]) for feed in wanted) or "—")
    return f"| {' | '.join(cells)} |"


def _giver(entry: FeedEntry) -> str:
    return f"{entry.feed.label} ({KINDS[entry.feed.kind]}, {entry.partner.label})"
