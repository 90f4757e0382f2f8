"""A chart as a picture that stands alone: its title above, its source below, on a ground of its own."""

import re
from collections.abc import Sequence
from html import escape
from textwrap import wrap

from odds_pipeline.charts.svg import FONT, QUIET, element, text

MARGIN = 16.0
TITLE, NOTE = 15.0, 10.0
"""Sizes of the letters of the title and of the lines below."""
LETTER = 0.56
"""Mean width of a letter, as a share of its size."""
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)" width="[\d.]+" height="[\d.]+"')


def picture(drawn: str, title: str, notes: Sequence[str]) -> str:
    """``drawn`` is a chart of this package; ``notes`` say month, source, release."""
    found = _SIZE.search(drawn)
    if found is None:
        raise ValueError("not a chart: it has no size")
    width, height = float(found[1]), float(found[2])
    above = _lines([title], width, TITLE)
    below = _lines(notes, width, NOTE)
    top = MARGIN + len(above) * TITLE * 1.3
    body = [element("rect", width=width + 2 * MARGIN, height="100%", fill="#ffffff")]
    body += [
        text(MARGIN, MARGIN + (i + 0.8) * TITLE * 1.3, line, size=TITLE, bold=True)
        for i, line in enumerate(above)
    ]
    body.append(drawn.replace("<svg ", f'<svg x="{MARGIN:g}" y="{top + 6:g}" ', 1))
    start = top + 6 + height + 8
    body += [
        text(MARGIN, start + (i + 1) * NOTE * 1.35, line, size=NOTE, fill=QUIET)
        for i, line in enumerate(below)
    ]
    full = start + len(below) * NOTE * 1.35 + MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + 2 * MARGIN:g} {full:g}" '
        f'width="{width + 2 * MARGIN:g}" height="{full:g}" role="img" aria-label="{escape(title)}" '
        f'font-family="{FONT}, sans-serif">{"".join(body)}</svg>'
    )


def _lines(words: Sequence[str], width: float, size: float) -> list[str]:
    return [line for one in words for line in wrap(one, int(width / (size * LETTER)))]
