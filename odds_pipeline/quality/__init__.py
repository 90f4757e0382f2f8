"""The gate: suites become Great Expectations suites, their results become verdicts."""
