"""Publishing a release: what passed the gate is copied, protected, into one file an edition.

The folder is written beside the others under a temporary name, then renamed, then the pointer
``current`` is replaced: readers see the former release or the new one, never half of one.
"""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd

from odds_pipeline.home import Home
from odds_pipeline.indicators.comparison import compare
from odds_pipeline.indicators.compute import compute
from odds_pipeline.indicators.staleness import Months, stale
from odds_pipeline.model.access import EDITIONS, Access, readable
from odds_pipeline.model.project import Project
from odds_pipeline.warehouse.definitions import definitions_table
from odds_pipeline.warehouse.release import (
    Release,
    current_number,
    describe,
    numbers,
    release_path,
)
from odds_pipeline.warehouse.store import Overtaken, Store, check_unique, transaction, version

# Twelve digits: the order in which machines add up decimals changes the sixteenth.
_CONTENT_HASH = """
SELECT coalesce(bit_xor(md5_number_lower(concat_ws('|', indicator, month, territory, level,
    geography, printf('%.12g', value), obs_status, conf_status, reserve))), 0) FROM indicator_values
"""


def _territories_table(project: Project) -> pd.DataFrame:
    return pd.DataFrame(
        [(t.code, t.label, t.level, t.geography, t.ept, t.departement) for t in project.territories.all],
        columns=["territory", "label", "level", "geography", "ept", "departement"],
    )


def _variables_table(project: Project) -> pd.DataFrame:
    """Who may read each variable, and its smallest count to be published; 0 where no rule applies."""
    return pd.DataFrame(
        [
            (
                name,
                entry.access,
                entry.secrecy.threshold if project.units[v.unit].kind == "count" else 0,
            )
            for name, (entry, v) in project.variables.items()
        ],
        columns=["variable", "access", "threshold"],
    )


