"""Every indicator's worked example, through the real statements on a real DuckDB."""

import pandas as pd

from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.compute import Tables, tables_of

from . import given

YEAR = 2020


def test_every_worked_example(project: Project) -> None:
    """One territory per indicator would need 500 communes: one database per territory code is avoided
    by giving every indicator its own variables, prefixed with its name."""
    names = list(project.indicators)
    tables = tables_of(project, names)
    expected, rows = {}, {}
    for name in names:
        indicator = project.indicators[name].indicator
        expected[name] = (indicator.example.value, indicator.decimals)
        for term in indicator.parsed.terms:
            rows[f"{name}:{term.input}", f"{YEAR - term.lag}-12"] = indicator.example.inputs[term.key]
    terms = tables.terms.assign(variable=tables.terms["indicator"] + ":" + tables.terms["variable"])
    definitions = tables.definitions.assign(
        driving=tables.definitions["indicator"] + ":" + tables.definitions["driving"]
    )
    levels = pd.DataFrame({"indicator": names, "level": "commune"})
    inputs = pd.DataFrame(
        {"variable": sorted({v for v, _ in rows}), "aggregation": "sum", "total_of": None}
    )
    figures = [
        (v, m, "93008", "commune", 2024, float(x), "A", "F", "d", None) for (v, m), x in rows.items()
    ]
    own = Tables(definitions, terms, levels, inputs)
    with given.computed(project, figures, own, (f"{YEAR}-12", f"{YEAR}-12")) as connection:
        values = dict(
            connection.execute("SELECT indicator, value FROM computed WHERE geography = 2024").fetchall()
        )
    wrong = {
        name: (values.get(name), value)
        for name, (value, decimals) in expected.items()
        if values.get(name) is None or abs(values[name] - value) > 0.51 * 10**-decimals
    }
    assert wrong == {}
    assert len(values) == len(names)
