"""Computes indicators: definitions become rows, and a handful of statements compute them all.

Statuses travel with the figures: a secret input makes a secret value, a missing one a missing
value. Sums over territories need every part; a ratio at a higher level comes from the sums of its
parts. A variable of another feed than the driving one is its latest figure not after the month.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pandas as pd

from odds_pipeline.model.project import Project

MONTH_INDEX = "CAST(left({0}, 4) AS INTEGER) * 12 + CAST(right({0}, 2) AS INTEGER)"

# A figure counts only if its delivery's month is trusted (see schema.sql); a count under its
# producer's threshold is secret, and so is all that is computed from it.
_CURRENT = f"""
CREATE OR REPLACE TEMP TABLE available AS
SELECT o.variable, o.month, o.territory, o.level, o.geography, o.value, o.obs_status,
       CASE WHEN v.kind = 'count' AND o.value > 0 AND o.value < v.threshold THEN 'C'
            ELSE o.conf_status END AS conf_status,
       {MONTH_INDEX.format("o.month")} AS t, false AS converted, m.reserve
FROM observations o
JOIN inputs v ON v.variable = o.variable
JOIN trusted_months m ON m.delivery = o.delivery AND m.month = o.month
WHERE o.known_to IS NULL
"""

# The different reserves of several figures; a list, empty nearly always, costs less than a DISTINCT.
_RESERVES = """CASE WHEN count(reserve) > 0 THEN array_to_string(
    list_sort(list_distinct(list(reserve) FILTER (WHERE reserve IS NOT NULL))), ' ') END"""

# Wholes from complete sets of parts, where nothing was delivered for the whole itself.
_WHOLES = """
INSERT INTO available
WITH pieces AS (
    SELECT o.*, v.aggregation, w.value AS weight, w.conf_status AS weight_conf,
           p.whole, p.whole_level, p.whole_geography, p.parts
    FROM available o
    JOIN inputs v ON v.variable = o.variable
    JOIN parts p ON p.part = o.territory AND p.part_level = o.level
                AND p.part_geography = o.geography
                AND (p.part_geography <> p.whole_geography) = $across
    LEFT JOIN available w ON w.variable = v.aggregation AND w.month = o.month
         AND w.territory = o.territory AND w.level = o.level AND w.geography = o.geography
    WHERE p.parts = 1 OR v.aggregation <> 'none'
), sums AS (
    SELECT variable, month, whole AS territory, whole_level AS level,
           whole_geography AS geography, t,
           bool_or(conf_status <> 'F' OR coalesce(weight_conf, 'F') <> 'F') AS secret,
           count(*) = any_value(parts) AND count(value) = count(*) AS complete,
           CASE WHEN any_value(parts) = 1 THEN any_value(value)
                WHEN any_value(aggregation) = 'sum' THEN sum(value)
                WHEN count(weight) = count(*) THEN sum(value * weight) / nullif(sum(weight), 0)
           END AS value,
           max(obs_status) FILTER (WHERE value IS NULL) AS missing_status,
           max(obs_status) FILTER (WHERE value IS NOT NULL) AS status,
           RESERVES AS reserve
    FROM pieces GROUP BY ALL
)
SELECT variable, month, territory, level, geography,
       CASE WHEN complete AND NOT (secret AND level <> 'commune' AND value IS NULL) THEN value END,
       CASE WHEN complete AND value IS NOT NULL THEN status
            WHEN secret THEN 'Q' ELSE coalesce(missing_status, 'O') END,
       CASE WHEN secret THEN 'C' ELSE 'F' END, t, $across, reserve
