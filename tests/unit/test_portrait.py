"""The portrait says what the release says, of each territory, and the same bytes again."""

import io
import math
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pypdf
import pytest
from openpyxl import load_workbook

from odds_pipeline.charts.svg import ACCENT
from odds_pipeline.declarations.portrait import Portrait
from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.read_publications import load_publications
from odds_pipeline.publications.documents import Chart, Side
from odds_pipeline.publications.portrait.publish import publish_portrait, read_contents
from odds_pipeline.storage.home import Home
from tests.class_file import write_class_file

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def portrait(project: Project) -> Portrait:
    found = load_publications(project).portrait
    assert found is not None
    return found


def rows(project: Project) -> list[dict[str, object]]:
    communes = project.territories.communes(2024)
    found: list[dict[str, object]] = []
    for i, t in enumerate(communes):
        for year in (2018, 2019, 2020):
            found.append({
                "indicator": "taux_pauvrete", "month": f"{year}-12", "territory": t.code, "value": 10.0 + i,
                "departement_value": 28.4, "france_value": 14.9, "rank": i + 1, "ranked": 40, "change_5y": -1.25,
                "quartile": i // 10 + 1,
            })  # fmt: skip
        for year in (2018, 2019, 2020):
            living = {"indicator": "niveau_vie_median", "month": f"{year}-12", "territory": t.code}
            found.append({**living, "value": 20000.0 + year})
        found.append(
            {
                "indicator": "population_municipale",
                "month": "2021-01",
                "territory": t.code,
                "value": 12345.0 + i,
            }
        )
    found.append(
        {
            "indicator": "taux_pauvrete",
            "month": "2020-12",
            "territory": "93",
            "level": "departement",
            "value": 28.4,
        }
    )
    found.append(
        {
            "indicator": "taux_pauvrete",
            "month": "2020-12",
            "territory": "200057875",
            "level": "ept",
            "value": 25.5,
        }
    )
    for year in (2018, 2019, 2020):
        median = {"indicator": "niveau_vie_median", "month": f"{year}-12", "territory": "93"}
        found.append({**median, "level": "departement", "value": 17000.0})
    return found


def write(
    project: Project,
    portrait: Portrait,
    home: Home,
    given: list[dict[str, object]],
    *codes: str,
    simulated: bool = True,
) -> Path:
    write_class_file(home, project, given, simulated=simulated)
    return publish_portrait(project, portrait, home, territories=codes or None).folder


def text_of(path: Path) -> str:
    return " ".join(page.extract_text() for page in pypdf.PdfReader(path).pages)


def test_a_commune_is_compared_and_ranked(project: Project, portrait: Portrait, home: Home) -> None:
    folder = write(project, portrait, home, rows(project), "93008")
    html = (folder / "93008-bobigny.html").read_text(encoding="utf-8")
    # Bobigny is the fifth commune by code.
    for expected in (
        "14\u00a0%",
        "28,4\u00a0%",
        "14,9\u00a0%",
        "▲ parmi les plus favorables",
        "2020",
        "12\u202f349",
    ):
        assert expected in html, expected
    assert "−1,3" in html and "en 5\u00a0ans" in html
    assert "14\u00a0%" in text_of(folder / "93008-bobigny.pdf")
    assert {p.name for p in folder.iterdir()} == {
        "93008-bobigny.html",
        "93008-bobigny.pdf",
        "93008-bobigny.zip",
        "methode.html",
        "methode.pdf",
    }


