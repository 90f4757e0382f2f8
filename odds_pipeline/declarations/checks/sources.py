"""Checks the further sources of a contract: they exist, have its variables, and follow its calendar."""

from collections.abc import Iterator

from odds_pipeline.declarations.declared import Declared, FeedEntry
from odds_pipeline.declarations.problems import Problem, nearest
from odds_pipeline.declarations.yaml_file import Loc


def may_be_lent(declared: Declared, entry: FeedEntry) -> bool:
    """Whether a contract of the partner that could not be read may define variables for this one."""
    return any(path.parent == entry.file.path.parent for path in declared.failed)


def source_problems(declared: Declared, entry: FeedEntry) -> Iterator[Problem]:
    """Every mistake in the sources of one contract."""
    if not entry.feed.variables and not may_be_lent(declared, entry):
        yield entry.file.problem((), "no variable, and no contract has it for source")
    for i, name in enumerate(entry.feed.beside):
        if f"{entry.partner.id}/{name}" not in declared.feeds and not may_be_lent(declared, entry):
            yield entry.file.problem(("beside", i), f"no feed {entry.partner.id}/{name}")
    for i, name in enumerate(entry.feed.sources):
        at: Loc = ("sources", i)
        path = entry.file.path.with_name(f"{name}.yaml")
        source = declared.feeds.get(f"{entry.partner.id}/{name}")
        if source is None or source.id == entry.id:
            if path not in declared.failed:
                hint = nearest(f"{entry.partner.id}/{name}", declared.feeds)
                yield entry.file.problem(at, f"no other feed {entry.partner.id}/{name}{hint}")
            continue
        if not source.feed.delivered & set(entry.own):
            yield entry.file.problem(at, f"{source.id} has a column for none of these variables")
        here, there = entry.feed.calendar, source.feed.calendar
        if there.step % here.step or (there.month - here.month) % here.step:
            yield entry.file.problem(at, f"the months of {name} are not months of this calendar")
