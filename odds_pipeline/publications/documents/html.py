"""A document as one HTML file that needs nothing else: no script, no outside address."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from odds_pipeline.geography.territories import plain as letters
from odds_pipeline.publications.documents.document import Document, plain


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["anchor"] = lambda text: letters(text).replace(" ", "-")
    return environment.get_template("document.html.j2")


def to_html(document: Document) -> bytes:
    """The same bytes for the same document."""
    return _template().render(document=plain(document)).encode("utf-8")
