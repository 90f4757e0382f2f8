"""Which columns of a table a format reads, and what is wrong with its header."""

import re
from collections import Counter
from collections.abc import Sequence

from odds_pipeline.geography.territories import plain
from odds_pipeline.reception.matching import Match, required_names, text
from odds_pipeline.reception.periods import groups_of, in_any_name, month_of

_SCALES = {"millier": 10**3, "million": 10**6, "milliard": 10**9}

_SCALE = re.compile(rf"\ben ({'|'.join(_SCALES)})s?\b", re.IGNORECASE)


def other_scale(match: Match) -> list[tuple[int, str]]:
    """Lines above the header that say thousands or millions where the contract reads otherwise.

    A table in thousands is one whose figures the contract multiplies, or whose variables say so.
    """
    entry, unpivot = match.entry, match.format.unpivot
    labels = [entry.feed.variables[v].label for v in _variables(match) if v in entry.feed.variables]
    said = {_SCALES[found[1].lower()] for found in map(_SCALE.search, labels) if found}
    awaited = {unpivot.times} if unpivot and unpivot.times > 1 else said or {1}
    return [
        (line, f"« {text(cell)} » au-dessus du tableau, là où le contrat lit {_scale_words(awaited)}")
        for line, row in zip(match.table.lines, match.table.rows[: match.header_row], strict=False)
        for cell in row
        if isinstance(cell, str)
        and any(_SCALES[word.lower()] not in awaited for word in _SCALE.findall(cell))
    ]


def _variables(match: Match) -> list[str]:
    unpivot = match.format.unpivot
    return [*match.entry.feed.columns_of(match.format), *(unpivot.variables if unpivot else [])]


def _scale_words(scales: set[int]) -> str:
    words = [f"des {word}s" for word, scale in _SCALES.items() if scale in scales]
    return " et ".join(words) or "des unités"


def columns_read(match: Match) -> dict[str, str]:
    """The header cell that each variable is read from."""
    feed, prefix = match.entry.feed, match.entry.partner.id
    found = {name: match.column_position(c) for name, c in feed.columns_of(match.format).items()}
    return {f"{prefix}.{name}": match.header[p] for name, p in found.items() if p is not None}


def unknown_columns(match: Match) -> tuple[str, ...]:
    """Header cells that the contract does not speak of."""
    feed, fmt = match.entry.feed, match.format
    known = {
        match.position(name)
        for names in (*required_names(feed, fmt), *_unrequired(match))
        for name in names
    }
    return tuple(
        name
        for position, name in enumerate(match.header)
        if name and position not in known and not _period_of(match, name)
    )


def _unrequired(match: Match) -> list[list[str]]:
    """Names of the columns that a format may read, and its header need not hold."""
    columns = match.entry.feed.columns_of(match.format).values()
    return [[*c.names, *c.plus, *c.where, *([c.weight] if c.weight else [])] for c in columns]


def _period_of(match: Match, name: str) -> dict[str, str]:
    """What a header cell tells of its period, in a table whose columns are months or years."""
    unpivot = match.format.unpivot
    return groups_of(unpivot.columns, name) if unpivot else {}


def unread_periods(match: Match, unknown: Sequence[str]) -> list[tuple[int, str, str]]:
    """Those of the ``unknown`` columns that seem of a later period than all that are read.

    A producer marks its last year: ``2020 (p)``, ``2020*``. Nothing tells whether it is the same series.
    """
    month, shift = match.entry.feed.calendar.month, match.format.period.year_shift
    read = {name: month_of(_period_of(match, name), month, shift) or "" for name in match.header}
    shapes = tuple(_shape(name) for name, period in read.items() if period)
    line = match.table.lines[match.header_row]
    told = [(name, in_any_name(name)) for name in unknown if shapes]
    return [
        (line, "période", f"colonne « {name} »")
        for name, periods in told
        if periods
        and _shape(name).startswith(shapes)
        and (month_of(periods[0], month, shift) or "") > max(read.values())
    ]


def _shape(name: str) -> str:
    """A column's name without its digits: alike in those of one series."""
    return re.sub(r"\d+", "0", plain(name))


def repeated_columns(match: Match) -> list[tuple[int, str]]:
    """Columns that the contract reads and the header holds more than once: which one is meant?"""
    fmt = match.format
    used = {match.header[p] for p in (match.position(n) for n in fmt.territory.columns) if p is not None}
    by_place = {
        f"{match.entry.partner.id}.{name}"
        for name, column in match.entry.feed.columns_of(fmt).items()
        if column.names[0].startswith("#")
    }
    used |= {header for name, header in columns_read(match).items() if name not in by_place}
    names = Counter(plain(name) for name in match.header)
    line = match.table.lines[match.header_row]
    return [
        (line, f"la colonne {name} figure {names[plain(name)]} fois dans l'en-tête")
        for name in sorted(used)
        if plain(name) and names[plain(name)] > 1
    ]
