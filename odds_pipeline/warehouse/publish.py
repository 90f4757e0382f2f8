"""Publishing a release: what passed the gate is copied, protected, into one file an edition.

The folder is written beside the others under a temporary name, then renamed, then the pointer
``current`` is replaced: readers see the former release or the new one, never half of one.
"""

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd

from odds_pipeline.geography.conversion import IN_GEOGRAPHY
from odds_pipeline.home import Home
from odds_pipeline.indicators.comparison import compare
from odds_pipeline.indicators.compute import (
    compute,
    evaluate,
    gather,
    inputs_table,
    tables_of,
)
from odds_pipeline.indicators.staleness import Months, stale
from odds_pipeline.model.access import EDITIONS, Access, readable
from odds_pipeline.model.project import Project
from odds_pipeline.quality.catalogue_gate import check_catalogue, hold, keep_last_good
from odds_pipeline.secrecy.audit import audit_table
from odds_pipeline.secrecy.derived import hide_values
from odds_pipeline.secrecy.memory import forget_after, record
from odds_pipeline.secrecy.protect import Protection, protect
from odds_pipeline.secrecy.settled import record as record_settled
from odds_pipeline.warehouse.definitions import definitions_table
from odds_pipeline.warehouse.release import (
    Release,
    current_number,
    describe,
    numbers,
    release_path,
)
from odds_pipeline.warehouse.sql import quoted
from odds_pipeline.warehouse.store import Overtaken, Store, check_unique, transaction, version

# Twelve digits: the order in which machines add up decimals changes the sixteenth.
_CONTENT_HASH = """
SELECT coalesce(bit_xor(md5_number_lower(concat_ws('|', indicator, month, territory, level,
    geography, printf('%.12g', value), obs_status, conf_status, hidden_by, reserve))), 0) FROM protected
"""


def _territories_table(project: Project) -> pd.DataFrame:
    return pd.DataFrame(
        [
            (t.code, t.label, t.level, t.geography, t.ept, t.arrondissement, t.departement)
            for t in project.territories.all
        ],
        columns=["territory", "label", "level", "geography", "ept", "arrondissement", "departement"],
    )