FROM sums s
WHERE NOT EXISTS (
    FROM available a WHERE a.variable = s.variable AND a.month = s.month
     AND a.territory = s.territory AND a.level = s.level AND a.geography = s.geography
)
"""

_VALUES = """
CREATE OR REPLACE TEMP TABLE computed AS
WITH spine AS MATERIALIZED (
    SELECT d.indicator, d.factor, d.root, d.divides, o.month, o.territory, o.level, o.geography, o.t
    FROM definitions d
    JOIN available o ON o.variable = d.driving AND NOT o.converted
    JOIN levels l ON l.indicator = d.indicator AND l.level = o.level
    WHERE o.month BETWEEN $first AND $last
), asked AS (
    SELECT s.*, k.side, k.variable, k.coefficient, k.exact, s.t - 12 * k.lag AS wanted
    FROM spine s JOIN terms k ON k.indicator = s.indicator
), cells AS (
    SELECT q.*, a.value, a.obs_status, a.conf_status, a.month AS input_month, a.reserve
    FROM asked q LEFT JOIN available a
      ON a.variable = q.variable AND a.territory = q.territory AND a.level = q.level
     AND a.geography = q.geography AND a.t = q.wanted
    WHERE q.exact
    UNION ALL
    SELECT q.*, a.value, a.obs_status, a.conf_status, a.month, a.reserve
    FROM (FROM asked WHERE NOT exact) q ASOF LEFT JOIN available a
      ON a.variable = q.variable AND a.territory = q.territory AND a.level = q.level
     AND a.geography = q.geography AND q.wanted >= a.t
), sides AS (
    SELECT indicator, month, territory, level, geography,
           any_value(factor) AS factor, any_value(root) AS root, any_value(divides) AS divides,
           sum(coefficient * value) FILTER (WHERE side = 'numerator') AS numerator,
           sum(coefficient * value) FILTER (WHERE side = 'denominator') AS denominator,
           bool_or(coalesce(conf_status, 'F') <> 'F') AS secret,
           count(value) < count(*) AS missing,
           max(coalesce(obs_status, 'O')) FILTER (WHERE value IS NULL) AS missing_status,
           max(obs_status) FILTER (WHERE value IS NOT NULL) AS status,
           min(input_month) AS oldest_input,
           RESERVES AS reserve
    FROM cells GROUP BY indicator, month, territory, level, geography
), figures AS (
    SELECT *, CASE WHEN secret OR missing THEN NULL
                   WHEN NOT divides THEN factor * numerator
                   WHEN denominator = 0 THEN NULL
                   WHEN root IS NOT NULL AND numerator / denominator < 0 THEN NULL
                   WHEN root IS NOT NULL THEN factor * (pow(numerator / denominator, 1.0 / root) - 1)
                   ELSE factor * numerator / denominator END AS value
    FROM sides
)
SELECT indicator, month, territory, level, geography, value,
       CASE WHEN secret THEN 'Q' WHEN missing THEN missing_status
            WHEN value IS NULL THEN 'M' ELSE status END AS obs_status,
       CASE WHEN secret THEN 'C' ELSE 'F' END AS conf_status,
       CASE WHEN NOT secret AND NOT missing THEN numerator END AS numerator,
       CASE WHEN NOT secret AND NOT missing THEN denominator END AS denominator,
       oldest_input, reserve
