"""Checks that every rule of every suite is one that Great Expectations knows, without loading it.

Loading Great Expectations costs 4 CPU seconds, too much for `odds check`: the names come from the
list of its core modules on disk.
"""

import importlib.util
import re
from functools import cache
from pathlib import Path

from odds_pipeline.declarations.problems import Problem, nearest
from odds_pipeline.declarations.project import Project

OWN = {"expect_no_row_from_query": {"query"}}


@cache
def expectation_names() -> frozenset[str]:
    """Names of the core expectations installed, and ours."""
    spec = importlib.util.find_spec("great_expectations")
    if spec is None or spec.origin is None:
        return frozenset(OWN)
    core = Path(spec.origin).parent / "expectations" / "core"
    return frozenset({p.stem for p in core.glob("expect_*.py")} | set(OWN))


def suite_problems(project: Project) -> list[Problem]:
    """Rules with an unknown expectation or a query that is not one SELECT."""
    problems = []
    for suite, file in project.suites.values():
        for name, rule in suite.rules.items():
            if rule is None:
                continue
            if rule.expect not in expectation_names():
                hint = nearest(rule.expect, expectation_names())
                message = f"rule {name}: Great Expectations knows no {rule.expect!r}{hint}"
                problems.append(file.problem(("rules", name, "expect"), message))
            query = rule.arguments.get("query")
            if rule.expect in OWN and not re.match(r"\s*(SELECT|WITH|FROM)\b", str(query or "")):
                problems.append(file.problem(("rules", name), f"rule {name}: `query` is one SELECT"))
    return problems
