"""One document, two files: the same bytes again, readable by a screen reader, in French typography."""

import io
import re
from typing import Any

import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odds_pipeline.charts import Line, trend
from odds_pipeline.publications.documents import (
    Bullets,
    Chart,
    Column,
    Document,
    Heading,
    KeyFigure,
    KeyFigures,
    Paragraph,
    Side,
    Table,
    to_html,
    to_pdf,
)
from odds_pipeline.publications.documents.document import french

pytestmark = pytest.mark.slow

SVG = trend("t", "Évolution", [Line("A", {"2020-12": 1.0, "2021-12": 2.0})], str)
DOCUMENT = Document(
    title="Portrait d'essai",
    subtitle="Commune <&> #[code] $x$",
    footer="Édition 1",
    date="2025-01-08T07:00:00+00:00",
    banner="DONNÉES SIMULÉES",
    blocks=(
        Heading("Cadrage"),
        Paragraph("Lisez ceci : oui ?", "alert"),
        Bullets(("un", "deux")),
        KeyFigures((KeyFigure("Population", "54 363"),)),
        Side(((Chart(SVG, "La valeur passe de 1 à 2.", "Légende"),), (Paragraph("À côté"),))),
        Heading("Détail", 3),
        Table(
            "Valeurs",
            (Column("Indicateur", 2), Column("Valeur", 1, True)),
            (("Taux", "12 %"), ("Revenus",), ("Part", "3 %")),
            (1,),
        ),
    ),
)


def elements(pdf: bytes) -> list[tuple[str, Any]]:
    """The structure tree in reading order, as (type, element)."""
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    found: list[tuple[str, Any]] = []

    def walk(node: Any) -> None:
        node = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(node, list):
            for child in node:
                walk(child)
        elif isinstance(node, dict) and "/S" in node:
            found.append((node["/S"], node))
            walk(node.get("/K", []))

    walk(reader.trailer["/Root"]["/StructTreeRoot"]["/K"])
    return found


def test_the_same_bytes_for_the_same_document() -> None:
    assert to_pdf(DOCUMENT) == to_pdf(DOCUMENT)
    assert to_html(DOCUMENT) == to_html(DOCUMENT)


def test_the_pdf_is_tagged_titled_and_in_french() -> None:
    pdf = to_pdf(DOCUMENT)
    root = pypdf.PdfReader(io.BytesIO(pdf)).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"].startswith("fr")
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"pdfuaid" in pdf
    kinds = [kind for kind, _ in elements(pdf)]
    for kind in ("/H1", "/H2", "/H3", "/P", "/L", "/LI", "/Figure", "/Table", "/TH", "/TD", "/TR"):
        assert kind in kinds, kind
    headings = [k for k in kinds if re.fullmatch(r"/H\d", k)]
    assert headings == ["/H1", "/H2", "/H3"]
    figures = [node for kind, node in elements(pdf) if kind == "/Figure"]
    assert (
        all(node.get("/Alt") for node in figures) and figures[0]["/Alt"] == "La valeur passe de 1 à 2."
    )


def test_the_first_cell_of_each_row_is_its_header() -> None:
    """As a screen reader that knows nothing of us finds them: the columns' in the head, one in each row."""
    rows = [node["/K"] for kind, node in elements(to_pdf(DOCUMENT)) if kind == "/TR"]
    heads = [[cell.get_object() for cell in row if cell.get_object()["/S"] == "/TH"] for row in rows]
    assert [[scope(cell) for cell in row] for row in heads] == [
        ["/Column", "/Column"],
        ["/Row"],
        ["/Row"],
        ["/Row"],
    ]
    assert [len(row) for row in rows] == [2, 2, 1, 2]


def scope(cell: Any) -> str:
    held = cell["/A"]
    attributes = [held] if isinstance(held, dict) else [each.get_object() for each in held]
    return next(each["/Scope"] for each in attributes if "/Scope" in each)


def test_a_figure_without_a_text_is_refused() -> None:
    mute = Document("T", "S", "F", "2025-01-08T07:00:00+00:00", (Chart(SVG, "", "Légende"),))
    with pytest.raises(Exception, match="alt"):
        to_pdf(mute)


def test_the_banner_is_on_every_page() -> None:
    rows = tuple((f"Ligne {i}", str(i)) for i in range(120))
    long = Document(
        "T",
        "S",
        "F",
        "2025-01-08T07:00:00+00:00",
        (Table("Long", (Column("a"), Column("b")), rows),),
        banner="DONNÉES SIMULÉES",
    )
    pages = pypdf.PdfReader(io.BytesIO(to_pdf(long))).pages
    assert len(pages) > 1 and all("DONNÉES SIMULÉES" in page.extract_text() for page in pages)
    assert "DONNÉES SIMULÉES" in to_html(long).decode()


def test_text_is_data_in_both_files() -> None:
    html = to_html(DOCUMENT).decode()
    assert "Commune &lt;&amp;&gt; #[code] $x$" in html
    assert "#[code] $x$" in pypdf.PdfReader(io.BytesIO(to_pdf(DOCUMENT))).pages[0].extract_text()


def test_the_page_needs_nothing_from_outside() -> None:
    html = to_html(DOCUMENT).decode()
    assert not re.search(r"<script|<link|src=|href=|url\(http|@import| style=", html)
    assert '<html lang="fr">' in html and html.count("<h1>") == 1
    assert '<th scope="col"' in html and '<th scope="row"' in html and "<caption>" in html


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("Taux : 12 %", "Taux\u00a0: 12\u00a0%"),
        ("Quoi ? Oui ! Bien ; voilà", "Quoi\u202f? Oui\u202f! Bien\u202f; voilà"),
        ("« Été »", "«\u00a0Été\u00a0»"),
        ("L'avis de 15 910 €/UC", "L’avis de 15 910\u00a0€/UC"),
        ("a:b et 10:30", "a:b et 10:30"),
    ],
)
def test_french_spaces(given_: str, expected: str) -> None:
    assert french(given_) == expected


@given(st.text(max_size=80))
def test_french_typography_changes_spaces_and_apostrophes_only(text: str) -> None:
    assert re.sub("[\u00a0\u202f ]", " ", french(text)) == re.sub(
        "[\u00a0\u202f ]", " ", text.replace("'", "’")
    )
    assert french(french(text)) == french(text)
