"""Documents of the observatory: one description of the content, written as HTML and as PDF."""

from odds_pipeline.publications.documents.document import (
    Block,
    Bullets,
    Cell,
    Chart,
    Column,
    Contents,
    Cover,
    Document,
    Drawing,
    Heading,
    Hero,
    KeyFigure,
    KeyFigures,
    Notes,
    PageBreak,
    Panel,
    Paragraph,
    Side,
    Table,
)
from odds_pipeline.publications.documents.html import to_html
from odds_pipeline.publications.documents.pdf import to_pdf

__all__ = [
    "Block",
    "Bullets",
    "Cell",
    "Chart",
    "Column",
    "Contents",
    "Cover",
    "Document",
    "Drawing",
    "Heading",
    "Hero",
    "KeyFigure",
    "KeyFigures",
    "Notes",
    "PageBreak",
    "Panel",
    "Paragraph",
    "Side",
    "Table",
    "to_html",
    "to_pdf",
]
