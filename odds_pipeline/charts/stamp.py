"""A map the size of a stamp: where a territory lies, without names, in some three kilobytes."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from odds_pipeline.charts.ground import Ground

WIDTH = 130.0
_POINT = re.compile(r"(-?[\d.]+),(-?[\d.]+)")


@dataclass(frozen=True)
class Stamp:
    """``body`` is SVG for the ``box`` of a viewBox."""

    body: str
    box: str


def stamp(ground: Ground, of: Mapping[str, Collection[str]]) -> Stamp:
    """The shapes of ``ground`` in one path, but those ``of`` a class, which a style sheet colours."""
    scale = WIDTH / ground.width
    classed = {code for codes in of.values() for code in codes}
    paths = {"": [c for c in ground.shapes if c not in classed], **of}
    body = ""
    for kind, codes in paths.items():
        drawn = "".join(
            _coarse(ground.shapes[code].path, scale) for code in ground.shapes if code in codes
        )
        body += (
            f'<path class="{kind}" d="{drawn}"/>'
            if drawn and kind
            else f'<path d="{drawn}"/>'
            if drawn
            else ""
        )
    return Stamp(body, f"0 0 {WIDTH:g} {ground.height * scale:.0f}")


@lru_cache(4000)
def _coarse(path: str, scale: float) -> str:
    """A path at that scale, in whole units, without the points that fall together."""
    if "h" in path:  # a square of a plan: its corner and its side
        x, y, side = (float(one) * scale for one in re.findall(r"[\d.]+", path)[:3])
        return f"M{x:.1f},{y:.1f}h{side:.1f}v{side:.1f}h-{side:.1f}Z"
    drawn = []
    for ring in path.split("Z"):
        points = [(round(float(x) * scale), round(float(y) * scale)) for x, y in _POINT.findall(ring)]
        kept = [p for i, p in enumerate(points) if i == 0 or p != points[i - 1]]
        if len(kept) > 2:
            drawn.append("M" + "L".join(f"{x},{y}" for x, y in kept) + "Z")
    return "".join(drawn)
