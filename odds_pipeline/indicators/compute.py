"""Computes indicators: definitions become rows, and a handful of statements compute them all.

Statuses travel with the figures: a secret input makes a secret value, a missing one a missing
value. Sums over territories need every part; a ratio at a higher level comes from the sums of its
parts. A change over years that crosses a break of its series has no value. A variable of another
feed than the driving one is its latest figure not after the month.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import duckdb
import pandas as pd

from odds_pipeline.declarations.formula import year_total
from odds_pipeline.declarations.indicator import Indicator
from odds_pipeline.declarations.project import IndicatorEntry, Project
from odds_pipeline.indicators.crossings import crossings
from odds_pipeline.indicators.staleness import ALL, record, spans_of_feeds, stale, within
from odds_pipeline.months import month_index

FIGURES = 1_000_000
"""Figures that one statement computes; more go in several, so that a country fits in memory."""

MONTH_INDEX = "CAST(left({0}, 4) AS INTEGER) * 12 + CAST(right({0}, 2) AS INTEGER)"

# Variables, places (territory, level, geography) and months are numbered: joins and groups over four
# million figures take a quarter of the time of the same on text.
_PLACES = """
CREATE OR REPLACE TEMP TABLE numbered_inputs AS
SELECT i.* REPLACE (total_of::VARCHAR AS total_of),
       row_number() OVER (ORDER BY i.variable)::INTEGER AS v FROM inputs i;
CREATE OR REPLACE TEMP TABLE places AS
SELECT *, row_number() OVER (ORDER BY territory, level, geography)::INTEGER AS p,
       (territory, geography) IN (SELECT territory, geography FROM changed) AS changed
FROM (SELECT DISTINCT territory, level, geography FROM observations
      WHERE known_to IS NULL AND variable IN (SELECT variable FROM inputs)
      UNION SELECT whole, whole_level, whole_geography FROM parts
      UNION SELECT part, part_level, part_geography FROM parts);
"""

_TERMS = """
CREATE OR REPLACE TEMP TABLE numbered_terms AS
SELECT d.i, d.driving = k.variable AND k.lag = 0 AS drives, k.side, k.coefficient, k.exact, k.lag, v.v
FROM (SELECT *, row_number() OVER (ORDER BY indicator)::INTEGER AS i FROM definitions) d
JOIN terms k ON k.indicator = d.indicator JOIN numbered_inputs v ON v.variable = k.variable;
CREATE OR REPLACE TEMP TABLE numbered_definitions AS
SELECT d.*, v.v AS driving_v, coalesce(m.v, v.v) AS delivered_v, k.terms,
       k.all_exact AND k.drives AS all_exact
FROM (SELECT *, row_number() OVER (ORDER BY indicator)::INTEGER AS i FROM definitions) d
JOIN numbered_inputs v ON v.variable = d.driving
LEFT JOIN numbered_inputs m ON m.variable = v.total_of
JOIN (SELECT i, count(*) AS terms, bool_and(exact) AS all_exact, bool_or(drives) AS drives
      FROM numbered_terms GROUP BY i) k USING (i);
CREATE OR REPLACE TEMP TABLE numbered_crossings AS
SELECT d.i, c.t, c.until FROM crossings c JOIN numbered_definitions d USING (indicator);
"""

# A figure counts only if its delivery's month is trusted (storage/schema/views.sql). `delivered` tells
# it from a whole computed below, `converted` from the same territory's figure in another geography.
_CURRENT = f"""
CREATE OR REPLACE TEMP TABLE available AS
SELECT v.v, p.p, ({MONTH_INDEX.format("o.month")})::INTEGER AS t, o.value, o.obs_status,
       o.conf_status, CASE WHEN o.conf_status <> 'F' THEN 'producteur' END AS hidden_by, o.lower_bound,
       true AS delivered, false AS converted, m.reserve
