"""axe-core on every page kind, narrow and wide: no violation. It covers part of RGAA, not all of it."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi.routing import APIRoute, iter_route_contexts
from playwright.sync_api import Page

from tests.extranet.conftest import Site

from .conftest import sign_in

pytestmark = pytest.mark.slow

PAGES = {
    "/": "/",
    "/territoires": "/territoires",
    "/territoires/{code}": "/territoires/93008",
    "/territoires/{code}/{theme}": "/territoires/93008/social",
    "/territoires/{code}/public/{public}": "/territoires/93008/public/difficulte",
    "/territoires/{code}/nouveautes": "/territoires/93008/nouveautes",
    "/territoires/{code}/portrait": "/territoires/93008/portrait",
    "/territoires/{code}/quartiers": "/territoires/93008/quartiers",
    "/indicateurs": "/indicateurs",
    "/themes/{theme}": "/themes/social",
    "/indicateurs/{indicator}": "/indicateurs/part_foyers_rsa?territoire=93008",
    "/indicateurs/{indicator}/origine": "/indicateurs/part_foyers_rsa/origine?territoire=93008",
    "/comparer": "/comparer?t=93008&t=93066&theme=abs&ajouter=rsa",
    "/comparer/temps": "/comparer/temps?t=93008&t=93066&t=93",
    "/integrer/{indicator}/{chart}": "/integrer/population_municipale/carte?territoire=93008",
    "/croiser": "/croiser?x=taux_activite_15_64&y=taux_chomage_rp&t=93008",
    "/selections": "/selections",
    "/tableau-de-bord": "/tableau-de-bord",
    "/recherche": "/recherche?q=population",
    "/publications": "/publications",
    "/editions": "/editions",
    "/editions/{number}": "/editions/1",
    "/donnees": "/donnees",
    "/api": "/api",
    "/a-propos": "/a-propos",
    "/connexion": "/connexion",
    "/compte": "/compte",
    "/donnees-personnelles": "/donnees-personnelles",
    "/mot-de-passe-oublie": "/mot-de-passe-oublie",
    "/gestion": "/gestion",
    "/gestion/{organisation}": "/gestion/1",
    "/invitation/{secret}": "",
}
NARROW = (
    "/",
    PAGES["/territoires/{code}"],
    PAGES["/territoires/{code}/{theme}"],
    PAGES["/indicateurs/{indicator}"],
    "/gestion/1",
)
"""Pages whose layout differs on a telephone."""
WIDE = ("/comparer?t=93008&t=93066&t=93010&theme=tous", "/indicateurs/population_municipale?niveau=ept")
"""The same kinds of page with their widest content."""
NOT_PAGES = (
    "/static/",
    "/favicon.ico",
    "/api/",
    "/compte/mes-donnees.json",
    "/telecharger/",
    "/donnees/",
    "/connexion/",
    "/portraits/",
    "/etude",
    "/p/",
    "/sante-du-site",
    "/deconnexion",
    "/graphiques/",
    "/editions/flux.atom",
    "/territoires/{code}/flux.atom",
)


def test_no_page_kind_is_forgotten(served: Site) -> None:
    routes = {
        c.route.path
        for c in iter_route_contexts(served.app.routes)
        if isinstance(c.route, APIRoute) and "GET" in (c.route.methods or ())
    }
    assert {path for path in routes if not path.startswith(NOT_PAGES)} == set(PAGES)


def test_every_page_kind_reflows_at_320_pixels(open_page: Callable[..., Page], served: Site) -> None:
    """WCAG 1.4.10: a telephone, or 400 % on a screen, without scrolling sideways, and nothing cut off."""
    page = open_page()
    sign_in(page, "observatoire-admin")
    page.set_viewport_size({"width": 320, "height": 640})
    wrong = {}
    for address in (*PAGES.values(), *WIDE):
        page.goto(address)
        wide, masks = page.evaluate(
            "[document.documentElement.scrollWidth, [...document.querySelectorAll('html, body, main')]"
            ".filter(e => getComputedStyle(e).overflowX != 'visible').map(e => e.tagName)]"
        )
        if wide > 320 or masks:
            wrong[address] = wide, masks
    assert not wrong


def test_a_towns_page_is_read_in_a_few_screens(open_page: Callable[..., Page]) -> None:
    """4 screens of a desktop and 10 of a telephone; it was 39 and 161."""
    page = open_page()
    for width, height, most in ((1440, 900, 4), (375, 812, 10)):
        page.set_viewport_size({"width": width, "height": height})
        page.goto(PAGES["/territoires/{code}"])
        assert page.evaluate("document.documentElement.scrollHeight") < most * height, width


@pytest.mark.parametrize("width", [400, 1280])
def test_no_violation_and_no_sideways_scroll(
    served: Site, open_page: Callable[..., Page], width: int
) -> None:
    from datetime import timedelta

    page = open_page(width, bypass_csp=True)
    sign_in(page, "observatoire-admin")
    secret = served.accounts.open_session(served.people["ccas"].id, "invitation", timedelta(days=1))
    axe = Axe()
    problems = []
    addresses = [
        *(a for a in PAGES.values() if a),
        f"/invitation/{secret}",
        "/rien",
        "/indicateurs/population_municipale?niveau=ept",
    ]
    for address in addresses:
        page.goto(address)
        assert page.get_by_role("heading", level=1).count() == 1, address
        scroll = page.evaluate("document.documentElement.scrollWidth")
        if scroll > width:
            problems.append(f"{address} is {scroll} wide at {width}")
        if width == 400 and address not in NARROW:
            continue
        for violation in axe.run(page).response["violations"]:
            nodes = [node["target"] for node in violation["nodes"]][:3]
            problems.append(f"{address}: {violation['id']} ({violation['impact']}) {nodes}")
    assert not problems, "\n".join(problems)
