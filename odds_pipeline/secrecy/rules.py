"""Which figures are secret by themselves: each partner's rule, applied to raw figures and to wholes.

It fills the temporary table ``marked``: the figures of ``available`` with their rule and, in
``hidden_by``, why they are hidden so far.
"""

import duckdb
import pandas as pd

from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.compute import parts_table

_FIGURES = """
CREATE OR REPLACE TEMP TABLE figures AS
SELECT a.*, i.variable, printf('%04d-%02d', (a.t - 1) // 12, (a.t - 1) % 12 + 1) AS month,
       b.territory, b.level, b.geography
FROM available a JOIN numbered_inputs i USING (v) JOIN places b USING (p)
"""

_MARKED = """
CREATE OR REPLACE TEMP TABLE marked AS
WITH contributions AS (
    SELECT l.variable, a.month, a.territory, a.geography,
           sum(a.value) FILTER (WHERE l.place <= l.largest) AS several,
           sum(a.value) FILTER (WHERE l.place = 1) AS first,
           coalesce(sum(a.value) FILTER (WHERE l.place = 2), 0) AS second
    FROM largest l JOIN figures a ON a.variable = l.source GROUP BY ALL
), ruled AS (
    SELECT a.*, r.* EXCLUDE (variable), p.place, c.value AS counted, c.hidden_by AS counted_hidden,
           d.several, d.first, d.second
    FROM figures a
    JOIN secrecy_rules r ON r.variable = a.variable
    JOIN secrecy_places p ON p.territory = a.territory AND p.geography = a.geography
    LEFT JOIN figures c ON c.variable = r.counted_by AND c.month = a.month
         AND c.territory = a.territory AND c.geography = a.geography
    LEFT JOIN contributions d ON d.variable = a.variable AND d.month = a.month
         AND d.territory = a.territory AND d.geography = a.geography
)
SELECT f.v, f.p, f.t, f.variable, f.month, f.territory, f.level, f.geography, f.place,
       f.delivered, f.additive, f.threshold, f.rounding, f.lower_bound, f.value,
       coalesce(f.threshold > 0 AND f.value > 0 AND f.value < f.threshold, false) AS small,
       CASE WHEN f.hidden_by IS NOT NULL THEN f.hidden_by
            WHEN f.value IS NULL THEN NULL
            WHEN small OR f.contribution THEN 'primaire'
            WHEN f.counted_hidden IS NOT NULL THEN 'primaire'
            WHEN f.counted > 0 AND f.counted < f.counted_threshold THEN 'primaire'
            WHEN f.variable <> f.population AND n.value < f.minimum THEN 'primaire'
            WHEN f.several > f.value * f.share / 100 THEN 'primaire'
            WHEN f.value - f.first - f.second < f.first * f.p_percent / 100 THEN 'primaire'
       END AS hidden_by
FROM ruled f ASOF LEFT JOIN figures n
  ON n.variable = f.population AND n.territory = f.territory AND n.geography = f.geography
 AND f.t >= n.t
"""

# A mean over communes tells the one that is hidden, its weights being known: it is hidden too.
_MEANS = """
UPDATE marked m SET hidden_by = 'primaire'
WHERE NOT additive AND NOT delivered AND value IS NOT NULL AND EXISTS (
    FROM marked o JOIN parts p ON p.part = o.territory AND p.part_geography = o.geography
    WHERE o.variable = m.variable AND o.month = m.month AND o.hidden_by IS NOT NULL
      AND p.whole = m.territory AND p.whole_geography = m.geography
)
"""


def rules_table(project: Project) -> pd.DataFrame:
    """The rule on each variable; ``threshold`` is 0 where none applies to its unit."""
    contributions = {
        entry.variable_id(name)
        for entry in project.feeds.values()
        for variable in entry.own.values()
        for name in variable.largest
    }
    rows = []
    for name, (entry, variable) in project.variables.items():
        rule, kind = entry.secrecy, project.units[variable.unit].kind
        counted = entry.variable_id(variable.counted_by) if variable.counted_by else None
        rows.append(
            {
                "variable": name,
                "additive": kind in ("count", "amount") and variable.aggregation == "sum",
                "threshold": threshold_of(project, name),
                "counted_by": counted,
                "counted_threshold": threshold_of(project, counted) if counted else 0,
                "population": rule.population.variable if rule.population else None,
                "minimum": rule.population.minimum if rule.population else 0,
                "share": rule.dominance.share if rule.dominance else None,
                "p_percent": rule.p_percent,
                "rounding": rule.rounding if kind == "count" else None,
                "contribution": name in contributions,
            }
        )
    types = {"share": "float64", "p_percent": "float64", "rounding": "float64"}
    return pd.DataFrame(rows).astype({**types, "counted_by": "string", "population": "string"})


def threshold_of(project: Project, variable: str) -> int:
    """Smallest count of the variable that may be published; 0 where no rule applies to its unit."""
    entry, declared = project.variables[variable]
    rule = entry.secrecy
    concerned = rule.units is None or declared.unit in rule.units
    return rule.threshold if concerned and project.units[declared.unit].kind == "count" else 0


def largest_table(project: Project) -> pd.DataFrame:
    """The variables that hold the largest contributions to another, in order."""
    rows = [
        (name, entry.variable_id(source), place, entry.secrecy.dominance.largest)
        for name, (entry, variable) in project.variables.items()
        for place, source in enumerate(variable.largest, start=1)
        if entry.secrecy.dominance
    ]
    rows += [
        (name, entry.variable_id(source), place, 0)
        for name, (entry, variable) in project.variables.items()
        for place, source in enumerate(variable.largest, start=1)
        if not entry.secrecy.dominance
    ]
    return pd.DataFrame(rows, columns=["variable", "source", "place", "largest"]).astype(
        {"variable": "string", "source": "string", "place": "int64", "largest": "int64"}
    )


def mark(connection: duckdb.DuckDBPyConnection, project: Project, places: pd.DataFrame) -> None:
    """Fill ``marked``; ``places`` numbers the place of each territory and geography."""
    views = {
        "secrecy_rules": rules_table(project),
        "largest": largest_table(project),
        "secrecy_places": places,
        "parts": parts_table(project),
    }
    for name, frame in views.items():
        connection.register(name, frame)
    connection.execute(_FIGURES)
    connection.execute(_MARKED)
    connection.execute(_MEANS)
    for name in views:
        connection.unregister(name)
