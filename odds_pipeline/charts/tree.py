"""The tree of a hierarchical classification: a row each territory, joined where two groups meet."""

from collections.abc import Sequence
from dataclasses import dataclass

from odds_pipeline.charts.dots import mark
from odds_pipeline.charts.svg import ACCENT, FAINT, INK, element, figure, text

WIDTH, LEFT, RIGHT, ROW, SIZE = 440.0, 132.0, 12.0, 11.4, 9.2
BOTTOM = 20.0


@dataclass(frozen=True)
class Leaf:
    """``group`` counts from 0: that of the classes as they are published, not of the tree."""

    label: str
    group: int


@dataclass(frozen=True)
class Join:
    """Two become one at ``height``: a leaf is named by its place, the n-th join by leaves + n."""

    one: int
    other: int
    height: float


def tree(key: str, title: str, leaves: Sequence[Leaf], joins: Sequence[Join], cut: float) -> str:
    """Leaves in the order of the tree, so that no branch crosses another; the cut is the dashed line.

    The longer the way to a join, the less its two groups are alike. ``joins`` from the lowest to the
    highest, as SciPy's ``linkage`` gives them.
    """
    order = _order(len(leaves), joins)
    bottom = ROW * len(leaves) + 4
    highest = max((j.height for j in joins), default=1.0) or 1.0

    def x(height: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * height / highest

    places = {leaf: (LEFT, ROW * (i + 0.5) + 2) for i, leaf in enumerate(order)}
    body = []
    for leaf in order:
        base = places[leaf][1]
        body.append(text(LEFT - 14, base + 3, leaves[leaf].label, size=SIZE, anchor="end"))
        body.append(mark(leaves[leaf].group, LEFT - 6, base, 2.9))
    for n, join in enumerate(joins):
        (x1, y1), (x2, y2) = places[join.one], places[join.other]
        path = f"M{x1:.1f},{y1:.1f}H{x(join.height):.1f}V{y2:.1f}H{x2:.1f}"
        body.append(element("path", d=path, fill="none", stroke=INK, stroke_width=0.9))
        places[len(leaves) + n] = (x(join.height), (y1 + y2) / 2)
    dashed = {"stroke": ACCENT, "stroke_dasharray": "4 3"}
    body.append(element("line", x1=x(cut), x2=x(cut), y1=0, y2=bottom, **dashed))
    body.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=bottom, y2=bottom, stroke=FAINT))
    body.append(text(LEFT, bottom + 13, "semblables", size=SIZE))
    body.append(text(WIDTH - RIGHT, bottom + 13, "différentes", size=SIZE, anchor="end"))
    described = "Dans l’ordre de l’arbre : " + ", ".join(leaves[leaf].label for leaf in order) + "."
    return figure(key, title, described, WIDTH, bottom + BOTTOM, "".join(body))


def _order(leaves: int, joins: Sequence[Join]) -> list[int]:
    """The leaves under each join side by side, the tighter group first."""
    under: dict[int, list[int]] = {i: [i] for i in range(leaves)}
    height = dict.fromkeys(range(leaves), 0.0)
    for n, join in enumerate(joins):
        first, then = sorted((join.one, join.other), key=lambda k: (height[k], k))
        under[leaves + n] = under.pop(first) + under.pop(then)
        height[leaves + n] = join.height
    return [leaf for group in under.values() for leaf in group]
