"""What changed from one release to the next, told to a reader of both only."""

from dataclasses import dataclass
from typing import Any

import duckdb

from odds_pipeline.extranet.reading.serving import Row, Serving, Unknown, View
from odds_pipeline.release.published import describe, numbers, release_path
from odds_pipeline.storage.duck import connect
from odds_pipeline.storage.sql import quoted, read_sql

SHOWN = 60
"""Indicators listed for one release; the counts are of all."""


@dataclass(frozen=True)
class Changes:
    """Counts of values by indicator: ``added``, ``revised``, ``withdrawn``; ``None`` when unknown."""

    number: int
    former: int | None
    indicators: list[Row]
    new: list[str]

    @property
    def total(self) -> Row:
        return {k: sum(r[k] for r in self.indicators) for k in ("added", "revised", "withdrawn")}


_DIFFERENCE = read_sql(__file__, "changes")


def known_releases(serving: Serving) -> list[Any]:
    """What each release says of itself, the latest first; an unreadable one is left out."""
    found = []
    for number in reversed(numbers(serving.home)):
        try:
            found.append(describe(serving.home, number))
        except (LookupError, duckdb.Error):
            continue
    return found


def changes(serving: Serving, view: View, number: int) -> Changes:
    """What release ``number`` changed, over the indicators that the reader sees today.

    :class:`Unknown` when there is no such release.
    """
    return view.once(("changes", number), lambda: _changes(serving, view, number), 100_000)


def _changes(serving: Serving, view: View, number: int) -> Changes:
    known = numbers(serving.home)
    if number not in known:
        raise Unknown(str(number))
    former = max((n for n in known if n < number), default=None)
    if former is None:
        return Changes(number, None, [], [])
    paths = {
        "old": release_path(serving.home, former) / f"{view.rights.source}.duckdb",
        "new": release_path(serving.home, number) / f"{view.rights.source}.duckdb",
    }
    if not all(path.exists() for path in paths.values()):
        return Changes(number, None, [], [])
    with connect(threads="2") as connection:
        for name, path in paths.items():
            connection.execute(f"ATTACH {quoted(path)} AS {name} (READ_ONLY)")
        connection.execute("SET enable_external_access = false")
        visible = list(view.definitions)
        cursor = connection.execute(_DIFFERENCE, {"visible": visible})
        keys = ("indicator", "added", "revised", "withdrawn")
        rows: list[Row] = [dict(zip(keys, row, strict=True)) for row in cursor.fetchall()]
        for row in rows:
            row["only_new"] = not row["revised"] and not row["withdrawn"]
        fresh = connection.execute(
            "SELECT indicator FROM new.definitions ANTI JOIN old.definitions USING (indicator) "
            "WHERE list_contains(?::VARCHAR[], indicator) ORDER BY indicator",
            [visible],
        ).fetchall()
    return Changes(number, former, rows, [name for (name,) in fresh])


def history_of(serving: Serving, view: View, indicator: str, releases: int = 6) -> list[Row]:
    """What the view's release and those before it changed in one indicator, the latest first."""
    found = []
    for number in view.once("releases so far", lambda: _so_far(serving, view))[:releases]:
        told = changes(serving, view, number)
        row = next((r for r in told.indicators if r["indicator"] == indicator), None)
        if row is not None or told.former is None or indicator in told.new:
            found.append({"number": number, "new": indicator in told.new, **(row or {})})
    return found


def _so_far(serving: Serving, view: View) -> list[int]:
    return [number for number in reversed(numbers(serving.home)) if number <= view.number]
