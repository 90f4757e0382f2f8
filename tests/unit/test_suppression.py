"""Suppression and attack on abstract systems: what is protected, and that nothing more is hidden."""

import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog

from odds_pipeline.secrecy import suppression
from odds_pipeline.secrecy.additive import _nominal
from odds_pipeline.secrecy.attack import exposed, intervals
from odds_pipeline.secrecy.suppression import suppress
from odds_pipeline.secrecy.system import CANDIDATE, HIDDEN, KNOWN, NOBODY, Bools, System

pytestmark = pytest.mark.slow

THRESHOLD = 5


def table(inner: "np.ndarray[tuple[int, int], np.dtype[np.int64]]") -> System:
    """A table of two dimensions with its margins; counts from 1 to 4 are sensitive."""
    full = np.zeros((inner.shape[0] + 1, inner.shape[1] + 1))
    full[1:, 1:] = inner
    full[0, 1:], full[1:, 0], full[0, 0] = inner.sum(axis=0), inner.sum(axis=1), inner.sum()
    value = full.ravel()
    number = np.arange(value.size).reshape(full.shape)
    lines = [*number, *number.T]
    rows = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    signs = np.concatenate([[1.0] + [-1.0] * (len(line) - 1) for line in lines])
    equations = sparse.csr_array((signs, (rows, np.concatenate(lines))), shape=(len(lines), value.size))
    small = (value > 0) & (value < THRESHOLD)
    margin = np.zeros(full.shape, dtype=bool)
    margin[0], margin[:, 0] = True, True
    inside = small & ~margin.ravel()
    return System(
        value,
        np.where(inside, 1.0, 0.0),
        np.where(inside, THRESHOLD - 1.0, np.inf),
        np.where(small, np.where(inside, 1.0, value), np.nan),
        np.where(small, THRESHOLD - 1.0, np.nan),
        np.maximum(value, 1.0),
        np.where(small, HIDDEN, np.where(value > 0, CANDIDATE, KNOWN)).astype(np.int64),
        equations,
    )


tables = st.integers(2, 5).flatmap(
    lambda rows: st.integers(2, 5).flatmap(
        lambda columns: st.lists(
            st.lists(st.one_of(st.just(0), st.integers(1, 4), st.integers(5, 60)), min_size=columns, max_size=columns),
            min_size=rows,
            max_size=rows,
        )
    )
)  # fmt: skip


def reader(system: System, hidden: Bools, cell: int) -> tuple[float, float]:
    """Another attacker: the whole table, published cells fixed, one programme for each end."""
    bounds = [
        (low, None if np.isinf(high) else high) if free else (value, value)
        for value, low, high, free in zip(system.value, system.lower, system.upper, hidden, strict=True)
    ]
    ends = []
    for sign in (1, -1):
        cost = np.zeros(len(system.value))
        cost[cell] = sign
        found = linprog(
            cost, A_eq=system.equations, b_eq=np.zeros(system.equations.shape[0]), bounds=bounds
        )
        ends.append(np.inf if found.status == 3 else sign * found.fun)
    return ends[0], ends[1]


@settings(deadline=None, max_examples=40)
@given(tables)
def test_no_sensitive_cell_can_be_told_more_closely_than_its_mark(inner: list[list[int]]) -> None:
    system = table(np.array(inner))
    found = suppress(system)
    assert not found.hopeless.any()
    for cell in np.flatnonzero(system.sensitive):
        low, high = reader(system, found.hidden, int(cell))
        assert low <= system.need_low[cell] + 1e-5
        assert high >= system.need_high[cell] - 1e-5


@pytest.mark.parametrize(
    ("counts", "owner", "told"),
    [
        ([2, 3], None, []),  # 5 in all: 1 to 4 each
        ([2, 3], [1, 2], [0, 1]),  # who gave one has the other by difference
        ([2, 3], [1, 1], []),  # both are known to who gave them
        ([2, 3, 2], [1, 2, 3], [0, 2]),  # 4 are left to who gave the 3: at most 3 each
        (
            [2, 3, 2, 3],
            [1, 2, 3, 4],
            [],
        ),  # 7 or 8 are left; two who gave 6 together do not tell each other
        ([2, 3, 2], [1, 1, 2], [2]),
    ],
)
def test_who_gave_a_figure_is_a_reader_who_knows_it(
    counts: list[int], owner: list[int] | None, told: list[int]
) -> None:
    """Hidden counts of 1 to 4 and their total, which is shown; by hand."""
    some = len(counts)
    value = np.array([*counts, sum(counts)], dtype=float)
    system = System(
        value,
        np.array([1.0] * some + [0.0]),
        np.array([4.0] * some + [np.inf]),
        np.array([1.0] * some + [np.nan]),
        np.array([4.0] * some + [np.nan]),
        value,
        np.array([HIDDEN] * some + [KNOWN]),
        sparse.csr_array(np.array([[-1.0] * some + [1.0]])),
        None if owner is None else np.array([*owner, NOBODY]),
    )
    assert np.flatnonzero(exposed(system, system.state == HIDDEN)).tolist() == told