FROM figures
"""


@dataclass(frozen=True)
class Tables:
    """The definitions of some indicators as tables for the statements above."""

    definitions: pd.DataFrame
    terms: pd.DataFrame
    levels: pd.DataFrame
    inputs: pd.DataFrame
    parts: pd.DataFrame


def tables_of(project: Project, indicators: Sequence[str]) -> Tables:
    """Rows that say how to compute ``indicators``."""
    entries = [project.indicators[name] for name in indicators]
    definitions, terms, levels = [], [], []
    needed: set[str] = set()
    for entry in entries:
        indicator, formula = entry.indicator, entry.indicator.parsed
        driving = indicator.driving_variable
        feed = project.variables[driving][0].id
        divides = bool(formula.denominator)
        definitions.append((entry.id, formula.factor, formula.root, driving, divides))
        levels += [(entry.id, level) for level in indicator.levels]
        for term in formula.terms:
            exact = project.variables[term.variable][0].id == feed
            terms.append((entry.id, term.side, term.variable, term.lag, term.coefficient, exact))
        needed |= {driving, *formula.variables}
    weights = {project.variables[v][1].aggregation for v in needed} - {"sum", "none"}
    rows = []
    for name in sorted(needed | weights):
        feed_entry, variable = project.variables[name]
        kind = project.units[variable.unit].kind
        rows.append((name, variable.aggregation, kind, feed_entry.secrecy.threshold))
    return Tables(
        pd.DataFrame(definitions, columns=["indicator", "factor", "root", "driving", "divides"]).astype(
            {"root": "Int64"}
        ),
        pd.DataFrame(terms, columns=["indicator", "side", "variable", "lag", "coefficient", "exact"]),
        pd.DataFrame(levels, columns=["indicator", "level"]),
        pd.DataFrame(rows, columns=["variable", "aggregation", "kind", "threshold"]),
        parts_table(project),
    )


def parts_table(project: Project) -> pd.DataFrame:
    """Parts of every whole with the number of them, so that an incomplete sum is told."""
    territories = project.territories
    frame = pd.DataFrame(
        [
            (
                p.part,
                territories.by_key[p.part, p.part_geography].level,
                p.part_geography,
                p.whole,
                p.whole_level,
                p.whole_geography,
            )
            for p in territories.parts
        ],
        columns=["part", "part_level", "part_geography", "whole", "whole_level", "whole_geography"],
    )
    groups = ["whole", "whole_level", "whole_geography", "part_geography"]
    frame["parts"] = frame.groupby(groups)["part"].transform("size")
    return frame


def evaluate(connection: duckdb.DuckDBPyConnection, tables: Tables, first: str, last: str) -> None:
    """Fill the temporary table ``computed`` from ``observations`` and ``trusted_months``."""
    for name in ("definitions", "terms", "levels", "inputs", "parts"):
        connection.register(name, getattr(tables, name))
    connection.execute(_CURRENT)
    wholes = _WHOLES.replace("RESERVES", _RESERVES)
    connection.execute(wholes, {"across": False})
    connection.execute(wholes, {"across": True})
    connection.execute(_VALUES.replace("RESERVES", _RESERVES), {"first": first, "last": last})
    for name in ("definitions", "terms", "levels", "inputs", "parts"):
        connection.unregister(name)


def compute(
    project: Project,
    connection: duckdb.DuckDBPyConnection,
    indicators: Sequence[str],
    first: str = "0000-00",
    last: str = "9999-99",
) -> dict[tuple[str, str], tuple[int, int]]:
    """Replace the values of ``indicators`` between two months.

    Returns, by indicator and month, how many territories there are and how many have a value. To
    be called inside a transaction.
    """
    evaluate(connection, tables_of(project, indicators), first, last)
    names = list(indicators)
    connection.execute(
        "DELETE FROM indicator_values WHERE month BETWEEN ? AND ? AND indicator IN (SELECT unnest(?))",
        [first, last, names],
    )
    connection.execute("INSERT INTO indicator_values BY NAME SELECT * FROM computed")
    if (first, last) == ("0000-00", "9999-99"):
        known = bases(project, connection)
        connection.execute("DELETE FROM indicator_bases WHERE indicator IN (SELECT unnest(?))", [names])
        connection.execute(
            "INSERT INTO indicator_bases SELECT unnest(?), unnest(?)",
            [names, [known[name] for name in names]],
        )
    counts = connection.execute(
        "SELECT indicator, month, count(*), count(value) FROM computed GROUP BY ALL"
    ).fetchall()
    return {(indicator, month): (rows, values) for indicator, month, rows, values in counts}


def bases(project: Project, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """By indicator, a fingerprint of all that its values come from: definition and trusted figures.

    A formula edited, a verdict gone or a month overruled changes it, whoever made the change.
    """
    trusted = dict(
        connection.execute(
            "SELECT feed, bit_xor(md5_number_lower("
            "concat_ws('|', delivery, month, judgement, reserve))) "
            "FROM trusted_months GROUP BY feed"
        ).fetchall()
    )
    rules = repr((project.territories, sorted(project.units.items())))
    found = {}
    for entry in project.indicators.values():
        names = {entry.indicator.driving_variable, *entry.indicator.parsed.variables}
        names |= {project.variables[v][1].aggregation for v in names} - {"sum", "none"}
        inputs = [
            (name, variable.unit, variable.aggregation, feed.secrecy.threshold, trusted.get(feed.id))
            for name, (feed, variable) in ((n, project.variables[n]) for n in sorted(names))
        ]
        definition = (entry.indicator.parsed, entry.indicator.driving_variable, entry.indicator.levels)
        text = f"{definition!r} {inputs!r} {rules}"
        found[entry.id] = hashlib.sha256(text.encode()).hexdigest()
    return found
