"""Nothing secret is told to a reader who kept every release, knows the rules and his own figures.

Deliveries are those of the demonstration, where small counts are many. Revisions raise and lower some.
"""

import ast
import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from odds_pipeline.declarations.access import EDITIONS
from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.read_simulations import load_simulations
from odds_pipeline.demo.simulation import Simulator
from odds_pipeline.release.publish import publish
from odds_pipeline.storage.home import Home
from tests import reader as attacker
from tests.reader import Reader, Rules, Truth

from .test_editions import deliver

FEEDS = ("prefecture/expulsions", "udccas/aides", "conseil_general/ase", "conseil_general/autonomie", "conseil_general/fsl")  # fmt: skip
MONTHS = [f"2024-{month:02d}" for month in range(1, 13)]


class Demonstration:
    """Deliveries of some feeds, month by month, that can be revised and published."""

    def __init__(self, project: Project, home: Home, folder: Path) -> None:
        self.project, self.home, self.folder = project, home, folder
        self.simulator = Simulator(project, load_simulations(project), MONTHS)
        self.changed: dict[tuple[str, str, str], int] = {}
        self.draw = np.random.default_rng(93)
        self.deliveries = 0

    def deliver(self, month: str, feeds: Iterable[str] = FEEDS) -> None:
        """A month of some feeds, as it stands after the revisions."""
        for feed in feeds:
            entry = self.project.feeds[feed]
            self.deliveries += 1
            folder = self.folder / f"{self.deliveries}"
            folder.mkdir()
            deliver(
                self.project, self.home, folder / f"{feed.replace('/', '_')}_{month}.csv", feed,
                lambda code, name, entry=entry: str(self.figure(entry.variable_id(name), code, month)),
            )  # fmt: skip

    def figure(self, variable: str, code: str, month: str) -> int:
        at = self.simulator.communes.index(code), MONTHS.index(month)
        return int(self.simulator.figures(variable)[at]) + self.changed.get((variable, code, month), 0)

    def revise(self, month: str, count: int) -> None:
        """Small counts become larger ones, and the totals they belong to with them."""
        rules = Rules(self.project)
        held = set(rules.parts.values()) | rules.totals
        small = [
            (variable, code)
            for feed in FEEDS
            for name in self.project.feeds[feed].own
            for variable in (self.project.feeds[feed].variable_id(name),)
            for code in self.simulator.communes
            if variable not in held
            and 0 < self.figure(variable, code, month) < rules.threshold(variable)
        ]
        chosen = [small[at] for at in self.draw.choice(len(small), count, replace=False)]
        for variable, code in chosen:
            step = int(self.draw.integers(2, 7))
            for name in self._with_totals(rules, variable):
                self.changed[name, code, month] = self.changed.get((name, code, month), 0) + step
        self.deliver(month, sorted({self.project.variables[variable][0].id for variable, _ in chosen}))

    def _with_totals(self, rules: Rules, variable: str) -> Iterator[str]:
        yield variable
        totals = {t for t, parts in rules.sums if variable in parts} | {
            rules.parts.get(variable, variable)
        } - {variable}
        for total in totals:
            yield from self._with_totals(rules, total)

    def publish(self) -> Truth:
        publish(self.project, self.home)
        return Truth(Rules(self.project), self.home)


def releases(demonstration: Demonstration, months: list[str], revisions: int, count: int) -> list[Truth]:
    """One release a month, then one a revision, each of the first month."""
    truths = []
    for month in months:
        demonstration.deliver(month)
        truths.append(demonstration.publish())
    for _ in range(revisions):
        demonstration.revise(months[0], count)
        truths.append(demonstration.publish())
    return truths


def reader_of(project: Project, home: Home, truths: list[Truth], edition: str) -> Reader:
    """Someone who kept that edition of every release."""
    reader = Reader(project)
    for number, truth in enumerate(truths, start=1):
        reader.read_edition(home, number, edition, truth)
    return reader


Published = tuple[Home, list[Truth]]


@pytest.fixture(scope="module")
def published(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Two months, a release each, then two revisions of the first one."""
    folder = tmp_path_factory.mktemp("demonstration")
    home = Home(folder / "odds")
    return home, releases(Demonstration(project, home, folder), MONTHS[:2], 2, 12)


@pytest.mark.parametrize("edition", EDITIONS)
def test_no_reader_of_an_edition_is_told_a_secret(
    project: Project, published: Published, edition: str
) -> None:
    told = reader_of(project, *published, edition).attack()
    assert [t for t in told if t.wrong] == []
    assert [t for t in told if t.narrow] == []
    assert len(told) > 200 or edition == "public"


def test_the_body_of_a_commune_is_not_told_of_another_by_its_own_figures(
    project: Project, published: Published
) -> None:
    reader = reader_of(project, *published, EDITIONS[0])
    told = [
        t
        for commune in project.territories.communes(2024)
        for t in reader.attack(MONTHS[:1], own=reader.rules.number[commune.code, 2024])
    ]
    assert [t for t in told if t.wrong or t.narrow] == []
    assert len(told) > 1000


def test_he_uses_nothing_of_the_code_that_protects() -> None:
    imports = [
        node
        for node in ast.walk(ast.parse(inspect.getsource(attacker)))
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    names = {a.name for node in imports for a in node.names} | {
        getattr(n, "module", "") for n in imports
    }
    assert not any("secrecy" in name for name in names)


@pytest.mark.long
def test_no_partner_is_told_a_secret_by_twelve_months_and_three_revisions(
    project: Project, home: Home, tmp_path: Path
) -> None:
    truths = releases(Demonstration(project, home, tmp_path), MONTHS, 3, 12)
    told = reader_of(project, home, truths, EDITIONS[0]).attack()
    assert [t for t in told if t.wrong or t.narrow] == []
