"""Search over what the reader may see; accents and typing errors are forgiven."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from odds_pipeline.declarations.synonyms import Synonym
from odds_pipeline.extranet.reading.serving import Row, View
from odds_pipeline.geography.territories import plain

_STOP = frozenset("a au aux d de des du en et l la le les par pour sur un une dans".split())
_CLOSE = 0.88
"""Jaro-Winkler similarity from which two words are taken for one; `alocataire` is at 0.97."""
_TYPO = 0.85
"""The same for the name of a place, by difflib: `bobgny` is at 0.92, `gagny` to `bagnolet` at 0.46."""

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
    """Ids of indicators and codes of territories, the best first.

    ``place`` is the territory that the words name, ``note`` what is to be said first, ``complete``
    whether every word matched.
    """

    indicators: list[str]
    territories: list[str]
    complete: bool
    place: str | None = None
    note: str = ""


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
            (f"{sheet['family_label']} {view.observatory.themes.get(sheet['theme'], '')}", 0.6),
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


def search(view: View, text: str, synonyms: Sequence[Synonym] = ()) -> Found:
    """The place that the words name, and what the others find; else what matches most of them."""
    asked = words_of(text[:100])[:8]
    if not asked:
        return Found([], [], True)
    place, subject = _place_of(view, asked)
    meant = _meant(view, subject, synonyms)
    found = _matching(view, subject or asked)
    indicators = [r["id"] for r in found if r["kind"] == "indicator"] if subject else []
    territories = [r["id"] for r in found if r["kind"] == "territory"]
    if place is not None:
        territories = [place, *(code for code in territories if code != place and not subject)]
    named = meant.indicators if meant else []
    best = max((row["found"] for row in found), default=0)
    return Found(
        list(dict.fromkeys([*named, *_with_values_first(view, indicators)])),
        territories,
        bool(named) or best == len(subject or asked),
        place if subject else None,
        meant.note or "" if meant else "",
    )


def _matching(view: View, asked: list[str]) -> list[Row]:
    rows = view.rows(_FIND, {"words": asked})
    best = max((row["found"] for row in rows), default=0)
    return [row for row in rows if row["found"] == best]


def _with_values_first(view: View, names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: name not in view.valued)


def _place_of(view: View, asked: list[str]) -> tuple[str | None, list[str]]:
    """The territory of which every word is asked for, the longest name first, and the other words."""
    found = [
        (len(words), code, words)
        for code, words in _place_names(view)
        if len(words) <= len(asked) and all(_like(word, asked) for word in words)
    ]
    if not found:
        return None, asked
    _, code, words = max(found)
    used = {_like(word, asked) for word in words}
    return code, [word for word in asked if word not in used]


def _place_names(view: View) -> list[tuple[str, list[str]]]:
    """Territories by the words of their name; a commune also by its first one, if it has it alone."""
    return view.once("place_names", lambda: _named(view), 10_000)


def _named(view: View) -> list[tuple[str, list[str]]]:
    named = [(place.code, words_of(place.label)) for place in view.places.values()]
    firsts = Counter(words[0] for _, words in named if words)
    alone = [
        (code, words[:1])
        for code, words in named
        if view.places[code].level == "commune" and firsts[words[0]] == 1 and len(words[0]) >= 5
    ]
    return named + alone


def _like(word: str, asked: list[str]) -> str | None:
    """The asked word that is ``word``, or differs from it by a typing error."""
    if word in asked:
        return word
    close = get_close_matches(word, asked, 1, _TYPO) if len(word) >= 5 else []
    return close[0] if close else None


def _meant(view: View, subject: list[str], synonyms: Sequence[Synonym]) -> Synonym | None:
    """The synonym whose words the subject is made of, or holds: the one with the most words."""
    wanted = {_singular(word) for word in subject}
    best: tuple[int, Synonym] | None = None
    for synonym in synonyms:
        for words in synonym.words:
            given = {_singular(word) for word in words_of(words)}
            if given <= wanted and (best is None or len(given) > best[0]):
                best = (len(given), synonym)
    if best is None:
        return None
    visible = [name for name in best[1].indicators if name in view.definitions]
    return best[1].model_copy(update={"indicators": _with_values_first(view, visible)})


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] in "sx" else word
