"""Our suppression against that of tau-Argus (pytauargus): as safe, and hiding no more."""

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from odds_pipeline.secrecy.attack import exposed
from odds_pipeline.secrecy.suppression import suppress
from odds_pipeline.secrecy.system import CANDIDATE, HIDDEN, KNOWN, System

pytestmark = pytest.mark.slow

TABLES = 60
THRESHOLD = 5
TOTAL = "Total"


def test_as_safe_as_tau_argus_and_no_heavier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FREQ(5, r): each small count must be uncertain by r % of 5 on either side."""
    from pytauargus import protect

    monkeypatch.chdir(tmp_path)  # its solver writes logs where it stands
    ours, theirs, tried = 0.0, 0.0, 0
    draw = np.random.default_rng(93)
    while tried < TABLES:
        rows, columns = draw.integers(3, 9, 2)
        inner = draw.poisson(12, (rows, columns))
        inner[draw.random((rows, columns)) < 0.12] = draw.integers(1, THRESHOLD)
        if not ((inner > 0) & (inner < THRESHOLD)).any():
            continue
        tried += 1
        pairs = [(f"r{i}", f"c{j}") for (i, j), n in np.ndenumerate(inner) for _ in range(n)]
        micro = {"row": [p[0] for p in pairs], "column": [p[1] for p in pairs], "n": [1.0] * len(pairs)}
        margin = (20, 60, 100)[tried % 3]
        result = protect(
            micro,
            ["row", "column"],
            response="n",
            safety_rules=f"FREQ({THRESHOLD},{margin})",
            suppress="OPT(1)",
            workdir=str(tmp_path / str(tried)),
        ).tables[0].dataframe()  # fmt: skip
        names = [TOTAL, *(f"r{i}" for i in range(rows))], [TOTAL, *(f"c{j}" for j in range(columns))]
        own = result.set_index(["row", "column"]).reindex([(r, c) for r in names[0] for c in names[1]])
        value = own["n"].fillna(0).to_numpy(float)
        level = own["lower"].fillna(0).to_numpy(float)
        number = np.arange(value.size).reshape(rows + 1, columns + 1)
        lines = [*number, *number.T]
        equations = sparse.csr_array(
            (
                np.concatenate([[1.0] + [-1.0] * (len(line) - 1) for line in lines]),
                (np.repeat(np.arange(len(lines)), [len(line) for line in lines]), np.concatenate(lines)),
            )
        )
        small = (value > 0) & (value < THRESHOLD)
        assert (own["status"].fillna("S") == "U").to_numpy().tolist() == small.tolist()
        system = System(
            value,
            np.zeros(value.size),
            np.full(value.size, np.inf),
            np.where(small, np.maximum(value - level, 0), np.nan),
            np.where(small, value + level, np.nan),
            value,
            np.where(small, HIDDEN, np.where(value > 0, CANDIDATE, KNOWN)).astype(np.int64),
            equations,
        )
        found = suppress(system)
        argus = (own["status"].fillna("S") != "S").to_numpy(bool)
        assert not exposed(system, found.hidden).any()
        assert not exposed(system, argus).any()
        assert value[found.hidden].sum() <= 1.1 * value[argus].sum()
        ours += value[found.hidden].sum()
        theirs += value[argus].sum()
    assert ours <= theirs