def test_every_territory_has_its_portrait_and_the_same_bytes_again(
    project: Project, portrait: Portrait, home: Home
) -> None:
    folder = write(project, portrait, home, rows(project))
    first = {p.name: p.read_bytes() for p in folder.iterdir()}
    # Two files each, a kit for each commune and EPT, the page that leads to them, the archive of them all.
    assert len(first) == 2 * (40 + 4 + 1 + 1) + 44 + 2
    linked = re.findall(r'href="([^#"]+)"', first["index.html"].decode())
    assert len(linked) == len(set(linked)) == 92 and set(linked) <= first.keys()
    with zipfile.ZipFile(folder / "edition.zip") as archive:
        assert len(archive.namelist()) == 93 and archive.testzip() is None
    with zipfile.ZipFile(folder / "93008-bobigny.zip") as archive:
        assert {"portrait.pdf", "chiffres.xlsx", "LISEZ-MOI.txt", "images/graphique-1.svg"} <= set(
            archive.namelist()
        )
        image = ElementTree.fromstring(archive.read("images/graphique-1.svg"))
        said = " ".join("".join(t.itertext()) for t in image.iter("{http://www.w3.org/2000/svg}text"))
        # Alone it still says what it is, of which edition, and that it is simulated.
        assert "évolution" in said and "données simulées" in said and "édition n°" in said
        needs = archive.read("besoins-sociaux.html").decode()
        assert archive.read("besoins-sociaux.pdf").startswith(b"%PDF")
        book = load_workbook(io.BytesIO(archive.read("chiffres.xlsx")))
    held = needs.split("qui le détient")[1].split("</table>")[0]
    assert "ce que l’observatoire publie de Bobigny" in needs and "14\u00a0%</td>" in needs
    # What has no value in this release, by the partner that holds it.
    assert re.search(r"CAF 93</th><td>Non livré[^<]*</td><td>[^<]*minima", held) or "CAF 93" in held
    assert book.sheetnames[0] == "Données de cadrage" and book.sheetnames[-1] == "Définitions"
    poverty = [r for r in book.worksheets[0].iter_rows(values_only=True) if r[0] == "Taux de pauvreté"]
    assert poverty[0][1] == 14.0 and poverty[0][3:5] == ("2020", 28.4)
    assert "DONNÉES SIMULÉES" in str(book.worksheets[0]["A1"].value)
    # A commune, an EPT, the département and the method, with their kits: all kinds of files.
    chosen = ["93", "93008", "200057875"]
    again = publish_portrait(project, portrait, home, territories=chosen, folder=home.path / "again")
    repeated = {p.name: p.read_bytes() for p in again.folder.iterdir()}
    assert len(repeated) == 2 * 4 + 2 and repeated.items() <= first.items()
    assert not list(folder.parent.glob(".*"))


def test_a_folder_that_a_person_names_keeps_its_other_files(
    project: Project, portrait: Portrait, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_class_file(home, project, rows(project))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "rapport.pdf").write_bytes(b"a person's")
    monkeypatch.chdir(tmp_path / "mine")
    for code, folder in (("93008", tmp_path / "mine"), ("93001", Path())):
        publish_portrait(project, portrait, home, territories=[code], folder=folder)
    names = {p.name for p in (tmp_path / "mine").iterdir()}
    assert names >= {"rapport.pdf", "93008-bobigny.pdf", "93001-aubervilliers.pdf", "methode.pdf"}
    assert {p.name for p in tmp_path.glob(".*")} == set()


def test_the_ept_and_the_departement(project: Project, portrait: Portrait, home: Home) -> None:
    folder = write(project, portrait, home, rows(project), "200057875", "93")
    ept = (folder / "200057875-est-ensemble.html").read_text(encoding="utf-8")
    assert "25,5\u00a0%" in ept
    # The EPT has no median of its own: the département's curve must not pass for it.
    assert "Niveau de vie médian, évolution" not in ept
    assert not re.search(rf'<polyline[^>]*"{ACCENT}"', ept)
    # Its own value among the communes is the one point that is marked; its communes are outlined.
    assert len(re.findall(rf'<circle[^>]*"{ACCENT}"', ept)) == 1
    # The département's median is known for 2019 only: it is shown with its month, not as missing.
    late = [r for r in rows(project) if r["territory"] != "93" or str(r["month"]) < "2020"]
    whole = (write(project, portrait, home, late, "93") / "93-seine-saint-denis.html").read_text(
        encoding="utf-8"
    )
    line = whole.split("Niveau de vie médian</th>")[1].split("</tr>")[0]
    assert "17\u202f000" in line and "(2019)" in line
    folder = write(project, portrait, home, rows(project), "200057875", "93")
    assert "N’existe pas à ce niveau" in ept


