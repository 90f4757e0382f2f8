"""What a reader can derive of hidden cells: the ends of each interval, by linear programming.

Of all tables that agree with what is published, the least and the greatest value of a cell; with
them the dual prices, which tell which cells would have to be hidden for the interval to be wider.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from odds_pipeline.secrecy.system import Bools, Floats, Ints, System

COLUMNS = 60_000
"""Most variables of one linear programme; many small ones are solved as one of that size."""
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Attack:
    """One end of one cell: how far the reader can push it, and the price of each equation."""

    cell: int
    upwards: bool
    reach: float
    prices: Floats
    rows: Ints


def attack(system: System, hidden: Bools, targets: Ints) -> Iterator[Attack]:
    """Both ends of each target, every cell being known that is not ``hidden``.

    ``reach`` is a distance from the true value, at most what the target's need asks for.
    """
    batch: list[tuple[int, bool, Ints, Ints]] = []
    size = 0
    for cells, rows, own in _blocks(system, hidden, targets):
        for target in own:
            for upwards in (False, True):
                batch.append((int(target), upwards, cells, rows))
                size += len(cells)
                if size > COLUMNS:
                    yield from _solve(system, batch)
                    batch, size = [], 0
    yield from _solve(system, batch)


def _blocks(system: System, hidden: Bools, targets: Ints) -> Iterator[tuple[Ints, Ints, Ints]]:
    cell_block, row_block = system.blocks(hidden)
    free = np.flatnonzero(hidden)
    by_cell = free[np.argsort(cell_block[free], kind="stable")]
    by_row = np.argsort(row_block, kind="stable")
    cell_keys, row_keys = cell_block[by_cell], row_block[by_row]
    for block in np.unique(cell_block[targets]):
        cells = by_cell[slice(*np.searchsorted(cell_keys, [block, block + 1]))]
        rows = by_row[slice(*np.searchsorted(row_keys, [block, block + 1]))]
        yield cells, rows, targets[cell_block[targets] == block]


def _solve(system: System, batch: list[tuple[int, bool, Ints, Ints]]) -> Iterator[Attack]:
    """Solve many independent programmes as one whose matrix is block-diagonal."""
    if not batch:
        return
    known: dict[int, sparse.coo_array] = {}
    blocks, costs, lows, highs = [], [], [], []
    for target, upwards, cells, rows in batch:
        key = int(cells[0])
        if key not in known:
            known[key] = system.equations[rows][:, cells].tocoo()
        blocks.append(known[key])
        low = system.lower[cells] - system.value[cells]
        high = system.upper[cells] - system.value[cells]
        cost = np.zeros(len(cells))
        at = int(np.searchsorted(cells, target))
        cost[at] = -1.0 if upwards else 1.0
        # The target needs to go no further than this; it also keeps the programme bounded.
        low[at] = max(low[at], system.need_low[target] - system.value[target])
        high[at] = min(high[at], system.need_high[target] - system.value[target])
        costs.append(cost)
        lows.append(np.minimum(low, 0))
        highs.append(np.maximum(high, 0))
    found = linprog(
        np.concatenate(costs),
        A_eq=sparse.block_diag(blocks, format="csc"),
        b_eq=np.zeros(sum(block.shape[0] for block in blocks)),
        bounds=np.column_stack([np.concatenate(lows), np.concatenate(highs)]),
        method="highs",
    )
    if found.status != 0:
        raise RuntimeError(f"the audit's linear programme was not solved: {found.message}")
    prices = found.eqlin.marginals
    column = row = 0
    for (target, upwards, cells, rows), block in zip(batch, blocks, strict=True):
        at = int(np.searchsorted(cells, target))
        own = prices[row : row + block.shape[0]]
        yield Attack(target, upwards, abs(float(found.x[column + at])), own, rows)
        row += block.shape[0]
        column += block.shape[1]


def intervals(system: System, hidden: Bools, targets: Ints) -> tuple[Floats, Floats]:
    """Least and greatest value a reader can derive of each target, as far as its need asks."""
    low, high = system.value[targets].copy(), system.value[targets].copy()
    place = {int(target): i for i, target in enumerate(targets)}
    for found in attack(system, hidden, targets):
        if found.upwards:
            high[place[found.cell]] += found.reach
        else:
            low[place[found.cell]] -= found.reach
    return low, high


def exposed(system: System, hidden: Bools) -> Bools:
    """Cells whose interval is narrower than their need."""
    targets = np.flatnonzero(system.sensitive).astype(np.int64)
    found = np.zeros(len(system.value), dtype=bool)
    low, high = intervals(system, hidden, targets)
    found[targets] = (low > system.need_low[targets] + TOLERANCE) | (
        high < system.need_high[targets] - TOLERANCE
    )
    return found
