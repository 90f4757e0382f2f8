"""A chart as pixels, by the compiler and the fonts that write the PDF: the same bytes anywhere."""

from odds_pipeline.publications.documents.pdf import compiler

_PAGE = (
    b"#set page(width: auto, height: auto, margin: 0pt)\n"
    b'#image(bytes(sys.inputs.drawing), format: "svg")\n'
)
PPI = 216.0
"""Three pixels a point: sharp in a slide or on paper at half a page."""


def to_png(svg: str) -> bytes:
    """The picture, three pixels a point."""
    made = compiler().compile(_PAGE, format="png", ppi=PPI, sys_inputs={"drawing": svg})
    assert isinstance(made, bytes)  # one page
    return made
