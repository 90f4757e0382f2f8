"""Given figures through the real statements, on a real DuckDB without a warehouse."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import pandas as pd

from odds_pipeline.declarations.formula import Term
from odds_pipeline.declarations.project import IndicatorEntry, Project
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
        evaluate(connection, span)
        yield connection


EPT, OWN = "200057875", "93008"
# The communes of an EPT: the parts of a dissimilarity, or one commune and those it is ranked among.
PARTS = [OWN, "93006", "93010", "93045", "93048", "93053", "93055", "93061", "93063"]
GOURNAY, IRIS = "93033", ["930330101", "930330102", "930330103"]
WHOLES = {"departement": "93", "ept": EPT, "france": "FR"}


def where_read(entry: IndicatorEntry, term: Term) -> list[tuple[str, str, float]]:
    """Territory, level and value of what a worked example gives for a term."""
    value = entry.indicator.example.inputs[term.key]
    if term.at:
        return [(WHOLES[term.at], term.at, float(value))]  # type: ignore[arg-type]
    if isinstance(value, list):
        parts, level = parts_of(entry)
        padded = [*value, *[0] * (len(parts) - len(value))] if entry.indicator.parsed.parts else value
        return [(code, level, float(x)) for code, x in zip(parts, padded, strict=False)]
    return [(OWN, "commune", float(value))]


def where_told(entry: IndicatorEntry) -> tuple[str, str]:
    """Territory and level that a worked example gives the value of."""
    whole = {"commune": (EPT, "ept"), "iris": (GOURNAY, "commune")}
    return whole.get(entry.indicator.parsed.parts, (OWN, "commune"))


def parts_of(entry: IndicatorEntry) -> tuple[list[str], str]:
    """The territories that a list of a worked example is about, with their level."""
    return (IRIS, "iris") if entry.indicator.parsed.parts == "iris" else (PARTS, "commune")
