"""All declarations of a project folder, read once and checked against each other."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from odds_pipeline.declarations.checks.feeds import feed_problems
from odds_pipeline.declarations.checks.indicators import indicator_problems
from odds_pipeline.declarations.checks.neighbourhoods import neighbourhood_problems
from odds_pipeline.declarations.checks.perimeter import perimeter_problems
from odds_pipeline.declarations.checks.suites import suite_problems
from odds_pipeline.declarations.declared import Declared
from odds_pipeline.declarations.declared import FeedEntry as FeedEntry
from odds_pipeline.declarations.declared import IndicatorEntry as IndicatorEntry
from odds_pipeline.declarations.deployment import Deployment, deployment
from odds_pipeline.declarations.problems import DeclarationError, Problem
from odds_pipeline.declarations.read import read_declared
from odds_pipeline.declarations.root import project_root as project_root
from odds_pipeline.geography.territories import Territories


@dataclass(frozen=True)
class Project(Declared):
    """The declarations that this deployment keeps; ``problems`` is empty when all of it is right.

    What a file shows by itself comes first, then what contradicts another file: the first problem is
    the one to mend first.
    """

    problems: tuple[Problem, ...] = ()

    @classmethod
    def read(cls, root: Path | None = None) -> "Project":
        """Read everything, collecting every problem instead of stopping at the first."""
        root, here = root or project_root(), deployment()
        reference = root / "resources" / "reference"
        declared, found = read_declared(root, Territories.read(reference, here.perimeter))
        known = Territories.read(reference).departements
        problems = (*sorted(found), *sorted(_cross_checks(declared, here, known)))
        return cls(**vars(_kept(declared, here)), problems=problems)

    @classmethod
    def load(cls, root: Path | None = None) -> "Project":
        """Read everything; raise :class:`DeclarationError` listing every mistake."""
        project = cls.read(root)
        if project.problems:
            raise DeclarationError(project.problems)
        return project


def _cross_checks(declared: Declared, here: Deployment, known: tuple[str, ...]) -> Iterator[Problem]:
    yield from feed_problems(declared)
    yield from neighbourhood_problems(declared)
    yield from indicator_problems(declared)
    yield from suite_problems(declared)
    yield from perimeter_problems(declared, here, known)


def _kept(declared: Declared, here: Deployment) -> Declared:
    """Without the partners that this deployment does not have, and without what reads their figures."""
    known = set(declared.territories.departements)
    partners = {
        name: partner
        for name, partner in declared.partners.items()
        if here.takes(name) and (not partner.perimeter or known & set(partner.perimeter))
    }
    gone = declared.partners.keys() - partners.keys()

    def stays(entry: IndicatorEntry) -> bool:
        return not gone & {v.split(".")[0] for v in entry.indicator.parsed.variables}

    return replace(
        declared,
        partners=partners,
        feeds={name: e for name, e in declared.feeds.items() if e.partner.id in partners},
        indicators={name: e for name, e in declared.indicators.items() if stays(e)},
    )
