"""A document as a tagged PDF, built to PDF/UA-1: the compiler refuses a figure without a text.

The fonts are those that Typst carries; no font of the machine is used, so that the bytes are the same
anywhere.
"""

import json
from datetime import datetime
from functools import cache
from pathlib import Path

import typst

from odds_pipeline.publications.documents.document import Document, plain


@cache
def _compiler() -> typst.Compiler:
    # One compiler for all documents: loading fonts costs more than writing four pages.
    fonts = typst.Fonts(include_system_fonts=False)
    return typst.Compiler(font_paths=fonts, ignore_system_fonts=True)


@cache
def _layout() -> bytes:
    return (Path(__file__).parent / "document.typ").read_bytes()


def to_pdf(document: Document) -> bytes:
    """The same bytes for the same document. Raises :class:`RuntimeError` on any warning."""
    content = json.dumps(plain(document), ensure_ascii=False)
    pdf, warnings = _compiler().compile_with_warnings(
        _layout(),
        format="pdf",
        sys_inputs={"document": content},
        pdf_standards="ua-1",
        timestamp=datetime.fromisoformat(document.date),
    )
    if warnings:
        raise RuntimeError(f"{document.title}: " + " ; ".join(str(w) for w in warnings))
    if not isinstance(pdf, bytes):
        raise RuntimeError(f"{document.title}: nothing was written")
    return pdf
