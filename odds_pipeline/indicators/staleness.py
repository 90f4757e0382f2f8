"""Which months of which indicators no longer follow from what is trusted.

The basis of an indicator is the number of the last judgement it was computed after, and a fingerprint
of its definition and of the trusted months it read then. When the fingerprint of what was trusted at
that judgement is unchanged, only what was judged since matters: a new month costs one month.
"""

import hashlib
from collections.abc import Collection, Iterable

import duckdb

from odds_pipeline.declarations.project import IndicatorEntry, Project
from odds_pipeline.indicators.crossings import crossings
from odds_pipeline.months import shifted
from odds_pipeline.storage.sql import one

Months = tuple[str, str]
ALL: Months = ("0000-00", "9999-99")

_TRUSTED = """
SELECT j.judgement, m.feed,
       bit_xor(md5_number_lower(concat_ws('|', m.delivery, m.month, m.judgement, m.reserve)))
FROM trusted_months m JOIN (SELECT unnest($judgements) AS judgement) j ON m.judgement <= j.judgement
GROUP BY ALL
"""

_SINCE = """
SELECT j.judgement, m.feed, min(m.month), max(m.month)
FROM trusted_months m JOIN (SELECT unnest($judgements) AS judgement) j ON m.judgement > j.judgement
GROUP BY ALL
"""


def last_judgement(connection: duckdb.DuckDBPyConnection) -> int:
    """Number of the last judgement; 0 before the first."""
    return int(one(connection, "SELECT coalesce(max(judgement), 0) FROM delivered_months")[0])


def _variables(project: Project, entry: IndicatorEntry) -> set[str]:
    """All that the values rest on: variables of the formula, the driving one, weights of means."""
    names = {entry.indicator.driving_variable, *entry.indicator.parsed.variables}
    return names | {project.variables[v][1].aggregation for v in names} - {"sum", "none"}


def _fingerprints(
    project: Project, entries: Iterable[IndicatorEntry], trusted: dict[str, int]
) -> dict[str, str]:
    found = {}
    for entry in entries:
        inputs = [
            (name, variable.unit, variable.aggregation, feed.secrecy.threshold, trusted.get(feed.id))
            for name in sorted(_variables(project, entry))
            for variable in [project.variables[name][1]]
            for feed in project.sources_of(name)
        ]
        own = entry.indicator
        definition = (own.parsed, own.driving_variable, own.levels, crossings(project, own))
        text = f"{definition!r} {inputs!r} {project.common_fingerprint}"
        found[entry.id] = hashlib.sha256(text.encode()).hexdigest()
    return found


def _later(month: str, months: int) -> str:
    return shifted(month, months) if month != ALL[1] else month


def _affected(project: Project, entry: IndicatorEntry, since: dict[str, Months]) -> Months:
    """Months of the indicator that changed months of its feeds bear on.

    A figure of the driving feed bears on its own month and on those it is lagged to, on December where
    a year is added up, on eleven more where twelve months are; one of another feed on every month until
    a later one replaces it, and all rest on a month that the formula names.
    """
    driving = {feed.id for feed in project.sources_of(entry.indicator.driving_variable)}
    terms = entry.indicator.parsed.terms
    lag = max((term.lag for term in terms), default=0)
    windows = {term.window for term in terms}
    named = any(term.month for term in terms)
    spans = []
    feeds = {feed.id for v in _variables(project, entry) for feed in project.sources_of(v)}
    for feed in feeds & since.keys():
        first, last = since[feed]
        last = f"{last[:4]}-12" if "year_total" in windows else last
        later = _later(last, lag + 11 * ("twelve_months" in windows))
        spans.append((first, later if feed in driving and not named else ALL[1]))
    return ALL[0] if named else min(first for first, _ in spans), max(last for _, last in spans)


def stale(
    project: Project, connection: duckdb.DuckDBPyConnection, names: Collection[str]
) -> dict[str, Months]:
    """Indicators of ``names`` to compute again, each with its first and last month to do so.

    A formula edited, a verdict gone or a month overruled makes the whole history stale, whoever
    made the change.
    """
    entries = [project.indicators[name] for name in names]
    stored: dict[str, tuple[int, str]] = {}
    for name, basis in connection.execute("SELECT indicator, basis FROM indicator_bases").fetchall():
        number, _, fingerprint = str(basis).partition("|")
        if number.isdigit():
            stored[name] = int(number), fingerprint
    now = last_judgement(connection)
    judgements = sorted({now, *(j for j, _ in stored.values())})
    trusted: dict[int, dict[str, int]] = {j: {} for j in judgements}
    for judgement, feed, value in connection.execute(_TRUSTED, {"judgements": judgements}).fetchall():
        trusted[judgement][feed] = value
    since: dict[int, dict[str, Months]] = {j: {} for j in judgements}
    for judgement, feed, first, last in connection.execute(
        _SINCE, {"judgements": judgements}
    ).fetchall():
        since[judgement][feed] = first, last
    current = _fingerprints(project, entries, trusted[now])
    changed = [e for e in entries if stored.get(e.id, (0, ""))[1] != current[e.id]]
    found: dict[str, Months] = {}
    for judgement in judgements:
        known = [e for e in changed if e.id in stored and stored[e.id][0] == judgement]
        before = _fingerprints(project, known, trusted[judgement])
        for entry in known:
            if before[entry.id] == stored[entry.id][1] and since[judgement]:
                found[entry.id] = _affected(project, entry, since[judgement])
    return {entry.id: found.get(entry.id, ALL) for entry in changed}


def record(project: Project, connection: duckdb.DuckDBPyConnection, names: Collection[str]) -> None:
    """Note that all months of ``names`` follow from what is trusted now."""
    now = last_judgement(connection)
    trusted = {
        feed: value for _, feed, value in connection.execute(_TRUSTED, {"judgements": [now]}).fetchall()
    }
    prints = _fingerprints(project, [project.indicators[name] for name in names], trusted)
    own = list(names)
    connection.execute("DELETE FROM indicator_bases WHERE indicator IN (SELECT unnest(?))", [own])
    connection.execute(
        "INSERT INTO indicator_bases (indicator, basis) SELECT unnest(?), unnest(?)",
        [own, [f"{now}|{prints[name]}" for name in own]],
    )


def trusted_now(connection: duckdb.DuckDBPyConnection) -> str:
    """All that is trusted, in short; empty before the first month."""
    (digest,) = one(
        connection,
        "SELECT bit_xor(md5_number_lower(concat_ws('|', feed, delivery, month, judgement, reserve))) "
        "FROM trusted_months",
    )
    return "" if digest is None else str(digest)


def spans_of_feeds(project: Project, connection: duckdb.DuckDBPyConnection) -> dict[str, Months]:
    """First and last trusted month of each feed's variables, whichever source delivered them."""
    rows = connection.execute(
        "SELECT feed, min(month), max(month) FROM trusted_months GROUP BY feed"
    ).fetchall()
    own = {feed: (first, last) for feed, first, last in rows}
    spans = {}
    for entry in project.feeds.values():
        ids = (entry.id, *(f"{entry.partner.id}/{name}" for name in entry.feed.sources))
        if found := [own[feed] for feed in ids if feed in own]:
            spans[entry.id] = min(first for first, _ in found), max(last for _, last in found)
    return spans


def within(months: Months, span: Months) -> Months:
    """The part of ``months`` inside ``span``; the first is after the last when there is none."""
    return max(months[0], span[0]), min(months[1], span[1])
