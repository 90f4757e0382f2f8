"""The raw floor: the same values, computed by plain DuckDB statements, one for each source."""

import json
import sys

import duckdb
import pandas as pd

from benchmarks.observatory import SOURCES
from odds_pipeline.declarations.project import Project

_INSERT = """
INSERT INTO plain
SELECT d.indicator, n.month, n.territory, 100 * n.value / q.value
FROM observations n JOIN own d ON d.part = n.variable
JOIN observations q ON q.variable = d.total AND q.month = n.month AND q.territory = n.territory
"""


def main(warehouse: str) -> None:
    """Delete and insert the values of every source in the open-and-close life of one process."""
    definitions = pd.DataFrame(
        [
            (e.id, e.indicator.parsed.numerator[0].variable, e.indicator.parsed.denominator[0].variable)
            for e in Project.load().indicators.values()
        ],
        columns=["indicator", "part", "total"],
    )
    with duckdb.connect(warehouse) as connection:
        connection.execute(
            "CREATE TABLE plain (indicator VARCHAR, month VARCHAR, territory VARCHAR, value DOUBLE)"
        )
        for source in range(SOURCES):
            own = definitions[definitions["indicator"].str.startswith(f"i{source:02d}_")]
            connection.register("own", own)
            connection.execute("DELETE FROM plain WHERE indicator IN (SELECT indicator FROM own)")
            connection.execute(_INSERT)
            connection.unregister("own")
        row = connection.execute("SELECT count(value), sum(value) FROM plain").fetchone()
    json.dump({"values": row and row[0], "sum": row and row[1]}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
