"""Every indicator's worked example, through the real statements on a real DuckDB."""

import pandas as pd

from odds_pipeline.declarations.project import IndicatorEntry, Project
from odds_pipeline.indicators.compute import Tables, products_of, tables_of
from odds_pipeline.months import shifted

from . import given

MONTH = "2020-12"


def test_every_worked_example(project: Project) -> None:
    """One territory per indicator would need 500 communes: one database per territory code is avoided
    by giving every indicator its own variables, prefixed with its name."""
    entries = project.indicators
    tables = tables_of(project, list(entries))
    whole = {name: entry.id for entry in entries.values() for name, _ in products_of(entry)}
    rows = {
        (f"{entry.id}:{term.input}", term.month or shifted(MONTH, -term.lag), territory, level): value
        for entry in entries.values()
        for term in entry.indicator.parsed.terms
        for territory, level, value in given.where_read(entry, term)
    }
    own = {
        name: frame.assign(**{column: frame["indicator"].map(whole) + ":" + frame[column]})
        for name, frame, column in (
            ("terms", tables.terms, "variable"),
            ("definitions", tables.definitions, "driving"),
        )
    }
    levels = pd.DataFrame(
        [
            *((name, given.parts_of(entries[of])[1]) for name, of in whole.items()),
            *((e.id, level) for e in entries.values() for _, level in [given.where_told(e)]),
            *(("", level) for level in given.WHOLES),
        ],
        columns=["indicator", "level"],
    ).drop_duplicates()
    inputs = pd.DataFrame(
        {
            "variable": sorted({key[0] for key in rows}),
            "aggregation": "sum",
            "total_of": None,
            "over_window": None,
        }
    )
    figures = [
        (variable, month, territory, level, 2024, value, "A", "F", "d", None)
        for (variable, month, territory, level), value in rows.items()
    ]
    made = Tables(own["definitions"], own["terms"], levels, inputs)
    with given.computed(project, figures, made, (MONTH, MONTH)) as connection:
        found = connection.execute(
            "SELECT indicator, territory, value FROM computed WHERE geography = 2024"
        ).fetchall()
    values = {(name, territory): value for name, territory, value in found}
    wrong = {
        name: (values.get((name, given.where_told(entry)[0])), entry.indicator.example.value)
        for name, entry in entries.items()
        if not _close(values.get((name, given.where_told(entry)[0])), entry)
    }
    assert wrong == {}


def _close(value: float | None, entry: IndicatorEntry) -> bool:
    wanted, decimals = entry.indicator.example.value, entry.indicator.decimals
    return value is not None and abs(value - wanted) <= 0.51 * 10**-decimals
