"""The files of a release: that of the widest class, and the others, which are that one less what their
class may not read.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from odds_pipeline.declarations.access import Access, readable
from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.comparison import ADDED, compare
from odds_pipeline.indicators.sources import tell_sources
from odds_pipeline.release.conversion import IN_GEOGRAPHY
from odds_pipeline.release.formats import FORMAT
from odds_pipeline.release.inputs import inputs_of
from odds_pipeline.storage.duck import connect
from odds_pipeline.storage.sql import first, one, quoted, read_sql


@dataclass(frozen=True)
class ReleaseMetadata:
    """What every file of a release says of it, and rests on.

    ``latest`` is the latest month of the whole release, from which ages are counted; ``secrecy`` has the
    lines of all classes.
    """

    number: int
    published_at: str
    content: str
    software: str
    declarations: str
    latest: str | None
    secrecy: pd.DataFrame


_WIDEST, _NARROWER, _BESIDE = (read_sql(__file__, name) for name in ("widest", "narrower", "beside"))

# What stands beside a value comes from values of its own indicator: a class that reads all that the
# widest one reads of an indicator takes it from there. Comparing is half of writing a file.
_SHARED = """
CREATE TABLE indicator_values AS
FROM widest.indicator_values WHERE indicator IN (SELECT indicator FROM definitions);
CREATE TABLE converted_values AS
FROM widest.converted_values WHERE indicator IN (SELECT indicator FROM definitions)
"""
_PROVISIONAL = """
SELECT 1 FROM widest.indicator_values WHERE obs_status = 'P' UNION ALL
SELECT 1 FROM widest.converted_values WHERE obs_status = 'P' LIMIT 1
"""
_GIVEN = (
    "CREATE TEMP TABLE given AS "
    "SELECT $access AS access, $provisional AS provisional, $variables AS variables"
)


def _territories_table(project: Project) -> pd.DataFrame:
    return pd.DataFrame(
        [
            (
                *(t.code, t.label, t.level, t.geography, t.ept, t.epci, t.arrondissement, t.departement),
                " ".join(t.communes),
            )
            for t in project.territories.all
        ],
        columns="territory label level geography ept epci arrondissement departement communes".split(),
    )


def write_widest(
    connection: duckdb.DuckDBPyConnection,
    project: Project,
    path: Path,
    access: Access,
    about: ReleaseMetadata,
    definitions: pd.DataFrame,
) -> None:
    """Write the file that holds everything, from the open warehouse with what was protected in it."""
    frames = {
        "definitions_view": definitions,
        "inputs_view": inputs_of(
            zip(definitions["indicator"], definitions["formula"], strict=True), project.weights
        ),
        "territories_view": _territories_table(project),
        "public_feeds": pd.DataFrame(
            [name for name, entry in project.feeds.items() if entry.feed.kind != "template"],
            columns=["feed"],
            dtype="string",
        ),
    }
    for name, frame in frames.items():
        connection.register(name, frame)
    connection.execute(f"ATTACH {quoted(path)} AS release")
    try:
        connection.execute(_WIDEST)
        sources = tell_sources(project, connection, "release.")
        compare(project, connection, "protected", about.latest, sources)
        (warehouse,) = one(connection, "SELECT current_database()")
        connection.execute("USE release")  # the names in the macro are those of the release
        connection.execute(_BESIDE)
        _finish(connection, access, about)
        connection.execute(f'USE "{warehouse}"')
    finally:
        connection.execute("DETACH release")
    _seal(path)
    for name in frames:
        connection.unregister(name)


def write_narrower(
    project: Project, widest: Path, path: Path, access: Access, about: ReleaseMetadata
) -> None:
    """Write what of the widest file another class may read; what is left of a try before is lost."""
    for left in (path, path.with_name(f"{path.name}.wal")):
        left.unlink(missing_ok=True)
    classes = readable(access)
    given = {
        "access": list(classes),
        "provisional": "membres" in classes,
        "variables": [name for name, (entry, _) in project.variables.items() if entry.access in classes],
    }
    with connect(path) as connection:
        connection.execute(f"ATTACH {quoted(widest)} AS widest (READ_ONLY)")
        connection.execute(_GIVEN, given)
        connection.execute(_NARROWER)
        if given["provisional"] or first(connection, _PROVISIONAL) is None:
            connection.execute(_SHARED)
        else:
            _compare_anew(project, connection, about.latest)
        _finish(connection, access, about)
    _seal(path)


def _compare_anew(project: Project, connection: duckdb.DuckDBPyConnection, latest: str | None) -> None:
    """Ranks, quartiles and changes among the values that are not provisional."""
    added = ", ".join(ADDED)
    connection.execute(
        f"CREATE TEMP TABLE given_values AS FROM (SELECT * EXCLUDE ({added}), false AS converted "
        "FROM widest.indicator_values UNION ALL BY NAME "
        f"SELECT * EXCLUDE ({added}), true AS converted FROM widest.converted_values) "
        "WHERE obs_status <> 'P' AND indicator IN (SELECT indicator FROM definitions)"
    )
    compare(project, connection, "given_values", latest, tell_sources(project, connection, "widest."))
    connection.execute(_BESIDE)


def _finish(connection: duckdb.DuckDBPyConnection, access: Access, about: ReleaseMetadata) -> None:
    """What a file says of itself, in the database in use."""
    connection.register("secrecy_view", about.secrecy)
    connection.execute("CREATE TABLE audit AS FROM secrecy_view WHERE edition = ?", [access])
    connection.unregister("secrecy_view")
    connection.execute(IN_GEOGRAPHY)
    connection.execute(
        "CREATE TABLE about AS SELECT ? AS number, ? AS published_at, ? AS content, ? AS edition, "
        "? AS software, ?::INTEGER AS format, ? AS declarations, "
        "count(DISTINCT indicator) AS indicators, count(value) AS values_count, "
        "(SELECT coalesce(bool_or(simulated), false) FROM deliveries) AS simulated "
        "FROM indicator_values",
        [
            about.number,
            about.published_at,
            about.content,
            access,
            about.software,
            FORMAT,
            about.declarations,
        ],
    )


def _seal(path: Path) -> None:
    """On the disk, and not to be written any more."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
    path.chmod(0o400)
