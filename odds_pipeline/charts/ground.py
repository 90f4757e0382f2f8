"""The ground of a map: a shape per commune, from outlines when there are some, else tiles.

Outlines belong to their producers and are not shipped: ``odds outlines FILE`` stores a GeoJSON file
in the observatory. Without it, maps are tiles of our own design (``resources/reference/tiles.csv``),
one square a commune, placed so that neighbours stay roughly where they are.
"""

import csv
import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from odds_pipeline.geography.territories import Territories
from odds_pipeline.storage.home import Home

WIDTH = 420.0
TILE, WIDEST = 46.0, 600.0
"""Side of a square, and the width from which on squares are smaller, so that a legend can be read."""
CROWD = 80
"""Shapes from which on they are too many to be named: 40 communes are, 648 were a black stain."""
CODES = ("code", "code_insee", "codgeo", "insee")
"""Properties in which producers write a commune's code."""


@dataclass(frozen=True)
class Shape:
    """``path`` is SVG path data; ``x``, ``y`` the middle, where a circle or a label stands.

    ``short_label`` fits in a tile; outlines have none.
    """

    label: str
    path: str
    x: float
    y: float
    short_label: str = ""


@dataclass(frozen=True)
class Ground:
    """Shapes by commune code. ``tiles``: the shapes are squares, not outlines.

    ``borders``: path data of the lines where communes of two groups meet.
    """

    width: float
    height: float
    shapes: dict[str, Shape]
    tiles: bool
    source: str
    borders: str = ""

    @property
    def crowded(self) -> bool:
        """Whether names would lie on each other: they are then written where they fit, and for a few."""
        return len(self.shapes) > CROWD


def store_outlines(territories: Territories, home: Home, source: Path) -> int:
    """Keep a GeoJSON file of communes as the observatory's outlines; returns how many it uses.

    Raises :class:`ValueError` naming what is wrong, and then nothing changes.
    """
    try:
        found = rings_of(json.loads(source.read_text(encoding="utf-8")))
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, IndexError) as error:
        raise ValueError(f"{source}: not a GeoJSON collection of areas ({error})") from error
    former = {t.code for g in territories.geographies for t in territories.communes(g)}
    now = {t.code for t in territories.communes(territories.current)}
    missing = sorted(now - set(found))
    if missing:
        raise ValueError(
            f"{source}: no outline for {', '.join(missing)}; the commune's code is read in "
            f"{', '.join(CODES)}"
        )
    kept = home.outlines
    kept.parent.mkdir(parents=True, exist_ok=True)
    temporary = kept.with_suffix(".tmp")
    temporary.write_bytes(source.read_bytes())
    temporary.replace(kept)
    return len(former & set(found))


def read_ground(territories: Territories, reference: Path, home: Home, geography: int) -> Ground:
    """The ground of one geography: stored outlines, else the tiles of ``reference``/tiles.csv.

    Outlines older than a merger are put together under the new commune's code.
    """
    known = territories.communes(geography)
    communes, groups = {t.code: t.label for t in known}, {t.code: t.group for t in known}
    stored = home.outlines
    if not stored.exists():
        return _tiles(reference / "tiles.csv", communes, groups)
    rings = rings_of(json.loads(stored.read_text(encoding="utf-8")))
    for year, source, target in territories.mergers:
        if year <= geography and source != target and source in rings:
            rings[target] = rings.get(target, []) + rings.pop(source)
    if set(communes) - set(rings):
        return _tiles(reference / "tiles.csv", communes, groups)
    return _outlines({code: rings[code] for code in communes}, communes, groups)


Ring = list[tuple[float, float]]


def rings_of(collection: Any) -> dict[str, list[Ring]]:
    """Rings of each commune of a GeoJSON collection, in degrees."""
    rings: dict[str, list[Ring]] = {}
    for feature in collection["features"]:
        properties = {key.lower(): value for key, value in feature["properties"].items()}
        code = next((properties[name] for name in CODES if name in properties), "")
        rings[str(code)] = list(_polygons(feature["geometry"]))
    return rings


def _polygons(geometry: Any) -> Iterator[Ring]:
    polygons = geometry["coordinates"]
    if geometry["type"] == "Polygon":
        polygons = [polygons]
    for polygon in polygons:
        for ring in polygon:
            yield [(float(point[0]), float(point[1])) for point in ring]


