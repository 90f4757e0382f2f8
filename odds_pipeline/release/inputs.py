"""What each indicator reads, as a table: the terms of its formula, and the weights of its means."""

from collections.abc import Iterable, Mapping

import pandas as pd

from odds_pipeline.declarations.formula import parse

COLUMNS = ["indicator", "role", "variable", "lag", "of_year", "coefficient", "term"]
"""``role``: numerator, multiplier, denominator or weight; ``lag``: whole years before; ``of_year``: its
total over the calendar year is read; ``term``: all of it, as a formula writes it."""


def inputs_of(formulas: Iterable[tuple[str, str]], weights: Mapping[str, str]) -> pd.DataFrame:
    """One row a term and a weight, of indicators given with their formula.

    ``weights`` gives the variable that weighs the mean of another one.
    """
    rows: list[tuple[str, str, str, int, bool, float, str]] = []
    for indicator, text in formulas:
        formula = parse(text)
        rows += [
            (indicator, t.side, t.variable, t.lag // 12, t.window == "year_total", t.coefficient, t.key)
            for t in formula.terms
        ]
        weighing = dict.fromkeys(weights[v] for v in formula.variables if v in weights)
        rows += [(indicator, "weight", variable, 0, False, 1.0, variable) for variable in weighing]
    types = {"lag": "int64", "of_year": "bool", "coefficient": "float64"}
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype({**dict.fromkeys([*COLUMNS[:3], "term"], "string"), **types})