FROM observations o
JOIN numbered_inputs v ON v.variable = o.variable
JOIN places p ON p.territory = o.territory AND p.level = o.level AND p.geography = o.geography
JOIN trusted_months m ON m.delivery = o.delivery AND m.month = o.month
WHERE o.known_to IS NULL
"""

# The different reserves of several figures; a list, empty nearly always, costs less than a DISTINCT.
_RESERVES = """CASE WHEN count(reserve) > 0 THEN array_to_string(
    list_sort(list_distinct(list(reserve) FILTER (WHERE reserve IS NOT NULL))), ' ') END"""

_HIDDEN_BY = """CASE WHEN bool_or(hidden_by = 'producteur') THEN 'producteur'
    WHEN bool_or(hidden_by = 'primaire') THEN 'primaire' ELSE any_value(hidden_by) END"""

# Wholes from complete sets of parts, where nothing was delivered for the whole itself: those that an
# indicator asks for, in a geography that a figure to compute is written in; or all of them.
_WANTED = """
CREATE OR REPLACE TEMP TABLE wanted AS
WITH asked AS (
    SELECT DISTINCT a.geography FROM (
        SELECT DISTINCT o.p FROM available o JOIN numbered_definitions d ON d.delivered_v = o.v
        WHERE NOT o.converted AND o.t BETWEEN $first AND $last
    ) o JOIN places a ON a.p = o.p
)
SELECT b.p AS part, a.p AS whole, w.parts, w.part_geography <> w.whole_geography AS across
FROM parts w
JOIN places a ON a.territory = w.whole AND a.level = w.whole_level AND a.geography = w.whole_geography
JOIN places b ON b.territory = w.part AND b.level = w.part_level AND b.geography = w.part_geography
WHERE $everything
   OR (w.whole_level IN (SELECT level FROM levels) AND w.whole_geography IN (FROM asked))
"""

_WHOLES = f"""
INSERT INTO available
WITH pieces AS (
    SELECT o.*, i.aggregation, w.value AS weight, w.conf_status AS weight_conf,
           p.whole, p.parts
    FROM available o
    JOIN numbered_inputs i ON i.v = o.v
    JOIN wanted p ON p.part = o.p AND p.across = $across
    LEFT JOIN numbered_inputs x ON x.variable = i.aggregation
    LEFT JOIN available w ON w.v = x.v AND w.p = o.p AND w.t = o.t
    WHERE p.parts = 1 OR i.aggregation <> 'none'
), sums AS (
    SELECT v, whole AS p, t,
           bool_or(conf_status <> 'F' OR coalesce(weight_conf, 'F') <> 'F') AS secret,
           count(*) = any_value(parts) AND count(value) = count(*) AS complete,
           CASE WHEN any_value(parts) = 1 THEN any_value(value)
                WHEN any_value(aggregation) = 'sum' THEN sum(value)
                WHEN count(weight) = count(*) THEN sum(value * weight) / nullif(sum(weight), 0)
           END AS value,
           max(obs_status) FILTER (WHERE value IS NULL) AS missing_status,
           -- A mean of rates that their producer rounded is close to the true one, not equal to it.
           greatest(CASE WHEN any_value(parts) > 1 AND any_value(aggregation) <> 'sum' THEN 'E' END,
               max(obs_status) FILTER (WHERE value IS NOT NULL)) AS status,
           {_RESERVES} AS reserve
    FROM pieces GROUP BY v, whole, t
)
SELECT v, p, t,
       CASE WHEN complete THEN value END,
       CASE WHEN complete AND value IS NOT NULL THEN status
            WHEN secret THEN 'Q' ELSE coalesce(missing_status, 'O') END,
       CASE WHEN secret THEN 'C' ELSE 'F' END, CASE WHEN secret THEN 'producteur' END, NULL,
       false, $across, reserve
