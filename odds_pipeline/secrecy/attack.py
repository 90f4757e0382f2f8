"""What a reader can derive of hidden cells: the ends of each interval, by linear programming.

Of all tables that agree with what is published, the least and the greatest value of a cell; with
them the dual prices, which tell which cells would have to be hidden for the interval to be wider. One
table puts many cells in doubt at once: a cell has a programme of its own only where that fails.
"""

from collections.abc import Collection, Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from odds_pipeline.secrecy.system import NOBODY, Bools, Floats, Groups, Ints, System

COLUMNS = 60_000
"""Most variables of one linear programme; many small ones are solved as one of that size."""
TOLERANCE = 1e-6
TOGETHER = (40, 6, 2, 1)
"""Owners who attack as one: when they cannot, none of them can, at the price of one programme."""


@dataclass(frozen=True)
class Attack:
    """One end of one cell: how far the reader can push it, and the price of each equation.

    ``readers`` are the owners who attack and know their own cells; none for any other reader.
    """

    cell: int
    upwards: bool
    readers: frozenset[int]
    reach: float
    prices: Floats
    rows: Ints


@dataclass(frozen=True)
class _Try:
    """One table to be looked for: ``cells`` of the block, each pushed as far as it needs.

    It is looked for by readers who know the cells of ``readers``.
    """

    cells: tuple[int, ...]
    upwards: bool
    readers: frozenset[int]
    block: "_Block"


class Doubts:
    """Why each target is in doubt: tables that agree with what is published and are wide enough.

    Of a table only the cells that differ from the true ones are kept. It remains possible as long as
    they all stay hidden, for every reader who owns none of them.
    """

    def __init__(self, system: System) -> None:
        self.system = system
        self.tables: dict[tuple[int, bool], list[tuple[Ints, frozenset[int]]]] = {}

    def add(self, cells: Collection[int], upwards: bool, moved: Ints) -> None:
        """Keep a table that is wide enough for each of ``cells``."""
        owners = frozenset(np.unique(self.system.owners[moved]).tolist()) - {NOBODY}
        for cell in cells:
            kept = moved, owners - {int(self.system.owners[cell])}
            self.tables.setdefault((cell, upwards), []).append(kept)

    def certain(self, cell: int, upwards: bool, hidden: Bools) -> frozenset[int] | None:
        """The owners who can rule out every table kept; ``None`` when none is left at all."""
        left = [t for t in self.tables.get((cell, upwards), []) if hidden[t[0]].all()]
        self.tables[cell, upwards] = left
        return frozenset.intersection(*(owners for _, owners in left)) if left else None


def attack(
    system: System, hidden: Bools, targets: Ints, doubts: Doubts | None = None
) -> Iterator[Attack]:
    """The attacks that succeed on either end of the targets, every cell being known but the ``hidden``.

    ``reach`` is a distance from the true value, less than what the target's need asks for. First comes
    the reader who owns nothing, then those owners together who could rule out what he took as
    possible, then each of them if together they succeed.
    """
    doubts = doubts or Doubts(system)
    ends = [
        (int(target), upwards, block)
        for block, own in _blocks(system, hidden, targets)
        for target in own
        for upwards in (False, True)
        if system.need(int(target), upwards) > TOLERANCE
    ]
    anyone = [(*e, frozenset[int]()) for e in ends if doubts.certain(*e[:2], hidden) is None]
    failed = yield from _succeeding(system, _together(anyone), doubts)
    owned = [e for e in ends if e[:2] not in failed]
    for size in TOGETHER:
        owned = [e for e in owned if doubts.certain(*e[:2], hidden)]
        tries = [
            (*e, readers)
            for e in owned
            for readers in _groups(doubts.certain(*e[:2], hidden) or (), size)
        ]
        found = _succeeding(system, _together(tries), doubts)
        yield from found if size == 1 else _none(found)


def _groups(owners: Collection[int], size: int) -> Iterator[frozenset[int]]:
    """The owners by ``size`` at most."""
    names = sorted(owners)
    return (frozenset(names[at : at + size]) for at in range(0, len(names), size))


def _together(ends: list[tuple[int, bool, "_Block", frozenset[int]]]) -> list[_Try]:
    """One try for all the ends of a block that the same readers attack in the same direction."""
    tries: dict[tuple[int, bool, frozenset[int]], list[int]] = {}
    blocks = {int(block.cells[0]): block for _, _, block, _ in ends}
    for cell, upwards, block, readers in ends:
        tries.setdefault((int(block.cells[0]), upwards, readers), []).append(cell)
    return [_Try(tuple(cells), up, who, blocks[at]) for (at, up, who), cells in tries.items()]


def _none(found: Iterator[Attack]) -> Iterator[Attack]:
    """Several owners do not tell each other what they know: only the doubts kept on the way count."""
    for _ in found:
        pass
    return iter(())


