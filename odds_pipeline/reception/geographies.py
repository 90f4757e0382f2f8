"""In which geography a file is written: of before or of after a merger of communes."""

from odds_pipeline.declarations.feed import Format
from odds_pipeline.geography.territories import Territories
from odds_pipeline.months import year_of


def geography_of(codes: set[str], month: str, fmt: Format, territories: Territories) -> int:
    """The geography a file is written in.

    The format's own word first. Then its codes: a commune that has since merged away tells the
    older geography. Its absence tells the newer geography after the merger, and nothing before it:
    see :func:`ambiguous`.
    """
    if fmt.geography is not None:
        return territories.geography_of(fmt.geography)
    if codes & territories.merged_away():
        return territories.geographies[0]
    return territories.geography_of(year_of(month))


def ambiguous(codes: set[str], geography: int, fmt: Format, territories: Territories) -> str | None:
    """Why the geography of a file cannot be told from its codes, in French, or ``None`` when it can.

    A file of before a merger that has the commune that kept its code and lacks the one that joined it
    either was written in the communes of after it, or is of a producer that has nothing for the other.
    Guessing would take the commune of before for that of after.
    """
    if fmt.geography is not None or codes & territories.merged_away():
        return None
    for year, source, target in territories.mergers:
        if source != target and geography < year and target in codes:
            return (
                f"{target} est là et {source} n'y est pas : le fichier est-il dans les communes de "
                f"{year}, où {source} est dans {target} ? Le contrat doit dire `geography: {year}` ou "
                f"`geography: {geography}` pour ce format"
            )
    return None
