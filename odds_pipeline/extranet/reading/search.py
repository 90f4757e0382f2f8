"""Search over what the reader may see; accents and typing errors are forgiven."""

from dataclasses import dataclass

from odds_pipeline.declarations.indicator import THEMES
from odds_pipeline.extranet.reading.serving import View
from odds_pipeline.geography.territories import plain

_STOP = frozenset("a au aux d de des du en et l la le les par pour sur un une dans".split())
_CLOSE = 0.88
"""Jaro-Winkler similarity from which two words are taken for one; `alocataire` is at 0.97."""

_FIND = f"""
WITH asked AS (SELECT unnest($words::VARCHAR[]) AS asked),
matched AS (
    SELECT kind, id, asked, max(weight * CASE
        WHEN word = asked THEN 1.0
        WHEN starts_with(word, asked) THEN 0.95
        WHEN length(asked) >= 4 AND contains(word, asked) THEN 0.8
        WHEN length(asked) >= 4 AND jaro_winkler_similarity(word, asked) >= {_CLOSE}
            THEN 0.9 * jaro_winkler_similarity(word, asked)
        ELSE 0 END) AS score
    FROM search_words, asked GROUP BY ALL
)
SELECT kind, id, sum(score) AS score, count(*) FILTER (WHERE score > 0) AS found FROM matched
GROUP BY kind, id HAVING found > 0 ORDER BY found DESC, score DESC, id LIMIT 80
"""


@dataclass(frozen=True)
class Found:
    """Ids of indicators and codes of territories, the best first; ``complete``: every word matched."""

    indicators: list[str]
    territories: list[str]
    complete: bool


def words_of(text: str) -> list[str]:
    """The words that count, plain, once each."""
    return list(dict.fromkeys(w for w in plain(text).split() if w not in _STOP))


def index(view: View) -> None:
    """Make the table of words: labels weigh more than themes, themes more than definitions."""
    rows: list[tuple[str, str, str, float]] = []
    for name, sheet in view.definitions.items():
        for text, weight in (
            (sheet["label"], 1.0),
            (sheet["short_label"], 1.0),
            (name.replace("_", " "), 0.9),
            (f"{sheet['family_label']} {THEMES.get(sheet['theme'], '')}", 0.6),
            (sheet["source"], 0.5),
            (f"{sheet['definition']} {sheet['population']}", 0.4),
        ):
            rows += [("indicator", name, word, weight) for word in words_of(text)]
    for place in view.places.values():
        rows += [
            ("territory", place.code, word, 1.2) for word in words_of(f"{place.label} {place.code}")
        ]
    view.connection.execute(
        "CREATE TABLE search_words AS SELECT DISTINCT unnest($kind::VARCHAR[]) AS kind, "
        "unnest($id::VARCHAR[]) AS id, unnest($word::VARCHAR[]) AS word, "
        "unnest($weight::DOUBLE[]) AS weight",
        dict(
            zip(
                ("kind", "id", "word", "weight"), (list(c) for c in zip(*rows, strict=True)), strict=True
            )
        ),
    )


def search(view: View, text: str) -> Found:
    """What matches every word; when nothing does, what matches the most of them."""
    asked = words_of(text[:100])[:8]
    if not asked:
        return Found([], [], True)
    rows = view.rows(_FIND, {"words": asked})
    best = max((row["found"] for row in rows), default=0)
    rows = [row for row in rows if row["found"] == best]
    return Found(
        [r["id"] for r in rows if r["kind"] == "indicator"],
        [r["id"] for r in rows if r["kind"] == "territory"],
        best == len(asked),
    )
