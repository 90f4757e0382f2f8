"""A plan of squares, one a commune, from outlines: each where it lies, as near as a free square is."""

import json
import math
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from odds_pipeline.charts.ground import area_of, rings_of
from odds_pipeline.onboarding.period import CannotPropose

LETTERS = 9
"""Characters of a label that a tile holds."""


def tiles(outlines: Path, labels: dict[str, str], merged: dict[str, str]) -> list[list[str]]:
    """Rows of ``tiles.csv`` for the communes of ``labels``: squares nearest to their land in all.

    All squares together are as large as the land, so that its form remains. A commune ``merged``
    into another one has a tile beside it.
    """
    rings = rings_of(json.loads(outlines.read_text(encoding="utf-8")))
    rings |= {c: rings[into] for c, into in merged.items() if c not in rings and into in rings}
    if lacking := sorted(set(labels) - set(rings)):
        raise CannotPropose(f"{outlines}: no outline for {', '.join(lacking)}")
    codes = sorted(labels)
    areas = [max((area_of(ring) for ring in rings[code]), key=lambda a: abs(a[0])) for code in codes]
    middles = np.array([(x, -y) for _, x, y in areas])
    # A degree of longitude is shorter than one of latitude, the more so the farther north.
    narrow = math.cos(math.radians(-middles[:, 1].mean()))
    middles[:, 0] *= narrow
    side = math.sqrt(narrow * sum(abs(area) for area, *_ in areas) / len(codes))
    low = middles.min(axis=0) - side
    across, down = (int(n) for n in np.ceil((middles.max(axis=0) + side - low) / side))
    cells = np.array([(column, row) for row in range(down + 1) for column in range(across + 1)])
    apart = ((middles[:, None, :] - (low + side * cells)[None, :, :]) ** 2).sum(axis=2)
    places = cells[linear_sum_assignment(apart)[1]]
    places -= places.min(axis=0)
    return [
        [code, str(column), str(row), labels[code][:LETTERS]]
        for code, (column, row) in zip(codes, places, strict=True)
    ]
