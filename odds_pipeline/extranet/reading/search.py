"""Search over what the reader may see; accents and typing errors are forgiven."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from odds_pipeline.declarations.synonyms import Synonym
from odds_pipeline.extranet.reading.serving import View
from odds_pipeline.geography.territories import plain

_STOP = frozenset("a au aux d de des du en et l la le les par pour sur un une dans".split())
_CLOSE = 0.88
"""Jaro-Winkler similarity from which two words are taken for one; `alocataire` is at 0.97.

It forgives all after a common beginning (`dentiste`, `denis`): hence a limit, one error or two.
"""
_TYPO = 0.85
"""The same for the name of a place, by difflib: `bobgny` is at 0.92, `gagny` to `bagnolet` at 0.46."""

_ALIKE = f"""
SELECT word, asked, CASE
    WHEN word = asked THEN 1.0
    WHEN starts_with(word, asked) THEN 0.95
    WHEN length(asked) >= 6 AND contains(word, asked) THEN 0.8
    WHEN length(asked) >= 4 AND jaro_winkler_similarity(word, asked) >= {_CLOSE}
        AND damerau_levenshtein(word, asked) <= CASE WHEN length(asked) >= 8 THEN 2 ELSE 1 END
        THEN 0.9 * jaro_winkler_similarity(word, asked)
    ELSE 0 END AS likeness
FROM search_words, (SELECT unnest($words::VARCHAR[]) AS asked) WHERE likeness > 0
"""
_MATCHED = 80
"""Results kept of a search."""
Thing = tuple[str, str]
"""What is looked for: ``indicator`` or ``territory``, and its id or code."""


@dataclass(frozen=True)
class Results:
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
    """Make the table of words: some thousand, each in some eight texts and compared once a search."""
    view.connection.execute(
        "CREATE TABLE search_words AS SELECT unnest(?::VARCHAR[]) AS word", [list(_weights(view))]
    )


def _weights(view: View) -> dict[str, dict[Thing, float]]:
    """What each word stands in, and how much it weighs there."""
    return view.once("search_weights", lambda: _weighed(view), 2_000_000)


def _weighed(view: View) -> dict[str, dict[Thing, float]]:
    """Labels weigh more than themes, themes more than definitions."""
    found: dict[str, dict[Thing, float]] = defaultdict(dict)
    for thing, text, weight in _texts(view):
        for word in words_of(text):
            found[word][thing] = max(weight, found[word].get(thing, 0.0))
    return found


def _texts(view: View) -> Iterator[tuple[Thing, str, float]]:
    for name, sheet in view.definitions.items():
        for text, weight in (
            (sheet["label"], 1.0),
            (sheet["short_label"], 1.0),
            (name.replace("_", " "), 0.9),
            (f"{sheet['family_label']} {view.observatory.themes.get(sheet['theme'], '')}", 0.6),
            (sheet["source"], 0.5),
            (f"{sheet['definition']} {sheet['population']}", 0.4),
        ):
            yield ("indicator", name), text, weight
    for place in view.places.values():
        yield ("territory", place.code), f"{place.label} {place.code}", 1.2


def search(view: View, text: str, synonyms: Sequence[Synonym] = ()) -> Results:
    """The place that the words name, and what the others find; else what matches most of them."""
    asked = words_of(text[:100])[:8]
    if not asked:
        return Results([], [], True)
    place, subject = _place_of(view, asked)
    meant = _meant(view, subject, synonyms)
    found = _matching(view, subject or asked)
    indicators = [name for (kind, name), _ in found if kind == "indicator"] if subject else []
    territories = [code for (kind, code), _ in found if kind == "territory"]
    if place is not None:
        territories = [place, *(code for code in territories if code != place and not subject)]
    named = meant.indicators if meant else []
    return Results(
        list(dict.fromkeys([*named, *_with_values_first(view, indicators)])),
        territories,
        bool(named) or (len(found) > 0 and found[0][1] == len(subject or asked)),
        place if subject else None,
        meant.note or "" if meant else "",
    )


def _matching(view: View, asked: list[str]) -> list[tuple[Thing, int]]:
    """What holds most of the words, the best first, with how many it holds."""
    held: dict[Thing, dict[str, float]] = defaultdict(dict)
    for row in view.rows(_ALIKE, {"words": asked}):
        for thing, weight in _weights(view)[row["word"]].items():
            score = weight * float(row["likeness"])
            held[thing][row["asked"]] = max(score, held[thing].get(row["asked"], 0.0))
    most = max(map(len, held.values()), default=0)
    best = [(thing, sum(words.values())) for thing, words in held.items() if len(words) == most]
    best.sort(key=lambda found: (-found[1], found[0][1]))
    return [(thing, most) for thing, _ in best[:_MATCHED]]


def _with_values_first(view: View, names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: name not in view.valued)


def _place_of(view: View, asked: list[str]) -> tuple[str | None, list[str]]:
    """The territory of which every word is asked for, the longest name first, and the other words."""
    like = _like(view, asked)
    found = [
        (len(words), code, words)
        for code, words in _place_names(view)
        if len(words) <= len(asked) and all(word in like for word in words)
    ]
    if not found:
        return None, asked
    _, code, words = max(found)
    used = {like[word] for word in words}
    return code, [word for word in asked if word not in used]


def _place_names(view: View) -> list[tuple[str, list[str]]]:
    """Territories by the words of their name; a commune also by its first one, if it has it alone."""
    return view.once("place_names", lambda: _named(view), 10_000)


def _named(view: View) -> list[tuple[str, list[str]]]:
    named = [(place.code, words_of(place.label)) for place in view.territories]
    firsts = Counter(words[0] for _, words in named if words)
    alone = [
        (code, words[:1])
        for code, words in named
        if view.places[code].level == "commune" and firsts[words[0]] == 1 and len(words[0]) >= 5
    ]
    return named + alone


def _like(view: View, asked: list[str]) -> dict[str, str]:
    """By word of a name: the asked word that it is, or that differs from it by a typing error."""
    words = {word for _, words in _place_names(view) for word in words if len(word) >= 5}
    close = {word: other for other in asked for word in get_close_matches(other, words, 5, _TYPO)}
    return close | {word: word for word in asked}


def _meant(view: View, subject: list[str], synonyms: Sequence[Synonym]) -> Synonym | None:
    """The synonym whose words the subject is made of, or holds: the one with the most words."""
    wanted = {_singular(word) for word in subject}
    best: tuple[int, Synonym] | None = None
    for synonym in synonyms:
        for words in synonym.words:
            given = _singulars(words)
            if given <= wanted and (best is None or len(given) > best[0]):
                best = (len(given), synonym)
    if best is None:
        return None
    visible = [name for name in best[1].indicators if name in view.definitions]
    return best[1].model_copy(update={"indicators": _with_values_first(view, visible)})


@cache
def _singulars(words: str) -> frozenset[str]:
    """Of the words of a declared synonym, which are always the same."""
    return frozenset(_singular(word) for word in words_of(words))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] in "sx" else word