def test_the_departement_has_a_document_of_its_own(
    project: Project, portrait: Portrait, home: Home
) -> None:
    given = full(project, portrait)
    folder = write(project, portrait, home, given, "93")
    pdf = folder / "93-seine-saint-denis.pdf"
    reader = pypdf.PdfReader(pdf)
    pages = [page.extract_text() for page in reader.pages]
    assert 16 <= len(pages) <= 24 and all(len(page) > 300 for page in pages[1:])
    assert reader.metadata is not None and "édition n° 1" in str(reader.metadata.subject)
    themes = load_publications(project).portrait
    assert themes is not None
    for label in project.observatory.themes.values():
        assert any(label.upper() in page or label in page for page in pages), label
    text = " ".join(pages).replace("\u2011", "-")
    assert all(t.label in text for t in project.territories.communes(2024))
    # Rates 10, 11, … 49 over 28.4: 29 to 49 are above.
    assert "21 communes ont un taux de pauvreté supérieur" in re.sub(r"\s+", " ", text)
    assert min(sizes(reader)) >= 6.95


def full(project: Project, portrait: Portrait) -> list[dict[str, object]]:
    """Every indicator of the portrait, everywhere."""
    given = rows(project)
    known = {r["indicator"] for r in given}
    for name in {i for t in portrait.themes.values() for i in t.indicators} - known:
        one = {"indicator": name, "month": "2021-12"}
        for i, t in enumerate(project.territories.communes(2024)):
            given.append({**one, "territory": t.code, "value": 20.0 + i})
        for t in project.territories.all:
            if t.geography == 2024 and t.level in ("ept", "departement"):
                given.append({**one, "territory": t.code, "level": t.level, "value": 40.0})
    return given


def sizes(reader: pypdf.PdfReader) -> list[float]:
    """Sizes of all letters, as printed."""
    found = []

    def visit(text: str, cm: list[float], tm: list[float], _: object, size: float) -> None:
        if text.strip() and len(text.strip()) > 1:
            found.append(abs(size * math.hypot(tm[0], tm[1]) * math.hypot(cm[0], cm[1])))

    for page in reader.pages:
        page.extract_text(visitor_text=visit)
    return found


def test_a_secret_value_is_said_secret_and_shown_nowhere(
    project: Project, portrait: Portrait, home: Home
) -> None:
    given = rows(project)
    for row in given:
        if row["territory"] == "93008" and row["indicator"] == "taux_pauvrete":
            row |= {
                "value": None,
                "rank": None,
                "ranked": None,
                "change_5y": None,
                "quartile": None,
                "conf_status": "C",
            }
    folder = write(project, portrait, home, given, "93008")
    html = (folder / "93008-bobigny.html").read_text(encoding="utf-8")
    assert "<td>secret" in html and "14\u00a0%" not in html and "Secret\u00a0: taux de pauvreté" in html


def test_a_reserve_stands_beside_its_value(project: Project, portrait: Portrait, home: Home) -> None:
    given = rows(project)
    for row in given:
        row["reserve"] = "Publié malgré une règle non respectée. Motif : confirmé."
    folder = write(project, portrait, home, given, "93008")
    html = (folder / "93008-bobigny.html").read_text(encoding="utf-8")
    assert "Publié malgré une règle non respectée. Motif" in html


def test_simulated_data_is_marked_on_every_page_and_real_data_is_not(
    project: Project, portrait: Portrait, home: Home
) -> None:
    folder = write(project, portrait, home, rows(project), "93008")
    pages = pypdf.PdfReader(folder / "93008-bobigny.pdf").pages
    assert all("DONNÉES SIMULÉES" in page.extract_text() for page in pages)
    assert len(pages) <= 2
    folder = write(project, portrait, home, rows(project), "93008", simulated=False)
    assert "SIMULÉES" not in text_of(folder / "93008-bobigny.pdf")
    assert "simulées" not in (folder / "93008-bobigny.html").read_text(encoding="utf-8").lower()


def test_every_figure_of_the_pdf_has_a_text(project: Project, portrait: Portrait, home: Home) -> None:
    folder = write(project, portrait, home, rows(project), "93008")
    root = pypdf.PdfReader(io.BytesIO((folder / "93008-bobigny.pdf").read_bytes())).trailer["/Root"]
    alts = []

    def walk(node: object) -> None:
        node = node.get_object() if hasattr(node, "get_object") else node
        for child in (
            node
            if isinstance(node, list)
            else [node.get("/K", [])]
            if isinstance(node, dict) and "/S" in node
            else []
        ):
            walk(child)
        if isinstance(node, dict) and node.get("/S") == "/Figure":
            alts.append(node.get("/Alt"))

    walk(root["/StructTreeRoot"]["/K"])
    # Where it is, its key figure; then the strips and the curves of poverty and of the standard of living,
    # the only ones that are known.
    assert len(alts) == 6 and all(alts)
    assert alts[0] == "Bobigny sur la carte de la Seine-Saint-Denis"
    assert "communes\u00a0: de 10 à 49\u00a0%" in str(alts[1])
    assert alts[3] == "De 10\u00a0% à 49\u00a0% parmi 40 communes"
    assert all("Bobigny" in str(alt) for alt in alts[4:])


