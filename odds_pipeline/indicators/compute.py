"""Computes indicators: definitions become rows, and a handful of statements compute them all.

Statuses travel with the figures: a secret input makes a secret value, a missing one a missing
value. Sums over territories need every part; a ratio at a higher level comes from the sums of its
parts. A variable of another feed than the driving one is its latest figure not after the month.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pandas as pd

from odds_pipeline.indicators.staleness import ALL, record, spans_of_feeds, stale, within
from odds_pipeline.model.project import Project

MONTH_INDEX = "CAST(left({0}, 4) AS INTEGER) * 12 + CAST(right({0}, 2) AS INTEGER)"

# Variables, places (territory, level, geography) and months are numbered: joins and groups over four
# million figures take a quarter of the time of the same on text.
_NUMBERS = """
CREATE OR REPLACE TEMP TABLE numbered_inputs AS
SELECT i.*, row_number() OVER (ORDER BY i.variable)::INTEGER AS v FROM inputs i;
CREATE OR REPLACE TEMP TABLE places AS
SELECT *, row_number() OVER (ORDER BY territory, level, geography)::INTEGER AS p
FROM (SELECT DISTINCT territory, level, geography FROM observations
      WHERE known_to IS NULL AND variable IN (SELECT variable FROM inputs)
      UNION SELECT whole, whole_level, whole_geography FROM parts
      UNION SELECT part, part_level, part_geography FROM parts);
CREATE OR REPLACE TEMP TABLE numbered_terms AS
SELECT d.i, d.driving = k.variable AND k.lag = 0 AS drives, k.side, k.coefficient, k.exact, k.lag, v.v
FROM (SELECT *, row_number() OVER (ORDER BY indicator)::INTEGER AS i FROM definitions) d
JOIN terms k ON k.indicator = d.indicator JOIN numbered_inputs v ON v.variable = k.variable;
CREATE OR REPLACE TEMP TABLE numbered_definitions AS
SELECT d.*, v.v AS driving_v, k.terms, k.all_exact AND k.drives AS all_exact
FROM (SELECT *, row_number() OVER (ORDER BY indicator)::INTEGER AS i FROM definitions) d
JOIN numbered_inputs v ON v.variable = d.driving
JOIN (SELECT i, count(*) AS terms, bool_and(exact) AS all_exact, bool_or(drives) AS drives
      FROM numbered_terms GROUP BY i) k USING (i);
"""

# A figure counts only if its delivery's month is trusted (see schema.sql); a count under its
# producer's threshold is secret, and so is all that is computed from it.
_CURRENT = f"""
CREATE OR REPLACE TEMP TABLE available AS
SELECT v.v, p.p, ({MONTH_INDEX.format("o.month")})::INTEGER AS t, o.value, o.obs_status,
       CASE WHEN v.kind = 'count' AND o.value > 0 AND o.value < v.threshold THEN 'C'
            ELSE o.conf_status END AS conf_status,
       false AS converted, m.reserve
