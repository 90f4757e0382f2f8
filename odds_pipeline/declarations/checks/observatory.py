"""Checks the observatory: its départements are known, its variable of population is delivered."""

from collections.abc import Iterator

from odds_pipeline.declarations.checks.names import variable_missing
from odds_pipeline.declarations.declared import Declared
from odds_pipeline.declarations.observatory import FILE
from odds_pipeline.declarations.problems import Problem, nearest


def observatory_problems(declared: Declared) -> Iterator[Problem]:
    """Every name of the file that nothing else declares."""
    known = declared.territories.departements
    for code in declared.observatory.departements:
        if code not in known:
            yield Problem(FILE, 1, f"no département {code!r} in the perimeter{nearest(code, known)}")
    if message := variable_missing(declared, declared.observatory.population):
        yield Problem(FILE, 1, f"population: {message}")
