"""Names of rules are read from disk, for `odds check` loads no Great Expectations."""

from odds_pipeline.quality.expectations import known_expectations
from odds_pipeline.quality.rules import expectation_names


def test_rule_names_read_from_disk_are_the_real_ones() -> None:
    assert set(known_expectations()) >= {"expect_no_row_from_query", "expect_column_values_to_be_null"}
    assert expectation_names() >= {"expect_no_row_from_query", "expect_column_values_to_be_null"}
