"""Two indicators crossed: what is set against what, and how closely they go together."""

import html
import re

import numpy as np

from odds_pipeline.extranet.reading.rights import VISITOR
from odds_pipeline.french import french_number

from .conftest import Site

X, Y = "taux_activite_15_64", "taux_chomage_rp"


def test_the_relation_is_that_of_another_calculation_on_the_same_year(site: Site) -> None:
    """numpy, on the values that the API gives; the months of both indicators are in one year."""
    client = site.client()
    columns = []
    for name in (X, Y):
        values = client.get(f"/api/v1/valeurs?indicateur={name}").json()["valeurs"]
        known = [v for v in values if v["valeur"] is not None and v["niveau"] == "commune"]
        last = max((v["mois"], v["geographie"]) for v in known)
        columns.append(
            {v["territoire"]: v["valeur"] for v in known if (v["mois"], v["geographie"]) == last}
        )
    codes = sorted(columns[0].keys() & columns[1].keys())
    expected = np.corrcoef([[c[code] for code in codes] for c in columns])[0, 1]
    page = html.unescape(client.get(f"/croiser?x={X}&y={Y}&t=93008").text)
    assert f"<strong>{french_number(expected, 2)}</strong>" in page
    assert f"{len(codes)} communes" in page and "ni cause ni effet" in page
    assert page.count('<tr role="row"><th role="rowheader"') == len(codes)
    drawn = re.search(r"<svg xmlns.*?</svg>", page, re.DOTALL)
    assert drawn and ">Bobigny</text>" in drawn[0]
    assert drawn[0].count("<circle") + drawn[0].count("<rect") == len(codes)


def test_what_does_not_compare_is_not_crossed(site: Site) -> None:
    client = site.client()
    view = site.app.state.serving.view(VISITOR)
    years = view.rows(
        "SELECT indicator, list(DISTINCT substr(month, 1, 4)) AS years FROM indicator_values "
        "WHERE level = 'commune' AND value IS NOT NULL GROUP BY indicator"
    )
    apart = [
        (a["indicator"], b["indicator"])
        for a in years
        for b in years
        if not set(a["years"]) & set(b["years"])
    ]
    for x, y in apart[:1]:
        page = client.get(f"/croiser?x={x}&y={y}").text
        assert "n’ont pas d’année commune" in page
        offered = re.findall(rf"/croiser\?x={x}&amp;y=(\w+)", page)
        assert offered and all(
            "odds-chart" in client.get(f"/croiser?x={x}&y={one}").text for one in offered[:3]
        )
    assert "odds-chart" not in client.get(f"/croiser?x={X}&y={X}").text
    assert client.get(f"/croiser?x={X}&y=rien").status_code == 404
    assert client.get(f"/croiser?x={X}&y=foyers_rsa").status_code == 404  # for members
    assert "population_municipale" in client.get("/croiser").text
