"""What a reader chooses on the pages of a territory: what to compare with, what to show, in which order."""

import html
import re

import numpy as np
import pytest

from odds_pipeline.extranet.reading.rights import VISITOR
from odds_pipeline.extranet.reading.serving import PageCache, View
from odds_pipeline.extranet.reading.similar import similar
from odds_pipeline.extranet.words import figure

from .conftest import Site

NAMES = ("population_municipale", "taux_activite_15_64", "taux_chomage_rp", "logements_autorises")


def view_of(site: Site) -> View:
    view: View = site.app.state.serving.view(VISITOR)
    return view


def test_the_nearest_communes_are_those_of_a_calculation_by_matrices(site: Site) -> None:
    """Another implementation: numpy, on the latest values as the API gives them."""
    client = site.client()
    columns: list[dict[str, float]] = []
    for name in NAMES:
        values = client.get(f"/api/v1/valeurs?indicateur={name}").json()["valeurs"]
        known = [v for v in values if v["valeur"] is not None and v["niveau"] == "commune"]
        last = max((v["mois"], v["geographie"]) for v in known)
        columns.append(
            {v["territoire"]: v["valeur"] for v in known if (v["mois"], v["geographie"]) == last}
        )
    codes = sorted(set.intersection(*(set(c) for c in columns)))
    matrix = np.array([[c[code] for c in columns] for code in codes])
    mean = np.array([np.mean(list(c.values())) for c in columns])
    spread = np.array([np.std(list(c.values())) for c in columns])
    scaled = (matrix - mean) / spread
    gaps = np.sqrt(((scaled - scaled[codes.index("93008")]) ** 2).mean(axis=1))
    expected = [codes[i] for i in np.argsort(gaps, kind="stable") if codes[i] != "93008"][:5]
    found = similar(view_of(site), "93008", NAMES)
    assert [one.code for one in found] == expected
    assert [one.distance for one in found] == pytest.approx([gaps[codes.index(c)] for c in expected])
    assert similar(view_of(site), "93", NAMES) == []


def test_the_comparator_sets_the_values_of_the_same_period_beside(site: Site) -> None:
    client, view = site.client("ccas"), view_of(site)
    ept = view.place("93008").ept
    page = html.unescape(client.get("/territoires/93008?avec=ept").text)
    assert f"{view.place(ept).label}, même période" in page
    card = re.search(rf"{view.place(ept).label} : ([^<]+)</p>", page)
    name = re.search(r'class="name"><a href="/indicateurs/(\w+)', page)
    assert card and name
    sheet = site.app.state.serving.view(site.people["ccas"].organisation.rights).definitions
    shown = {
        figure(v["valeur"], sheet[n])
        for n in re.findall(r'class="name"><a href="/indicateurs/(\w+)', page)
        for v in client.get(f"/api/v1/valeurs?indicateur={n}&territoire={ept}").json()["valeurs"]
    }
    assert card[1] in shown
    assert client.get("/territoires/93008?avec=rien").status_code == 404
    assert client.get("/territoires/FR?avec=ept").status_code == 404


def test_the_region_is_offered_where_a_release_has_its_values(site: Site) -> None:
    """The value beside is that of the région: here, the département's under its code."""
    rights = site.people["ccas"].organisation.rights
    client, view = site.client("ccas"), site.app.state.serving.view(rights)
    assert client.get("/territoires/93008?avec=region").status_code == 404
    assert "Île-de-France" not in client.get("/territoires/93066").text
    copied = "SELECT * REPLACE ('11' AS territory, 'region' AS level) FROM release.indicator_values"
    view.connection.execute(
        "CREATE OR REPLACE VIEW indicator_values AS FROM release.indicator_values "
        f"SEMI JOIN indicator_visible USING (indicator) UNION ALL {copied} "
        "SEMI JOIN indicator_visible USING (indicator) WHERE territory = '93'"
    )
    view.pages = PageCache()
    pages = {a: html.unescape(client.get(f"/territoires/93008?avec={a}").text) for a in ("region", "")}
    for page in pages.values():
        assert '<a href="/territoires/93008?avec=region"' in page
    said = {a: re.findall(r'class="small">(.+?) : ([^<]+)</p>', page) for a, page in pages.items()}
    assert said["region"] == [("Île-de-France", value) for _, value in said[""]] and said[""]
    assert "Métropole" not in pages[""]


def test_a_theme_is_shown_by_situation_and_in_an_order(site: Site) -> None:
    client = site.client("observatoire")
    rows = r'<tr role="row">\s*<th role="rowheader".*?</tr>'
    full = re.findall(rows, client.get("/territoires/93008/logement").text, re.DOTALL)
    hard = re.findall(rows, client.get("/territoires/93008/logement?etat=quart4").text, re.DOTALL)
    assert len(hard) == sum("parmi les plus difficiles" in row for row in full) < len(full)
    assert all("parmi les plus difficiles" in row for row in hard)
    ordered = re.findall(
        rows, client.get("/territoires/93008/logement?ordre=difficulte").text, re.DOTALL
    )
    assert len(ordered) == len(full)
    marked = ["parmi les plus difficiles" in row for row in ordered]
    assert marked == sorted(marked, reverse=True)
    assert client.get("/territoires/93008/logement?ordre=rien").status_code == 404


def test_a_place_is_a_rank_of_merit_or_an_order_of_size_and_ties_are_said(site: Site) -> None:
    """Of each indicator one of two columns tells, with the ties that the release has."""
    found = view_of(site).rows(
        "SELECT l.indicator, any_value(direction) = 'neutral' AS neutral, count(*) > 1 AS tied "
        "FROM latest l JOIN definitions USING (indicator) JOIN indicator_values v "
        "USING (indicator, month, geography, level, rank) WHERE l.territory = '93008' "
        "AND theme IN ('cadrage', 'logement') GROUP BY l.indicator"
    )
    assert {True, False} == {row["neutral"] for row in found}
    pages = [site.client().get(f"/territoires/93008/{t}").text for t in ("cadrage", "logement")]
    rows = {
        name: dict(re.findall(r'data-label="(Rang|Ordre)">([^<]*)<', cells))
        for page in pages
        for name, cells in re.findall(r'href="/indicateurs/(\w+)(.*?)</tr>', page, re.DOTALL)
    }
    for row in found:
        own, other = ("Ordre", "Rang") if row["neutral"] else ("Rang", "Ordre")
        cells = rows[row["indicator"]]
        assert cells[other] == "—" and " sur " in cells[own]
        assert ("ex æquo" in cells[own]) == row["tied"], row
