"""The language of formulas: text read into a normal form that rows of a table describe."""

from odds_pipeline.declarations.formula.normal_form import (
    Formula,
    FormulaError,
    Product,
    Term,
    Window,
    input_name,
)
from odds_pipeline.declarations.formula.reader import parse
from odds_pipeline.declarations.formula.units import unit_mismatch

__all__ = [
    "Formula",
    "FormulaError",
    "Product",
    "Term",
    "Window",
    "input_name",
    "parse",
    "unit_mismatch",
]
