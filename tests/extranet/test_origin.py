"""Where a figure comes from: the chain a page tells leads to the line of the file, and tells nothing hidden."""

import html
import re
from pathlib import Path
from zipfile import ZipFile

import duckdb
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.extranet.reading.origin import origin
from odds_pipeline.extranet.reading.serving import View
from odds_pipeline.storage.home import Home

from .conftest import ROLES, Site
from .test_addresses import two_releases

__all__ = ["two_releases"]

SEEN = {"public": 0, "membres": 1, "partenaires": 2}


def view_for(site: Site, role: str) -> View:
    rights = site.people[role].organisation.rights if role in site.people else None
    views = site.app.state.serving
    site.client(role).get("/sante-du-site")
    view: View = views.view(rights) if rights else next(iter(views._views.values()))
    return view


def delivered(path: Path) -> str:
    """A delivery's text; of an archive, its one file."""
    if path.suffix != ".zip":
        return path.read_text(encoding="utf-8-sig")
    with ZipFile(path) as archive:
        (name,) = archive.namelist()
        return archive.read(name).decode("utf-8-sig")


def test_the_page_names_the_file_and_the_line_where_the_figure_stands(
    site: Site, observatory: Home
) -> None:
    """The oracle is the delivery itself, read as text."""
    answer = site.client().get(
        "/indicateurs/population_municipale/origine?territoire=93008&mois=2024-01"
    )
    page = html.unescape(answer.text)
    told = re.search(
        r"<code>([^<]+\.(?:csv|zip))</code>.*?data-label=\"Ligne\">([\d\u202f]+)", page, re.DOTALL
    )
    figure = re.search(r'data-label="Chiffre">([\d\u202f]+)', page)
    assert answer.status_code == 200 and told and figure
    lines = delivered(observatory.landing / told[1]).replace("\u202f", "").splitlines()
    line = lines[int(told[2].replace("\u202f", "")) - 1]
    assert "93008" in line and figure[1].replace("\u202f", "") in re.split("[;,]", line)
    assert "règles sur" in page and "rien n’a été demandé" in page and "Édition 1" in page


@pytest.mark.parametrize("role", ROLES)
def test_figures_behind_a_value_are_of_the_readers_classes(
    site: Site, project: Project, role: str
) -> None:
    """The rule, written again: a variable of an open class, or of the reader's own partner."""
    rights = ROLES[role]
    access, partners = rights if rights else ("public", ())
    seen = {
        r["variable"] for r in view_for(site, role).rows("SELECT DISTINCT variable FROM observations")
    }
    assert seen
    for name in seen:
        entry = project.variables[name][0]
        assert SEEN[entry.access] <= SEEN[access] or entry.partner.id in partners, name


def test_of_a_hidden_figure_nothing_is_told_but_that_it_is(site: Site, project: Project) -> None:
    view = view_for(site, "observatoire")
    hidden = view.rows(
        "SELECT indicator, territory, month FROM indicator_values WHERE conf_status IN ('C', 'D') "
        "QUALIFY row_number() OVER (PARTITION BY indicator ORDER BY month DESC, territory) = 1"
    )
    assert len(hidden) > 5
    told = 0
    for row in hidden:
        found = origin(project, view, row["indicator"], row["territory"], row["month"])
        for figure in (f for one in found.inputs or [] for f in one.figures if f.conf_status != "F"):
            assert (figure.value, figure.file, figure.line, figure.lines) == (None, "", 0, 0)
            told += 1
    assert told
    row = hidden[0]
    address = (
        f"/indicateurs/{row['indicator']}/origine?territoire={row['territory']}&mois={row['month']}"
    )
    page = site.client("observatoire").get(address).text
    assert "Rien n’est dit ici des chiffres cachés" in page and ">secret<" in page


def test_a_release_that_has_the_hash_of_every_file_tells_those_of_public_ones(
    site: Site, two_releases: Path
) -> None:
    """Earlier releases had it; with all other figures of a file known, it tells who guesses a hidden one."""
    for access in ("public", "membres"):
        with duckdb.connect(str(two_releases / "0002" / f"{access}.duckdb")) as connection:
            connection.execute("UPDATE deliveries SET sha256 = repeat('a', 64)")
    (two_releases / "current").write_text("2\n")
    client, query = site.client("ccas"), "origine?territoire=93008"
    assert "a" * 64 in client.get(f"/indicateurs/population_municipale/{query}").text
    page = client.get(f"/indicateurs/foyers_rsa/{query}").text
    assert "caf_rsa" in page and "a" * 64 not in page


def test_a_value_that_does_not_exist_has_no_origin(site: Site) -> None:
    client = site.client()
    for query in ("?territoire=93008&mois=1999-01", "?territoire=rien", "?territoire=93008&mois=x"):
        assert client.get(f"/indicateurs/population_municipale/origine{query}").status_code == 404
    assert client.get("/indicateurs/population_municipale/origine").status_code == 400
