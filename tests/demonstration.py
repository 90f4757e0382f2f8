"""An observatory of simulated small counts, delivered month by month, revised and published."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.read_simulations import load_simulations
from odds_pipeline.demo.simulation import Simulator
from odds_pipeline.release.publish import publish
from odds_pipeline.storage.home import Home
from tests.pipeline.test_class_files import deliver
from tests.reader import Rules, Truth

MONTHS = [f"2024-{month:02d}" for month in range(1, 13)]
A_YEAR_BEFORE = "2023-01"


class Demonstration:
    """Deliveries of some feeds, month by month, that can be revised and published."""

    def __init__(self, project: Project, home: Home, folder: Path) -> None:
        self.project, self.home, self.folder = project, home, folder
        self.months = [A_YEAR_BEFORE, *MONTHS]
        self.simulator = Simulator(project, load_simulations(project), self.months)
        self.changed: dict[tuple[str, str, str], int] = {}
        self.draw = np.random.default_rng(93)
        self.deliveries = 0

    def deliver(self, month: str, feeds: Iterable[str]) -> None:
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
        at = self.simulator.communes.index(code), self.months.index(month)
        return int(self.simulator.figures(variable)[at]) + self.changed.get((variable, code, month), 0)

    def revise(self, month: str, count: int, feeds: Iterable[str]) -> None:
        """Small counts become larger ones, and the totals they belong to with them."""
        rules = Rules(self.project)
        held = set(rules.parts.values()) | rules.totals
        small = [
            (variable, code)
            for feed in feeds
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
