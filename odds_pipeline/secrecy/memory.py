"""What earlier releases said of each cell, true values included: it never leaves the warehouse.

A release adds the cells it says something new about; the last line of a cell not after release 12
is what release 12 said.
"""

import duckdb
import pandas as pd

from odds_pipeline.secrecy.structure import Structure

_ACTIVE = """
SELECT c.release, c.variable, c.month, p.place, c.value, c.hidden_by, c.small, c.threshold
FROM published_cells c JOIN secrecy_places p USING (territory, geography)
WHERE (c.variable, c.month) IN (SELECT variable, month FROM blocks)
ORDER BY c.release, c.variable, c.month, p.place
"""

LAST_SAID = """
SELECT * FROM published_cells
QUALIFY row_number() OVER (PARTITION BY variable, month, territory, geography ORDER BY release DESC) = 1
"""
"""What the last release said of each cell."""

_RECORD = f"""
INSERT INTO published_cells BY NAME
WITH said AS ({LAST_SAID})
SELECT $release AS release, c.variable, c.month, p.territory, p.geography, c.value, c.hidden_by, c.small,
       c.threshold
FROM current_cells c
JOIN (SELECT place, arg_min(territory, geography) AS territory, min(geography) AS geography
      FROM secrecy_places GROUP BY place) p USING (place)
LEFT JOIN said s ON s.variable = c.variable AND s.month = c.month
     AND s.territory = p.territory AND s.geography = p.geography
WHERE s.release IS NULL OR s.value IS DISTINCT FROM c.value
   OR s.hidden_by IS DISTINCT FROM c.hidden_by
"""


def forget_after(connection: duckdb.DuckDBPyConnection, release: int) -> None:
    """Drop what a publication that was killed had written of releases that do not exist."""
    for table in ("published_cells", "settled_blocks", "audited_cells"):
        connection.execute(f"DELETE FROM {table} WHERE release > ?", [release])


def recall(
    connection: duckdb.DuckDBPyConnection, structure: Structure, blocks: pd.DataFrame
) -> pd.DataFrame:
    """What was said of the variables and months of ``blocks``, release by release."""
    connection.register("secrecy_places", structure.places)
    connection.register("blocks", blocks)
    found = connection.execute(_ACTIVE).df()
    connection.unregister("secrecy_places")
    connection.unregister("blocks")
    return found


def record(connection: duckdb.DuckDBPyConnection, structure: Structure, release: int) -> None:
    """Add what ``release`` says of the cells of ``current_cells``."""
    connection.register("secrecy_places", structure.places)
    connection.execute(_RECORD, {"release": release})
    connection.unregister("secrecy_places")
