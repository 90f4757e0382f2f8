"""Protects the figures about to be published: primary and secondary suppression, then the audit.

The figures of ``available`` that must not be read lose their value and say why in ``hidden_by``:
``producteur``, ``primaire`` or ``secondaire``. All that is computed from them then is hidden too, so
that nothing published says more than the figures themselves.
"""

from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from odds_pipeline.declarations.project import Project
from odds_pipeline.secrecy.additive import Cells, assemble, families, places_table, remainders
from odds_pipeline.secrecy.attack import TOLERANCE, intervals
from odds_pipeline.secrecy.memory import recall
from odds_pipeline.secrecy.rules import mark
from odds_pipeline.secrecy.settled import CELL, settle
from odds_pipeline.secrecy.suppression import Suppression, suppress

_CURRENT_CELLS = """
CREATE OR REPLACE TEMP TABLE current_cells AS
SELECT variable, month, place, max(value) AS value,
       CASE WHEN max(value) IS NULL THEN 'producteur'
            WHEN bool_or(hidden_by IS NOT NULL) THEN 'primaire' END AS hidden_by,
       bool_or(small) AS small, any_value(threshold) AS threshold, max(lower_bound) AS lower_bound
FROM marked
WHERE additive AND (value IS NOT NULL OR (delivered AND hidden_by IS NOT NULL))
GROUP BY variable, month, place
"""

_HIDE = (
    "UPDATE current_cells c SET hidden_by = 'secondaire' FROM secondary s "
    "WHERE c.variable = s.variable AND c.month = s.month AND c.place = s.place",
    # One place may be written in two geographies: hidden in one, hidden in all.
    "UPDATE marked m SET hidden_by = c.hidden_by FROM current_cells c "
    "WHERE m.variable = c.variable AND m.month = c.month AND m.place = c.place AND m.additive "
    "AND m.value IS NOT NULL AND c.hidden_by IS NOT NULL",
    "CREATE OR REPLACE TEMP TABLE available AS "
    "SELECT a.* REPLACE (m.hidden_by AS hidden_by, "
    "CASE WHEN m.hidden_by IS NULL AND m.rounding > 0 THEN round(a.value / m.rounding) * m.rounding "
    "     WHEN m.hidden_by IS NULL THEN a.value END AS value, "
    "CASE WHEN m.hidden_by IS NULL THEN a.obs_status ELSE 'Q' END AS obs_status, "
    "CASE WHEN m.hidden_by IS NULL THEN 'F' WHEN m.hidden_by = 'secondaire' THEN 'D' ELSE 'C' END "
    "AS conf_status, "
    # Of a figure that we hide no bound is told, nor one that is itself a small count.
    "CASE WHEN m.hidden_by = 'producteur' AND a.lower_bound >= m.threshold THEN a.lower_bound END "
    "AS lower_bound) "
    "FROM available a JOIN marked m USING (v, p, t)",
)


class SecrecyError(Exception):
    """Some hidden figures can be derived from what would be published; the text names them."""


@dataclass(frozen=True)
class Protection:
    """``audited`` has one row for each sensitive cell: the interval that a reader can derive.

    ``told`` marks cells that an earlier release published before they became secret: hiding them
    now takes nothing back.
    """

    audited: pd.DataFrame
    places: pd.DataFrame


def protect(connection: duckdb.DuckDBPyConnection, project: Project, release: int) -> Protection:
    """Hide in ``available`` what must not be read; :class:`SecrecyError` if the audit finds a hole.

    ``release`` is the last one: of what has not changed since, its decisions stand.
    """
    places = places_table(project)
    mark(connection, project, places)
    connection.execute(_CURRENT_CELLS)
    _blocks(connection, project)
    hidden, audited = settle(connection, project, places, release)
    blocks = connection.execute("FROM blocks ANTI JOIN settled USING (family, month)").df()
    connection.unregister("blocks")
    if not blocks.empty:
        new_hidden, new_audited = _decide(connection, project, places, blocks)
        hidden = pd.concat([hidden, new_hidden]) if len(hidden) else new_hidden
        audited = pd.concat([audited, new_audited]) if len(audited) else new_audited
    secondary = hidden.astype({"variable": "string", "month": "string", "place": "int64"})
    connection.register("secondary", secondary)
    for statement in _HIDE:
        connection.execute(statement)
    connection.unregister("secondary")
    return Protection(audited, places)


