"""Where a change over years would cross a break of what it reads, and so has no meaning."""

from odds_pipeline.declarations.indicator import Indicator
from odds_pipeline.declarations.project import Project

Span = tuple[str, str]
"""First month of a span, and first month after it."""


def crossings(project: Project, indicator: Indicator) -> list[Span]:
    """The spans in which the formula reads a variable on both sides of one of its breaks."""
    lags: dict[str, list[int]] = {}
    for term in indicator.parsed.terms:
        lags.setdefault(term.variable, []).append(term.lag)
    changing = {v: (min(own), max(own)) for v, own in lags.items() if min(own) < max(own)}
    return sorted(
        {
            (_later(b.month, first), _later(b.month, last))
            for variable, (first, last) in changing.items()
            for b in [*indicator.breaks, *project.breaks_of_variable(variable)]
        }
    )


def _later(month: str, years: int) -> str:
    return f"{int(month[:4]) + years:04d}{month[4:]}"
