"""What a document holds, whatever it is written as. Text is plain; French spaces are set here."""

import re
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal

from odds_pipeline.french import NBSP, THIN

_BEFORE_COLON = re.compile(r" (?=:(\s|$))")
_BEFORE_HIGH = re.compile(r" (?=[;!?](\s|$))")
_UNIT = re.compile(r"(?<=\d) (?=(%|‰|€|p\.|pts|hab\.|ans\b|km|m²))")


def french(text: str) -> str:
    """Non-breaking spaces where French typography sets them: before : ; ! ? », after «, before units."""
    text = _BEFORE_COLON.sub(NBSP, text)
    text = _BEFORE_HIGH.sub(THIN, text)
    text = _UNIT.sub(NBSP, text)
    return text.replace("« ", f"«{NBSP}").replace(" »", f"{NBSP}»").replace("'", "’")


@dataclass(frozen=True)
class Heading:
    """``level`` 2 or 3; 1 is the document's title. Levels are never skipped.

    ``eyebrow`` stands above, small: the theme, where the heading is a finding.
    """

    text: str
    level: int = 2
    eyebrow: str = ""


@dataclass(frozen=True)
class Paragraph:
    """``kind``: ``alert`` is framed, ``note`` small, ``lead`` large, ``intro`` kept with the next."""

    text: str
    kind: Literal["normal", "lead", "note", "alert", "intro"] = "normal"


@dataclass(frozen=True)
class Bullets:
    """A list; ``small`` for what few will read."""

    items: tuple[str, ...]
    small: bool = False


@dataclass(frozen=True)
class Column:
    """``width`` is a share of the table; numbers stand at the right, those read first are ``strong``."""

    label: str
    width: float = 1
    right: bool = False
    strong: bool = False


@dataclass(frozen=True)
class Drawing:
    """A small chart in the cell of a table; ``alt`` says its numbers."""

    svg: str
    alt: str


Cell = str | Drawing


@dataclass(frozen=True)
class Table:
    """The first cell of a row names it. ``marked``: rows that stand out. A row of one cell is a heading.

    ``bare``: the caption is read aloud but not printed, where a heading just above says the same.
    ``small``: a table to look one thing up in.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    marked: tuple[int, ...] = ()
    note: str = ""
    bare: bool = False
    small: bool = False


@dataclass(frozen=True)
class Chart:
    """A chart: its SVG, what it shows to those who do not see it, and its caption.

    ``width``: its share of the column, on paper.
    """

    svg: str
    alt: str
    caption: str
    width: float = 1


@dataclass(frozen=True)
class KeyFigure:
    """One key figure. ``mark``: where it stands, in words; ``drawing``: among which others."""

    label: str
    value: str
    note: str = ""
    mark: str = ""
    drawing: Drawing | None = None


@dataclass(frozen=True)
class KeyFigures:
    """Key figures in a row."""

    items: tuple[KeyFigure, ...]


@dataclass(frozen=True)
class Side:
    """Blocks side by side, one list a column; ``widths`` are shares, equal when not given."""

    columns: tuple[tuple["Block", ...], ...]
    widths: tuple[float, ...] = ()


@dataclass(frozen=True)
class Panel:
    """Blocks on a ground of their own: the essential, or what to know before citing."""

    blocks: tuple["Block", ...]


@dataclass(frozen=True)
class Notes:
    """« Lecture », « Champ », « Source »: each word with what it says."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Contents:
    """The headings of level 2, with their pages on paper; ``title`` names the list."""

    title: str


@dataclass(frozen=True)
class Links:
    """Other documents: each its name, and the files that it is written as, by what they are called."""

    items: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True)
class PageBreak:
    """A new page, on paper."""


Block = (
    Heading
    | Paragraph
    | Bullets
    | Table
    | Chart
    | KeyFigures
    | Side
    | Panel
    | Notes
    | Contents
    | Links
    | PageBreak
)


@dataclass(frozen=True)
class Cover:
    """A first page of its own; ``edition`` says which one and when, ``svg`` is there to be looked at."""

    edition: str
    svg: str
    note: str = ""


@dataclass(frozen=True)
class Hero:
    """The head of a document without a cover: what it is, its answer, and a drawing of where it is."""

    eyebrow: str
    blocks: tuple[Block, ...]
    drawing: Drawing


@dataclass(frozen=True)
class Document:
    """``banner`` stands on every page; ``date`` (ISO) dates the file, so that it never changes."""

    title: str
    subtitle: str
    footer: str
    date: str
    blocks: tuple[Block, ...]
    banner: str = ""
    author: str = "Observatoire départemental des données sociales"
    keywords: tuple[str, ...] = field(default=())
    subject: str = ""
    cover: Cover | None = None
    hero: Hero | None = None


def plain(value: Any) -> Any:
    """Dataclasses as dictionaries with a ``type``, text in French typography; SVG is left alone."""
    if is_dataclass(value) and not isinstance(value, type):
        content = {f.name: getattr(value, f.name) for f in fields(value)}
        as_it_is = ("svg", "kind", "date")
        return {
            "type": type(value).__name__,
            **{name: one if name in as_it_is else plain(one) for name, one in content.items()},
        }
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return french(value) if isinstance(value, str) else value