FROM sums s
WHERE NOT EXISTS (FROM available a WHERE a.v = s.v AND a.p = s.p AND a.t = s.t)
"""

# The twelve months of a calendar year as one figure, dated December: missing when one of them is, and
# hidden when one is hidden, since the eleven others would tell it.
_YEARS = f"""
INSERT INTO available BY NAME
WITH years AS (
    SELECT i.v, a.p, max(a.t) AS t, count(a.value) = 12 AS complete, sum(a.value) AS total,
           max(a.obs_status) FILTER (WHERE a.value IS NULL) AS missing_status,
           max(a.obs_status) FILTER (WHERE a.value IS NOT NULL) AS status,
           {_HIDDEN_BY} AS hidden_by, bool_or(a.converted) AS converted, {_RESERVES} AS reserve
    FROM available a JOIN numbered_inputs m USING (v) JOIN numbered_inputs i ON i.total_of = m.variable
    GROUP BY i.v, a.p, (a.t - 1) // 12 HAVING max(a.t) % 12 = 0
)
SELECT v, p, t, CASE WHEN complete THEN total END AS value,
       CASE WHEN complete THEN status WHEN hidden_by IS NOT NULL THEN 'Q'
            ELSE coalesce(missing_status, 'O') END AS obs_status,
       CASE WHEN complete THEN 'F' WHEN hidden_by = 'secondaire' THEN 'D'
            WHEN hidden_by IS NOT NULL THEN 'C' ELSE 'F' END AS conf_status,
       CASE WHEN NOT complete THEN hidden_by END AS hidden_by,
       NULL AS lower_bound, false AS delivered, converted, reserve
