"""Suites as Great Expectations objects.

Great Expectations drops a rule it does not know and passes an empty suite: here each rule is built
by its class, an unknown name is a mistake in the declaration, and the number of results is checked
against the number of rules.
"""

import re
from contextvars import ContextVar
from functools import cache
from typing import Any, ClassVar

import duckdb
import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.expectation_configuration import parse_result_format
from great_expectations.validator.validator import ValidationDependencies

from odds_pipeline.declarations.suite import Rule
from odds_pipeline.quality.tables import OF_FEEDS

TABLES: ContextVar[tuple[duckdb.DuckDBPyConnection, str]] = ContextVar("tables")
"""The audit's own database, and the one feed whose figures a query sees; none: it sees all."""

_OF_FEED = "WITH RECURSIVE " + ", ".join(
    f"{name} AS (FROM temp.{name} WHERE feed = $feed)" for name in OF_FEEDS
)


class ExpectNoRowFromQuery(BatchExpectation):  # type: ignore[misc]  # untyped base
    """The query over the batch, named ``delivery``, returns no row; each row it returns is a fault.

    Queries group by month, so that one bad month of a long delivery is told from the others.
    """

    query: str
    success_keys: ClassVar[tuple[str, ...]] = ("query",)
    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id",)

    def get_validation_dependencies(
        self,
        execution_engine: Any = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> ValidationDependencies:
        """It needs no metric; the base class works out the arguments of one, a tenth of an audit."""
        asked = parse_result_format((runtime_configuration or {}).get("result_format", "BASIC"))
        return ValidationDependencies(metric_configurations={}, result_format=asked)

    def _validate(
        self,
        metrics: dict[Any, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        tables, feed = TABLES.get()
        answer = (
            tables.execute(of_feed(self.query), {"feed": feed}) if feed else tables.execute(self.query)
        )
        names = [column[0] for column in answer.description or []]
        found = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
        return {
            "success": not found,
            "result": {"observed_value": len(found), "details": {"rows": found}},
        }


def of_feed(query: str) -> str:
    """The same query where each table holds the rows of one feed, given as ``$feed``."""
    own, tables = re.subn(r"^\s*WITH( RECURSIVE)?\b", ",", query, flags=re.IGNORECASE)
    return f"{_OF_FEED}{own if tables else ' ' + query}"


@cache
def known_expectations() -> dict[str, type[Any]]:
    """Expectation classes by snake-case name."""
    classes = {name: getattr(gxe, name) for name in dir(gxe) if name.startswith("Expect")}
    classes["ExpectNoRowFromQuery"] = ExpectNoRowFromQuery
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): cls for name, cls in classes.items()}


def build(name: str, rule: Rule) -> Any:
    """The expectation of one rule; :class:`ValueError` when its name or arguments are not known."""
    classes = known_expectations()
    if rule.expect not in classes:
        raise ValueError(f"rule {name}: Great Expectations knows no {rule.expect!r}")
    return classes[rule.expect](**rule.arguments, meta={"rule": name})


def validate(
    rules: dict[str, Rule], batch: pd.DataFrame, tables: duckdb.DuckDBPyConnection, feed: str = ""
) -> list[Any]:
    """Run the rules on ``batch``; one Great Expectations result per rule, in the rules' order.

    Queries run on ``tables``, where they see the rows of ``feed`` alone when one is given.

    A context lives for one audit only: contexts shared between threads pass bad data.
    """
    if not rules:
        raise ValueError("a suite without rules audits nothing")
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    suite = gx.ExpectationSuite("suite", expectations=[build(n, r) for n, r in rules.items()])
    # The batch validates by itself: a validation definition would store the suite and its results.
    data = context.data_sources.pandas_default.read_dataframe(batch)
    token = TABLES.set((tables, feed))
    try:
        outcome = data.validate(suite, result_format={"result_format": "COMPLETE"})
    finally:
        TABLES.reset(token)
    by_rule = {r.expectation_config.meta["rule"]: r for r in outcome.results}
    if by_rule.keys() != rules.keys():
        missing = sorted(rules.keys() - by_rule.keys())
        raise RuntimeError(f"Great Expectations returned no result for: {', '.join(missing)}")
    return [by_rule[name] for name in rules]
