"""What became of the values between two releases: new, revised, withdrawn, and by what cause.

Two files of immutable releases are compared, so the answer never changes.
"""

from dataclasses import dataclass

from odds_pipeline.declarations.access import WIDEST, Access
from odds_pipeline.release.formats import completed, read_inputs
from odds_pipeline.release.published import numbers, release_path
from odds_pipeline.storage.duck import connect
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.sql import quoted, read_sql

_CHANGES = read_sql(__file__, "value_changes")


@dataclass(frozen=True)
class ValueChange:
    """``kind``: nouvelle, révisée, retirée, statut. ``cause`` says why, ``files`` which deliveries."""

    kind: str
    indicator: str
    territory: str
    month: str
    geography: int
    before: float | None
    after: float | None
    cause: str
    files: str | None


def value_changes(
    home: Home,
    before: int,
    after: int,
    access: Access = WIDEST,
    territory: str | None = None,
) -> list[ValueChange]:
    """Every value that differs, of all territories or one. :class:`LookupError`: no such release."""
    with connect() as connection:
        for name, number in (("before", before), ("after", after)):
            path = release_path(home, number) / f"{access}.duckdb"
            if not path.exists():
                raise LookupError(f"no release {number}; known: {', '.join(map(str, numbers(home)))}")
            connection.execute(f"ATTACH {quoted(path)} AS {name} (READ_ONLY)")
            values = completed(connection, name, "indicator_values")
            connection.execute(f"CREATE TEMP VIEW {name}_values AS {values}")
        connection.register("after_inputs", read_inputs(connection, "after"))
        found = connection.execute(_CHANGES, {"territory": territory}).fetchall()
        return [ValueChange(*row) for row in found]