@settings(deadline=None, max_examples=25)
@given(tables)
def test_nothing_is_hidden_that_need_not_be(inner: list[list[int]]) -> None:
    """Showing again any one cell of the choice exposes something."""
    system = table(np.array(inner))
    found = suppress(system)
    for cell in np.flatnonzero(found.hidden & (system.state == CANDIDATE)):
        shown = found.hidden.copy()
        shown[cell] = False
        assert exposed(system, shown).any()


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.lists(st.one_of(st.integers(1, 4), st.integers(5, 40)), min_size=3, max_size=3), min_size=2, max_size=2)
)  # fmt: skip
def test_the_choice_is_the_lightest_of_all(inner: list[list[int]]) -> None:
    """On tables small enough to try every choice."""
    system = table(np.array(inner))
    candidates = np.flatnonzero(system.state == CANDIDATE)
    assume(system.sensitive.any() and len(candidates) <= 9)
    best = np.inf
    for size in range(len(candidates) + 1):
        for chosen in itertools.combinations(candidates, size):
            hidden = np.asarray(system.state == HIDDEN)
            hidden[list(chosen)] = True
            weight = float(system.weight[list(chosen)].sum())
            if weight < best and not exposed(system, hidden).any():
                best = weight
    found = suppress(system)
    weight = float(system.weight[found.hidden & (system.state == CANDIDATE)].sum())
    assert weight == pytest.approx(best, rel=1e-3)


def test_a_row_by_hand() -> None:
    """3 + 20 + 30 = 53: the 20 is hidden with the 3, which can then be anything from 1 to 4."""
    system = table(np.array([[3, 20, 30], [50, 60, 70]]))
    found = suppress(system)
    hidden = system.value[found.hidden]
    assert sorted(hidden) == [3, 20, 50, 60]


def test_two_small_counts_whose_sum_tells_them_need_a_third() -> None:
    """4 + 4 = 8 under a threshold of 5: each is at most 4, so each is 4, unless another is hidden."""
    value = np.array([108.0, 4.0, 4.0, 100.0])
    nan, inf = np.nan, np.inf
    system = System(
        value,
        np.array([0.0, 1, 1, 0]),
        np.array([inf, 4, 4, inf]),
        np.array([nan, 1, 1, nan]),
        np.array([nan, 4, 4, nan]),
        value,
        np.array([CANDIDATE, HIDDEN, HIDDEN, CANDIDATE]),
        sparse.csr_array(np.array([[1.0, -1, -1, -1]])),
    )
    assert exposed(system, system.state == HIDDEN).tolist() == [False, True, True, False]
    found = suppress(system)
    assert found.hidden.tolist() == [False, True, True, True]
    low, high = intervals(system, found.hidden, np.array([1, 2]))
    assert (low.tolist(), high.tolist()) == ([1, 1], [4, 4])


def test_a_cell_that_makes_room_for_others_is_not_itself_in_doubt() -> None:
    """Two grow when a third shrinks: one table puts both in doubt, and says nothing of the third's growth."""
    value = np.array([3.0, 3.0, 3.0])
    system = System(
        value,
        np.array([3.0, 3, 1]),
        np.array([4.0, 4, 4]),
        np.array([3.0, 3, 1]),
        np.array([4.0, 4, 4]),
        value,
        np.full(3, HIDDEN),
        sparse.csr_array(np.array([[1.0, 0, 1], [0, 1, 1]])),
    )
    low, high = intervals(system, system.state == HIDDEN, np.arange(3))
    assert (low.tolist(), high.tolist()) == ([3, 3, 2], [4, 4, 3])


def test_what_was_shown_earlier_protects_nothing() -> None:
    """The only other cell of the row was published before: the sensitive one is told, and said to be."""
    system = table(np.array([[3, 20], [40, 50]]))
    known = System(
        **{**system.__dict__, "state": np.where(system.state == CANDIDATE, KNOWN, system.state)}
    )
    found = suppress(known)
    assert found.hopeless.sum() == 1
    assert known.value[found.hopeless] == [3]


def test_without_a_choice_in_time_everything_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    system = table(np.array([[2, 30, 40], [50, 60, 3], [7, 80, 90]]))
    monkeypatch.setattr(suppression, "milp", lambda *_, **__: SimpleNamespace(x=None))
    assert (suppress(system).hidden == (system.state != KNOWN)).all()


def test_a_part_that_no_cell_tells_counts_as_known() -> None:
    """60 = 50 + 3 + 7, where the 7 are of a place in no table: who knows them is told the 3."""
    whole, shown, small = 60.0, 50.0, 3.0
    system = System(
        np.array([whole, shown, small]),
        np.array([0.0, 0.0, 1.0]),
        np.array([np.inf, np.inf, 4.0]),
        np.array([np.nan, np.nan, 1.0]),
        np.array([np.nan, np.nan, 4.0]),
        np.ones(3),
        np.array([CANDIDATE, CANDIDATE, HIDDEN]),
        sparse.csr_array(np.array([[1.0, -1.0, -1.0]])),
    )
    assert exposed(system, system.state == HIDDEN).tolist() == [False, False, True]
    assert suppress(system).hidden.sum() == 2


def test_a_figure_that_its_producer_alone_knows_is_taken_for_what_the_sums_leave() -> None:
    """2 + 3 = 5 by one equation; by none, its least value."""
    frame = pd.DataFrame({"value": [np.nan, 3.0, 5.0, np.nan], "lower_bound": [1.0, 0, 0, 4.0]})
    entries = pd.DataFrame({"equation": [7, 7, 7], "cell": [0, 1, 2], "sign": [-1.0, -1.0, 1.0]})
    assert _nominal(frame, entries).tolist() == [2, 3, 5, 4]
