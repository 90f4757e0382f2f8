"""Whose figures these are: a warehouse and a landing folder are of one observatory.

Several observatories run from one engine, on the same machines. An environment that was copied from
another's, all lines changed but one, would mix their figures; neither would look wrong.
"""

from functools import cache
from pathlib import Path

import duckdb

from odds_pipeline.declarations.observatory import read_observatory
from odds_pipeline.declarations.problems import Explained
from odds_pipeline.declarations.root import project_root

_OWNER = ".observatory"


class AnotherObservatory(Explained):
    """What was named holds another observatory's figures; nothing of it was read or changed."""


@cache
def _id_in(root: Path) -> str:
    return read_observatory(root).id


def observatory_id() -> str:
    """The ``id`` of ``assets/observatory.yaml``."""
    return _id_in(project_root())


def check_owner(owner: str, what: object, settings: str) -> None:
    """Raise :class:`AnotherObservatory` when ``what``, which these settings name, is not ours."""
    if owner != (ours := observatory_id()):
        raise AnotherObservatory(
            f"{what} is of the observatory {owner}, and the declarations in {project_root()} are of "
            f"{ours}: nothing was read or changed. Name what is of {ours} ({settings}), or the "
            f"declarations of {owner} (ODDS_PROJECT). The id of an observatory never changes."
        )


def check_warehouse(connection: duckdb.DuckDBPyConnection, settings: str) -> bool:
    """Whether the open warehouse says that it is ours; false when it says nothing yet."""
    try:
        owners = connection.execute("SELECT id FROM observatory").fetchall()
    except duckdb.CatalogException:  # empty, or of before this was asked
        return False
    for (owner,) in owners:
        check_owner(owner, "the warehouse", settings)
    return bool(owners)


def claim_warehouse(connection: duckdb.DuckDBPyConnection) -> None:
    """From now on the open warehouse, which said nothing yet, is ours."""
    connection.execute("INSERT INTO observatory VALUES (?)", [observatory_id()])


def check_landing(landing: Path) -> None:
    """Raise :class:`AnotherObservatory` when the folder says that it is another's."""
    if (said := landing / _OWNER).exists():  # a folder of before this was asked has none
        check_owner(said.read_text(encoding="utf-8").strip(), landing, "ODDS_SHARED, ODDS_HOME")


def claim_landing(landing: Path) -> None:
    """The same; when it says nothing yet, or is not there, it is made and is ours."""
    check_landing(landing)
    landing.mkdir(parents=True, exist_ok=True)
    if not (said := landing / _OWNER).exists():
        said.write_text(f"{observatory_id()}\n", encoding="utf-8")