def _refresh(connection: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Compute what no longer follows from the trusted figures, only the months concerned."""
    groups: dict[Months, list[str]] = {}
    for name, months in stale(project, connection, project.indicators).items():
        groups.setdefault(months, []).append(name)
    for (first, last), names in groups.items():
        compute(project, connection, names, first, last)


def _retire(connection: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Values of indicators that are no longer declared leave the working table."""
    connection.execute(
        "DELETE FROM indicator_values WHERE indicator NOT IN (SELECT unnest(?))",
        [list(project.indicators)],
    )


# One edition; $access lists the classes it may show. A figure under its producer's threshold stays
# in the warehouse; readers get its secret mark. Provisional figures are for members first.
_COPY = (
    "CREATE TABLE release.definitions AS FROM definitions_view WHERE list_contains($access, access)",
    "CREATE OR REPLACE TEMP TABLE protected_values AS FROM indicator_values "
    "WHERE indicator IN (SELECT indicator FROM release.definitions) "
    "AND (obs_status <> 'P' OR list_contains($access, 'membres'))",
    "CREATE TABLE release.territories AS FROM territories_view",
    "CREATE TABLE release.observations AS SELECT * EXCLUDE (known_to, hidden) REPLACE ("
    "CASE WHEN hidden THEN NULL ELSE value END AS value, "
    "CASE WHEN hidden THEN 'Q' ELSE obs_status END AS obs_status, "
    "CASE WHEN hidden THEN 'C' ELSE conf_status END AS conf_status) "
    "FROM (SELECT o.*, value > 0 AND value < t.threshold AS hidden FROM observations o "
    "JOIN variables_view t USING (variable) WHERE list_contains($access, t.access) "
    "AND (o.obs_status <> 'P' OR list_contains($access, 'membres'))) o "
    "WHERE known_to IS NULL AND EXISTS (FROM trusted_months m WHERE m.delivery = o.delivery "
    "AND m.month = o.month) ORDER BY variable, territory, month",
    "CREATE TABLE release.deliveries AS FROM deliveries d "
    "WHERE id IN (SELECT delivery FROM release.observations)",
    "CREATE TABLE release.verdicts AS FROM verdicts v "
    "WHERE delivery IN (SELECT id FROM release.deliveries)",
    "CREATE TABLE release.overrulings AS FROM overrulings "
    "WHERE delivery IN (SELECT id FROM release.deliveries)",
)


def publish(project: Project, home: Home) -> Release:
    """Publish a release; when nothing changed, the current one is returned, ``new`` false.

    Indicators whose inputs changed since they were computed are computed first, so that a release
    never holds a figure that its own observations contradict.
    """
    home.releases.mkdir(parents=True, exist_ok=True)
    with Store(home.warehouse).connect() as connection:
        for leftover in home.releases.glob(".*.tmp"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        with transaction(connection):
            _retire(connection, project)
            _refresh(connection, project)
        check_unique(connection)
        seen = version(connection)
        definitions = definitions_table(project)
        content = _content(connection, definitions)
        last = current_number(home)
        if last is not None:
            former = describe(home, last)
            if former.content == content:
                return Release(**{**former.__dict__, "new": False})
        number = max([0, *numbers(home)]) + 1
        return _write(connection, project, home, (number, content, seen), definitions)


def _content(connection: duckdb.DuckDBPyConnection, definitions: pd.DataFrame) -> str:
    """A fingerprint of values and definitions, independent of order and of when they came."""
    row = connection.execute(_CONTENT_HASH).fetchone()
    connection.register("definitions_view", definitions)
    sheet = connection.execute(
        "SELECT coalesce(bit_xor(md5_number_lower(CAST(d AS VARCHAR))), 0) "
        "FROM (SELECT d FROM (SELECT * EXCLUDE (declared_in) FROM definitions_view) d)"
    ).fetchone()
    assert row is not None and sheet is not None
    return f"{row[0]:016x}{sheet[0]:016x}"


def _write(
    connection: duckdb.DuckDBPyConnection,
    project: Project,
    home: Home,
    about: tuple[int, str, int | None],
    definitions: pd.DataFrame,
) -> Release:
    number, content, seen = about
    temporary = home.releases / f".{number:04d}.tmp"
    temporary.mkdir()
    views = {
        "definitions_view": definitions,
        "territories_view": _territories_table(project),
        "variables_view": _variables_table(project),
    }
    for name, frame in views.items():
        connection.register(name, frame)
    published_at = datetime.now(UTC).isoformat(timespec="seconds")
    for edition in EDITIONS:
        _write_edition(connection, project, temporary, edition, (number, published_at, content))
    for name in views:
        connection.unregister(name)
    if version(connection) != seen:
        raise Overtaken("the warehouse changed while the release was written; publish again")
    temporary.replace(release_path(home, number))
    pointer = home.releases / ".current.tmp"
    pointer.write_text(f"{number}\n", encoding="utf-8")
    pointer.replace(home.releases / "current")
    return describe(home, number)


def _write_edition(
    connection: duckdb.DuckDBPyConnection,
    project: Project,
    folder: Path,
    edition: Access,
    about: tuple[int, str, str],
) -> None:
    # One for all editions: a figure has the same age in each.
    latest = connection.execute("SELECT max(month) FROM indicator_values").fetchone()
    path = folder / f"{edition}.duckdb"
    connection.execute(f"ATTACH '{str(path).replace(chr(39), chr(39) * 2)}' AS release")
    try:
        for statement in _COPY:
            needs = {"access": list(readable(edition))} if "$access" in statement else {}
            connection.execute(statement, needs)
        compare(
            project,
            connection,
            "protected_values",
            "release.indicator_values",
            latest[0] if latest else None,
        )
        connection.execute(
            "CREATE TABLE release.about AS SELECT ? AS number, ? AS published_at, ? AS content, "
            "? AS edition, count(DISTINCT indicator) AS indicators, count(value) AS values_count, "
            "(SELECT coalesce(bool_or(simulated), false) FROM release.deliveries) AS simulated "
            "FROM release.indicator_values",
            [*about, edition],
        )
    finally:
        connection.execute("DETACH release")
    with path.open("rb") as file:
        os.fsync(file.fileno())
    path.chmod(0o444)