FROM observations o
JOIN numbered_inputs v ON v.variable = o.variable
JOIN places p ON p.territory = o.territory AND p.level = o.level AND p.geography = o.geography
JOIN trusted_months m ON m.delivery = o.delivery AND m.month = o.month
WHERE o.known_to IS NULL
"""

# The different reserves of several figures; a list, empty nearly always, costs less than a DISTINCT.
_RESERVES = """CASE WHEN count(reserve) > 0 THEN array_to_string(
    list_sort(list_distinct(list(reserve) FILTER (WHERE reserve IS NOT NULL))), ' ') END"""

# Wholes from complete sets of parts, where nothing was delivered for the whole itself: those that an
# indicator asks for, in a geography that a figure to compute is written in.
_WANTED = """
CREATE OR REPLACE TEMP TABLE wanted AS
WITH asked AS (
    SELECT DISTINCT a.geography FROM (
        SELECT DISTINCT o.p FROM available o JOIN numbered_definitions d ON d.driving_v = o.v
        WHERE NOT o.converted AND o.t BETWEEN $first AND $last
    ) o JOIN places a ON a.p = o.p
)
SELECT b.p AS part, a.p AS whole, w.parts, a.level, w.part_geography <> w.whole_geography AS across
FROM parts w
JOIN places a ON a.territory = w.whole AND a.level = w.whole_level AND a.geography = w.whole_geography
JOIN places b ON b.territory = w.part AND b.level = w.part_level AND b.geography = w.part_geography
WHERE w.whole_level IN (SELECT level FROM levels) AND w.whole_geography IN (FROM asked)
"""

_WHOLES = f"""
INSERT INTO available
WITH pieces AS (
    SELECT o.*, i.aggregation, w.value AS weight, w.conf_status AS weight_conf,
           p.whole, p.level, p.parts
    FROM available o
    JOIN numbered_inputs i ON i.v = o.v
    JOIN wanted p ON p.part = o.p AND p.across = $across
    LEFT JOIN numbered_inputs x ON x.variable = i.aggregation
    LEFT JOIN available w ON w.v = x.v AND w.p = o.p AND w.t = o.t
    WHERE p.parts = 1 OR i.aggregation <> 'none'
), sums AS (
    SELECT v, whole AS p, any_value(level) AS level, t,
           bool_or(conf_status <> 'F' OR coalesce(weight_conf, 'F') <> 'F') AS secret,
           count(*) = any_value(parts) AND count(value) = count(*) AS complete,
           CASE WHEN any_value(parts) = 1 THEN any_value(value)
                WHEN any_value(aggregation) = 'sum' THEN sum(value)
                WHEN count(weight) = count(*) THEN sum(value * weight) / nullif(sum(weight), 0)
           END AS value,
           max(obs_status) FILTER (WHERE value IS NULL) AS missing_status,
           max(obs_status) FILTER (WHERE value IS NOT NULL) AS status,
           {_RESERVES} AS reserve
    FROM pieces GROUP BY v, whole, t
)
SELECT v, p, t,
       CASE WHEN complete AND NOT (secret AND level <> 'commune' AND value IS NULL) THEN value END,
       CASE WHEN complete AND value IS NOT NULL THEN status
            WHEN secret THEN 'Q' ELSE coalesce(missing_status, 'O') END,
       CASE WHEN secret THEN 'C' ELSE 'F' END, $across, reserve
FROM sums s
WHERE NOT EXISTS (FROM available a WHERE a.v = s.v AND a.p = s.p AND a.t = s.t)
"""

# A formula's terms over one feed are found from the figures themselves, those over several feeds from
# each figure of the driving one: the latter need a search for the latest month, and are few.
_SIDES = f"""
CREATE OR REPLACE TEMP TABLE sides AS
WITH cells AS (
    SELECT k.i, a.p, a.t + 12 * k.lag AS t, k.side, k.coefficient,
           k.drives AND NOT a.converted AS drives,
           a.value, a.obs_status, a.conf_status, a.t AS input_t, a.reserve
    FROM numbered_terms k JOIN numbered_definitions d ON d.i = k.i AND d.all_exact
    JOIN available a ON a.v = k.v
    WHERE a.t + 12 * k.lag BETWEEN $first AND $last
), spine AS MATERIALIZED (
    SELECT d.i, o.p, o.t FROM numbered_definitions d
    JOIN available o ON o.v = d.driving_v AND NOT o.converted
    WHERE NOT d.all_exact AND o.t BETWEEN $first AND $last
), asked AS (
    SELECT s.i, s.p, s.t, k.side, k.coefficient, k.exact, k.v, s.t - 12 * k.lag AS wanted
    FROM spine s JOIN numbered_terms k ON k.i = s.i
), every AS (
    FROM cells
    UNION ALL
    SELECT q.i, q.p, q.t, q.side, q.coefficient, true,
           a.value, a.obs_status, a.conf_status, a.t, a.reserve
    FROM asked q LEFT JOIN available a ON a.v = q.v AND a.p = q.p AND a.t = q.wanted
    WHERE q.exact
    UNION ALL
    SELECT q.i, q.p, q.t, q.side, q.coefficient, true,
           a.value, a.obs_status, a.conf_status, a.t, a.reserve
    FROM (FROM asked WHERE NOT exact) q ASOF LEFT JOIN available a
      ON a.v = q.v AND a.p = q.p AND q.wanted >= a.t
), grouped AS (
SELECT i, p, t,
       sum(coefficient * value) FILTER (WHERE side = 'numerator') AS numerator,
       sum(coefficient * value) FILTER (WHERE side = 'denominator') AS denominator,
       bool_or(coalesce(conf_status, 'F') <> 'F') AS secret,
       count(value) AS found,
       count(obs_status) AS delivered,
       max(obs_status) FILTER (WHERE value IS NULL) AS missing_status,
       max(obs_status) FILTER (WHERE value IS NOT NULL) AS status,
       min(input_t) AS oldest_t,
       {_RESERVES} AS reserve
FROM every GROUP BY i, p, t HAVING bool_or(drives)
)
FROM grouped SEMI JOIN (
    SELECT d.i, p.p FROM levels l JOIN numbered_definitions d USING (indicator)
    JOIN places p USING (level)
) USING (i, p)
"""

_COMPUTED = """
CREATE OR REPLACE TEMP VIEW computed AS
WITH known AS (
    SELECT d.indicator, p.territory, p.level, p.geography, d.factor, d.root, d.divides, s.*,
           s.found < d.terms AS missing,
           -- A term without any row is absent, which is told apart from the other kinds of missing.
           CASE WHEN s.delivered < d.terms THEN greatest('O', coalesce(s.missing_status, 'O'))
                ELSE s.missing_status END AS why
    FROM sides s JOIN numbered_definitions d ON d.i = s.i JOIN places p ON p.p = s.p
), figures AS (
    SELECT *, CASE WHEN secret OR missing THEN NULL
                   WHEN NOT divides THEN factor * numerator
                   WHEN denominator <= 0 THEN NULL
                   WHEN root IS NOT NULL AND numerator < 0 THEN NULL
                   WHEN root IS NOT NULL THEN factor * (pow(numerator / denominator, 1.0 / root) - 1)
                   ELSE factor * numerator / denominator END AS value
    FROM known
)
SELECT f.indicator, m.month, f.territory, f.level, f.geography, f.value,
       CASE WHEN secret THEN 'Q' WHEN missing THEN why
            WHEN value IS NULL THEN 'M' ELSE status END AS obs_status,
       CASE WHEN secret THEN 'C' ELSE 'F' END AS conf_status,
       CASE WHEN NOT secret AND NOT missing THEN numerator END AS numerator,
       CASE WHEN NOT secret AND NOT missing THEN denominator END AS denominator,
       o.month AS oldest_input, f.reserve