def test_a_commune_in_two_pages(project: Project, portrait: Portrait, home: Home) -> None:
    given = full(project, portrait)
    for row in given:
        # Bobigny differs from the département in poverty, not in its households without a diploma.
        if row["territory"] == "93008" and row["indicator"] == "part_sans_diplome":
            row |= {
                "ci_low": 20.0,
                "ci_high": 45.0,
                "departement_value": 40.0,
                "quartile": 1,
                "rank": 3,
                "ranked": 40,
            }
    folder = write(project, portrait, home, given, "93008")
    reader = pypdf.PdfReader(folder / "93008-bobigny.pdf")
    assert len(reader.pages) == 2 and min(sizes(reader)) >= 6.95
    assert reader.metadata is not None and reader.metadata.title == f"Bobigny – {portrait.label}"
    html = (folder / "93008-bobigny.html").read_text(encoding="utf-8")
    same = html.split("Ne se distingue pas du département (1)")[1].split("</ul>")[0]
    better = html.split("Plus favorable qu’ailleurs (1)")[1].split("</ul>")[0]
    assert "Sans diplôme" in same and "Taux de pauvreté" in better
    assert "qui ont un sens favorable" not in html  # two are too few to be counted
    assert "12\u202f349 habitants au 1ᵉʳ janvier 2021, Est Ensemble" in html
    hard = ("taux_chomage_rp", "taux_suroccupation", "part_logements_vacants", "part_minima_sociaux")
    for row in given:
        if row["territory"] == "93008" and row["indicator"] in hard:
            row |= {"quartile": 4, "rank": 35, "ranked": 40}
    html = (write(project, portrait, home, given, "93008") / "93008-bobigny.html").read_text("utf-8")
    # Of six, four are hard; poverty is the only easy one: the other does not differ from the département.
    said = "6 indicateurs qui ont un sens favorable, 4 placent Bobigny dans le quart"
    assert said in html and "en difficulté, 1 dans le quart le plus favorable" in html
    assert "Le taux de pauvreté est de 14\u00a0%" in html and "14\u00a0points au-dessous" in html
    assert "Les jeunes</th>" in html


COLUMN = 178 / 25.4 * 72
"""Width of the text of a page, in points: A4 less its margins of 16 mm."""
GUTTER = 15.0


def charts_of(blocks: Iterable[object], width: float) -> Iterator[tuple[str, float]]:
    """Each chart with the width that it has on paper."""
    for block in blocks:
        if isinstance(block, Chart):
            yield block.svg, width * block.width
        elif isinstance(block, Side):
            shares = block.widths or (1,) * len(block.columns)
            room = width - GUTTER * (len(shares) - 1)
            for column, share in zip(block.columns, shares, strict=True):
                yield from charts_of(column, room * share / sum(shares))


@pytest.mark.parametrize("code", ["93", "200057875", "93008"])
def test_no_letter_of_a_chart_is_under_seven_points(
    project: Project, portrait: Portrait, home: Home, code: str
) -> None:
    """Letters within charts become outlines in the PDF, where no reader measures them."""
    write_class_file(home, project, full(project, portrait))
    made = read_contents(project, portrait, home, None, portrait.access)
    (place,) = [p for p in made.places if p.code == code]
    drawn = list(charts_of(made.document(place).blocks, COLUMN))
    least = {}
    for svg, width in drawn:
        found = re.search(r'viewBox="0 0 ([\d.]+)', svg)
        letters = [float(size) for size in re.findall(r'font-size="([\d.]+)"', svg)]
        assert found and letters
        least[re.findall(r"<title[^>]*>([^<]+)", svg)[0]] = min(letters) * width / float(found[1])
    assert drawn and {title: size for title, size in least.items() if size < 6.95} == {}
