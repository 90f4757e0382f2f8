"""Where a change over years would cross a break of what it reads, and so has no meaning."""

from collections.abc import Iterator, Sequence

from odds_pipeline.declarations.formula import Term
from odds_pipeline.declarations.indicator import Indicator
from odds_pipeline.declarations.project import Project
from odds_pipeline.months import shifted

FIRST, LAST = "0000-01", "9999-12"
WINDOWS = {"": 0, "year_total": 0, "twelve_months": 11}
"""Months before its own that a figure rests on; a calendar year is dated by its break's own note."""

Span = tuple[str, str]
"""First month of a span, and first month after it."""


def crossings(project: Project, indicator: Indicator) -> list[Span]:
    """The spans in which the formula reads a variable on both sides of one of its breaks."""
    terms: dict[str, list[Term]] = {}
    for term in indicator.parsed.terms:
        terms.setdefault(term.variable, []).append(term)
    return sorted(
        {
            span
            for variable, own in terms.items()
            for b in [*indicator.breaks, *project.breaks_of_variable[variable]]
            for span in _spans(own, b.month)
        }
    )


def _spans(terms: Sequence[Term], month: str) -> Iterator[Span]:
    """Months whose value rests on figures from before ``month`` and from then on."""
    lags = [t.lag for t in terms if not t.month]
    window = max((WINDOWS[t.window] for t in terms if not t.month), default=0)
    if lags and min(lags) < max(lags) + window:
        yield shifted(month, min(lags)), shifted(month, max(lags) + window)
    for fixed in {t.month for t in terms if t.month} if lags else ():
        yield (shifted(month, min(lags)), LAST) if fixed < month else (FIRST, shifted(month, max(lags)))
