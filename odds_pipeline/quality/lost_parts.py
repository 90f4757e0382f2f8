"""Takes the figure from wholes, added up from a file's rows, that lack a commune they had before."""

from collections.abc import Sequence
from dataclasses import replace

import duckdb
import pandas as pd

from odds_pipeline.declarations.project import Project
from odds_pipeline.quality.tables import keep
from odds_pipeline.quality.waiting import Waiting
from odds_pipeline.storage.sql import read_sql

_LOST = read_sql(__file__, "lost_parts")


def without_lost_parts(
    project: Project, tables: duckdb.DuckDBPyConnection, waiting: Sequence[Waiting]
) -> list[Waiting]:
    """The same deliveries; what lost a part is missing, and its sum the lower bound of it."""
    summed = [one for one in waiting if _levels(project, one)]
    if not summed:
        return list(waiting)
    figures = pd.concat([one.reading.frame.assign(feed=one.feed) for one in summed], ignore_index=True)
    keep(tables, "figures", figures[["feed", "variable", "month", "territory", "level", "geography"]])
    keep(tables, "parents", _parents(project, [one.feed for one in summed]))
    lost = set(tables.execute(_LOST).fetchall())
    return [_missing(project, one, lost) if one in summed else one for one in waiting]


def _levels(project: Project, one: Waiting) -> list[str]:
    """The levels that the reading of a delivery adds up."""
    formats = project.feeds[one.feed].feed.formats
    return next((list(fmt.territory.also) for fmt in formats if fmt.id == one.format), [])


def _parents(project: Project, feeds: Sequence[str]) -> pd.DataFrame:
    """Of each commune, the wholes that it counts in; all count in France."""
    rows = set()
    for territories in (project.territories_of(project.feeds[feed]) for feed in dict.fromkeys(feeds)):
        wholes = [t for t in territories.all if t.level != "commune" and not t.communes]
        rows |= {
            (commune.code, commune.geography, whole.level, whole.code)
            for commune in territories.all
            if commune.level == "commune"
            for whole in wholes
            if whole.level == "france" or whole.code in commune.parents
        }
    return pd.DataFrame(rows, columns=["territory", "geography", "level", "whole"])


def _missing(project: Project, one: Waiting, lost: set[tuple[str, str, str, str]]) -> Waiting:
    frame = one.reading.frame.copy()
    keys = zip(frame["month"], frame["level"], frame["territory"], strict=True)
    levels = _levels(project, one)
    gone = pd.Series([k[1] in levels and (one.feed, *k) in lost for k in keys], index=frame.index)
    gone &= frame["conf_status"] == "F"
    variables = project.feeds[one.feed].feed.variables
    adds = frame["variable"].map(lambda v: variables[v.partition(".")[2]].aggregation == "sum")
    frame.loc[gone & adds, "lower_bound"] = frame.loc[gone & adds, "value"]
    frame.loc[gone, "value"] = float("nan")
    frame.loc[gone, "obs_status"] = "O"
    return replace(one, reading=replace(one.reading, frame=frame))
