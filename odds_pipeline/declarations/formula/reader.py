"""Reads the text of a formula, with Python's own parser, into its normal form."""

import ast
from collections.abc import Iterator
from functools import cache

from odds_pipeline.declarations.formula.functions import Argument, called, of_number
from odds_pipeline.declarations.formula.normal_form import (
    Formula,
    FormulaError,
    Place,
    Product,
    Read,
    Side,
    Term,
)
from odds_pipeline.declarations.formula.values import Factors, Linear, Value, of, over, plus, times


@cache
def parse(text: str) -> Formula:
    """Parse ``text``; :class:`FormulaError` says what is wrong and what is allowed."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise FormulaError(f"not a formula: {error.msg}") from error
    value = _value(tree.body)
    if value.is_number:
        raise FormulaError("a formula needs at least one variable")
    factor, above = _leading(value)
    products = (
        *(_product("numerator", own) for own in above),
        *(_product("denominator", own) for own in value.below),
    )
    return Formula(
        text, factor, products, value.over, value.parts, value.bounds, frozenset(_called(tree))
    )


def _called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


def _leading(value: Value) -> tuple[float, tuple[Factors, ...]]:
    """The factor of the whole: that of its one product too."""
    if len(value.above) > 1:
        return value.factor, value.above
    (one,) = value.above
    return value.factor * one.factor, (one.scaled(1 / one.factor),)


def _product(side: Side, own: Factors) -> Product:
    places: tuple[tuple[Place, Linear], ...] = (
        ("numerator", own.above), ("multiplier", own.times), ("denominator", own.below)
    )  # fmt: skip
    terms = tuple(
        Term(**vars(read), side=place, coefficient=coefficient)
        for place, linear in places
        for read, coefficient in linear.items()
    )
    return Product(side, own.factor, terms, own.root)


def _value(node: ast.expr) -> Value:
    match node:
        case ast.Constant(value=int(number) | float(number)) if not isinstance(number, bool):
            return of_number(float(number))
        case ast.Attribute(value=ast.Name(id=partner), attr=name):
            return of({Read(f"{partner}.{name}"): 1.0})
        case ast.Name(id=name):
            raise FormulaError(f"{name!r} is not a variable: write partner.name")
        case ast.BinOp():
            return _binary(node)
        case ast.Call(func=ast.Name(id=name), keywords=[]):
            return called(name, [_argument(a) for a in node.args])
    raise FormulaError("use numbers, partner.variable, + - * /, parentheses and functions")


def _argument(node: ast.expr) -> Argument:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return _value(node)


def _binary(node: ast.BinOp) -> Value:
    left, right = _value(node.left), _value(node.right)
    for own in (left, right):
        if own.over or any(p.root for p in own.above):
            raise FormulaError(
                "a growth, a rank or what is done over parts is not combined with anything"
            )
    match node.op:
        case ast.Add():
            return plus(left, right, 1.0)
        case ast.Sub():
            return plus(left, right, -1.0)
        case ast.Mult():
            return times(left, right)
        case ast.Div():
            return over(left, right)
    raise FormulaError("only + - * / are known")
