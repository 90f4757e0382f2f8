"""What pages and exports read from a view."""

from collections.abc import Sequence

from odds_pipeline.declarations.feed import LEVELS
from odds_pipeline.extranet.reading.serving import Row, View

COLUMNS = (
    "indicator, month, territory, level, geography, value, obs_status, conf_status, numerator, "
    "denominator, oldest_input, reserve, departement_value, france_value, difference, rank, ranked, "
    "quartile, change_1y, change_5y, ci_low, ci_high"
)
_ROW = 700
"""Bytes that a row of a series takes in memory."""


def latest_of_territory(view: View, code: str, names: Sequence[str]) -> dict[str, Row]:
    """The latest row of each of the indicators for a territory, with the series behind it."""
    asked = {"code": code, "names": list(names)}
    rows = view.rows(
        f"SELECT {COLUMNS} FROM latest WHERE territory = $code "
        "AND list_contains($names::VARCHAR[], indicator)",
        asked,
    )
    past = view.rows(
        "SELECT indicator, month, value, level, geography FROM indicator_values "
        "WHERE territory = $code AND list_contains($names::VARCHAR[], indicator) ORDER BY month",
        asked,
    )
    # A territory that changed is two: its series keeps to the geography of its latest value.
    changed = code in view.changed
    found = {row["indicator"]: {**row, "months": [], "points": []} for row in rows}
    for one in past:
        row = found.get(one["indicator"])
        if row is None or one["level"] != row["level"]:
            continue
        if one["geography"] == row["geography"] or not changed:
            row["months"].append(one["month"])
            row["points"].append(one["value"])
    return {name: found[name] for name in names if name in found}


def themes_of(view: View, code: str) -> list[str]:
    """Themes that have rows for a territory, in the order of the observatory."""
    found = view.once("themes", lambda: _themes(view), 50_000).get(code, ())
    return [theme for theme in view.observatory.themes if theme in found]


def _themes(view: View) -> dict[str, set[str]]:
    sql = "SELECT DISTINCT territory, theme FROM latest JOIN definitions USING (indicator)"
    rows = grouped(view.rows(sql), "territory")
    return {territory: {row["theme"] for row in found} for territory, found in rows.items()}


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
    """The whole history of an indicator for some territories, the oldest first.

    Read once for all territories of their levels: a query costs as much for one.
    """
    levels = {view.places[code].level for code in territories}
    codes = [place.code for place in view.places.values() if place.level in levels]
    size = len(months_of(view, indicator)) * len(codes) * _ROW
    key = ("series", indicator, tuple(sorted(levels)))
    kept = view.once(key, lambda: _series(view, indicator, codes), size)
    return [row for code in sorted(territories) for row in kept.get(code, ())]


def _series(view: View, indicator: str, codes: Sequence[str]) -> dict[str, list[Row]]:
    rows = view.rows(
        "SELECT territory, month, geography, value, obs_status, conf_status, numerator, denominator, "
        "reserve, ci_low, ci_high FROM indicator_values WHERE indicator = ? "
        "AND list_contains(?::VARCHAR[], territory) ORDER BY month, geography",
        [indicator, codes],
    )
    return grouped(rows, "territory")


def histories(
    view: View, indicators: Sequence[str], territories: Sequence[str]
) -> dict[tuple[str, str], list[Row]]:
    """The whole history of some indicators for some territories, by both, the oldest first.

    A territory that changed is two: its history keeps to the geography of its latest figures.
    """
    rows = view.rows(
        "SELECT indicator, territory, month, geography, value, obs_status, conf_status, numerator, "
        "denominator, reserve, ci_low, ci_high FROM indicator_values "
        "WHERE list_contains($names::VARCHAR[], indicator) "
        "AND list_contains($codes::VARCHAR[], territory) ORDER BY month, geography",
        {"names": list(indicators), "codes": list(territories)},
    )
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["indicator"], row["territory"]), []).append(row)
    for key, own in found.items():
        if key[1] in view.changed:
            latest = own[-1]["geography"]
            found[key] = [row for row in own if row["geography"] == latest]
    return found


def months_of(view: View, indicator: str) -> list[Row]:
    """Months of an indicator with their geographies and levels, the latest first."""
    return view.once("months", lambda: _months(view), 500_000).get(indicator, [])


def _months(view: View) -> dict[str, list[Row]]:
    """Those of all indicators: what a query costs, an indicator costs too."""
    sql = (
        "SELECT indicator, month, max(geography) AS geography, list_sort(list(DISTINCT level)) AS "
        "levels, count(value) AS known FROM indicator_values GROUP BY ALL ORDER BY month DESC"
    )
    return grouped(view.rows(sql), "indicator")


def levels_of(view: View, indicator: str) -> list[str]:
    """Levels at which an indicator has rows, the finest first."""
    found = {level for row in months_of(view, indicator) for level in row["levels"]}
    return sorted(found, key=LEVELS.index)


def month_of(view: View, indicator: str, month: str, level: str) -> list[Row]:
    """All territories of a level for one month of an indicator, ranked ones first."""
    asked = [indicator, month, level]
    return view.once(("month", *asked), lambda: _month(view, asked), 60_000)


def _month(view: View, asked: Sequence[str]) -> list[Row]:
    rows = view.rows(
        f"SELECT {COLUMNS} FROM indicator_values WHERE indicator = ? AND month = ? AND level = ? "
        "ORDER BY rank NULLS LAST, value DESC NULLS LAST",
        asked,
    )
    latest = max((row["geography"] for row in rows), default=0)
    return [row for row in rows if row["geography"] == latest]


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
    name = view.indicator(indicator)["indicator"]
    return view.once("sources", lambda: _sources(view), 100_000).get(name, [])


def _sources(view: View) -> dict[str, list[Row]]:
    sql = (
        "WITH read AS (SELECT DISTINCT indicator, variable FROM inputs WHERE role <> 'weight'), "
        "delivered AS (SELECT DISTINCT variable, delivery, month FROM release.observations) "
        "SELECT indicator, d.feed, count(DISTINCT d.id) AS deliveries, "
        "strftime(max(d.received_at), '%Y-%m-%d') AS received, min(o.month) AS first, "
        "max(o.month) AS last, bool_or(d.simulated) AS simulated FROM read "
        "JOIN delivered o USING (variable) JOIN release.deliveries d ON d.id = o.delivery "
        "GROUP BY indicator, d.feed ORDER BY d.feed"
    )
    return grouped(view.rows(sql), "indicator")


def grouped(rows: Sequence[Row], by: str) -> dict[str, list[Row]]:
    """Rows of each value of a column, in the order given."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[by], []).append(row)
    return found
