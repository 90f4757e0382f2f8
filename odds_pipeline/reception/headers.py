"""Which columns of a table a format reads, and what is wrong with its header."""

from collections import Counter

from odds_pipeline.geography.territories import plain
from odds_pipeline.reception.matching import Match


def columns_read(match: Match) -> dict[str, str]:
    """The header cell that each variable is read from."""
    feed, prefix = match.entry.feed, match.entry.partner.id
    found = {name: match.column_position(c) for name, c in feed.columns_of(match.format).items()}
    return {f"{prefix}.{name}": match.header[p] for name, p in found.items() if p is not None}


def unknown_columns(match: Match) -> tuple[str, ...]:
    """Header cells that the contract does not speak of."""
    feed, fmt = match.entry.feed, match.format
    known = {match.position(n) for n in (*fmt.territory.columns, *fmt.requires, *fmt.where)}
    for column in feed.columns_of(fmt).values():
        weight = [column.weight] if column.weight else []
        known |= {match.position(name) for name in (*column.names, *column.where, *weight)}
    return tuple(name for position, name in enumerate(match.header) if name and position not in known)


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
