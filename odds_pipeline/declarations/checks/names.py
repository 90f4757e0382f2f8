"""Whether a name that no file declares may be in a file that could not be read."""

from pathlib import Path

from odds_pipeline.declarations.declared import Declared
from odds_pipeline.declarations.problems import nearest


def variable_missing(declared: Declared, variable: str) -> str:
    """What to say of a variable that no feed delivers; nothing when its partner's files failed."""
    partner = variable.partition(".")[0]
    folder = Path("assets", "partners", partner)
    if variable in declared.variables or any(folder in path.parents for path in declared.failed):
        return ""
    return f"no feed delivers {variable!r}{nearest(variable, declared.variables)}"


def indicator_missing(declared: Declared, indicator: str) -> str:
    """What to say of an indicator that no family declares; nothing when a family failed."""
    families = Path("assets", "indicators")
    if indicator in declared.indicators or any(families in path.parents for path in declared.failed):
        return ""
    return f"no indicator {indicator!r}{nearest(indicator, declared.indicators)}"
