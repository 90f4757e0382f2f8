"""Mistakes found in declarations: where, what, and the nearest right name."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in one declaration file.

    ``file`` is relative to the project root, ``line`` counts from 1, ``message`` says what was
    found and what was expected.
    """

    file: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class Explained(Exception):
    """A failure that its text explains: a person who meets it needs to see no more than that."""


class DeclarationError(Explained):
    """The declarations hold mistakes; its text lists every one of them, a line each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        listing = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{len(self.problems)} mistake(s) in the declarations:\n{listing}")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` (did you mean X?)`` for the nearest known name, or an empty string."""
    matches = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (did you mean {matches[0]}?)" if matches else ""
