"""Releases: numbered, immutable editions of the recueil, one DuckDB file each.

A release is written beside the others under a temporary name, then renamed, then the pointer
``current`` is replaced: readers see the former release or the new one, never half of one.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd

from odds_pipeline.home import Home
from odds_pipeline.indicators.compute import compute
from odds_pipeline.model.project import Project
from odds_pipeline.warehouse.store import Store, transaction

CONTENT_HASH = """
SELECT coalesce(bit_xor(md5_number_lower(concat_ws('|', indicator, month, territory, level,
    geography, value, obs_status, conf_status))), 0) FROM {0}
"""


@dataclass(frozen=True)
class Release:
    """``number`` counts from 1; ``new`` is false when nothing changed since the current one."""

    number: int
    path: Path
    indicators: int
    values: int
    simulated: bool
    content: str
    published_at: str
    new: bool = True


def release_path(home: Home, number: int) -> Path:
    """The file of a release."""
    return home.releases / f"{number:04d}.duckdb"


def current_number(home: Home) -> int | None:
    """Number of the release that readers see."""
    pointer = home.releases / "current"
    return int(pointer.read_text()) if pointer.exists() else None


def open_release(home: Home, number: int | None = None) -> duckdb.DuckDBPyConnection:
    """A read-only connection to a release, by default the current one.

    Raises :class:`LookupError` when there is none.
    """
    wanted = number if number is not None else current_number(home)
    if wanted is None:
        raise LookupError("no release yet: run `odds run`")
    path = release_path(home, wanted).resolve()
    if not path.exists():
        raise LookupError(f"no release {wanted}; known: {', '.join(map(str, numbers(home)))}")
    config: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": "false",
        "lock_configuration": "true",
    }
    return duckdb.connect(str(path), read_only=True, config=config)


def numbers(home: Home) -> list[int]:
    """Numbers of all releases, the oldest first."""
    if not home.releases.exists():
        return []
    return sorted(int(p.stem) for p in home.releases.glob("[0-9]*.duckdb"))


def definitions_table(project: Project) -> pd.DataFrame:
    """The definition sheet of every indicator, as readers find it in the release."""
    rows = []
    for entry in project.indicators.values():
        indicator = entry.indicator
        feeds = {project.variables[v][0].id: project.variables[v][0] for v in indicator.parsed.variables}
        rows.append(
            {
                "indicator": entry.id,
                "theme": entry.family.theme,
                "family": entry.family.id,
                "label": indicator.label,
                "short_label": indicator.short_label,
                "definition": indicator.definition,
                "unit": indicator.unit,
                "symbol": project.units[indicator.unit].symbol,
                "decimals": indicator.decimals,
                "formula": indicator.formula,
                "numerator": indicator.numerator,
                "denominator": indicator.denominator,
                "population": indicator.population,
                "direction": indicator.direction,
                "limits": indicator.limits,
                "cautions": list(indicator.cautions),
                "breaks": json.dumps([b.model_dump() for b in indicator.breaks], ensure_ascii=False),
                "source": " ; ".join(f.feed.source for f in feeds.values()),
                "licence": " ; ".join(sorted({f.partner.licence for f in feeds.values()})),
                "owner": indicator.owner,
                "declared_in": f"{entry.file}:{entry.line}",
            }
        )
    return pd.DataFrame(rows)


def _territories_table(project: Project) -> pd.DataFrame:
    return pd.DataFrame(
        [(t.code, t.label, t.level, t.geography, t.ept, t.departement) for t in project.territories.all],
        columns=["territory", "label", "level", "geography", "ept", "departement"],
    )


def _thresholds_table(project: Project) -> pd.DataFrame:
    """Smallest count that may be published, by variable; 0 where no rule applies."""
    return pd.DataFrame(
        [
            (name, entry.secrecy.threshold if project.units[v.unit].kind == "count" else 0)
            for name, (entry, v) in project.variables.items()
        ],
        columns=["variable", "threshold"],
    )


def _stale(connection: duckdb.DuckDBPyConnection, project: Project) -> list[str]:
    """Indicators with an input judged since they were last computed."""
    runs = dict(connection.execute("SELECT indicator, judgement FROM indicator_runs").fetchall())
    changed = dict(
        connection.execute("SELECT feed, max(judgement) FROM delivered_months GROUP BY feed").fetchall()
    )
    return [
        entry.id
        for entry in project.indicators.values()
        if entry.id not in runs
        or any(
            (changed.get(project.variables[v][0].id) or 0) > runs[entry.id]
            for v in entry.indicator.parsed.variables
        )
    ]


def _retire(connection: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Values of indicators that are no longer declared leave the working table."""
    connection.execute(
        "DELETE FROM indicator_values WHERE indicator NOT IN (SELECT unnest(?))",
        [list(project.indicators)],
    )


