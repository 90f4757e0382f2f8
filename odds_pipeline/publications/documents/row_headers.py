"""The first cell of each row of a table, marked as the header of its row in a finished PDF.

A screen reader then says the row's name before each value. The compiler marks the headers of columns:
its function for rows is behind a feature that the binding cannot open (docs/decisions/0044).
"""

from io import BytesIO

import pikepdf
from pikepdf import Array, Dictionary, Name


def with_row_headers(pdf: bytes) -> bytes:
    """The same document, its structure's ``TD`` that open a ``TR`` made ``TH`` of scope ``Row``.

    The same bytes for the same document. Source: ISO 32000-1, 14.8.5.7 (attributes of tables).
    """
    written = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as document:
        for element in document.objects:
            if isinstance(element, Dictionary) and element.get("/S") == Name.TR:
                cells = element.K
                first = cells[0] if isinstance(cells, Array) else cells
                if first.S == Name.TD:
                    _head(first)
        document.save(written, deterministic_id=True, fix_metadata_version=False)
    return written.getvalue()


def _head(cell: pikepdf.Object) -> None:
    scope = Dictionary(O=Name.Table, Scope=Name.Row)
    held = cell.get("/A")
    cell.S = Name.TH
    if held is None:
        cell.A = scope
    elif isinstance(held, Array):
        held.append(scope)
    else:
        cell.A = Array([held, scope])
