"""An additive system: cells, what a reader knows of each beforehand, and the equations between them.

It is what suppression and attack reason on, whatever the cells stand for.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

NOBODY = -1
"""The owner of a cell that no single reader gave."""
KNOWN, CANDIDATE, HIDDEN = 0, 1, 2
"""A cell that readers know whatever is decided, one that may be hidden, one that is hidden."""


@dataclass(frozen=True)
class System:
    """``equations`` (rows × cells) times the true values is what the published figures tell.

    ``value`` is the true figure; ``lower`` and ``upper`` what a reader knows of it beforehand
    (never negative, a mark that says "1 to 4"). ``need_low`` and ``need_high`` are the ends that
    the interval a reader can derive must reach, ``nan`` for a cell that needs no protection.
    ``weight`` is what hiding the cell loses, ``state`` one of the three states above. ``owner`` is
    the reader who gave the figure, and knows it; :data:`NOBODY` for most.
    """

    value: Floats
    lower: Floats
    upper: Floats
    need_low: Floats
    need_high: Floats
    weight: Floats
    state: Ints
    equations: sparse.csr_array
    owner: Ints | None = None

    @property
    def owners(self) -> Ints:
        """The owner of each cell."""
        return np.full(len(self.value), NOBODY) if self.owner is None else self.owner

    @property
    def sensitive(self) -> Bools:
        """Cells that must not be told apart within their interval."""
        return np.asarray(~np.isnan(self.need_high) & (self.state == HIDDEN))

    def need(self, cell: int, upwards: bool) -> float:
        """How far from its true value a reader must be able to believe the cell to be."""
        end = self.need_high if upwards else self.need_low
        return abs(float(end[cell] - self.value[cell]))

    def part(self, cells: Ints, rows: Ints) -> "System":
        """The system of some cells and equations."""
        return System(
            self.value[cells],
            self.lower[cells],
            self.upper[cells],
            self.need_low[cells],
            self.need_high[cells],
            self.weight[cells],
            self.state[cells],
            self.equations[rows][:, cells],
            self.owners[cells],
        )

    def blocks(self, free: Bools) -> tuple[Ints, Ints]:
        """Number of the block of each cell and of each equation: those that share ``free`` cells.

        Cells that are not free are alone in theirs.
        """
        rows, cells = self.equations.shape
        touched = self.equations[:, np.flatnonzero(free)].tocoo()
        columns = np.flatnonzero(free)[touched.coords[1]]
        graph = sparse.coo_array(
            (np.ones(len(columns)), (columns, cells + touched.coords[0])), shape=(cells + rows,) * 2
        )
        labels = connected_components(graph, directed=False)[1].astype(np.int64)
        return labels[:cells], labels[cells:]


class Groups:
    """Numbers sorted by the block that each is in, in their order within it."""

    def __init__(self, numbers: Ints, block: Ints) -> None:
        order = np.argsort(block, kind="stable")
        self.numbers, self.block = numbers[order], block[order]

    def of(self, block: int) -> Ints:
        """The numbers of one block."""
        return self.numbers[slice(*np.searchsorted(self.block, [block, block + 1]))]

    def places(self, size: int) -> Ints:
        """The place of each number within its block, for numbers below ``size``."""
        found = np.zeros(size, dtype=np.int64)
        found[self.numbers] = np.arange(len(self.block)) - np.searchsorted(self.block, self.block)
        return found