def _outlines(rings: dict[str, list[Ring]], labels: dict[str, str], groups: dict[str, str]) -> Ground:
    """Project (equirectangular, true at the middle latitude) and round to half a unit.

    Rounding drops the points too near to tell apart and moves a shared border alike on both sides.
    """
    points = [p for areas in rings.values() for ring in areas for p in ring]
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    narrow = math.cos(math.radians((south + north) / 2))
    scale = WIDTH / ((east - west) * narrow)

    def project(ring: Ring) -> Ring:
        placed = [
            (round((x - west) * narrow * scale * 2) / 2, round((north - y) * scale * 2) / 2)
            for x, y in ring
        ]
        return [p for i, p in enumerate(placed) if i == 0 or p != placed[i - 1]]

    projected = {code: [project(ring) for ring in areas] for code, areas in rings.items()}
    shapes = {}
    for code, placed in projected.items():
        largest = max(placed, key=lambda ring: abs(area_of(ring)[0]))
        _, x, y = area_of(largest)
        path = "".join(
            "M" + "L".join(f"{px:g},{py:g}" for px, py in ring) + "Z" for ring in placed if len(ring) > 2
        )
        shapes[code] = Shape(labels[code], path, x, y)
    source = "Contours des communes : fichier fourni à l’observatoire."
    return _bordered(Ground(WIDTH, (north - south) * scale, shapes, False, source), projected, groups)


def _bordered(ground: Ground, rings: dict[str, list[Ring]], groups: dict[str, str]) -> Ground:
    if not (drawn := borders(rings, groups)):
        return ground
    said = f"{ground.source} Traits épais : limites des groupements de communes."
    return replace(ground, borders=drawn, source=said)


def borders(rings: Mapping[str, list[Ring]], groups: Mapping[str, str]) -> str:
    """Where shapes of two groups meet, each line once, as path data."""
    beside: dict[frozenset[tuple[float, float]], set[str]] = defaultdict(set)
    for code, areas in rings.items():
        for side in _sides(areas):
            beside[frozenset(side)].add(groups[code])
    drawn, pen = [], None
    for code, areas in rings.items():
        for start, end in _sides(areas):
            met = beside[frozenset((start, end))]
            if len(met) == 2 and groups[code] == min(met):
                moved = "" if pen == start else f"M{start[0]:g},{start[1]:g}"
                drawn.append(f"{moved}L{end[0]:g},{end[1]:g}")
                pen = end
    return "".join(drawn)


def _sides(areas: list[Ring]) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    return ((a, b) for ring in areas for a, b in zip(ring, ring[1:] + ring[:1], strict=True) if a != b)


def area_of(ring: Ring) -> tuple[float, float, float]:
    """Signed area and centre of a ring."""
    area = x = y = 0.0
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        cross = x1 * y2 - x2 * y1
        area, x, y = area + cross / 2, x + (x1 + x2) * cross, y + (y1 + y2) * cross
    if not area:
        return 0.0, ring[0][0], ring[0][1]
    return area, x / (6 * area), y / (6 * area)


def _tiles(path: Path, labels: dict[str, str], groups: dict[str, str]) -> Ground:
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["code"]: row for row in csv.DictReader(file, delimiter=";")}
    if lacking := sorted(set(labels) - set(rows)):
        raise LookupError(
            f"{path} has no tile for {', '.join(lacking)}: add them, or keep outlines (`odds outlines`)"
        )
    shapes, cells = {}, {}
    across, down = (max(int(row[axis]) for row in rows.values()) + 1 for axis in ("column", "row"))
    tile = min(TILE, WIDEST / across)
    side, edge = tile - tile / 23, tile / 46
    for code, label in labels.items():
        x, y = int(rows[code]["column"]) * tile, int(rows[code]["row"]) * tile
        square = f"M{x + edge:g},{y + edge:g}h{side:g}v{side:g}h-{side:g}Z"
        shapes[code] = Shape(label, square, x + tile / 2, y + tile / 2, rows[code]["short_label"])
        cells[code] = [[(x, y), (x + tile, y), (x + tile, y + tile), (x, y + tile)]]
    width, height = across * tile, down * tile
    source = "Plan schématique de l’observatoire : une case par commune."
    return _bordered(Ground(width, height, shapes, True, source), cells, groups)
