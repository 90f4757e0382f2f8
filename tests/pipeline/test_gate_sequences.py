"""No sequence of deliveries, refusals, acceptances, kills and runs publishes what no verdict allows."""

import shutil
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from odds_pipeline.declarations.project import Project
from odds_pipeline.quality import gate
from odds_pipeline.quality.quarantine import NotAcceptable, accept, cases
from odds_pipeline.reception.receive import receive
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

from .test_gate import FEED, populations

pytestmark = pytest.mark.slow

YEARS = (2019, 2020)
PUBLISHABLE = """
SELECT o.month, o.value FROM observations o
JOIN trusted_months t ON t.delivery = o.delivery AND t.month = o.month
WHERE o.known_to IS NULL AND o.variable = 'insee.population_municipale' AND o.territory = '93008'
"""


class Killed(BaseException):
    """The process dies in the middle of a judgement."""


class GateMachine(RuleBasedStateMachine):
    """A model of the gate: by month, the value of Bobigny that readers may see."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.home = Home(self.folder / "odds")
        self.project = Project.load()
        self.published: dict[str, float] = {}
        self.pending: list[tuple[str, float, bool]] = []
        self.refused: dict[str, tuple[str, float]] = {}
        self.count = 0

    def teardown(self) -> None:
        shutil.rmtree(getattr(self, "folder", Path("/nonexistent")), ignore_errors=True)

    @rule(year=st.sampled_from(YEARS), good=st.booleans())
    def deliver(self, year: int, good: bool) -> None:
        self.count += 1
        value = 7000 + self.count

        def edit(rows: list[list[str]]) -> None:
            rows[5][3], rows[5][5] = str(value), str(value + 10)
            if not good:
                del rows[8]

        path = populations(self.folder / str(self.count), year, edit)
        list(receive(self.project, self.home, [path]))
        self.pending.append((f"{year}-01", float(value), good))

    @rule()
    def run(self) -> None:
        gate.judge_pending(self.project, self.home, FEED)
        for month, value, good in self.pending:
            if good:
                self.published[month] = value
        self.pending = []

    @rule()
    def killed_in_the_middle(self) -> None:
        def die(*_: Any) -> None:
            raise Killed

        with patch.object(gate, "_apply", die):
            try:
                gate.judge_pending(self.project, self.home, FEED)
            except Killed:
                return
        assert not self.pending

    @rule()
    def overrule(self) -> None:
        if self.pending:
            return
        with Store(self.home.warehouse).connect() as connection:
            found = cases(connection)
            if not found:
                return
            case = found[0]
        try:
            accept(
                self.project, self.home, case.delivery, case.month, "Confirmé par le partenaire", "A. M."
            )
        except NotAcceptable:
            return
        with gate.Store(self.home.warehouse).connect() as connection:
            row = connection.execute(
                "SELECT value FROM observations WHERE delivery = ? AND territory = '93008' "
                "AND variable = 'insee.population_municipale' AND known_to IS NULL",
                [case.delivery],
            ).fetchone()
        assert row is not None
        self.published[case.month] = row[0]

    @rule()
    def receive_all_again(self) -> None:
        list(receive(self.project, self.home, [self.folder / str(n + 1) for n in range(self.count)]))

    @invariant()
    def readers_see_what_passed_and_nothing_else(self) -> None:
        if not hasattr(self, "home") or not self.home.warehouse.exists():
            return
        with Store(self.home.warehouse).connect() as connection:
            assert dict(connection.execute(PUBLISHABLE).fetchall()) == self.published


TestGateSequences = GateMachine.TestCase
TestGateSequences.settings = settings(
    max_examples=6,
    stateful_step_count=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
