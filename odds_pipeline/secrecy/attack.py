"""What a reader can derive of hidden cells: the ends of each interval, by linear programming.

Of all tables that agree with what is published, the least and the greatest value of a cell; with
them the dual prices, which tell which cells would have to be hidden for the interval to be wider.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from odds_pipeline.secrecy.system import Bools, Floats, Groups, Ints, System

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
    batch: list[tuple[int, bool, _Block]] = []
    size = 0
    for block, own in _blocks(system, hidden, targets):
        for target in own:
            for upwards in (False, True):
                batch.append((int(target), upwards, block))
                size += len(block.cells)
                if size > COLUMNS:
                    yield from _solve(system, batch)
                    batch, size = [], 0
    yield from _solve(system, batch)


@dataclass(frozen=True)
class _Block:
    """Hidden cells that equations hold together, those equations, and the entries of their matrix.

    ``row`` and ``column`` of an entry count within the block.
    """

    cells: Ints
    rows: Ints
    row: Ints
    column: Ints
    sign: Floats


def _blocks(system: System, hidden: Bools, targets: Ints) -> Iterator[tuple[_Block, Ints]]:
    """The blocks that hold targets, each with its own ones.

    The entries are sorted once: indexing the matrix for each block took a third of the time.
    """
    cell_block, row_block = system.blocks(hidden)
    free = np.flatnonzero(hidden)
    cells = Groups(free, cell_block[free])
    rows = Groups(np.arange(len(row_block)), row_block)
    matrix = system.equations[:, free].tocoo()
    at_row, at_cell = matrix.coords[0], free[matrix.coords[1]]
    entries = Groups(np.arange(len(at_row)), row_block[at_row])
    row, column = rows.places(len(row_block))[at_row], cells.places(len(cell_block))[at_cell]
    own = Groups(targets, cell_block[targets])
    for block in np.unique(own.block):
        e = entries.of(block)
        found = _Block(cells.of(block), rows.of(block), row[e], column[e], matrix.data[e])
        yield found, own.of(block)


def _solve(system: System, batch: list[tuple[int, bool, _Block]]) -> Iterator[Attack]:
    """Solve many independent programmes as one whose matrix is block-diagonal."""
    if not batch:
        return
    blocks = [block for _, _, block in batch]
    cells = np.concatenate([block.cells for block in blocks])
    first_row = np.cumsum([0, *(len(block.rows) for block in blocks)])
    first_column = np.cumsum([0, *(len(block.cells) for block in blocks)])
    entries = [len(block.sign) for block in blocks]
    row = np.concatenate([block.row for block in blocks]) + np.repeat(first_row[:-1], entries)
    column = np.concatenate([block.column for block in blocks]) + np.repeat(first_column[:-1], entries)
    matrix = sparse.csc_array(
        (np.concatenate([block.sign for block in blocks]), (row, column)),
        shape=(first_row[-1], first_column[-1]),
    )
    low, high = (system.lower - system.value)[cells], (system.upper - system.value)[cells]
    target = np.array([target for target, _, _ in batch])
    at = first_column[:-1] + [int(np.searchsorted(b.cells, cell)) for cell, _, b in batch]
    cost = np.zeros(len(cells))
    cost[at] = [-1.0 if upwards else 1.0 for _, upwards, _ in batch]
    # A target needs to go no further than this; it also keeps the programme bounded.
    low[at] = np.maximum(low[at], (system.need_low - system.value)[target])
    high[at] = np.minimum(high[at], (system.need_high - system.value)[target])
    found = linprog(
        cost,
        A_eq=matrix,
        b_eq=np.zeros(matrix.shape[0]),
        bounds=np.column_stack([np.minimum(low, 0), np.maximum(high, 0)]),
        method="highs",
    )
    if found.status != 0:
        raise RuntimeError(f"the audit's linear programme was not solved: {found.message}")
    reach, prices = np.abs(found.x[at]), np.split(found.eqlin.marginals, first_row[1:-1])
    for (cell, upwards, block), far, own in zip(batch, reach, prices, strict=True):
        yield Attack(cell, upwards, float(far), own, block.rows)


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