def _succeeding(
    system: System, tries: list[_Try], doubts: Doubts
) -> Generator[Attack, None, set[tuple[int, bool]]]:
    """The attacks that succeed, and the ends they are about; the tables of the others are kept.

    One table puts many cells in doubt. Those that fall short are tried again without the others, and
    each by itself when none of them got far enough.
    """
    ends = set()
    while tries:
        further: list[_Try] = []
        for each, reach, prices, moved in _solved(system, tries):
            need = np.array([system.need(cell, each.upwards) for cell in each.cells])
            short = tuple(np.array(each.cells)[reach < need - TOLERANCE].tolist())
            doubts.add(set(each.cells) - set(short), each.upwards, moved)
            if short and len(each.cells) == 1:
                ends.add((each.cells[0], each.upwards))
                yield Attack(
                    each.cells[0], each.upwards, each.readers, float(reach[0]), prices, each.block.rows
                )
            elif len(short) < len(each.cells):
                further += [replace(each, cells=short)] if short else []
            else:
                further += [replace(each, cells=(cell,)) for cell in short]
        tries = further
    return ends


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


Found = tuple[_Try, Floats, Floats, Ints]
"""A try, how far each of its cells went, the price of each equation, the cells that moved."""


def _solved(system: System, tries: list[_Try]) -> Iterator[Found]:
    """What each try found, in programmes of one size."""
    programme: list[_Try] = []
    size = 0
    for each in tries:
        programme.append(each)
        size += len(each.block.cells)
        if size > COLUMNS:
            yield from _solve(system, programme)
            programme, size = [], 0
    yield from _solve(system, programme)


def _solve(system: System, programme: list[_Try]) -> Iterator[Found]:
    """Solve many independent programmes as one whose matrix is block-diagonal."""
    if not programme:
        return
    blocks = [each.block for each in programme]
    sizes = [len(block.cells) for block in blocks]
    cells = np.concatenate([block.cells for block in blocks])
    first_row = np.cumsum([0, *(len(block.rows) for block in blocks)])
    first_column = np.cumsum([0, *sizes])
    entries = [len(block.sign) for block in blocks]
    row = np.concatenate([block.row for block in blocks]) + np.repeat(first_row[:-1], entries)
    column = np.concatenate([block.column for block in blocks]) + np.repeat(first_column[:-1], entries)
    matrix = sparse.csc_array(
        (np.concatenate([block.sign for block in blocks]), (row, column)),
        shape=(first_row[-1], first_column[-1]),
    )
    low, high = (system.lower - system.value)[cells], (system.upper - system.value)[cells]
    for each, first in zip(programme, first_column, strict=False):
        if each.readers:
            own = first + np.flatnonzero(np.isin(system.owners[each.block.cells], list(each.readers)))
            low[own] = high[own] = 0.0
    target = np.concatenate([each.cells for each in programme])
    counts = [len(each.cells) for each in programme]
    at = np.repeat(first_column[:-1], counts) + np.concatenate(
        [np.searchsorted(each.block.cells, each.cells) for each in programme]
    )
    # A target needs to go no further than this; it also keeps the programme bounded.
    low[at] = np.maximum(low[at], (system.need_low - system.value)[target])
    high[at] = np.minimum(high[at], (system.need_high - system.value)[target])
    upwards = np.repeat([each.upwards for each in programme], counts)
    cost = np.zeros(len(cells))
    # Of several targets each counts as much as it gets of what it needs; of one, prices are of its unit.
    alone = np.repeat(np.array(counts) == 1, counts)
    need = np.where(upwards, system.need_high[target], system.need_low[target]) - system.value[target]
    cost[at] = np.where(upwards, -1.0, 1.0) / np.where(alone, 1.0, np.abs(need))
    found = linprog(
        cost,
        A_eq=matrix,
        b_eq=np.zeros(matrix.shape[0]),
        bounds=np.column_stack([np.minimum(low, 0), np.maximum(high, 0)]),
        method="highs",
    )
    if found.status != 0:
        raise RuntimeError(f"the linear programme of the attack was not solved: {found.message}")
    # Towards what is asked: one of several may have gone the other way, to let the rest pass.
    reach = np.split(np.where(upwards, found.x[at], -found.x[at]), np.cumsum(counts)[:-1])
    prices = np.split(found.eqlin.marginals, first_row[1:-1])
    moved = np.split(np.abs(found.x) > TOLERANCE, first_column[1:-1])
    for each, far, own_prices, own_moved in zip(programme, reach, prices, moved, strict=True):
        yield each, far, own_prices, each.block.cells[own_moved]


def intervals(system: System, hidden: Bools, targets: Ints) -> tuple[Floats, Floats]:
    """Least and greatest value of each target that the best informed reader must take as possible, as
    far as its need asks."""
    low, high = system.need_low[targets].copy(), system.need_high[targets].copy()
    place = {int(target): i for i, target in enumerate(targets)}
    for found in attack(system, hidden, targets):
        at, value = place[found.cell], system.value[found.cell]
        if found.upwards:
            high[at] = min(high[at], value + found.reach)
        else:
            low[at] = max(low[at], value - found.reach)
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