def _decide(
    connection: duckdb.DuckDBPyConnection, project: Project, places: pd.DataFrame, blocks: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The cells of ``blocks`` to hide as ``secondaire``, and what the audit found of them all."""
    connection.register("blocks", blocks)
    current = connection.execute(
        "SELECT * FROM current_cells WHERE (variable, month) IN (SELECT variable, month FROM blocks)"
    ).df()
    connection.unregister("blocks")
    past = recall(connection, places, blocks)
    cells = assemble(project, places, current, past)
    found = suppress(cells.system)
    audited = _audit(project, places, cells, found)
    frame = cells.frame
    of_totals = frame["small"].eq(True) & frame["whole"].eq(True)
    secondary = found.hidden & frame["current"].eq(True) & (~frame["sensitive"].eq(True) | of_totals)
    return frame.loc[secondary, CELL], audited


def _blocks(connection: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Register ``blocks``: families and months with something to protect, now or earlier."""
    family = pd.DataFrame(families(project).items(), columns=["variable", "family"])
    small = pd.DataFrame(_differences(project), columns=["variable"]).astype("string")
    connection.register("family", family)
    connection.register("differences", small)
    blocks = connection.execute(
        "WITH secret AS (SELECT variable, month FROM current_cells WHERE hidden_by IS NOT NULL "
        "UNION SELECT variable, month FROM published_cells WHERE hidden_by IS NOT NULL "
        "UNION SELECT c.variable, month FROM current_cells c JOIN differences USING (variable)), "
        "active AS (SELECT DISTINCT family, month FROM secret JOIN family USING (variable)) "
        "SELECT family, variable, month FROM active JOIN family USING (family)"
    ).df()
    connection.unregister("family")
    connection.unregister("differences")
    connection.register("blocks", blocks)


def _differences(project: Project) -> list[str]:
    """Totals whose difference with a part is a group that an indicator publishes, under a rule."""
    pairs = remainders(project)
    return sorted(set(pairs.loc[pairs["threshold"] > 0, "total"]))


def _audit(project: Project, places: pd.DataFrame, cells: Cells, found: Suppression) -> pd.DataFrame:
    """Attack every sensitive cell with all that is published; refuse what can be derived."""
    system, frame = cells.system, cells.frame
    targets = np.flatnonzero(system.sensitive).astype(np.int64)
    low, high = intervals(system, found.hidden, targets)
    narrow = (low > system.need_low[targets] + TOLERANCE) | (
        high < system.need_high[targets] - TOLERANCE
    )
    audited = frame.iloc[targets][["variable", "month", "place", "hidden_by", "current"]].assign(
        low=low, high=high, told=found.hopeless[targets]
    )
    # Only what an earlier release showed can have told a cell that nothing protects now.
    shown = frame.loc[frame["shown"].eq(True), ["variable", "month"]].drop_duplicates()
    family = families(project)
    known = set(zip(shown["variable"].map(family), shown["month"], strict=True))
    blocks = zip(audited["variable"].map(family), audited["month"], strict=True)
    audited["told"] &= np.array([block in known for block in blocks], dtype=bool)
    audited["recoverable"] = narrow & ~audited["told"]
    already = frame[frame["sensitive"].eq(True) & frame["shown"].eq(True) & frame["current"].eq(True)]
    audited = pd.concat(
        [
            audited,
            already[["variable", "month", "place", "hidden_by", "current"]].assign(
                low=already["value"], high=already["value"], told=True, recoverable=False
            ),
        ],
        ignore_index=True,
    )
    _refuse(places, audited[audited["recoverable"]])
    return audited


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
