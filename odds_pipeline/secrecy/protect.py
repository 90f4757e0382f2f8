"""Protects the figures about to be published: primary and secondary suppression, then the attack.

The figures of ``available`` that must not be read lose their value and say why in ``hidden_by``:
``producteur``, ``primaire`` or ``secondaire``. All that is computed from them then is hidden too, so
that nothing published says more than the figures themselves.
"""

from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from odds_pipeline.declarations.project import Project
from odds_pipeline.secrecy.additive import Cells, assemble
from odds_pipeline.secrecy.attack import TOLERANCE, intervals
from odds_pipeline.secrecy.memory import recall
from odds_pipeline.secrecy.rules import mark
from odds_pipeline.secrecy.settled import CELL, FOUND, settle
from odds_pipeline.secrecy.structure import Structure
from odds_pipeline.secrecy.suppression import Suppression, suppress
from odds_pipeline.storage.sql import read_sql

_CURRENT_CELLS = read_sql(__file__, "current_cells")
_BLOCKS = read_sql(__file__, "blocks")
_HIDE = read_sql(__file__, "hide")
_KEYS = {"variable": "string", "month": "string", "place": "int64"}


class SecrecyError(Exception):
    """Some hidden figures can be derived from what would be published; the text names them."""


@dataclass(frozen=True)
class Protection:
    """``attacked`` has one row for each sensitive cell: the interval that a reader can derive.

    ``told`` marks cells that an earlier release published before they became secret: hiding them
    now takes nothing back.
    """

    attacked: pd.DataFrame
    structure: Structure


def protect(connection: duckdb.DuckDBPyConnection, project: Project, release: int) -> Protection:
    """Hide in ``available`` what must not be read; :class:`SecrecyError` if the attack finds a hole.

    ``release`` is the last one: of what has not changed since, its decisions stand.
    """
    structure = Structure.of(project)
    mark(connection, structure)
    connection.execute(_CURRENT_CELLS)
    connection.register("blocks", _blocks(connection, structure))
    hidden, attacked = settle(connection, structure, release)
    left = connection.execute("FROM blocks ANTI JOIN settled USING (family, month)").df()
    connection.unregister("blocks")
    if not left.empty:
        new_hidden, new_attacked = _decide(connection, structure, left)
        hidden, attacked = _together(hidden, new_hidden), _together(attacked, new_attacked)
    connection.register("secondary", hidden.astype(_KEYS))
    connection.execute(_HIDE)
    connection.unregister("secondary")
    return Protection(attacked, structure)


def _together(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Both, of which one may be empty and say nothing of its types."""
    return pd.concat([first, second]) if len(first) and len(second) else second if len(second) else first


def _decide(
    connection: duckdb.DuckDBPyConnection, structure: Structure, blocks: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The cells of ``blocks`` to hide as ``secondaire``, and what the attack found of them all."""
    connection.register("blocks", blocks)
    # In order: two choices of one weight are told apart by it.
    current = connection.execute(
        "SELECT * FROM current_cells WHERE (variable, month) IN (SELECT variable, month FROM blocks) "
        "ORDER BY variable, month, place"
    ).df()
    connection.unregister("blocks")
    cells = assemble(structure, current, recall(connection, structure, blocks))
    found = suppress(cells.system)
    attacked = _attack(structure, cells, found)
    frame = cells.frame
    secondary = (
        found.hidden & frame["current"] & (~frame["sensitive"] | (frame["small"] & frame["whole"]))
    )
    return frame.loc[secondary, CELL], attacked


def _blocks(connection: duckdb.DuckDBPyConnection, structure: Structure) -> pd.DataFrame:
    """Families and months with something to protect, now or earlier."""
    connection.register("families", structure.families)
    connection.register("remainders", structure.remainders)
    blocks = connection.execute(_BLOCKS).df()
    connection.unregister("families")
    connection.unregister("remainders")
    return blocks


def _attack(structure: Structure, cells: Cells, found: Suppression) -> pd.DataFrame:
    """Attack every sensitive cell with all that is published; refuse what can be derived."""
    system, frame = cells.system, cells.frame
    targets = np.flatnonzero(system.sensitive).astype(np.int64)
    low, high = intervals(system, found.hidden, targets)
    narrow = (low > system.need_low[targets] + TOLERANCE) | (
        high < system.need_high[targets] - TOLERANCE
    )
    told = found.hopeless[targets] & _shown_before(frame)[targets]
    sensitive = frame.iloc[targets][FOUND[:5]].assign(
        low=low, high=high, told=told, recoverable=narrow & ~told
    )
    already = frame[frame["sensitive"] & frame["shown"] & frame["current"]]
    shown = already[FOUND[:5]].assign(
        low=already["value"], high=already["value"], told=True, recoverable=False
    )
    attacked = _together(sensitive, shown).reset_index(drop=True)
    _refuse(structure.places, attacked[attacked["recoverable"]])
    return attacked


def _shown_before(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Cells of a block of which an earlier release showed something: only that can have told a cell that
    nothing protects now."""
    block = pd.MultiIndex.from_frame(frame[["family", "month"]])
    return np.asarray(block.isin(block[frame["shown"]].unique()))


def _refuse(places: pd.DataFrame, refused: pd.DataFrame) -> None:
    """Raise :class:`SecrecyError` that names the cells, if there are any."""
    if refused.empty:
        return
    first = places.drop_duplicates("place").set_index("place")["territory"]
    shown = refused.head(20)
    lines = [
        f"  {variable or 'a difference'} of {first.loc[place]} in {month}: {low:g} to {high:g}"
        for variable, place, month, low, high in zip(
            shown["variable"].where(shown["variable"].notna(), None),
            shown["place"],
            shown["month"],
            shown["low"],
            shown["high"],
            strict=True,
        )
    ]
    raise SecrecyError(
        f"{len(refused)} hidden figure(s) could be derived from the release; nothing is published:\n"
        + "\n".join(lines)
        + "\nCheck the sums and the secrecy rules declared for these variables."
    )
