"""In which geography a file is written: of before or of after a merger of communes."""

from odds_pipeline.declarations.feed import Format
from odds_pipeline.geography.territories import Territories
from odds_pipeline.months import year_of


def geography_of(codes: set[str], month: str, fmt: Format, territories: Territories) -> int:
    """The geography a file is written in.

    The format's own word first. Then its codes: communes that have since merged away tell the last
    geography that has them all. Their absence tells a newer geography after the merger, and nothing
    before it: see :func:`ambiguous`.
    """
    if fmt.geography is not None:
        return territories.geography_of(fmt.geography)
    return min(_told(codes, territories), default=territories.geography_of(year_of(month)))


def _told(codes: set[str], territories: Territories) -> list[int]:
    return [territories.merged_away[code] for code in codes & territories.merged_away.keys()]


def ambiguous(codes: set[str], month: str, fmt: Format, territories: Territories) -> str | None:
    """Why the geography of a file cannot be told from its codes, in French, or ``None`` when it can.

    A file of before a merger that has the commune that kept its code and lacks the one that joined it
    either was written in the communes of after it, or is of a producer that has nothing for the other.
    Guessing would take the commune of before for that of after.
    """
    if fmt.geography is not None:
        return None
    dated = territories.geography_of(year_of(month))
    newest = min(_told(codes, territories), default=territories.current)
    for year, source, target in territories.mergers:
        joined = source != target and target in codes and source not in codes
        if joined and dated < year <= newest:
            return (
                f"{target} est là et {source} n'y est pas : le fichier est-il dans les communes de "
                f"{year}, où {source} est dans {target} ? Le contrat doit dire `geography: {year}` ou "
                f"`geography: {dated}` pour ce format"
            )
    return None
