"""The gate of the recueil: computed values are audited by the suites of their families before release.

An indicator that breaks a critical rule keeps what the last release said of it, with a mark that says
so, or stays out when no release ever had it. Secrecy only takes away from values that are kept.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import pandas as pd

from odds_pipeline.declarations.access import WIDEST
from odds_pipeline.declarations.project import IndicatorEntry, Project
from odds_pipeline.quality.findings import Finding, suite_findings
from odds_pipeline.release.formats import read_inputs
from odds_pipeline.release.published import current_number, release_path
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.sql import quoted, read_sql
from odds_pipeline.storage.store import transaction

_RELEASED, _COMPARED, _PRODUCER_RATES, _KEPT, _KEEP = (
    read_sql(__file__, name) for name in ("released", "compared", "producer_rates", "kept", "keep")
)

DEFAULTS, RECUEIL = "indicators/defaults", "recueil"

_PRINTS = """
SELECT indicator, bit_xor(hash(month, territory, level, geography, value, obs_status, conf_status))
FROM indicator_values GROUP BY indicator
"""

_RATES = """
SELECT variable, bit_xor(hash(month, territory, level, geography, value))
FROM observations WHERE known_to IS NULL AND variable IN (SELECT unnest(?)) GROUP BY variable
"""


class RecueilRefused(Exception):
    """The release as a whole broke a critical rule; the text says in French which, and what to do."""


@dataclass(frozen=True)
class Held:
    """Indicators that failed: the rule of each, and which of them keep values of the last release."""

    rules: dict[str, str]
    kept: frozenset[str]


def _suite(project: Project, entry: IndicatorEntry) -> str:
    own = f"indicators/{entry.family.theme}/{entry.family.id}"
    return own if own in project.suites else DEFAULTS


@contextmanager
def _former(connection: duckdb.DuckDBPyConnection, home: Home) -> Iterator[int | None]:
    """The widest file of the current release, attached as ``former``; ``None`` when there is none."""
    number = current_number(home)
    if number is None:
        yield None
        return
    path = release_path(home, number) / f"{WIDEST}.duckdb"
    connection.execute(f"ATTACH {quoted(path)} AS former (READ_ONLY)")
    try:
        yield number
    finally:
        connection.execute("DETACH former")


def _bases(connection: duckdb.DuckDBPyConnection, project: Project) -> dict[str, str]:
    """By computed indicator, a fingerprint of its values, its rules and the bounds of its unit."""
    rules = {key: repr(project.rules(key)) for key in project.suites if key.startswith("indicators/")}
    rates = dict(connection.execute(_RATES, [_published(project, list(project.indicators))]).fetchall())
    found = {}
    for name, values in connection.execute(_PRINTS).fetchall():
        entry = project.indicators[name]
        told = rates.get(entry.indicator.published_as)
        text = f"{values} {told} {rules[_suite(project, entry)]} {project.units[entry.indicator.unit]!r}"
        found[name] = hashlib.sha256(text.encode()).hexdigest()
    return found


def _passed(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """By indicator whose last verdict passed, what that verdict was about."""
    return dict(
        connection.execute(
            "SELECT indicator, any_value(basis) FROM indicator_verdicts "
            "WHERE indicator NOT IN (SELECT indicator FROM failing_indicator_verdicts) GROUP BY ALL"
        ).fetchall()
    )


def hold(connection: duckdb.DuckDBPyConnection, project: Project, home: Home) -> Held:
    """Audit the indicators whose values are new, record the verdicts, tell those that failed.

    The temporary table ``kept`` then holds what the last release said of the failed ones.
    """
    bases, passed = _bases(connection, project), _passed(connection)
    names = [name for name, basis in bases.items() if passed.get(name) != basis]
    findings: list[Finding] = []
    with _former(connection, home) as number:
        _released(connection, project, number if names else None)
        groups: dict[str, list[str]] = {}
        for name in names:
            groups.setdefault(_suite(project, project.indicators[name]), []).append(name)
        for suite, own in groups.items():
            findings += _audit(connection, project, suite, own)
    with transaction(connection):
        _record(connection, findings, bases, names)
    rules = {f.subject: f.rule for f in reversed(findings) if f.refuses}
    held = pd.DataFrame(rules.items(), columns=["indicator", "rule"]).astype("string")
    connection.register("held_frame", held)
    connection.execute("CREATE OR REPLACE TEMP TABLE held AS FROM held_frame")
    connection.unregister("held_frame")
    connection.execute(_KEPT, {"number": number})
    rows = connection.execute("SELECT DISTINCT indicator FROM kept").fetchall()
    return Held(rules, frozenset(name for (name,) in rows))


def _released(connection: duckdb.DuckDBPyConnection, project: Project, number: int | None) -> None:
    """Make ``released``: what of the last release may still be shown; empty when nothing asks for it."""
    if number is None:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE released AS SELECT * EXCLUDE reserve, NULL::VARCHAR AS "
            "hidden_by, false AS converted, reserve FROM indicator_values LIMIT 0"
        )
        return
    places = pd.DataFrame(list(project.territories.by_key), columns=["territory", "geography"])
    weights = pd.DataFrame(project.weights.items(), columns=["variable", "weight"]).astype("string")
    connection.register("known_places", places)
    connection.register("weights", weights)
    connection.register("former_inputs", read_inputs(connection, "former"))
    connection.execute(_RELEASED)
    connection.unregister("former_inputs")
    connection.unregister("known_places")
    connection.unregister("weights")


def _audit(
    connection: duckdb.DuckDBPyConnection, project: Project, suite: str, names: list[str]
) -> list[Finding]:
    """The findings of one suite on the values of ``names``."""
    units = [project.units[project.indicators[name].indicator.unit] for name in names]
    batch = pd.DataFrame(
        {
            "indicator": pd.Series(names, dtype="string"),
            "minimum": pd.Series([u.minimum for u in units], dtype="float64"),
            "maximum": pd.Series([u.maximum for u in units], dtype="float64"),
            "published_as": pd.Series(_published(project, names), dtype="string"),
        }
    )
    connection.register("audited", batch)
    connection.execute(_COMPARED)
    connection.execute(_PRODUCER_RATES)
    found = suite_findings(project.rules(suite), batch, connection, names, "indicator")
    connection.unregister("audited")
    return found


def _published(project: Project, names: list[str]) -> list[str | None]:
    return [project.indicators[name].indicator.published_as for name in names]


def _record(
    connection: duckdb.DuckDBPyConnection,
    findings: list[Finding],
    bases: dict[str, str],
    names: list[str],
) -> None:
    connection.execute(
        "DELETE FROM indicator_verdicts WHERE indicator IN (SELECT unnest(?)) "
        "OR indicator NOT IN (SELECT unnest(?))",
        [names, list(bases)],
    )
    if not findings:
        return
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = pd.DataFrame(
        [
            (f.subject, f.rule, f.severity, f.passed, f.message, f.remedy, f.count, f.rows_json,
             bases[f.subject], now)
            for f in findings
        ],
        columns=["indicator", "rule", "severity", "passed", "message", "remedy", "failing", "rows",
                 "basis", "judged_at"],
    )  # fmt: skip
    connection.register("new_verdicts", rows)
    connection.execute("INSERT INTO indicator_verdicts BY NAME FROM new_verdicts")
    connection.unregister("new_verdicts")


def keep_last_good(
    connection: duckdb.DuckDBPyConnection, home: Home, held: Held, definitions: pd.DataFrame
) -> pd.DataFrame:
    """Put the kept values in ``protected`` for those that failed; their definitions are returned too.

    A kept value stands beside the definition it was computed from, in the access class of today.
    """
    if not held.rules:
        return definitions
    connection.execute(_KEEP)
    sheets = definitions.set_index("indicator", drop=False)
    with _former(connection, home) as number:
        if number is not None and held.kept:
            former = connection.execute(
                "FROM former.definitions WHERE indicator IN (SELECT unnest(?))", [sorted(held.kept)]
            ).df()
            former["cautions"] = former["cautions"].map(list)
            shared = [c for c in sheets.columns if c in former.columns and not c.endswith("access")]
            for row in former.to_dict("records"):
                for column in shared:
                    sheets.at[row["indicator"], column] = row[column]
    return sheets[~sheets["indicator"].isin(held.rules.keys() - held.kept)].reset_index(drop=True)


def check_recueil(connection: duckdb.DuckDBPyConnection, project: Project, held: Held) -> None:
    """Audit all that is about to be published; :class:`RecueilRefused` when a critical rule fails."""
    batch = pd.DataFrame({"indicator": pd.Series(sorted(held.kept), dtype="string")})
    connection.register("retained", batch)
    findings = suite_findings(project.rules(RECUEIL), batch, connection)
    connection.unregister("retained")
    refused = [f for f in findings if f.refuses]
    if refused:
        named = ", ".join(
            sorted({str(r["indicator"]) for f in refused for r in f.rows if "indicator" in r})
        )
        text = " ".join(f"{f.rule} : {f.message} {f.remedy}" for f in refused)
        raise RecueilRefused(f"{text} {named}".strip())
