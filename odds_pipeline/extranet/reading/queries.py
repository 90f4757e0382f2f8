"""What pages and exports read from a view."""

from collections.abc import Sequence

from odds_pipeline.declarations.feed import LEVELS
from odds_pipeline.extranet.reading.serving import Row, View

COLUMNS = (
    "indicator, month, territory, level, geography, value, obs_status, conf_status, numerator, "
    "denominator, oldest_input, reserve, departement_value, france_value, difference, rank, ranked, "
    "quartile, change_1y, change_5y, ci_low, ci_high"
)


def latest_of_territory(view: View, code: str) -> dict[str, Row]:
    """The latest row of each indicator for a territory, by indicator, with the series behind it."""
    rows = view.rows(
        f"SELECT {COLUMNS} FROM latest WHERE territory = ?",
        [code],
    )
    # A territory that changed is two: its series keeps to the geography of its latest value.
    series = view.rows(
        "SELECT indicator, list(v.month ORDER BY v.month) AS months, list(v.value ORDER BY v.month) "
        "AS points FROM indicator_values v JOIN latest l USING (indicator, territory, level) "
        "WHERE territory = ? AND (v.geography = l.geography OR NOT ?) GROUP BY indicator",
        [code, code in view.changed],
    )
    found = {row["indicator"]: {**row, "months": [], "points": []} for row in rows}
    for one in series:
        if one["indicator"] in found:
            found[one["indicator"]].update(months=one["months"], points=one["points"])
    return found


def among_communes(view: View, rows: dict[str, Row]) -> dict[str, list[float]]:
    """Values of all communes for the indicator, month and geography of each row."""
    found = view.rows(
        "WITH wanted AS (SELECT unnest($indicators::VARCHAR[]) AS indicator, "
        "unnest($months::VARCHAR[]) AS month, unnest($geographies::INTEGER[]) AS geography) "
        "SELECT indicator, list(value) AS known FROM indicator_values JOIN wanted "
        "USING (indicator, month, geography) WHERE level = 'commune' AND value IS NOT NULL "
        "GROUP BY indicator",
        {
            "indicators": list(rows),
            "months": [row["month"] for row in rows.values()],
            "geographies": [row["geography"] for row in rows.values()],
        },
    )
    return {row["indicator"]: row["known"] for row in found}


def series(view: View, indicator: str, territories: Sequence[str]) -> list[Row]:
    """The whole history of an indicator for some territories, the oldest first."""
    return view.rows(
        f"SELECT {COLUMNS} FROM indicator_values WHERE indicator = ? "
        "AND list_contains(?::VARCHAR[], territory) ORDER BY territory, month, geography",
        [indicator, list(territories)],
    )


def months_of(view: View, indicator: str) -> list[Row]:
    """Months of an indicator with their geographies and levels, the latest first."""
    return view.rows(
        "SELECT month, max(geography) AS geography, list_sort(list(DISTINCT level)) AS levels, "
        "count(value) AS known FROM indicator_values WHERE indicator = ? "
        "GROUP BY month ORDER BY month DESC",
        [indicator],
    )


def levels_of(view: View, indicator: str) -> list[str]:
    """Levels at which an indicator has rows, the finest first."""
    found = view.rows("SELECT DISTINCT level FROM indicator_values WHERE indicator = ?", [indicator])
    return sorted((row["level"] for row in found), key=LEVELS.index)


def month_of(view: View, indicator: str, month: str, level: str) -> list[Row]:
    """All territories of a level for one month of an indicator, ranked ones first."""
    return view.rows(
        f"WITH given AS (SELECT {COLUMNS} FROM indicator_values "
        "WHERE indicator = ? AND month = ? AND level = ?) "
        "FROM given WHERE geography = (SELECT max(geography) FROM given) "
        "ORDER BY rank NULLS LAST, value DESC NULLS LAST",
        [indicator, month, level],
    )


def side_by_side(view: View, indicators: Sequence[str], territories: Sequence[str]) -> list[Row]:
    """Rows of each indicator for the latest month and geography that all given territories share."""
    return view.rows(
        f"WITH given AS (SELECT {COLUMNS} FROM indicator_values "
        "WHERE list_contains($indicators::VARCHAR[], indicator) "
        "AND list_contains($territories::VARCHAR[], territory)), "
        "common AS (SELECT indicator, month, geography FROM given GROUP BY ALL "
        "HAVING count(DISTINCT territory) = len($territories::VARCHAR[])), "
        "shared AS (FROM common QUALIFY row_number() OVER "
        "(PARTITION BY indicator ORDER BY month DESC, geography DESC) = 1) "
        "FROM given SEMI JOIN shared USING (indicator, month, geography)",
        {"indicators": list(indicators), "territories": list(territories)},
    )


def sources_of(view: View, indicator: str) -> list[Row]:
    """The deliveries that an indicator's inputs come from, by feed, the latest first."""
    return view.rows(
        "SELECT d.feed, count(DISTINCT d.id) AS deliveries, strftime(max(d.received_at), '%Y-%m-%d') "
        "AS received, min(o.month) AS first, max(o.month) AS last, bool_or(d.simulated) AS simulated "
        "FROM (SELECT DISTINCT delivery, month FROM release.observations "
        "WHERE variable IN (SELECT variable FROM inputs WHERE indicator = ? AND role <> 'weight')) o "
        "JOIN release.deliveries d ON d.id = o.delivery GROUP BY d.feed ORDER BY d.feed",
        [view.indicator(indicator)["indicator"]],
    )
