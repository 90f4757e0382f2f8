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

# Variables known for enough communes in one month.
_KNOWN = """
SELECT DISTINCT o.variable FROM observations o JOIN deliveries d ON d.id = o.delivery
WHERE NOT d.simulated AND o.value IS NOT NULL AND o.level = 'commune'
GROUP BY o.variable, o.month HAVING count(DISTINCT o.territory) >= $enough
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

    ``missing`` gives each variable without a real figure with the contracts that could deliver it;
    ``wanted``, if the communes lack the indicator, each variable that they lack, with the contracts of
    public files by commune that deliver it and have not been met: one that has does not suffice.
    """

    indicator: str
    label: str
    theme: str
    partners: tuple[str, ...]
    levels: dict[str, int]
    latest: str | None
    sources: tuple[str, ...]
    missing: dict[str, tuple[str, ...]]
    wanted: dict[str, tuple[str, ...]]
    public: bool


def _reads(project: Project) -> pd.DataFrame:
    rows = [(i.id, v) for i in project.indicators.values() for v in i.indicator.parsed.variables]
    return pd.DataFrame(rows, columns=["indicator", "variable"])


def _covered(
    project: Project,
    entry: IndicatorEntry,
    levels: dict[str, tuple[int, str]],
    given: dict[str, list[str]],
    known: set[str],
) -> Covered:
    variables = sorted(entry.indicator.parsed.variables)
    feeds = {v: project.sources_of(v) for v in variables}
    lacked = levels.get("commune", (0, ""))[0] < ENOUGH and "commune" in entry.indicator.levels
    return Covered(
        entry.id,
        entry.indicator.label,
        entry.family.theme,
        tuple(sorted({own[0].partner.id for own in feeds.values()})),
        {level: levels[level][0] for level in LEVELS if level in levels},
        max((latest for _, latest in levels.values()), default=None),
        tuple(sorted({feed for v in variables for feed in given.get(v, [])})),
        {v: tuple(e.id for e in own) for v, own in feeds.items() if v not in given},
        {v: _by_commune(own, given.get(v, [])) for v, own in feeds.items() if lacked and v not in known},
        all(any(e.feed.kind != "template" for e in own) for own in feeds.values()),
    )


def _by_commune(entries: list[FeedEntry], met: list[str]) -> tuple[str, ...]:
    public = [e for e in entries if e.feed.kind != "template" and "commune" in e.feed.levels]
    return tuple(e.id for e in public if e.id not in met)


def coverage(project: Project, connection: duckdb.DuckDBPyConnection) -> list[Covered]:
    """What the release open in ``connection`` covers, one line an indicator of the project."""
    connection.register("reads", _reads(project))
    found: dict[str, dict[str, tuple[int, str]]] = {}
    for indicator, level, territories, latest in connection.execute(_COVERED).fetchall():
        found.setdefault(indicator, {})[level] = territories, latest
    connection.unregister("reads")
    given = dict(connection.execute(_GIVEN).fetchall())
    known = {variable for (variable,) in connection.execute(_KNOWN, {"enough": ENOUGH}).fetchall()}
    return [
        _covered(project, entry, found.get(entry.id, {}), given, known)
        for entry in project.indicators.values()
    ]


@dataclass(frozen=True)
class Promise:
    """What the communes would gain from one public file: indicators by it alone, and with others."""

    feed: str
    alone: tuple[str, ...]
    together: tuple[str, ...]


def promises(rows: Iterable[Covered]) -> list[Promise]:
    """The public files by commune that are missing, those that give most by themselves first.

    An indicator is promised if each variable that the communes lack is in some public file; one whose
    variables are all known lacks other months of them, and no file is named for it.
    """
    alone: dict[str, list[str]] = {}
    together: dict[str, list[str]] = {}
    for row in rows:
        if not all(row.wanted.values()):
            continue
        enough = set.intersection(*map(set, row.wanted.values())) if row.wanted else set()
        for feed in {feed for feeds in row.wanted.values() for feed in feeds}:
            (alone if feed in enough else together).setdefault(feed, []).append(row.indicator)
    found = [Promise(f, tuple(alone.get(f, ())), tuple(together.get(f, ()))) for f in alone | together]
    return sorted(found, key=lambda p: (-len(p.alone), -len(p.together), p.feed))


def first_wanted(rows: Iterable[Covered], most: int) -> list[tuple[str, int]]:
    """The public files to get first, each with the indicators that it adds to those before."""
    left = {promise.feed: set(promise.alone) for promise in promises(rows)}
    order: list[tuple[str, int]] = []
    while left and len(order) < most:
        feed = max(left, key=lambda f: len(left[f]))
        gained = left.pop(feed)
        if not gained:
            break
        order.append((feed, len(gained)))
        left = {other: own - gained for other, own in left.items()}
    return order


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
    lines += [
        "",
        "## Fichiers publics qui manquent aux communes",
        "",
        _PROMISED,
        "",
        _GAINS,
        "|---" * 4 + "|",
    ]
    lines += [_promise(project, promise) for promise in promises(rows)]
    for label, own in themes.items():
        lines += ["", f"## {label}", "", _DETAIL, "|---" * 7 + "|"]
        lines += [_line(project, row) for row in own]
    return "\n".join(lines) + "\n"


_HEAD = (
    "Un indicateur est couvert quand il a au moins une valeur qui vient d’un fichier réel ; il l’est "
    f"pour les communes à partir de {ENOUGH} communes."
)
_COLUMNS = "| | indicateurs | couverts | communes | département | France | source publique |"
_PROMISED = (
    f"Les indicateurs qui n’ont pas encore de valeur pour {ENOUGH} communes, et les fichiers publics "
    "qui la donneraient : chacun à lui seul, ou avec un autre de la liste."
)
_GAINS = "| fichier | à lui seul | avec un autre | où le prendre |"
_DETAIL = "| indicateur | communes | département | France | dernière période | source | ce qui manque |"


def _promise(project: Project, promise: Promise) -> str:
    entry = project.feeds[promise.feed]
    at = " ; ".join(
        f"{project.portals[o.portal].label}, {o.dataset}" for o in entry.feed.origins if o.dataset
    )
    numbers = f"{len(promise.alone)} | {len(promise.together)}"
    return f"| {entry.feed.label} | {numbers} | {at or entry.feed.source} |"


def _line(project: Project, row: Covered) -> str:
    cells = [row.label, *(str(row.levels.get(lv, "—")) for lv in ("commune", "departement", "france"))]
    cells.append(french_month(row.latest) if row.latest else "—")
    cells.append(" ; ".join(project.feeds[feed].feed.label for feed in row.sources) or "—")
    wanted = {feed: None for feeds in row.missing.values() for feed in feeds}
    cells.append(" ; ".join(_giver(project.feeds[feed]) for feed in wanted) or "—")
    return f"| {' | '.join(cells)} |"


def _giver(entry: FeedEntry) -> str:
    return f"{entry.feed.label} ({KINDS[entry.feed.kind]}, {entry.partner.label})"
