"""Documents of the observatory: one description of the content, written as HTML and as PDF."""

from odds_pipeline.publications.documents.document import (
    Block,
    Bullets,
    Column,
    Document,
    Fact,
    Facts,
    Figure,
    Heading,
    PageBreak,
    Paragraph,
    Side,
    Table,
)
from odds_pipeline.publications.documents.html import to_html
from odds_pipeline.publications.documents.pdf import to_pdf

__all__ = [
    "Block",
    "Bullets",
    "Column",
    "Document",
    "Fact",
    "Facts",
    "Figure",
    "Heading",
    "PageBreak",
    "Paragraph",
    "Side",
    "Table",
    "to_html",
    "to_pdf",
]