FROM years
"""

# A formula's terms over one feed are found from the figures themselves, those over several feeds from
# each figure of the driving one: the latter need a search for the latest month, and are few.
_SIDES = f"""
CREATE OR REPLACE TEMP TABLE sides AS
WITH changed_places AS (
    SELECT p FROM places WHERE changed
), cells AS (
    SELECT k.i, a.p, a.t + 12 * k.lag AS t, k.side, k.coefficient,
           k.drives AND (NOT a.converted OR a.p IN (FROM changed_places)) AS drives,
           k.drives AND a.converted AS converted,
           a.value, a.obs_status, a.hidden_by, a.t AS input_t, a.reserve
    FROM numbered_terms k JOIN numbered_definitions d ON d.i = k.i AND d.all_exact
    JOIN available a ON a.v = k.v
    WHERE a.t + 12 * k.lag BETWEEN $first AND $last
), spine AS MATERIALIZED (
    SELECT d.i, o.p, o.t, o.converted FROM numbered_definitions d
    JOIN available o ON o.v = d.driving_v AND (NOT o.converted OR o.p IN (FROM changed_places))
    WHERE NOT d.all_exact AND o.t BETWEEN $first AND $last
), asked AS (
    SELECT s.i, s.p, s.t, s.converted, k.side, k.coefficient, k.exact, k.v, s.t - 12 * k.lag AS wanted
    FROM spine s JOIN numbered_terms k ON k.i = s.i
), every AS (
    FROM cells
    UNION ALL
    SELECT q.i, q.p, q.t, q.side, q.coefficient, true, q.converted, a.value, a.obs_status, a.hidden_by,
           a.t, a.reserve
    FROM asked q LEFT JOIN available a ON a.v = q.v AND a.p = q.p AND a.t = q.wanted
    WHERE q.exact
    UNION ALL
    SELECT q.i, q.p, q.t, q.side, q.coefficient, true, q.converted, a.value, a.obs_status, a.hidden_by,
           a.t, a.reserve
    FROM (FROM asked WHERE NOT exact) q ASOF LEFT JOIN available a
      ON a.v = q.v AND a.p = q.p AND q.wanted >= a.t
), grouped AS (
SELECT i, p, t,
       sum(coefficient * value) FILTER (WHERE side = 'numerator') AS numerator,
       sum(coefficient * value) FILTER (WHERE side = 'denominator') AS denominator,
       {_HIDDEN_BY} AS hidden_by,
       bool_or(converted) AS converted,
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
           s.hidden_by IS NOT NULL AS secret, s.found < d.terms AS missing,
           EXISTS (FROM numbered_crossings c
                   WHERE c.i = s.i AND s.t >= c.t AND s.t < c.until) AS crosses,
           -- A term without any row is absent, which is told apart from the other kinds of missing.
           CASE WHEN s.delivered < d.terms THEN greatest('O', coalesce(s.missing_status, 'O'))
                ELSE s.missing_status END AS why
    FROM sides s JOIN numbered_definitions d ON d.i = s.i JOIN places p ON p.p = s.p
), figures AS (
    SELECT *, CASE WHEN secret OR missing OR crosses THEN NULL
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
       CASE WHEN NOT secret THEN 'F' WHEN hidden_by = 'secondaire' THEN 'D' ELSE 'C' END AS conf_status,
       hidden_by,
       CASE WHEN NOT secret AND NOT missing THEN numerator END AS numerator,
       CASE WHEN NOT secret AND NOT missing THEN denominator END AS denominator,
       o.month AS oldest_input, f.converted, f.reserve
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
    crossings: pd.DataFrame = field(default_factory=lambda: _crossings_frame([]))


def tables_of(project: Project, indicators: Sequence[str]) -> Tables:
    """Rows that say how to compute ``indicators``."""
    entries = [project.indicators[name] for name in indicators]
    definitions, terms, levels = [], [], []
    needed: set[str] = set()
    for entry in entries:
        indicator, formula = entry.indicator, entry.indicator.parsed
        feed = project.feed_of(indicator).id
        divides = bool(formula.denominator)
        definitions.append((entry.id, formula.factor, formula.root, _driving(indicator), divides))
        # An arrondissement is made of communes as an EPT is: what exists for one exists for the other.
        also = ["arrondissement"] if "ept" in indicator.levels else []
        levels += [(entry.id, level) for level in dict.fromkeys([*indicator.levels, *also])]
        for term in formula.terms:
            exact = project.variables[term.variable][0].id == feed
            terms.append((entry.id, term.side, term.input, term.lag, term.coefficient, exact))
        needed |= {indicator.driving_variable, *formula.variables}
    needed |= {project.variables[v][1].aggregation for v in needed} - {"sum", "none"}
    return Tables(
        pd.DataFrame(definitions, columns=["indicator", "factor", "root", "driving", "divides"]).astype(
            {"root": "Int64"}
        ),
        pd.DataFrame(terms, columns=["indicator", "side", "variable", "lag", "coefficient", "exact"]),
        pd.DataFrame(levels, columns=["indicator", "level"]),
        inputs_table(project, needed, _totals(entries)),
        _crossings_table(project, entries),
    )


def _crossings_table(project: Project, entries: Iterable[IndicatorEntry]) -> pd.DataFrame:
    """Months in which a change over years would set figures of both sides of a break side by side."""
    rows = [
        (entry.id, month_index(month), month_index(until))
        for entry in entries
        for month, until in crossings(project, entry.indicator)
    ]
    return _crossings_frame(rows)


def _crossings_frame(rows: list[tuple[str, int, int]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["indicator", "t", "until"])
    return frame.astype({"indicator": "string", "t": "int64", "until": "int64"})


def _driving(indicator: Indicator) -> str:
    """The input that the indicator follows: its driving variable, or that variable's total of a year."""
    driving = indicator.driving_variable
    return next((t.input for t in indicator.parsed.terms if t.variable == driving), driving)


def _totals(entries: Iterable[IndicatorEntry]) -> set[str]:
    """The variables whose total of a year is read."""
    return {t.variable for entry in entries for t in entry.indicator.parsed.terms if t.of_year}


def inputs_table(project: Project, variables: Iterable[str], totals: Iterable[str]) -> pd.DataFrame:
    """How each variable adds up over territories; ``total_of``: over the year, made of that variable."""
    own = [(name, project.variables[name][1].aggregation, None) for name in sorted(variables)]
    of_years = [(year_total(name), "sum", name) for name in sorted(totals)]
    return pd.DataFrame([*own, *of_years], columns=["variable", "aggregation", "total_of"])


def all_inputs(project: Project) -> pd.DataFrame:
    """Every variable, with the totals that the indicators read."""
    return inputs_table(project, project.variables, _totals(project.indicators.values()))


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


def changed_table(project: Project) -> pd.DataFrame:
    """Territories that a merger changed: their figures differ from one geography to the other."""
    places = project.territories.places
    meanings = Counter(code for code, _ in {(code, place) for (code, _), place in places.items()})
    changed = [key for key in places if meanings[key[0]] > 1]
    return pd.DataFrame(changed, columns=["territory", "geography"])


def gather(
    connection: duckdb.DuckDBPyConnection,
    project: Project,
    tables: Tables,
    span: tuple[str, str] = ("0000-00", "9999-99"),
    everything: bool = False,
) -> None:
    """Fill the temporary table ``available``: the trusted figures of ``tables.inputs``, and wholes.

    The wholes are those that the indicators of ``tables`` ask for between two months, or all.
    """
    views = {
        "definitions": tables.definitions,
        "terms": tables.terms,
        "levels": tables.levels,
        "inputs": tables.inputs,
        "crossings": tables.crossings,
        "parts": parts_table(project),
        "changed": changed_table(project),
    }
    for name, frame in views.items():
        connection.register(name, frame)
    months = {"first": month_index(span[0]), "last": month_index(span[1])}
    connection.execute(_PLACES)
    connection.execute(_TERMS)
    connection.execute(_CURRENT)
    connection.execute(_WANTED, {**months, "everything": everything})
    # Within a geography first: what is added up there is then converted.
    steps = connection.execute("SELECT DISTINCT across FROM wanted ORDER BY across").fetchall()
    for (across,) in steps:
        connection.execute(_WHOLES, {"across": across})
    for name in views:
        connection.unregister(name)


def evaluate(
    connection: duckdb.DuckDBPyConnection, tables: Tables, span: tuple[str, str] = ("0000-00", "9999-99")
) -> None:
    """Make the temporary view ``computed`` from ``available``, gathered for the same ``tables``.

    Totals of years are added to it first: of figures that are protected when those are.
    """
    connection.register("levels", tables.levels)
    connection.execute(_YEARS)
    connection.execute(_SIDES, {"first": month_index(span[0]), "last": month_index(span[1])})
    connection.execute(_MONTHS)
    connection.execute(_COMPUTED)
    connection.unregister("levels")


_SIZES = """
SELECT variable, count(*) FROM observations
WHERE known_to IS NULL AND month BETWEEN ? AND ? AND variable IN (SELECT unnest(?)) GROUP BY variable
"""


def _portions(
    project: Project,
    connection: duckdb.DuckDBPyConnection,
    names: Sequence[str],
    first: str,
    last: str,
) -> Iterator[list[str]]:
    """``names`` in portions of some :data:`FIGURES` figures, those of one feed side by side."""
    driving = {name: project.indicators[name].indicator.driving_variable for name in names}
    variables = sorted(set(driving.values()))
    sizes = dict(connection.execute(_SIZES, [first, last, variables]).fetchall())
    portion: list[str] = []
    figures = 0
    for name in sorted(names, key=driving.__getitem__):
        size = sizes.get(driving[name], 0)
        if portion and figures + size > FIGURES:
            yield portion
            portion, figures = [], 0
        portion.append(name)
        figures += size
    yield portion


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
    spans = spans_of_feeds(project, connection)
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
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for portion in _portions(project, connection, names, first, last):
        tables = tables_of(project, portion)
        gather(connection, project, tables, (first, last))
        evaluate(connection, tables, (first, last))
        connection.execute(
            "INSERT INTO indicator_values BY NAME "
            "SELECT * EXCLUDE (hidden_by, converted) FROM computed WHERE NOT converted"
        )
        rows = connection.execute(
            "SELECT indicator, month, count(*), count(value) FROM computed WHERE NOT converted "
            "GROUP BY ALL"
        ).fetchall()
        counts |= {(name, month): (every, filled) for name, month, every, filled in rows}
    record(project, connection, followed)
    return counts
