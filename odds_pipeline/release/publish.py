"""Publishing a release: what passed the gate is copied, protected, into one file an edition.

The folder is written beside the others under a temporary name, then renamed, then the pointer
``current`` is replaced: readers see the former release or the new one, never half of one.
"""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd

from odds_pipeline.beside import side_by_side
from odds_pipeline.declarations.access import EDITIONS
from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.compute import (
    all_inputs,
    compute,
    evaluate,
    gather,
    tables_of,
)
from odds_pipeline.indicators.sources import compare_sources
from odds_pipeline.indicators.staleness import Months, stale
from odds_pipeline.release.catalogue_gate import check_catalogue, hold, keep_last_good
from odds_pipeline.release.definitions import definitions_table
from odds_pipeline.release.editions import About, write_narrower, write_widest
from odds_pipeline.release.published import (
    Release,
    current_number,
    describe,
    numbers,
    release_path,
)
from odds_pipeline.secrecy.audit import audit_table
from odds_pipeline.secrecy.derived import hide_values
from odds_pipeline.secrecy.memory import forget_after, record
from odds_pipeline.secrecy.protect import protect
from odds_pipeline.secrecy.settled import record as record_settled
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.sql import one
from odds_pipeline.storage.store import Overtaken, Store, check_unique, transaction, version

# Twelve digits: the order in which machines add up decimals changes the sixteenth.
_CONTENT_HASH = """
SELECT coalesce(bit_xor(md5_number_lower(concat_ws('|', indicator, month, territory, level,
    geography, printf('%.12g', value), obs_status, conf_status, hidden_by, reserve))), 0) FROM protected
"""


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
        tables = replace(tables, inputs=all_inputs(project))
        gather(connection, project, tables, everything=True)
        protection = protect(connection, project, last)
        evaluate(connection, tables)
        hide_values(connection, project)
        definitions = keep_last_good(connection, home, held, definitions_table(project))
        compare_sources(project, connection)
        content = _content(connection, definitions)
        current = current_number(home)
        if current is not None:
            former = describe(home, current)
            if former.content == content:
                return replace(former, new=False)
        check_catalogue(connection, project, held)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        (latest,) = one(connection, "SELECT max(month) FROM protected")
        audited = audit_table(connection, project, protection)
        about = About(last + 1, now, content, latest, audited)
        temporary = home.releases / f".{about.number:04d}.tmp"
        _write(project, connection, temporary, about, definitions)
        if version(connection) != seen:
            raise Overtaken("the warehouse changed while the release was written; publish again")
        with transaction(connection):
            record(connection, protection.places, about.number)
            record_settled(connection, protection.audited, about.number)
        temporary.replace(release_path(home, about.number))
        pointer = home.releases / ".current.tmp"
        pointer.write_text(f"{about.number}\n", encoding="utf-8")
        pointer.replace(home.releases / "current")
        return describe(home, about.number)


def _content(connection: duckdb.DuckDBPyConnection, definitions: pd.DataFrame) -> str:
    """A fingerprint of what readers see, independent of order and of when it came."""
    (values,) = one(connection, _CONTENT_HASH)
    connection.register("definitions_view", definitions)
    (sheets,) = one(
        connection,
        "SELECT coalesce(bit_xor(md5_number_lower(CAST(d AS VARCHAR))), 0) "
        "FROM (SELECT d FROM (SELECT * EXCLUDE (declared_in) FROM definitions_view) d)",
    )
    connection.unregister("definitions_view")
    (sources,) = one(
        connection,
        "SELECT coalesce(bit_xor(md5_number_lower(CAST(s AS VARCHAR))), 0) FROM sources_compared s",
    )
    return f"{values:016x}{sheets ^ sources:016x}"


def _write(
    project: Project,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    about: About,
    definitions: pd.DataFrame,
) -> None:
    folder.mkdir()
    paths = {edition: folder / f"{edition}.duckdb" for edition in EDITIONS}
    (widest, path), *others = paths.items()
    write_widest(connection, project, path, widest, about, definitions)
    side_by_side(project, write_narrower, *((path, own, edition, about) for edition, own in others))
