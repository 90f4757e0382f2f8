"""Tells which contract and format a table belongs to, from its name, header and content.

Nothing is guessed: exactly one format fits, or the table is set aside with the nearest contracts
and what differs; a table whose name belongs to one contract but whose header does not fit is that
contract's delivery, to be refused with what its header lacks.
"""

import re
from dataclasses import dataclass, field

from odds_pipeline.declarations.feed import Format
from odds_pipeline.declarations.project import FeedEntry, Project
from odds_pipeline.reception.matching import (
    OTHER_NAME,
    SHEET,
    Match,
    Nearest,
    header_indexes,
    match_as,
    named_like,
    required_names,
    sheet_like,
)
from odds_pipeline.reception.periods import in_any_name
from odds_pipeline.reception.tables import Table

NEAR = 0.5
"""Share of its columns from which a contract is near to a table: named to whom sent it."""
FEW = 3
"""Figures below which columns tell no contract without the name of the file."""
CERTAIN = 0.75
"""Share of its columns from which a table is a contract's, when no other contract has as many."""


@dataclass(frozen=True)
class Unrecognised:
    """No format, or several, fit. ``named`` is the contract that the file's name belongs to."""

    table: Table
    nearest: tuple[Nearest, ...] = ()
    ambiguous: tuple[str, ...] = ()
    named: FeedEntry | None = None
    missing: tuple[str, ...] = field(default=())

    @property
    def share(self) -> float:
        """How much of a contract's columns the table holds; little when it is of other territories."""
        return max((near.found for near in self.nearest if not near.outside), default=0.0)


def _most_specific(matches: list[Match]) -> list[Match]:
    """Of formats of one feed that all fit, the one that asks for the most columns, then for a name.

    A format that names the table's own file goes before one that names its archive, or none.
    """
    if len({m.entry.id for m in matches}) > 1 or len(matches) < 2:
        return matches
    asked = [
        (len({n[0] for n in required_names(m.entry.feed, m.format)}), _named(m.format, m.table))
        for m in matches
    ]
    return [m for m, count in zip(matches, asked, strict=True) if count == max(asked)]


def _named(fmt: Format, table: Table) -> int:
    """How near to the table the name is that the format's pattern finds; 0 when it has no pattern."""
    if not fmt.file:
        return 0
    found = [bool(re.search(fmt.file, name, re.IGNORECASE)) for name in table.names]
    return len(found) - found.index(True) if any(found) else 0


def _beside(match: Match, others: list[Match]) -> bool:
    """Whether a contract says that its files are also those of all the others."""
    mine = {match.entry.id, *(f"{match.entry.partner.id}/{name}" for name in match.entry.feed.beside)}
    return mine == {other.entry.id for other in others}


def _half_lost(
    matches: list[Match], found: list[tuple[FeedEntry, Match | Nearest]]
) -> tuple[FeedEntry, Nearest] | None:
    """The contract that shares the file and nearly fits it: its figures would be lost without a word."""
    known = {match.entry.id for match in matches}
    for entry, one in found:
        shared = {f"{entry.partner.id}/{name}" for name in entry.feed.beside}
        if isinstance(one, Nearest) and known and known <= shared and one.found >= CERTAIN:
            return entry, one
    return None


def _is_near(near: Nearest) -> bool:
    """Whether a table holds half of a contract's columns, and more than a code and a usual word."""
    named = not any(difference.startswith(OTHER_NAME) for difference in near.differences)
    enough = near.shared >= (2 if near.found == 1 else FEW)
    return near.found >= NEAR and (enough or named)


def _sheet_renamed(others: list[tuple[FeedEntry, Nearest]]) -> list[Nearest]:
    """The formats that a table fits in all but the name of its sheet, in a file of their name."""
    return [
        near
        for _, near in others
        if len(near.differences) == 1 and near.differences[0].startswith(SHEET)
    ]


def _alone_near(found: list[tuple[FeedEntry, Match | Nearest]]) -> dict[str, FeedEntry]:
    """The contract that nearly fits a table of no one's name, when no other comes as near."""
    near = [(one.found, e) for e, one in found if isinstance(one, Nearest) and one.found >= CERTAIN]
    best = max((share for share, _ in near), default=0.0)
    nearest_ones = {e.id: e for share, e in near if share == best}
    return nearest_ones if len(nearest_ones) == 1 else {}


def _called_otherwise(
    table: Table, found: list[tuple[FeedEntry, Match | Nearest]]
) -> dict[str, FeedEntry]:
    """The contract that a table fits in all but the name of its file, if that or its folder is dated."""
    if not any(in_any_name(name) for name in (*table.names, *table.told)):
        return {}
    fit = {
        entry.id: entry
        for entry, one in found
        if isinstance(one, Nearest)
        and len(one.differences) == 1
        and one.differences[0].startswith(OTHER_NAME)
        and len(entry.feed.variables) >= FEW
    }
    return fit if len(fit) == 1 else {}


def recognise(project: Project, table: Table) -> Match | Unrecognised:
    """The one format that the table is, or why there is none."""
    found = recognise_all(project, table)
    return found[0] if isinstance(found, list) else found


def recognise_all(project: Project, table: Table) -> list[Match] | Unrecognised:
    """The format that the table is, one for each contract of a file that several say they share."""
    indexes = header_indexes(table)
    formats = [(entry, fmt) for entry in project.feeds.values() for fmt in entry.feed.formats]
    likely = [pair for pair in formats if named_like(pair[1], table)]
    found = [(e, match_as(e, fmt, table, project.territories_of(e), indexes)) for e, fmt in likely]
    matches = _most_specific([m for _, m in found if isinstance(m, Match)])
    if lost := _half_lost(matches, found):
        entry, near = lost
        return Unrecognised(table, (near,), named=entry, missing=near.differences)
    if len(matches) == 1 or any(_beside(match, matches) for match in matches):
        return matches
    if matches:
        names = tuple(f"{m.entry.id} ({m.format.id})" for m in matches)
        return Unrecognised(table, ambiguous=names)
    # Another sheet of a contract's workbook is not its delivery.
    own_name = {e.id: e for e, fmt in likely if fmt.file and sheet_like(fmt, table)}
    workbooks = {e.id for e, fmt in likely if fmt.file}
    alone = _alone_near(found)
    # Only now the formats whose file is called otherwise, to say which came nearest.
    unlikely = [pair for pair in formats if not named_like(pair[1], table)]
    found += [(e, match_as(e, fmt, table, project.territories_of(e), indexes)) for e, fmt in unlikely]
    called = alone or _called_otherwise(table, found)
    named = own_name or {id: entry for id, entry in called.items() if id not in workbooks}
    others = [(e, near) for e, near in found if isinstance(near, Nearest)]
    others.sort(key=lambda pair: (-pair[1].found, len(pair[1].differences)))
    if len(named) == 1:
        entry = next(iter(named.values()))
        own = [near for other, near in others if other.id == entry.id]
        if not own[0].outside:
            return Unrecognised(table, (own[0],), named=entry, missing=own[0].differences)
    if renamed := _sheet_renamed([pair for pair in others if pair[0].id in {e.id for e, _ in likely}]):
        return Unrecognised(table, tuple(renamed[:1]))
    return Unrecognised(table, tuple(near for _, near in others[:1] if _is_near(near)))
