"""Which further cells to hide so that no sensitive one can be derived, at the least loss.

An integer programme chooses the cells; an attack on its choice finds what is still exposed and adds
the condition that was missing, until nothing is (Fischetti and Salazar, 2001).
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from odds_pipeline.secrecy.attack import TOLERANCE, Attack, Doubts, attack
from odds_pipeline.secrecy.system import CANDIDATE, HIDDEN, KNOWN, Bools, Floats, Groups, Ints, System

SECONDS = 20.0
"""Longest search for one block; the best choice found by then is taken, and attacked like any other."""
ROUNDS = 200
"""Most attacks on one block, of which some ten are usual; everything is hidden after that."""


@dataclass(frozen=True)
class Suppression:
    """``hidden`` says which cells are hidden; ``hopeless`` those that no choice can protect.

    A sensitive cell is hopeless when what was published earlier already tells it.
    """

    hidden: Bools
    hopeless: Bools


def suppress(system: System) -> Suppression:
    """Hide candidates until every sensitive cell is protected."""
    hidden = np.asarray(system.state == HIDDEN)
    hopeless = np.zeros(len(hidden), dtype=bool)
    targets = np.flatnonzero(system.sensitive).astype(np.int64)
    cell_block, row_block = system.blocks(np.asarray(system.state != KNOWN))
    cells = Groups(np.arange(len(cell_block)), cell_block)
    rows = Groups(np.arange(len(row_block)), row_block)
    searches: dict[int, _Search] = {}
    doubts = Doubts(system)
    for _ in range(ROUNDS):
        exposed: dict[int, list[Attack]] = {}
        for found in attack(system, hidden, targets, doubts):
            exposed.setdefault(int(cell_block[found.cell]), []).append(found)
        for block, attacks in exposed.items():
            if block not in searches:
                searches[block] = _Search(system, cells.of(block), rows.of(block))
            search = searches[block]
            search.answer(attacks)
            hidden[search.cells], hopeless[search.cells] = search.hidden, search.hopeless
        if not exposed:
            return Suppression(hidden, hopeless)
        # What is already wide enough in a block that is done stays so.
        targets = targets[np.isin(cell_block[targets], list(exposed)) & ~hopeless[targets]]
    for block in exposed:
        hidden[searches[block].cells] |= searches[block].system.state == CANDIDATE
    return Suppression(hidden, hopeless)


class _Search:
    """The search in one block: the conditions known so far, as rows over the candidates."""

    def __init__(self, system: System, cells: Ints, rows: Ints) -> None:
        self.cells, self.rows = cells, rows
        self.system = system.part(cells, rows)
        self.always = np.asarray(self.system.state == HIDDEN)
        self.hidden = self.always.copy()
        self.hopeless = np.zeros(len(cells), dtype=bool)
        self.conditions: list[tuple[Ints, Floats, float]] = []
        self.bridged: set[tuple[int, int]] = set()

    def answer(self, attacks: list[Attack]) -> None:
        """Hide more, so that none of these attacks succeeds again."""
        for found in attacks:
            self._add(found)
        self._bridge()
        while self._choose() and self._bridge():
            pass

    def _bridge(self) -> bool:
        """A hidden cell that is alone in an equation is no use: it needs company in each.

        Whether a condition was added.
        """
        system = self.system
        rows, columns = system.equations[:, np.flatnonzero(self.hidden)].nonzero()
        counts = np.bincount(rows, minlength=system.equations.shape[0])
        cells = np.flatnonzero(self.hidden)[columns]
        useful = (system.state[cells] == CANDIDATE) | system.sensitive[cells]
        added = False
        for row, cell in zip(
            rows[(counts[rows] == 1) & useful], cells[(counts[rows] == 1) & useful], strict=True
        ):
            if (row, cell) in self.bridged or self.hopeless[cell]:
                continue
            self.bridged.add((int(row), int(cell)))
            others = system.equations.indices[slice(*system.equations.indptr[row : row + 2])]
            others = others[(system.state[others] == CANDIDATE) & (others != cell)].astype(np.int64)
            weights = np.ones(len(others))
            if self.always[cell]:
                self.conditions.append((others, weights, 1.0))
            else:
                self.conditions.append((np.append(others, cell), np.append(weights, -1.0), 0.0))
            added = True
        return added

    def _add(self, found: Attack) -> None:
        """What the attack's prices ask for: hide more of the cells that could make it wider."""
        system = self.system
        cell = int(np.searchsorted(self.cells, found.cell))
        prices = np.zeros(len(self.rows))
        prices[np.searchsorted(self.rows, found.rows)] = found.prices
        reduced = -(system.equations.T @ prices)
        reduced[cell] += -1.0 if found.upwards else 1.0
        low, high = system.lower - system.value, system.upper - system.value
        need = system.need(cell, found.upwards)
        with np.errstate(invalid="ignore"):
            room = np.where(reduced > TOLERANCE, -reduced * low, 0.0)
            room = np.where(reduced < -TOLERANCE, -reduced * high, room)
        room[cell] = 0.0
        room[np.isin(system.owners, list(found.readers))] = 0.0
        left = need - float(room[self.always].sum())
        cells = np.flatnonzero((room > TOLERANCE) & (system.state == CANDIDATE)).astype(np.int64)
        if float(room[cells].sum()) < left - TOLERANCE:
            self.hopeless[cell] = True  # hiding all that can be hidden would not do
            return
        self.conditions.append((cells, np.minimum(room[cells], left), left))

    def _choose(self) -> bool:
        """Hide the lightest choice that meets the conditions; whether there is one.

        Without one, everything is hidden.
        """
        system = self.system
        conditions = [c for c in self.conditions if len(c[0])]
        if not conditions:
            return False
        concerned = np.concatenate([cells for cells, _, _ in conditions])
        candidates = np.unique(concerned)
        matrix = sparse.csr_array(
            (
                np.concatenate([weights for _, weights, _ in conditions]),
                np.searchsorted(candidates, concerned),
                np.concatenate([[0], np.cumsum([len(cells) for cells, _, _ in conditions])]),
            ),
            shape=(len(conditions), len(candidates)),
        )
        least = np.array([bound for _, _, bound in conditions])
        found = milp(
            system.weight[candidates],
            integrality=np.ones(len(candidates)),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(matrix, least - TOLERANCE, np.inf),
            options={"time_limit": SECONDS},
        )
        self.hidden = self.always.copy()
        if found.x is None:
            self.hidden |= system.state == CANDIDATE
            return False
        self.hidden[candidates[found.x > 0.5]] = True
        return True
