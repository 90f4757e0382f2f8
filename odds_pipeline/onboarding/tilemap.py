"""A plan of squares, one a commune, from outlines: rows from north to south, each from west to east."""

import json
import math
from pathlib import Path

from odds_pipeline.charts.ground import CODES
from odds_pipeline.onboarding.period import CannotPropose

LETTERS = 9
"""Characters of a label that a tile holds."""


def tiles(outlines: Path, labels: dict[str, str], merged: dict[str, str]) -> list[list[str]]:
    """Rows of ``tiles.csv`` for the communes of ``labels``; neighbours stay roughly where they are.

    A commune ``merged`` into another one has a tile beside it.
    """
    middles = _middles(json.loads(outlines.read_text(encoding="utf-8")))
    middles |= {c: middles[into] for c, into in merged.items() if c not in middles and into in middles}
    if lacking := sorted(set(labels) - set(middles)):
        raise CannotPropose(f"{outlines}: no outline for {', '.join(lacking)}")
    across = math.ceil(math.sqrt(len(labels)))
    southward = sorted(labels, key=lambda code: -middles[code][1])
    rows = [southward[i : i + across] for i in range(0, len(southward), across)]
    return [
        [code, str(column), str(row), labels[code][:LETTERS]]
        for row, codes in enumerate(rows)
        for column, code in enumerate(sorted(codes, key=lambda c: middles[c][0]))
    ]


def _middles(collection: dict) -> dict[str, tuple[float, float]]:  # type: ignore[type-arg]  # GeoJSON
    found = {}
    for feature in collection["features"]:
        properties = {key.lower(): value for key, value in feature["properties"].items()}
        code = next((str(properties[name]) for name in CODES if name in properties), "")
        points = list(_points(feature["geometry"]["coordinates"]))
        xs, ys = zip(*points, strict=True)
        found[code] = ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)
    return found


def _points(coordinates: list):  # type: ignore[type-arg,no-untyped-def]
    if coordinates and isinstance(coordinates[0], int | float):
        yield coordinates[0], coordinates[1]
        return
    for inner in coordinates:
        yield from _points(inner)
