"""Charts as SVG text: rankings, trends, maps, strips, spines.

The same text stands in a web page with a strict content policy (no inline style, no script) and in
a PDF. Each has a title and a description in French for those who do not see it. Colours run on one
ramp of luminance, so that they hold in black and white; the place studied is outlined. What is drawn
is computed from the values given: give published values only.
"""

from odds_pipeline.charts.atlas import atlas, emblem, locator
from odds_pipeline.charts.dots import Dot, dots
from odds_pipeline.charts.ground import Ground, read_ground, store_outlines
from odds_pipeline.charts.groups import Group, groups
from odds_pipeline.charts.maps import circles, classed
from odds_pipeline.charts.multiple import multiple
from odds_pipeline.charts.ranking import Ranked, ranking
from odds_pipeline.charts.spark import spark
from odds_pipeline.charts.spine import Spine, spine
from odds_pipeline.charts.strip import Strip, printed_strip
from odds_pipeline.charts.trend import Line, trend

__all__ = [
    "Dot",
    "Ground",
    "Group",
    "Line",
    "Ranked",
    "Spine",
    "Strip",
    "atlas",
    "circles",
    "classed",
    "dots",
    "emblem",
    "groups",
    "locator",
    "multiple",
    "printed_strip",
    "ranking",
    "read_ground",
    "spark",
    "spine",
    "store_outlines",
    "trend",
]