FROM figures f JOIN months m ON m.t = f.t LEFT JOIN months o ON o.t = f.oldest_t
"""

_MONTHS = """
CREATE OR REPLACE TEMP TABLE months AS
SELECT t, printf('%04d-%02d', (t - 1) // 12, (t - 1) % 12 + 1) AS month
FROM (SELECT DISTINCT t FROM sides UNION SELECT DISTINCT oldest_t FROM sides) WHERE t IS NOT NULL
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
    """Make the temporary view ``computed`` from ``observations`` and ``trusted_months``."""
    names = ("definitions", "terms", "levels", "inputs", "parts")
    for name in names:
        connection.register(name, getattr(tables, name))
    span = {"first": month_index(first), "last": month_index(last)}
    connection.execute(_NUMBERS)
    connection.execute(_CURRENT)
    connection.execute(_WANTED, span)
    # Within a geography first: what is added up there is then converted.
    steps = connection.execute("SELECT DISTINCT across FROM wanted ORDER BY across").fetchall()
    for (across,) in steps:
        connection.execute(_WHOLES, {"across": across})
    connection.execute(_SIDES, span)
    connection.execute(_MONTHS)
    connection.execute(_COMPUTED)
    for name in names:
        connection.unregister(name)


def month_index(month: str) -> int:
    """Months since the year 0, as the statements count them."""
    return int(month[:4]) * 12 + int(month[5:])


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
    names = list(indicators)
    changed = stale(project, connection, names)
    spans = spans_of_feeds(connection)
    evaluate(connection, tables_of(project, names), first, last)
    followed = []
    for name in names:
        entry = project.indicators[name].indicator
        own = spans.get(project.feed_of(entry).id, ALL)
        months = within(changed.get(name, own), own)
        # A history with nothing outside the span is replaced whole, months no longer trusted with it.
        if first <= months[0] and months[1] <= last:
            followed.append(name)
    whole = [n for n in followed if changed.get(n) == ALL]
    connection.execute(
        "DELETE FROM indicator_values WHERE (month BETWEEN ? AND ? AND indicator IN (SELECT unnest(?))) "
        "OR indicator IN (SELECT unnest(?))",
        [first, last, names, whole],
    )
    connection.execute("INSERT INTO indicator_values BY NAME SELECT * FROM computed")
    record(project, connection, followed)
    counts = connection.execute(
        "SELECT indicator, month, count(*), count(value) FROM computed GROUP BY ALL"
    ).fetchall()
    return {(indicator, month): (rows, values) for indicator, month, rows, values in counts}
