"""Applies the known errors of a source to a reading, before the gate, and keeps what was changed.

A correction that is meant for a delivery and finds nothing in it is reported: the error was mended, or
is another one.
"""

import re
from dataclasses import replace

import pandas as pd

from odds_pipeline.declarations.correction import Correction
from odds_pipeline.declarations.project import FeedEntry
from odds_pipeline.reception.reading import STATUS, Reading


def _meant(correction: Correction, reading: Reading, file_name: str, sha256: str) -> bool:
    """Whether the correction speaks of this delivery."""
    match = correction.match
    return (
        (match.file is None or re.search(match.file, file_name, re.IGNORECASE) is not None)
        and (match.sha256 is None or sha256.startswith(match.sha256))
        and (match.month is None or match.month in reading.months)
    )


def _cells(correction: Correction, entry: FeedEntry, frame: pd.DataFrame) -> "pd.Series[bool]":
    match = correction.match
    cells = pd.Series(True, index=frame.index)
    if match.month is not None:
        cells &= frame["month"] == match.month
    if match.territory is not None:
        cells &= frame["territory"] == match.territory
    if match.variable is not None:
        cells &= frame["variable"] == entry.variable_id(match.variable)
    if match.raw is not None:
        cells &= frame["raw"].fillna("").str.strip() == match.raw
    return cells


def _apply(correction: Correction, frame: pd.DataFrame, cells: "pd.Series[bool]") -> pd.DataFrame:
    if correction.action == "drop":
        return frame[~cells]
    raw = frame.loc[cells, "raw"].fillna("")
    frame.loc[cells, "correction"] = f"{correction.id} : {correction.reason} (livré : « " + raw + " »)"
    if correction.action == "move":
        frame.loc[cells, "month"] = correction.month
        return frame
    kind = {"missing": "not_available", "secret": "secret"}.get(correction.action)
    obs_status, conf_status = STATUS[kind] if kind else ("A", "F")
    frame.loc[cells, "value"] = float("nan") if correction.value is None else float(correction.value)
    frame.loc[cells, "obs_status"] = obs_status
    frame.loc[cells, "conf_status"] = conf_status
    frame.loc[cells, ["unreadable", "lower_bound"]] = None
    return frame


def corrected(entry: FeedEntry, reading: Reading, file_name: str, sha256: str) -> Reading:
    """The reading with the feed's known errors corrected, in the order they are declared.

    ``frame`` gets a column ``correction`` that says what was changed and why; ``idle`` names the
    corrections meant for this delivery that found nothing.
    """
    frame = reading.frame.assign(correction=None).astype({"correction": "object"})
    idle = []
    for correction in entry.corrections:
        if not _meant(correction, reading, file_name, sha256):
            continue
        cells = _cells(correction, entry, frame)
        if cells.any():
            frame = _apply(correction, frame, cells)
        else:
            idle.append(correction.id)
    months = tuple(sorted(m for m in frame["month"].dropna().unique()))
    return replace(reading, frame=frame.reset_index(drop=True), months=months, idle=tuple(idle))
