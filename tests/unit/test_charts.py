"""Charts: accessible, free of what a strict content policy blocks, true to the values given."""

import csv
import json
import math
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage

from odds_pipeline.charts import (
    Dot,
    Line,
    Ranked,
    Spine,
    atlas,
    circles,
    classed,
    dots,
    multiple,
    ranking,
    read_ground,
    spark,
    spine,
    trend,
)
from odds_pipeline.charts.atlas import classes_around
from odds_pipeline.charts.ground import Ground, Shape, borders, store_outlines
from odds_pipeline.charts.maps import quantile_classes
from odds_pipeline.charts.scale import scale
from odds_pipeline.charts.scatter import Axis, Point, scatter
from odds_pipeline.charts.svg import ACCENT, INK, QUIET, RAMP
from odds_pipeline.charts.tree import Join, Leaf, tree
from odds_pipeline.declarations.project import Project
from odds_pipeline.storage.home import Home

SVG = "{http://www.w3.org/2000/svg}"


def number(value: float) -> str:
    return f"{value:.1f} %".replace(".", ",")


@pytest.fixture
def ground(project: Project, home: Home) -> Ground:
    return read_ground(project.territories, project.root / "resources/reference", home, 2024)


def charts(ground: Ground) -> dict[str, str]:
    values: dict[str, float | None] = {code: float(i) for i, code in enumerate(ground.shapes)}
    values["93015"] = None
    return {
        "atlas": atlas("a", "Taux <&>", ground, values, number, place=["93008"]),
        "circles": circles("b", "Effectif", ground, values, number, place=["93008"]),
        "classed": classed(
            "c",
            "Types",
            ground,
            {c: "Un" if i % 2 else "Deux" for i, c in enumerate(ground.shapes)},
            ["Un", "Deux"],
        ),
        "ranking": ranking(
            "d",
            "Rang",
            [Ranked("Bobigny", 3, 1, 4, place=True), Ranked("Bondy", 2)],
            number,
            marks={"Département": 2.5},
        ),
        "trend": trend(
            "e",
            "Évolution",
            [Line("Bobigny", {"2020-12": 1.0, "2021-12": None, "2022-12": 3.0}, place=True)],
            number,
            breaks={"2022-12": "méthode"},
        ),
        "tree": tree("f", "Arbre", [Leaf("Bobigny", 0), Leaf("Bondy", 1)], [Join(0, 1, 2.0)], 1.0),
    }


def test_every_chart_is_an_image_with_a_title_and_a_description(ground: Ground) -> None:
    for svg in charts(ground).values():
        root = ElementTree.fromstring(svg)
        assert root.get("role") == "img"
        ids = root.get("aria-labelledby", "").split()
        found = {e.get("id"): (e.text or "").strip() for e in root.iter() if e.get("id")}
        assert len(ids) == 2 and all(len(found[i]) > 3 for i in ids)


def test_nothing_that_a_strict_content_policy_blocks(ground: Ground) -> None:
    for svg in charts(ground).values():
        assert not re.search(r"\bstyle=|<style|<script|\bon\w+=|href=", svg)


def test_a_commune_without_a_value_is_hatched_and_counted(ground: Ground) -> None:
    svg = charts(ground)["atlas"]
    root = ElementTree.fromstring(svg)
    fills = {
        p.find(f"{SVG}title").text: p.get("fill")
        for p in root.iter(f"{SVG}path")
        if p.find(f"{SVG}title") is not None
    }  # type: ignore[union-attr]
    assert fills["Coubron : sans valeur"] == "url(#a-hachure)"
    assert "sans valeur (1)" in svg


def test_areas_of_circles_are_in_proportion_to_the_values(ground: Ground) -> None:
    values: dict[str, float | None] = dict.fromkeys(ground.shapes, 100.0)
    values["93008"] = 400.0
    root = ElementTree.fromstring(circles("k", "Effectif", ground, values, number))
    radii = sorted(float(c.get("r", 0)) for c in root.iter(f"{SVG}circle") if c.get("fill") != "none")
    assert math.isclose((radii[-1] / radii[0]) ** 2, 4, rel_tol=1e-3)