_COPY = (
    "CREATE TABLE release.indicator_values AS FROM indicator_values "
    "WHERE indicator IN (SELECT indicator FROM definitions_view) "
    "ORDER BY territory, indicator, month",
    "CREATE TABLE release.definitions AS FROM definitions_view",
    "CREATE TABLE release.territories AS FROM territories_view",
    # A figure under its producer's threshold stays in the warehouse; readers get its secret mark.
    "CREATE TABLE release.observations AS SELECT * EXCLUDE (known_to, hidden) REPLACE ("
    "CASE WHEN hidden THEN NULL ELSE value END AS value, "
    "CASE WHEN hidden THEN 'Q' ELSE obs_status END AS obs_status, "
    "CASE WHEN hidden THEN 'C' ELSE conf_status END AS conf_status) "
    "FROM (SELECT o.*, value > 0 AND value < t.threshold AS hidden FROM observations o "
    "JOIN thresholds_view t USING (variable)) o "
    "WHERE known_to IS NULL AND EXISTS (FROM delivered_months m WHERE m.delivery = o.delivery "
    "AND m.month = o.month AND m.state = 'accepted') ORDER BY variable, territory, month",
    "CREATE TABLE release.deliveries AS FROM deliveries d "
    "WHERE id IN (SELECT delivery FROM release.observations)",
    "CREATE TABLE release.verdicts AS FROM verdicts v "
    "WHERE delivery IN (SELECT id FROM release.deliveries)",
)


def publish(project: Project, home: Home) -> Release:
    """Publish a release; when nothing changed, the current one is returned, ``new`` false.

    Indicators whose inputs changed since they were computed are computed first, so that a release
    never holds a figure that its own observations contradict.
    """
    home.releases.mkdir(parents=True, exist_ok=True)
    for leftover in home.releases.glob(".*.tmp*"):
        leftover.unlink()
    with Store(home.warehouse).connect() as connection:
        with transaction(connection):
            _retire(connection, project)
            stale = _stale(connection, project)
            if stale:
                compute(project, connection, stale)
        definitions = definitions_table(project)
        content = _content(connection, definitions)
        last = current_number(home)
        if last is not None:
            former = describe(home, last)
            if former.content == content:
                return Release(**{**former.__dict__, "new": False})
        number = max([0, *numbers(home)]) + 1
        return _write(connection, project, home, number, content, definitions)


def _content(connection: duckdb.DuckDBPyConnection, definitions: pd.DataFrame) -> str:
    """A fingerprint of values and definitions, independent of order and of when they came."""
    row = connection.execute(CONTENT_HASH.format("indicator_values")).fetchone()
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
    number: int,
    content: str,
    definitions: pd.DataFrame,
) -> Release:
    temporary = home.releases / f".{number:04d}.tmp"
    connection.register("definitions_view", definitions)
    connection.register("territories_view", _territories_table(project))
    connection.register("thresholds_view", _thresholds_table(project))
    published_at = datetime.now(UTC).isoformat(timespec="seconds")
    connection.execute(f"ATTACH '{str(temporary).replace(chr(39), chr(39) * 2)}' AS release")
    try:
        for statement in _COPY:
            connection.execute(statement)
        row = connection.execute(
            "SELECT count(DISTINCT indicator), count(value), "
            "(SELECT coalesce(bool_or(simulated), false) FROM release.deliveries) "
            "FROM release.indicator_values"
        ).fetchone()
        assert row is not None
        release = Release(
            number, release_path(home, number), row[0], row[1], bool(row[2]), content, published_at
        )
        connection.execute(
            "CREATE TABLE release.about AS SELECT ? AS number, ? AS published_at, ? AS indicators, "
            "? AS values_count, ? AS simulated, ? AS content",
            [number, published_at, release.indicators, release.values, release.simulated, content],
        )
    finally:
        connection.execute("DETACH release")
        connection.unregister("definitions_view")
        connection.unregister("territories_view")
        connection.unregister("thresholds_view")
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.chmod(0o444)
    temporary.replace(release.path)
    pointer = home.releases / ".current.tmp"
    pointer.write_text(f"{number}\n", encoding="utf-8")
    pointer.replace(home.releases / "current")
    return release


def describe(home: Home, number: int) -> Release:
    """What a release says of itself."""
    with open_release(home, number) as connection:
        row = connection.execute(
            "SELECT number, indicators, values_count, simulated, content, published_at FROM about"
        ).fetchone()
    assert row is not None
    return Release(row[0], release_path(home, row[0]), row[1], row[2], bool(row[3]), row[4], row[5])
