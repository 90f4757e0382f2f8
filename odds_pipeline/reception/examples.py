"""Builds a text that a contract's regular expression matches: a file name, a period in a cell."""

import re
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from odds_pipeline.french import MONTHS


def _class(items: list[Any]) -> str:
    kind, value = items[0]
    if kind is codes.LITERAL:
        return chr(value)
    if kind is codes.RANGE:
        return chr(value[0])
    return "1" if value is codes.CATEGORY_DIGIT else "a"


def _build(tree: Any, names: dict[int, str], groups: dict[str, str]) -> str:
    text = ""
    for kind, value in tree:
        if kind is codes.LITERAL:
            text += chr(value)
        elif kind is codes.IN:
            text += _class(value)
        elif kind is codes.ANY:
            text += "a"
        elif kind in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            least, _, inner = value
            text += _build(inner, names, groups) * least
        elif kind is codes.SUBPATTERN:
            group, _, _, inner = value
            name = names.get(group or 0, "")
            text += groups[name] if name in groups else _build(inner, names, groups)
        elif kind is codes.BRANCH:
            text += _build(value[1][0], names, groups)
    return text


def text_matching(pattern: str, groups: dict[str, str]) -> str:
    """A text that ``pattern`` finds, its named groups holding ``groups`` where they are given.

    Raises :class:`ValueError` for a pattern too clever to build from.
    """
    tree = parser.parse(pattern)
    names = {number: name for name, number in tree.state.groupdict.items()}
    text = _build(tree, names, groups)
    if not re.search(pattern, text, re.IGNORECASE):
        raise ValueError(f"cannot build a text for {pattern!r}")
    return text


def example_of(pattern: str) -> str:
    """A text that ``pattern`` finds, for a person who reads no regular expression."""
    try:
        return text_matching(pattern, month_groups("2024-11"))
    except (ValueError, re.error):
        return "la forme convenue"


def month_groups(month: str) -> dict[str, str]:
    """Groups that stand for a reference month in a contract's patterns."""
    year, number = month.split("-")
    return {
        "year": year,
        "yy": year[2:],
        "month": number,
        "quarter": str((int(number) + 2) // 3),
        "mois": MONTHS[int(number) - 1],
    }
