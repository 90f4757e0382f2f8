"""What changed between two releases: the definitions added, changed and retired.

Two files of immutable releases are compared, so the answer never changes. Columns that only one of
them has come from another version of the software, not from a definition, and are left out.
"""

from dataclasses import dataclass
from typing import Any

from odds_pipeline.declarations.access import WIDEST, Access
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home

_NOT_A_CHANGE = {"declared_in"}
"""Where a definition stands in its file moves when another one is edited."""


@dataclass(frozen=True)
class Change:
    """``field`` of a definition as it was ``before`` and is ``after``."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Changed:
    """An indicator of both releases with the fields that differ, in the order of the sheet."""

    indicator: str
    label: str
    fields: tuple[Change, ...]


@dataclass(frozen=True)
class Definitions:
    """Indicators by what became of their definition; added and retired ones map id to label."""

    added: dict[str, str]
    changed: tuple[Changed, ...]
    retired: dict[str, str]


def changed_definitions(home: Home, before: int, after: int, access: Access = WIDEST) -> Definitions:
    """Compare the definitions of two releases. :class:`LookupError` when one does not exist."""
    old, new = _sheets(home, before, access), _sheets(home, after, access)
    changed = []
    for name in [name for name in new if name in old]:
        fields = tuple(
            Change(field, old[name][field], value)
            for field, value in new[name].items()
            if field in old[name] and field not in _NOT_A_CHANGE and old[name][field] != value
        )
        if fields:
            changed.append(Changed(name, new[name]["label"], fields))
    return Definitions(
        {name: sheet["label"] for name, sheet in new.items() if name not in old},
        tuple(changed),
        {name: sheet["label"] for name, sheet in old.items() if name not in new},
    )


def _sheets(home: Home, number: int, access: Access) -> dict[str, dict[str, Any]]:
    """Definition sheets by indicator, in the order of the recueil; what no sheet says is left out."""
    with open_release(home, number, access) as connection:
        found = connection.execute("FROM definitions")
        columns = [column[0] for column in found.description]
        rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    said = [name for name in columns if any(row[name] is not None for row in rows)]
    return {row["indicator"]: {name: row[name] for name in said} for row in rows}
