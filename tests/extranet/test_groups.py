"""Groups of communes of a reader's own: what adds up of what they read, and nothing where a commune is hidden."""

import html
import re

import pytest

from odds_pipeline.declarations.access import WIDEST
from odds_pipeline.declarations.project import Project
from odds_pipeline.extranet.reading.choice import side_by_side
from odds_pipeline.extranet.reading.groups import GROUP, address_of, place_of, together
from odds_pipeline.extranet.reading.rights import Rights
from odds_pipeline.extranet.reading.serving import Place, Row, Unknown, View
from odds_pipeline.release.published import current_number
from odds_pipeline.storage.home import Home

from .conftest import Site


@pytest.fixture(scope="module")
def view(project: Project, observatory: Home, tmp_path_factory: pytest.TempPathFactory) -> View:
    """What is for all who work with the observatory."""
    number = current_number(observatory)
    assert number is not None
    return View(
        observatory, number, Rights(WIDEST), tmp_path_factory.mktemp("view"), project.observatory
    )


def test_the_communes_of_an_ept_together_are_the_ept(view: View) -> None:
    """The release adds them up from figures by other statements; it has the rest that a group has not."""
    ept = next(p for p in view.places.values() if p.level == "ept")
    codes = [
        p.code for p in view.places.values() if p.ept == ept.code and view.geography in p.geographies
    ]
    group = place_of(view, address_of("CLS", [c for c in codes if view.places[c].level == "commune"]))
    rows = side_by_side(view, list(view.definitions), [group, ept])
    both = {
        n: (own[group.code]["value"], own[ept.code]["value"]) for n, own in rows.items() if len(own) == 2
    }
    compared = {n: pair for n, pair in both.items() if None not in pair}
    assert len(compared) > 50
    assert {n: mine for n, (mine, _) in compared.items()} == {
        n: pytest.approx(published) for n, (_, published) in compared.items()
    }
    assert any(view.definitions[n]["denominator"] for n in compared)


def test_a_group_has_nothing_where_one_of_its_communes_has_nothing(view: View) -> None:
    hidden = view.rows(
        "SELECT indicator, territory, conf_status FROM latest JOIN definitions d USING (indicator) "
        "WHERE level = 'commune' AND value IS NULL AND d.adds_up IS NOT NULL AND conf_status <> 'F' "
        "AND territory NOT IN ('93008', '93059', '93066') ORDER BY ALL LIMIT 30"
    )
    assert hidden
    found: dict[str, Row] = {}
    for row in hidden:
        # Not the figures of its first commune either, which is shown.
        group = place_of(view, address_of("A", ["93008", row["territory"], "93066"]))
        found |= {
            name: own[group.code]
            for name, own in side_by_side(view, [row["indicator"]], [group]).items()
            if group.code in own
        }
    assert found and all(
        row[figure] is None for row in found.values() for figure in ("value", "numerator", "denominator")
    )
    assert {row["conf_status"] for row in found.values()} == {"D"}


def test_a_hidden_group_does_not_bear_the_figures_of_its_first_commune() -> None:
    group = Place("A:93008.93066", "A", "A (2 communes)", GROUP, "", "", "", (2025,), ())
    shown = {
        "value": 5.0,
        "numerator": 32.0,
        "denominator": 640.0,
        "obs_status": "A",
        "conf_status": "F",
    }
    beside = dict.fromkeys(("oldest_input", "departement_value", "france_value", "reserve"))
    hidden = {**dict.fromkeys(shown), "obs_status": "Q", "conf_status": "C"}
    own = together(group, [shown | beside, hidden | beside], {"adds_up": "ratio"})
    assert own and [own[k] for k in ("value", "numerator", "denominator")] == [None] * 3
    assert (own["obs_status"], own["conf_status"]) == ("Q", "D")


def test_a_group_bears_the_reserves_of_its_communes_as_sentences() -> None:
    group = Place("A:93008.93066", "A", "A (2 communes)", GROUP, "", "", "", (2025,), ())
    figures = {"value": 5.0, "obs_status": "A", "conf_status": "F"}
    beside = dict.fromkeys(("oldest_input", "departement_value", "france_value"))
    told = ["Publié. Motif : hausse confirmée.", None]
    rows = [figures | beside | {"reserve": reserve} for reserve in told]
    own = together(group, rows, {"adds_up": "sum"})
    assert own and (own["value"], own["reserve"]) == (10.0, told[0])


def test_what_does_not_add_up_is_not_there(view: View) -> None:
    group = place_of(view, address_of("A", ["93008", "93066"]))
    names = [n for n, sheet in view.definitions.items() if sheet["kind"] == "level"]
    rows = side_by_side(view, names, [group])
    assert not [n for n in rows if view.definitions[n]["adds_up"] is None and group.code in rows[n]]


def test_a_group_is_made_on_the_page_and_kept_as_an_address(site: Site) -> None:
    client = site.client("ccas")
    page = client.get(
        "/comparer?t=93&i=population_municipale&groupe=CLS <Est>&membre=93008&membre=93066"
    ).text
    assert "CLS Est (2 communes)" in page
    query = re.search(r'name="query" value="([^"]+)"', page)
    assert query and "CLS+Est%3A93008.93066" in query[1]
    again = client.get(f"/comparer?{html.unescape(query[1])}")
    assert "CLS Est (2 communes)" in again.text
    assert client.get(f"/telecharger/tableau.xlsx?{html.unescape(query[1])}").status_code == 200
    assert client.get(f"/telecharger/tableau.pdf?{html.unescape(query[1])}").content[:4] == b"%PDF"


@pytest.mark.parametrize(
    "code", ["A:93008", "A:93008.75056", "A:93.93008", ":93008.93066", "A:", "<b>:93008.93066"]
)
def test_what_is_no_group_of_communes_is_unknown(view: View, code: str) -> None:
    with pytest.raises(Unknown):
        place_of(view, code)
