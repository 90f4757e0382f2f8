"""What refuses when a rule's answer names nobody, or nothing."""

from types import SimpleNamespace

import pandas as pd

from odds_pipeline.declarations.suite import Rule
from odds_pipeline.quality.findings import Outcome, _outcome, findings_of

RULE = Rule.model_validate(
    {
        "expect": "expect_no_row_from_query",
        "severity": "critical",
        "message": "Faux.",
        "remedy": "Corriger.",
    }
)
EMPTY = pd.DataFrame(columns=["month", "variable", "territory", "line", "raw", "value"])
TWO = [("a", "2024-01"), ("a", "2024-02")]


def test_a_failing_row_of_no_month_refuses_them_all() -> None:
    found = findings_of("r", RULE, Outcome([{"detail": "x"}]), TWO)
    assert [(f.month, f.refuses) for f in found] == [("2024-01", True), ("2024-02", True)]
    of_one = findings_of("r", RULE, Outcome([{"detail": "x"}]), TWO, lambda row: TWO[:1])
    assert [f.refuses for f in of_one] == [True, False]


def test_a_rule_that_fails_without_a_row_refuses() -> None:
    result = SimpleNamespace(exception_info={}, success=False, result={"observed_value": 7})
    outcome = _outcome(result, RULE, EMPTY)
    assert outcome.rows == [{"detail": "7"}]
    assert all(finding.refuses for finding in findings_of("r", RULE, outcome, TWO))


def test_an_exception_of_one_column_is_a_rule_that_did_not_run() -> None:
    """Great Expectations says so of a column map, one level below."""
    info = {"column": {"raised_exception": True}}
    result = SimpleNamespace(exception_info=info, success=True, result={})
    assert _outcome(result, RULE, EMPTY).error is not None