def test_a_gap_in_a_trend_is_not_bridged() -> None:
    svg = trend(
        "k", "T", [Line("A", {"2018-12": 1.0, "2019-12": 2.0, "2021-12": 9.0, "2022-12": 8.0})], number
    )
    lines = [p.get("points", "").split() for p in ElementTree.fromstring(svg).iter(f"{SVG}polyline")]
    assert [len(points) for points in lines] == [2, 2]


def test_a_trend_without_values_says_so() -> None:
    assert "Aucune valeur" in trend("k", "T", [Line("A", {"2020-12": None})], number)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_quantile_classes_part_the_values(values: list[float]) -> None:
    groups = quantile_classes(values)
    assert sorted(v for g in groups for v in g) == sorted(values)
    assert len(groups) <= 5
    assert all(max(a) < min(b) for a, b in pairwise(groups))


def test_the_tiles_hold_every_commune_once(project: Project) -> None:
    with (project.root / "resources/reference/tiles.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert {r["code"] for r in rows} == {t.code for t in project.territories.communes(2024)}
    assert len({(r["column"], r["row"]) for r in rows}) == len(rows) == 40


def test_the_merged_commune_has_one_tile(project: Project, home: Home) -> None:
    merged = read_ground(project.territories, project.root / "resources/reference", home, 2025)
    assert len(merged.shapes) == 39 and "93059" not in merged.shapes


def test_borders_are_where_two_groups_meet() -> None:
    """Three squares in a row, the first two of one group: one line, between the last two."""
    squares = {
        code: [[(x, 0.0), (x + 1, 0.0), (x + 1, 1.0), (x, 1.0)]]
        for code, x in (("a", 0.0), ("b", 1.0), ("c", 2.0))
    }
    assert borders(squares, {"a": "north", "b": "north", "c": "south"}) == "M2,0L2,1"
    assert borders(squares, dict.fromkeys("abc", "")) == ""


def test_a_map_shows_where_epts_part_on_tiles_and_outlines(
    project: Project, home: Home, ground: Ground, realdata: Path
) -> None:
    """Bobigny and Drancy are neighbours of two EPT, Bobigny and Pantin of one."""
    assert ground.borders in atlas("c", "t", ground, {"93008": 1.0}, str)
    store_outlines(project.territories, home, realdata / "geo" / "communes93.geojson")
    known = {"93008", "93029", "93055"}
    shapes = {
        code: [[tuple(map(float, p.split(","))) for p in shape.path[1:].split("Z")[0].split("L")]]
        for code, shape in read_ground(
            project.territories, project.root / "resources" / "reference", home, 2024
        ).shapes.items()
        if code in known
    }
    epts = {t.code: t.ept for t in project.territories.communes(2024) if t.code in known}
    assert borders(shapes, epts)  # type: ignore[arg-type]
    del shapes["93029"], epts["93029"]
    assert not borders(shapes, epts)  # type: ignore[arg-type]


def test_real_outlines_replace_the_tiles(project: Project, home: Home, realdata: Path) -> None:
    for name in ("communes93.geojson", "gregoiredavid_communes-93.geojson"):
        assert store_outlines(project.territories, home, realdata / "geo" / name) == 40
        reference = project.root / "resources/reference"
        before = read_ground(project.territories, reference, home, 2024)
        after = read_ground(project.territories, reference, home, 2025)
        assert not before.tiles and len(before.shapes) == 40 and len(after.shapes) == 39
        # Tremblay is the northernmost commune, Noisy-le-Grand the southernmost, Saint-Ouen in the west.
        assert min(before.shapes.values(), key=lambda s: s.y).label == "Tremblay-en-France"
        assert max(before.shapes.values(), key=lambda s: s.y).label == "Noisy-le-Grand"
        assert before.shapes["93070"].x < before.shapes["93014"].x
        assert after.shapes["93066"].path.count("M") == 2


def test_outlines_without_a_commune_are_refused_and_nothing_is_kept(
    project: Project, home: Home, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.geojson"
    square = {"type": "Polygon", "coordinates": [[[2.4, 48.9], [2.5, 48.9], [2.5, 49.0], [2.4, 48.9]]]}
    bad.write_text(json.dumps({"features": [{"properties": {"code": "93008"}, "geometry": square}]}))
    with pytest.raises(ValueError, match="no outline for 93001"):
        store_outlines(project.territories, home, bad)
    bad.write_text("pas du JSON")
    with pytest.raises(ValueError, match="not a GeoJSON"):
        store_outlines(project.territories, home, bad)
    assert not (home.path / "outlines.geojson").exists()


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.1 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_classes_hold_in_black_and_white() -> None:
    steps = [luminance(colour) for colour in RAMP]
    assert all((a + 0.05) / (b + 0.05) >= 1.3 for a, b in pairwise(steps))
    white = 1.05
    assert all(white / (luminance(colour) + 0.05) >= 4.5 for colour in (INK, QUIET, ACCENT))


def drawn(svg: str) -> list[list[tuple[float, float]]]:
    lines = [p.get("points", "").split() for p in ElementTree.fromstring(svg).iter() if p.get("points")]
    return [[(float(x), float(y)) for x, y in (p.split(",") for p in line)] for line in lines]


FALL = {"2014-12": 32.5, "2015-12": 32.5, "2016-12": 32.3}


def test_a_small_change_is_not_drawn_as_a_cliff() -> None:
    """32.5 to 32.3 %: 3 % of the height, where it took all of it."""
    (points,) = drawn(trend("k", "T", [Line("A", FALL)], number))
    assert 0 < points[-1][1] - points[0][1] < 0.05 * 150
    (cell,) = drawn(spark(FALL))
    assert 0 < cell[-1][1] - cell[0][1] < 0.05 * 20


def test_annual_points_are_dated_by_their_year() -> None:
    def drawn(*months: str) -> str:
        return trend("k", "t", [Line("Bobigny", dict.fromkeys(months, 1.0))], str)

    assert ">2022<" in drawn("2022-12", "2024-12") and ">12/2022<" in drawn("2022-12", "2024-06")


def test_every_line_has_a_scale() -> None:
    svg = trend("k", "T", [Line("A", FALL)], number)
    texts = {e.text for e in ElementTree.fromstring(svg).iter(f"{SVG}text")}
    assert {"28,0 %", "30,0 %", "32,0 %", "34,0 %", "36,0 %"} <= texts


@given(st.lists(st.floats(-1e6, 1e6).map(lambda v: round(v, 3)), min_size=1, max_size=30))
def test_a_scale_holds_all_values_on_round_steps(values: list[float]) -> None:
    found = scale(values)
    assert found.low <= min(values) + 1e-6 and max(values) <= found.high + 1e-6
    assert 2 <= len(found.ticks) <= 8
    assert found.high - found.low >= 0.19 * max(abs(v) for v in values)


def test_no_line_crosses_a_break() -> None:
    values = {f"20{y}-12": float(y) for y in range(14, 24)}
    for svg in (
        trend("k", "T", [Line("A", values)], number, breaks={"2018-06": "méthode"}),
        spark(values, ["2018-06"]),
    ):
        assert [len(line) for line in drawn(svg)] == [4, 6]
    told = trend("k", "T", [Line("A", values)], number, breaks={"2018-06": "méthode"})
    assert "de 18,0 % en 12/2018 à 23,0 % en 12/2023, après une rupture de série en 06/2018" in told


def test_unequal_steps_in_time_are_drawn_unequal() -> None:
    """A month's step is a twelfth of a year's."""
    values = {"2020-12": 1.0, "2021-01": 2.0, "2021-02": 3.0, "2022-02": 4.0, "2022-03": 5.0}
    for svg in (trend("k", "T", [Line("A", values)], number), spark(values)):
        (first, second) = drawn(svg)
        month = first[1][0] - first[0][0]
        assert second[0][0] - first[-1][0] == pytest.approx(12 * month, rel=0.03)


def test_classes_do_not_touch_on_the_legend(ground: Ground) -> None:
    """3.56 and 3.64 both print as 3.6: they are of one class."""
    steps = [2.8, 2.94, 3.0, 3.04, 3.2, 3.56, 3.6, 3.64, 3.7, 4.0]
    values: dict[str, float | None] = {code: steps[i % 10] for i, code in enumerate(ground.shapes)}
    svg = atlas("k", "T", ground, values, number)
    legend = [
        e.text or "" for e in ElementTree.fromstring(svg).iter(f"{SVG}text") if " à " in (e.text or "")
    ]
    ends = [re.findall(r"[\d,]+ %", words) for words in legend]
    numbers = [
        float(e.removesuffix(" %").replace(",", ".")) for pair in ends for e in (pair[0], pair[-1])
    ]
    assert all(a < b for a, b in zip(numbers[1:-1:2], numbers[2::2], strict=True))


@pytest.mark.parametrize(
    ("direction", "said"),
    [
        ("lower_is_better", "moins la situation est favorable"),
        ("higher_is_better", "plus la situation est favorable"),
        ("neutral", None),
    ],
)
def test_the_legend_says_which_end_is_worse(ground: Ground, direction: str, said: str | None) -> None:
    values: dict[str, float | None] = {code: float(i) for i, code in enumerate(ground.shapes)}
    svg = atlas("k", "T", ground, values, number, direction=direction)
    assert (said in svg) if said else ("favorable" not in svg)


def test_a_class_never_mixes_both_sides_of_the_whole() -> None:
    values = [float(v) for v in range(10, 50)]
    groups = classes_around(values, 27.6, number)
    assert len(groups) == 5 and sorted(v for g in groups for v in g) == values
    assert not [g for g in groups if g[0] < 27.6 <= g[-1]]
    # 18 values below and 22 above: two classes and three.
    assert [len(g) for g in groups] == [9, 9, 8, 7, 7]
    # 27.58 is written 27,6 as the whole is: no other class may end there.
    near = classes_around([20.0, 27.52, 27.58, 27.64, 30.0], 27.6, number)
    assert [g for g in near if g[0] < 27.58] == [[20.0], [27.52]]


def test_every_commune_is_named_on_a_printed_map(ground: Ground, project: Project, home: Home) -> None:
    values = {code: float(i) for i, code in enumerate(ground.shapes)}
    drawn = atlas("m", "Taux", ground, values, number, reference=("Département", 12.3))
    texts = [t.text or "" for t in ElementTree.fromstring(drawn).iter(f"{SVG}text")]
    assert {s.short_label for s in ground.shapes.values()} <= set(texts)
    assert "Département : 12,3 %" in texts
    square = {
        "type": "FeatureCollection",
        "features": [
            {
                "properties": {"code": t.code},
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [[[x, y], [x + w, y], [x + w, y + w], [x, y + w], [x, y]]],
                },
            }
            # Even communes are large, odd ones too small for a name.
            for i, t in enumerate(project.territories.communes(2025))
            for x, y, w in [(i % 7, i // 7, 0.9 if i % 2 == 0 else 0.05)]
        ],
    }
    file = home.path.parent / "squares.geojson"
    file.write_text(json.dumps(square), encoding="utf-8")
    store_outlines(project.territories, home, file)
    outlined = read_ground(project.territories, project.root / "resources/reference", home, 2025)
    plain_map = ElementTree.fromstring(atlas("n", "Taux", outlined, {}, number))
    said = " ".join("".join(t.itertext()) for t in plain_map.iter(f"{SVG}text"))
    for shape in outlined.shapes.values():
        assert all(part in said for part in re.findall(r"[^- ]+", shape.label)), shape.label
    assert len(list(plain_map.iter(f"{SVG}line"))) >= 15
    valued = atlas("o", "Taux", outlined, dict.fromkeys(outlined.shapes, 12.3), number)
    boxes = [named_box(t) for t in ElementTree.fromstring(valued).iter(f"{SVG}text") if len(t)]
    assert len(boxes) >= 15
    for i, (x, y, w) in enumerate(boxes):
        assert all(abs(y - v) > 7 or x + w < u or u + r < x for u, v, r in boxes[:i]), "names overlap"


def named_box(one: ElementTree.Element) -> tuple[float, float, float]:
    """Left, baseline and width of a name that stands outside its shape, a little less than printed."""
    width = 0.42 * float(one.get("font-size") or 0) * len("".join(one.itertext()))
    back = {"end": 1.0, "middle": 0.5}.get(one.get("text-anchor") or "", 0.0)
    return float(one.get("x") or 0) - back * width, float(one.get("y") or 0), width


def test_dots_carry_their_group_and_interval() -> None:
    rows = [Dot("A", 3.0, 0, 2.0, 4.0), Dot("B", 1.0, 1)]
    root = ElementTree.fromstring(dots("d", "Tous", rows, ["Un", "Deux"], number))
    assert len(list(root.iter(f"{SVG}circle"))) == 2  # the key and A
    assert len(list(root.iter(f"{SVG}path"))) == 2  # the key and B
    assert "A 3,0 % ; B 1,0 %." in (root.findtext(f"{SVG}desc") or "")


def test_a_spine_is_turned_so_that_the_right_is_favourable() -> None:
    values = [float(v) for v in range(1, 10)]

    def at(direction: str) -> float:
        root = ElementTree.fromstring(spine(Spine(values, 8.0, direction=direction), "mots"))
        return float(next(root.iter(f"{SVG}circle")).get("cx") or 0)

    # The median, 5, is at 75; 8 is three quarters of the way to an end.
    assert at("higher_is_better") == 75 + 0.75 * 71 and at("lower_is_better") == 75 - 0.75 * 71


def test_a_plane_names_its_points_and_marks_their_classes() -> None:
    points = [Point("Un", 0.0, 0.0, group=0), Point("Deux", 5.0, 5.0, group=1), Point("Trois", 5.0, 5.1)]
    across, up = Axis("Axe 1", number), Axis("Axe 2", number)
    root = ElementTree.fromstring(scatter("p", "Plan", points, across, up, groups=["A", "B"]))
    said = [t.text for t in root.iter(f"{SVG}text")]
    assert {"A", "B", "Un"} <= set(said)
    assert ("Deux" in said) != ("Trois" in said)  # one would lie on the other
    assert len(list(root.iter(f"{SVG}path"))) == 2  # the square of class B: its key and its point


def test_small_trends_share_a_scale_and_break_where_their_series_does() -> None:
    own = Line(
        "Bobigny", {"2014-12": 30.0, "2015-12": 31.0, "2018-12": 34.0, "2019-12": 36.0}, place=True
    )
    whole = Line("Seine-Saint-Denis", {"2014-12": 28.0, "2019-12": 29.0})
    heights = scale([20.0, 40.0])
    svg = multiple("k", "Taux", own, whole, heights, ("2013-12", "2019-12"), number, ["2019-12"])
    root = ElementTree.fromstring(svg)
    runs = [p.get("points", "").split() for p in root.iter(f"{SVG}polyline")]
    # From 2015 to 2018 years are missing, in 2019 the series breaks: one stretch of two points is left.
    assert [len(run) for run in runs] == [2]
    heights_of = {float(c.get("cy", 0)) for c in root.iter(f"{SVG}circle")}
    assert len(heights_of) == 6
    ticks = [t.text for t in root.iter(f"{SVG}text")]
    assert ticks[-2:] == ["2013", "2019"] and ticks[0] == number(20.0) and ticks[-3] == number(40.0)
    assert "Bobigny : 36" in root.findtext(f"{SVG}desc", "") and "rupture de série" in svg


def test_a_long_name_at_the_end_of_a_line_is_not_cut() -> None:
    name = "Établissement de coopération"
    root = ElementTree.fromstring(
        trend("l", "t", [Line(name, {"2020-12": 1.0, "2021-12": 2.0})], number)
    )
    (label,) = [t for t in root.iter(f"{SVG}text") if t.text == name]
    # Source Sans Pro's lower case is 0.49 em wide on average.
    width = float(root.get("width") or 0)
    assert float(label.get("x") or 0) + 0.49 * float(label.get("font-size") or 0) * len(name) <= width


@pytest.mark.parametrize("seed", range(5))
def test_the_tree_is_cut_into_as_many_groups_as_scipy_makes(seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(23, 3))
    joins = linkage(points, method="ward")
    cut = float(joins[-4, 2] + joins[-3, 2]) / 2
    leaves = [Leaf(f"t{i}", 0) for i in range(len(points))]
    drawn = tree("k", "T", leaves, [Join(int(a), int(b), float(h)) for a, b, h, _ in joins], cut)
    root = ElementTree.fromstring(drawn)
    dashed = next(e for e in root.iter(f"{SVG}line") if e.get("stroke-dasharray"))
    numbers = [
        [float(n) for n in re.findall(r"[\d.]+", e.get("d", ""))] for e in root.iter(f"{SVG}path")
    ]
    branches = [ends for x1, _, turn, _, x2 in numbers for ends in ((x1, turn), (x2, turn))]
    crossed = sum(start < float(dashed.get("x1", 0)) < end for start, end in branches)
    classes = fcluster(joins, cut, "distance")
    assert crossed == len(set(classes)) == 4
    names = [e.text for e in root.iter(f"{SVG}text")][: len(points)]
    order = [classes[int(name[1:])] for name in names if name]
    assert sum(a != b for a, b in pairwise(order)) == 3, "a group's leaves are side by side"


def crowd(count: int, tiles: bool = False) -> Ground:
    """``count`` squares in rows of twenty, none wide enough for a name."""
    shapes = {}
    for i in range(count):
        x, y = 20.0 * (i % 20), 20.0 * (i // 20)
        square = f"M{x:g},{y:g}L{x + 18:g},{y:g}L{x + 18:g},{y + 18:g}L{x:g},{y + 18:g}Z"
        shapes[f"c{i:03}"] = Shape(f"Commune-lointaine-{i}", square, x + 9, y + 9, f"Com. {i}")
    return Ground(400, 20.0 * -(-count // 20), shapes, tiles, "")


def written(svg: str) -> list[str]:
    return ["".join(one.itertext()) for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize(("count", "named"), [(80, 80), (81, 3)])
def test_on_a_crowded_map_the_ends_and_the_place_are_named(count: int, named: int) -> None:
    values: dict[str, float | None] = {f"c{i:03}": float(i) for i in range(count)}
    svg = atlas("m", "Taux", crowd(count), values, number, place=("c040",))
    names = [one for one in written(svg) if one.startswith("Commune-lointaine-")]
    assert len(names) == named
    assert {one.split("\xa0")[0] for one in names} >= {
        "Commune-lointaine-0",
        "Commune-lointaine-40",
        f"Commune-lointaine-{count - 1}",
    }


def test_on_crowded_tiles_and_in_crowded_classes_nothing_is_written_on_each_commune() -> None:
    ground = crowd(200, tiles=True)
    values: dict[str, float | None] = {code: 1.0 + i for i, code in enumerate(ground.shapes)}
    assert not [one for one in written(atlas("m", "Taux", ground, values, number)) if "Com." in one]
    classes = {code: "ABC"[i % 3] for i, code in enumerate(ground.shapes)}
    marks = [
        one
        for one in written(classed("m", "Classes", ground, classes, ["A", "B", "C"]))
        if len(one) == 1
    ]
    assert sorted(marks) == ["1", "2", "3"]


def test_of_a_long_list_both_ends_are_drawn_and_the_rest_counted() -> None:
    whole = [Dot(f"c{i}", 100.0 - i, i % 7) for i in range(44)]
    assert (
        sum(one.startswith("c") for one in written(dots("d", "Rang", whole, [*"abcdefg"], number))) == 44
    )
    longer = [Dot(f"c{i}", 700.0 - i, i % 7) for i in range(648)]
    said = written(dots("d", "Rang", longer, [*"abcdefg"], number))
    names = [one for one in said if one.startswith("c")]
    assert names == [f"c{i}" for i in (*range(20), *range(628, 648))] and "… 608 autres" in said
    assert "a" not in said  # seven groups have no seven marks
    ranked = [Ranked(f"c{i}", 700.0 - i, place=i == 300) for i in range(648)]
    said = written(ranking("r", "Rang", ranked, number))
    assert [one for one in said if one.startswith("…")] == ["… 280 autres", "… 327 autres"]
    assert said[said.index("… 280 autres") + 1] == "c300"
