"""Checks the perimeters: a code that no table knows would leave a partner out in silence."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from odds_pipeline.declarations.declared import Declared
from odds_pipeline.declarations.deployment import Deployment
from odds_pipeline.declarations.problems import Problem, nearest


def perimeter_problems(
    declared: Declared, here: Deployment, departements: Sequence[str]
) -> Iterator[Problem]:
    """Every département of a partner or of the deployment that ``territories.csv`` has not."""
    perimeters: list[tuple[Sequence[str], Path]] = [
        (p.perimeter, Path(f"assets/partners/{p.id}/partner.yaml")) for p in declared.partners.values()
    ]
    if here.perimeter != "all":
        own = os.environ.get("ODDS_DEPLOYMENT") or "resources/deployments/local.yaml"
        perimeters.append((here.perimeter, Path(own)))
    for codes, path in perimeters:
        for code in set(codes) - set(departements):
            message = f"perimeter: no département {code!r} in territories.csv"
            yield Problem(path, 1, message + nearest(code, departements))
