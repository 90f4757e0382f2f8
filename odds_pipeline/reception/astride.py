"""Figures of communes that a row astride several of them adds up: told where one alone is not known.

A column that every row of a commune repeats (`reduce: same`, the commune's own population) holds, on the
row of a neighbourhood astride two, the sum of both.
"""

import pandas as pd

ASTRIDE = "astride"
"""Level of a figure that is the sum over several communes, whose codes are its territory."""
BETWEEN = "|"
Known = dict[str, float]
Sum = tuple[frozenset[str], pd.Series]


def by_difference(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame without the sums, with what they leave for a commune when the others are known.

    Sums that contradict each other or a figure that is known, or leave nothing, tell nothing of that
    variable and month: a producer forgot a commune in one.
    """
    sums = frame[frame["level"] == ASTRIDE]
    if sums.empty:
        return frame
    rest = frame[frame["level"] != ASTRIDE]
    found = [one for _, own in sums.groupby(["variable", "month"]) for one in _left(rest, own)]
    return pd.concat([rest, pd.DataFrame(found, columns=frame.columns)]) if found else rest


def _left(rest: pd.DataFrame, sums: pd.DataFrame) -> list[pd.Series]:
    first = sums.iloc[0]
    same = (rest["variable"] == first["variable"]) & (rest["month"] == first["month"])
    communes = rest[same & (rest["level"] == "commune") & rest["value"].notna()]
    delivered: Known = dict(zip(communes["territory"], communes["value"], strict=True))
    rows = [
        (frozenset(row["territory"].split(BETWEEN)), row)
        for _, row in sums[sums["value"].notna()].iterrows()
    ]
    known, found = dict(delivered), dict[str, pd.Series]()
    while one := _next(known, rows):
        code, known[code], found[code] = one
    told = [(codes, row) for codes, row in rows if codes <= known.keys()]
    exact = all(abs(sum(known[c] for c in codes) - row["value"]) < 1 for codes, row in told)
    if not exact or min((known[code] for code in found), default=1) <= 0:
        return []
    return [_figure(row, code, known[code]) for code, row in found.items()]


def _next(known: Known, rows: list[Sum]) -> tuple[str, float, pd.Series] | None:
    """A commune that is the only one of a sum not to be known, what is left for it, and the sum."""
    for codes, row in rows:
        if len(lacking := codes - known.keys()) == 1:
            return *lacking, row["value"] - sum(known[c] for c in codes if c in known), row
    return None


def _figure(row: pd.Series, code: str, value: float) -> pd.Series:
    figure = row.copy()
    figure["territory"], figure["level"], figure["value"] = code, "commune", value
    return figure
