"""A document as a tagged PDF, built to PDF/UA-1: the compiler refuses a figure without a text.

The fonts come from two pinned packages; no font of the machine is used, so that the bytes are the same
anywhere.
"""

import json
from datetime import datetime
from functools import cache
from pathlib import Path

import font_source_sans_pro
import font_source_serif_pro
import typst

from odds_pipeline.publications.documents.document import Document, plain
from odds_pipeline.publications.documents.row_headers import with_row_headers


@cache
def compiler() -> typst.Compiler:
    """One for all documents: loading fonts costs more than writing four pages."""
    packages = (font_source_sans_pro, font_source_serif_pro)
    folders = [Path(str(package.__file__)).parent / "files" for package in packages]
    fonts = typst.Fonts(include_system_fonts=False, font_paths=folders)
    return typst.Compiler(font_paths=fonts, ignore_system_fonts=True)


@cache
def _layout() -> bytes:
    return (Path(__file__).parent / "document.typ").read_bytes()


def to_pdf(document: Document) -> bytes:
    """The same bytes for the same document. Raises :class:`RuntimeError` on any warning."""
    content = json.dumps(plain(document), ensure_ascii=False)
    pdf, warnings = compiler().compile_with_warnings(
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
    return with_row_headers(pdf)
