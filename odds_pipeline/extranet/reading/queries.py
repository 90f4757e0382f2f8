"""What pages and exports read from a view."""

from collections.abc import Sequence

from odds_pipeline.declarations.feed import LEVELS
from odds_pipeline.extranet.reading.serving import Row, View

COLUMNS = (
    "indicator, month, territory, level, geography, value, obs_status, conf_status, numerator, "
    "denominator, oldest_input, reserve, departement_value, france_value, difference, rank, ranked, "
    "quartile, change_1y, change_5y, ci_low, ci_high"
)


def latest_of_territory(view: View, code: str, names: Sequence[str]) -> dict[str, Row]:
    """The latest row of each of the indicators for a territory, with the series behind it."""
    asked = {"code": code, "names": list(names)}
    rows = view.rows(
        f"SELECT {COLUMNS} FROM latest WHERE territory = $code "
        "AND list_contains($names::VARCHAR[], indicator)",
        asked,
    )
    # A territory that changed is two: its series keeps to the geography of its latest value.
    series = view.rows(
        "SELECT indicator, list(v.month ORDER BY v.month) AS months, list(v.value ORDER BY v.month) "
        "AS points FROM indicator_values v JOIN latest l USING (indicator, territory, level) "
        "WHERE territory = $code AND list_contains($names::VARCHAR[], indicator) "
        "AND (v.geography = l.geography OR NOT $changed) GROUP BY indicator",
        {**asked, "changed": code in view.changed},
    )
    found = {row["indicator"]: {**row, "months": [], "points": []} for row in rows}
    for one in series:
        if one["indicator"] in found:
            found[one["indicator"]].update(months=one["months"], points=one["points"])
    return {name: found[name] for name in names if name in found}


def themes_of(view: View, code: str) -> list[str]:
    """Themes that have rows for a territory, in the order of the observatory."""
    rows = view.rows(
        "SELECT DISTINCT theme FROM latest JOIN definitions USING (indicator) WHERE territory = ?",
        [code],
    )
    found = {row["theme"] for row in rows}
    return [theme for theme in view.observatory.themes if theme in found]


def among_communes(view: View, rows: dict[str, Row]) -> dict[str, list[float]]:
    """Values of all communes for the indicator, month and geography of each row.

    They are the same whatever the territory: each is read once.
    """
    keys = {name: (name, row["month"], row["geography"]) for name, row in rows.items()}
    missing = [key for key in keys.values() if key not in view.known_values]
    if missing:
        view.known_values.update(_among_communes(view, missing))
    return {name: values for name, key in keys.items() if (values := view.known_values[key])}


def _among_communes(
    view: View, keys: Sequence[tuple[str, str, int]]
) -> dict[tuple[str, str, int], list[float]]:
    indicators, months, geographies = (list(column) for column in zip(*keys, strict=True))
    found = view.rows(
        "WITH wanted AS (SELECT unnest($indicators::VARCHAR[]) AS indicator, "
        "unnest($months::VARCHAR[]) AS month, unnest($geographies::INTEGER[]) AS geography) "
        "SELECT indicator, month, geography, list_sort(list(value)) AS known FROM indicator_values "
        "JOIN wanted USING (indicator, month, geography) WHERE level = 'commune' AND value IS NOT NULL "
        "GROUP BY ALL",
        {"indicators": indicators, "months": months, "geographies": geographies},
    )
    known = {(row["indicator"], row["month"], row["geography"]): row["known"] for row in found}
    return {key: known.get(key, []) for key in keys}


def values_among(view: View, rows: dict[str, Row], codes: Sequence[str]) -> dict[str, list[float]]:
    """What some territories had for the indicator, month and geography of each row."""
    found = view.rows(
        "WITH wanted AS (SELECT unnest($indicators::VARCHAR[]) AS indicator, "
        "unnest($months::VARCHAR[]) AS month, unnest($geographies::INTEGER[]) AS geography) "
        "SELECT indicator, list(value) AS known FROM indicator_values "
        "JOIN wanted USING (indicator, month, geography) "
        "WHERE list_contains($codes::VARCHAR[], territory) AND value IS NOT NULL GROUP BY indicator",
        {
            "indicators": list(rows),
            "months": [row["month"] for row in rows.values()],
            "geographies": [row["geography"] for row in rows.values()],
            "codes": list(codes),
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
    sql = (
        "SELECT month, max(geography) AS geography, list_sort(list(DISTINCT level)) AS levels, "
        "count(value) AS known FROM indicator_values WHERE indicator = ? "
        "GROUP BY month ORDER BY month DESC"
    )
    return view.once(("months", indicator), lambda: view.rows(sql, [indicator]))


def levels_of(view: View, indicator: str) -> list[str]:
    """Levels at which an indicator has rows, the finest first."""
    found = {level for row in months_of(view, indicator) for level in row["levels"]}
    return sorted(found, key=LEVELS.index)


def month_of(view: View, indicator: str, month: str, level: str) -> list[Row]:
    """All territories of a level for one month of an indicator, ranked ones first."""
    sql = (
        f"WITH given AS (SELECT {COLUMNS} FROM indicator_values "
        "WHERE indicator = ? AND month = ? AND level = ?) "
        "FROM given WHERE geography = (SELECT max(geography) FROM given) "
        "ORDER BY rank NULLS LAST, value DESC NULLS LAST"
    )
    asked = [indicator, month, level]
    return view.once(("month", *asked), lambda: view.rows(sql, asked), 60_000)


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
    sql = (
        "SELECT d.feed, count(DISTINCT d.id) AS deliveries, strftime(max(d.received_at), '%Y-%m-%d') "
        "AS received, min(o.month) AS first, max(o.month) AS last, bool_or(d.simulated) AS simulated "
        "FROM (SELECT DISTINCT delivery, month FROM release.observations "
        "WHERE variable IN (SELECT variable FROM inputs WHERE indicator = ? AND role <> 'weight')) o "
        "JOIN release.deliveries d ON d.id = o.delivery GROUP BY d.feed ORDER BY d.feed"
    )
    name = view.indicator(indicator)["indicator"]
    return view.once(("sources", name), lambda: view.rows(sql, [name]))
