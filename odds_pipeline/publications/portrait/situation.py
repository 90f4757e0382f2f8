"""Where a value stands, in words: its quarter of the communes, if it differs from the département."""

from odds_pipeline.french import FAVOURABLE, GLYPHS, VALUES
from odds_pipeline.publications.portrait.figures import Figure, Sheet

WORSE, BETTER = (3, 4), (1, 2)
"""Quarters on the difficult side, and on the favourable one."""


def same(cell: Figure) -> bool:
    """Whether the département's value lies in the value's own interval."""
    if cell.low is None or cell.high is None or cell.departement is None:
        return False
    return cell.low <= cell.departement <= cell.high


def situation(sheet: Sheet, cell: Figure) -> str:
    """« ▼ parmi les plus difficiles »; nothing where the value is not ranked."""
    if cell.value is None or cell.quartile is None:
        return ""
    if same(cell):
        return "≈ ne se distingue pas"
    if sheet.direction == "neutral":
        return VALUES[cell.quartile]
    return f"{GLYPHS[cell.quartile]} {FAVOURABLE[cell.quartile]}"


def side(sheet: Sheet, cell: Figure) -> str:
    """``worse``, ``better``, ``same``; nothing where no value is favourable or none is ranked."""
    if cell.value is None or cell.quartile is None or sheet.direction == "neutral":
        return ""
    if same(cell):
        return "same"
    return "worse" if cell.quartile in WORSE else "better"
