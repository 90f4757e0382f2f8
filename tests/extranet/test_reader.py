"""What each class of reader gets of the site, files and API, tells no secret and says the same."""

import csv
import io
import re

import openpyxl
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.storage.home import Home
from tests.reader import Reader, Rules, Truth

from .conftest import ROLES, Site

COLUMNS = "indicator territory geography month value numerator denominator conf_status".split()


def number(text: str) -> float | None:
    return float(text) if text else None


def export(site: Site, role: str) -> list[tuple[object, ...]]:
    """The whole recueil as the role downloads it."""
    text = site.client(role).get("/donnees/recueil.machine.csv").text
    rows = [[row[name] for name in COLUMNS] for row in csv.DictReader(io.StringIO(text))]
    return [
        (i, t, int(g), m, number(v), number(n), number(d), mark) for i, t, g, m, v, n, d, mark in rows
    ]


@pytest.mark.parametrize("role", ROLES)
def test_no_secret_is_told_by_what_a_role_downloads(
    project: Project, observatory: Home, site: Site, role: str
) -> None:
    reader = Reader(project)
    rows = export(site, role)
    reader.read_values(rows, Truth(Rules(project), observatory))
    told = reader.attack()
    assert [t for t in told if t.wrong or t.narrow] == []
    assert told or role not in ("prefecture", "observatoire")  # to whom small counts are open


def test_the_api_and_the_pages_say_no_more_than_the_file(site: Site) -> None:
    """Every secret value of the latest month of each indicator that has any."""
    client = site.client("observatoire")
    rows = export(site, "observatoire")
    hidden = {(r[0], r[1], r[3], r[2]) for r in rows if r[7] != "F"}
    assert hidden
    for indicator in sorted({h[0] for h in hidden})[:12]:
        answer = client.get("/api/v1/valeurs", params={"indicateur": indicator}).json()["valeurs"]
        said = {
            (v["indicateur"], v["territoire"], v["mois"], v["geographie"]): v["valeur"] for v in answer
        }
        mine = {h for h in hidden if h[0] == indicator}
        assert mine <= set(said)
        assert all(said[h] is None for h in mine)
        page = client.get(f"/indicateurs/{indicator}").text
        latest = max(month for _, _, month, _ in said)
        if any(month == latest for _, _, month, _ in mine):
            assert "secret" in page or "non diffusé" in page


def test_workbooks_and_clouds_of_points_leave_out_what_the_file_hides(site: Site) -> None:
    """The latest hidden cell of several indicators, in a workbook of that commune and in a crossing."""
    client, rows = site.client("observatoire"), export(site, "observatoire")
    labels = {t["code"]: t["nom"] for t in client.get("/api/v1/territoires").json()}
    latest = {r[0]: max(x[3] for x in rows if x[0] == r[0]) for r in rows}  # type: ignore[type-var]
    hidden = {
        r[0]: r for r in rows if r[7] in ("C", "D") and r[3] == latest[r[0]] and len(str(r[1])) == 5
    }
    assert len(hidden) > 3
    for indicator, row in sorted(hidden.items())[:6]:  # type: ignore[type-var]
        asked = f"/telecharger/tableau.xlsx?t={row[1]}&i={indicator}"
        sheet = openpyxl.load_workbook(io.BytesIO(client.get(asked).content))["Tableau"]
        assert isinstance(sheet.cell(3, 5).value, str), (indicator, row[1])
        cloud = client.get(f"/croiser?x={indicator}&y=population_municipale&t={row[1]}").text
        table = cloud[cloud.find("<tbody") :]
        assert f">{labels[row[1]]}</a></th>" not in table, (indicator, row[1])


def test_an_indicator_without_a_value_is_listed_apart(site: Site) -> None:
    """The list says how many have none in the edition, under those that have one."""
    client = site.client("observatoire")
    page = client.get("/indicateurs").text
    text = client.get("/donnees/recueil.machine.csv").text
    valued = {row["indicator"] for row in csv.DictReader(io.StringIO(text)) if row["value"]}
    parts = r"<details><summary>(\d+) sans valeur dans cette édition</summary>(.*?)</details>"
    apart, name = re.findall(parts, page), r'href="/indicateurs/(\w+)"'
    empty = {one for _, names in apart for one in re.findall(name, names)}
    assert empty and not empty & valued
    assert sum(int(count) for count, _ in apart) == len(empty)
    assert set(re.findall(name, re.sub(parts, "", page))) == valued
