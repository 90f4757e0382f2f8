"""Checks the levels under the commune: what adds up there is delivered nowhere apart."""

from collections.abc import Iterator

from odds_pipeline.declarations.declared import Declared, FeedEntry
from odds_pipeline.declarations.feed import NEIGHBOURHOODS, Format
from odds_pipeline.declarations.problems import Problem


def neighbourhood_problems(declared: Declared) -> Iterator[Problem]:
    """Every mistake about the rows that are kept besides what they add up to."""
    for entry in declared.feeds.values():
        for i, fmt in enumerate(entry.feed.formats):
            for message in _rows(entry, fmt):
                yield entry.file.problem(("formats", i, "territory", "rows"), message)
        for name, variable in entry.own.items():
            if variable.aggregation == "sum" and len(_kinds(declared, entry, name)) > 1:
                message = (
                    f"{name} adds up from neighbourhoods in one format and is delivered apart in "
                    "another: secrecy rests on their sum; give it another name there"
                )
                yield entry.file.problem(("variables", name), message)


def _rows(entry: FeedEntry, fmt: Format) -> Iterator[str]:
    level = fmt.territory.rows
    if level is None:
        return
    if level not in NEIGHBOURHOODS:
        yield f"{level} is not a level under the commune: {', '.join(NEIGHBOURHOODS)}"
    elif level not in entry.feed.levels:
        yield f"levels does not have {level}"
    if fmt.unpivot is not None:
        yield "the rows of a table whose columns are months are not kept"


def _kinds(declared: Declared, entry: FeedEntry, name: str) -> set[bool]:
    """Whether the formats that deliver a variable read it from neighbourhoods."""
    return {
        bool(fmt.territory.rows) or fmt.territory.level in NEIGHBOURHOODS
        for source in declared.sources_of(entry.variable_id(name))
        for fmt in source.feed.formats
        if name in (fmt.unpivot.variables if fmt.unpivot else source.feed.columns_of(fmt))
    }
