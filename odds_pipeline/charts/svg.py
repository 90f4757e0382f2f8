"""The few SVG elements that charts are made of, escaped and accessible."""

from html import escape

INK, QUIET, FAINT, ACCENT = "#15232D", "#4A5963", "#C3CCD0", "#B0125B"
RAMP = ("#F3EEDB", "#BDD5BD", "#7FB2AF", "#2E7488", "#103E54")
"""Five steps from sand to deep blue, each darker: neighbours differ by 1.3:1 or more in contrast."""
FONT = "Source Sans Pro"
"""The face of the PDF; a page's own style sheet replaces it (``svg text { font-family: … }``)."""


def element(name: str, content: str = "", **attributes: str | float | None) -> str:
    """One element; ``content`` is SVG already. ``None`` leaves out; ``_`` is ``-``; ``class_``."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{given}>{content}</{name}>" if content else f"<{name}{given}/>"


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{round(value, 2):g}"


def text(
    x: float,
    y: float,
    content: str,
    *,
    size: float = 11,
    anchor: str = "start",
    fill: str = INK,
    bold: bool = False,
) -> str:
    """A line of text with its baseline at ``y``."""
    return element(
        "text",
        escape(content),
        x=x,
        y=y,
        font_size=size,
        text_anchor=anchor,
        fill=fill,
        font_weight="bold" if bold else None,
    )


def line(x1: float, y1: float, x2: float, y2: float, stroke: str = FAINT, width: float = 1) -> str:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, stroke_width=width)


def figure(key: str, title: str, description: str, width: float, height: float, body: str) -> str:
    """The whole chart. ``key`` makes the identifiers unique on a page."""
    named = element("title", escape(title), id=f"{key}-titre")
    described = element("desc", escape(description), id=f"{key}-desc")
    return element(
        "svg",
        named + described + element("g", body, font_family=FONT),
        xmlns="http://www.w3.org/2000/svg",
        class_="odds-chart",
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"{key}-titre {key}-desc",
    )