def _access_table(project: Project) -> pd.DataFrame:
    return pd.DataFrame(
        [(name, entry.access) for name, (entry, _) in project.variables.items()],
        columns=["variable", "access"],
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


# What the protected figures say of each accepted observation: a hidden one keeps its line, not its
# value. Sorted once, for all editions.
_OBSERVATIONS = """
CREATE OR REPLACE TEMP TABLE published_observations AS
SELECT o.* EXCLUDE (known_to)
       REPLACE (a.value AS value, a.obs_status AS obs_status, a.conf_status AS conf_status,
                a.lower_bound AS lower_bound),
       a.hidden_by
FROM observations o
JOIN trusted_months m ON m.delivery = o.delivery AND m.month = o.month
JOIN marked k ON k.variable = o.variable AND k.month = o.month AND k.territory = o.territory
             AND k.level = o.level AND k.geography = o.geography
JOIN available a USING (v, p, t)
WHERE o.known_to IS NULL
ORDER BY o.variable, o.territory, o.month
"""

# One edition; $access lists the classes it may show. Provisional figures are for members first.
_COPY = (
    "CREATE TABLE release.definitions AS FROM definitions_view WHERE list_contains($access, access)",
    # The merged territories before their merger; readers find them through in_geography().
    "CREATE TABLE release.converted_values AS SELECT * EXCLUDE converted FROM protected "
    "WHERE converted AND indicator IN (SELECT indicator FROM release.definitions) "
    "AND (obs_status <> 'P' OR list_contains($access, 'membres')) "
    "ORDER BY territory, indicator, month",
    "CREATE TABLE release.territories AS FROM territories_view",
    "CREATE TABLE release.observations AS FROM published_observations "
    "WHERE variable IN (SELECT variable FROM access_view WHERE list_contains($access, access)) "
    "AND (obs_status <> 'P' OR list_contains($access, 'membres'))",
    "CREATE TABLE release.deliveries AS FROM deliveries d "
    "WHERE id IN (SELECT delivery FROM release.observations)",
    # The first failing rows of a verdict, and what it says of them, show figures before protection.
    "CREATE TABLE release.verdicts AS SELECT * REPLACE ('[]' AS rows, CASE WHEN failing = 0 "
    "THEN message ELSE 'Voir la notice adressée au producteur.' END AS message) FROM verdicts v "
    "WHERE delivery IN (SELECT id FROM release.deliveries)",
    "CREATE TABLE release.overrulings AS FROM overrulings "
    "WHERE delivery IN (SELECT id FROM release.deliveries)",
    "CREATE TABLE release.audit AS FROM audit_view WHERE edition = $edition",
)

_VALUES = (
    "CREATE OR REPLACE TEMP TABLE protected_values AS SELECT * EXCLUDE converted FROM protected "
    "WHERE NOT converted AND indicator IN (SELECT indicator FROM release.definitions) "
    "AND (obs_status <> 'P' OR list_contains($access, 'membres'))"
)

# What stands beside a value comes from values of its own indicator: an edition that shows all that the
# widest one shows of an indicator takes it from there. Comparing is half of writing an edition.
_SHARED = (
    "CREATE TABLE release.indicator_values AS FROM widest.indicator_values "
    "WHERE indicator IN (SELECT indicator FROM release.definitions)"
)


def publish(project: Project, home: Home) -> Release:
    """Publish a release; when nothing changed, the current one is returned, ``new`` false.

    Everything published is computed from protected figures. :class:`SecrecyError` when the audit
    finds that a hidden one can be derived, :class:`CatalogueRefused` when the edition as a whole
    breaks a rule: nothing is published then. An indicator whose values break a rule keeps its last.
    """
    home.releases.mkdir(parents=True, exist_ok=True)
    with Store(home.warehouse).connect() as connection:
        for leftover in home.releases.glob(".*.tmp"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        last = max([0, *numbers(home)])
        with transaction(connection):
            _retire(connection, project)
            _refresh(connection, project)
            forget_after(connection, last)
        check_unique(connection)
        held = hold(connection, project, home)
        seen = version(connection)
        tables = tables_of(project, list(project.indicators))
        tables = replace(tables, inputs=inputs_table(project, project.variables))
        gather(connection, project, tables, everything=True)
        protection = protect(connection, project, last)
        evaluate(connection, tables)
        hide_values(connection, project)
        connection.execute(_OBSERVATIONS)
        definitions = keep_last_good(connection, home, held, definitions_table(project))
        content = _content(connection, definitions)
        current = current_number(home)
        if current is not None:
            former = describe(home, current)
            if former.content == content:
                return Release(**{**former.__dict__, "new": False})
        check_catalogue(connection, project, held)
        views = {
            "definitions_view": definitions,
            "territories_view": _territories_table(project),
            "access_view": _access_table(project),
            "audit_view": audit_table(connection, project, protection),
        }
        return _write(project, connection, home, (last + 1, content, seen), views, protection)


def _content(connection: duckdb.DuckDBPyConnection, definitions: pd.DataFrame) -> str:
    """A fingerprint of what readers see, independent of order and of when it came."""
    row = connection.execute(_CONTENT_HASH).fetchone()
    connection.register("definitions_view", definitions)
    sheet = connection.execute(
        "SELECT coalesce(bit_xor(md5_number_lower(CAST(d AS VARCHAR))), 0) "
        "FROM (SELECT d FROM (SELECT * EXCLUDE (declared_in) FROM definitions_view) d)"
    ).fetchone()
    assert row is not None and sheet is not None
    return f"{row[0]:016x}{sheet[0]:016x}"


def _write(
    project: Project,
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    about: tuple[int, str, int | None],
    views: dict[str, pd.DataFrame],
    protection: Protection,
) -> Release:
    number, content, seen = about
    temporary = home.releases / f".{number:04d}.tmp"
    temporary.mkdir()
    for name, frame in views.items():
        connection.register(name, frame)
    published_at = datetime.now(UTC).isoformat(timespec="seconds")
    for edition in EDITIONS:
        _write_edition(connection, project, temporary, edition, (number, published_at, content))
    for name in views:
        connection.unregister(name)
    if version(connection) != seen:
        raise Overtaken("the warehouse changed while the release was written; publish again")
    with transaction(connection):
        record(connection, protection.places, number)
        record_settled(connection, protection.audited, number)
    temporary.replace(release_path(home, number))
    pointer = home.releases / ".current.tmp"
    pointer.write_text(f"{number}\n", encoding="utf-8")
    pointer.replace(home.releases / "current")
    return describe(home, number)


def _shows_as_much(connection: duckdb.DuckDBPyConnection, edition: Access) -> bool:
    """Whether the edition shows every value of its indicators: provisional ones are not for all."""
    provisional = connection.execute("FROM protected WHERE obs_status = 'P' LIMIT 1").fetchone()
    return provisional is None or "membres" in readable(edition)


def _write_edition(
    connection: duckdb.DuckDBPyConnection,
    project: Project,
    folder: Path,
    edition: Access,
    about: tuple[int, str, str],
) -> None:
    # One for all editions: a figure has the same age in each.
    latest = connection.execute("SELECT max(month) FROM protected").fetchone()
    path, widest = folder / f"{edition}.duckdb", folder / f"{EDITIONS[0]}.duckdb"
    connection.execute(f"ATTACH {quoted(path)} AS release")
    try:
        for statement in _COPY:
            given = {"access": list(readable(edition)), "edition": edition}
            connection.execute(statement, {k: v for k, v in given.items() if f"${k}" in statement})
        if path != widest and _shows_as_much(connection, edition):
            connection.execute(f"ATTACH {quoted(widest)} AS widest (READ_ONLY)")
            connection.execute(_SHARED)
            connection.execute("DETACH widest")
        else:
            connection.execute(_VALUES, {"access": list(readable(edition))})
            last = latest[0] if latest else None
            compare(project, connection, "protected_values", "release.indicator_values", last)
        row = connection.execute("SELECT current_database()").fetchone()
        assert row is not None
        connection.execute("USE release")  # the names in the macro are those of the release
        connection.execute(IN_GEOGRAPHY)
        connection.execute(f'USE "{row[0]}"')
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
