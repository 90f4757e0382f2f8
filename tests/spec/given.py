"""Given figures through the real statements, on a real DuckDB without a warehouse."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import pandas as pd

from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.compute import Tables, evaluate, gather
from odds_pipeline.indicators.staleness import ALL, Months

COLUMNS = (
    "variable month territory level geography value obs_status conf_status delivery known_to".split()
)


@contextmanager
def computed(
    project: Project, rows: Sequence[tuple[Any, ...]], tables: Tables, span: Months = ALL
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the view ``computed``; ``rows`` are observations, :data:`COLUMNS` in order."""
    observations = pd.DataFrame(rows, columns=COLUMNS).astype({"value": "float64"})
    months = sorted({month for _, month, *_ in rows})
    with duckdb.connect() as connection:
        connection.register("observations", observations.assign(lower_bound=None))
        connection.register(
            "trusted_months", pd.DataFrame({"delivery": "d", "month": months, "reserve": None})
        )
        gather(connection, project, tables, span)
        evaluate(connection, tables, span)
        yield connection
