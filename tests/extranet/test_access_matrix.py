"""Every route × every role × every class of access, made from the routes themselves.

What a person may not see does not exist: the answer is the one for an identifier that nobody has, and
no page, file or API answer names it.
"""

import html
import io
import json
import re
import zipfile
from mimetypes import guess_type
from pathlib import Path

import duckdb
import pypdf
import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.testclient import TestClient

from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home

from .conftest import ROLES, Site

FORMATS = ["csv", "machine.csv", "xlsx", "parquet"]
NOBODY_HAS = "indicateur_inconnu"


@pytest.fixture(scope="module")
def classes(observatory: Home) -> dict[str, tuple[str, str]]:
    """One indicator with values for each class and, for partners, for each partner: id and label."""
    with open_release(observatory) as connection:
        rows = connection.execute(
            "SELECT access, partner_access, indicator, label FROM definitions WHERE indicator IN "
            "(SELECT indicator FROM indicator_values WHERE value IS NOT NULL) ORDER BY indicator"
        ).fetchall()
    found: dict[str, tuple[str, str]] = {}
    for access, partner_access, indicator, label in rows:
        restricted = [p for p, c in json.loads(partner_access).items() if c == "partenaires"]
        found.setdefault(restricted[0] if restricted else access, (indicator, label))
    assert set(found) == {"public", "membres", "cpam", "prefecture"}
    return found


def may_see(role: str, of: str) -> bool:
    """The rule, written again from the design: class of the organisation, or its own partner."""
    rights = ROLES[role.removesuffix("-admin")]
    access, partners = rights if rights else ("public", ())
    if of in ("cpam", "prefecture"):
        return access == "partenaires" or of in partners
    return of == "public" or access in ("membres", "partenaires")


def addresses(route: APIRoute, indicator: str, site: Site) -> list[str]:
    """Addresses of a route, with ``indicator`` wherever it takes one. An unknown parameter fails."""
    own = {
        "/indicateurs/{indicator}": [f"/indicateurs/{indicator}"],
        "/indicateurs/{indicator}/origine": [f"/indicateurs/{indicator}/origine?territoire=93008"],
        "/api/v1/indicateurs/{indicator}": [f"/api/v1/indicateurs/{indicator}"],
        "/telecharger/indicateur/{file}": [f"/telecharger/indicateur/{indicator}.{f}" for f in FORMATS],
        "/api/v1/valeurs": ["/api/v1/valeurs?depuis=2024-12", f"/api/v1/valeurs?indicateur={indicator}"],
        "/telecharger/territoire/{file}": [f"/telecharger/territoire/93008.{f}" for f in FORMATS],
        "/telecharger/comparaison.{extension}": [
            f"/telecharger/comparaison.{f}?t=93008&t=93066" for f in FORMATS
        ],
        "/donnees/{file}": [f"/donnees/{t}.{f}" for t in ("recueil", "indicateurs") for f in FORMATS],
        "/donnees/schemas/{table}.json": ["/donnees/schemas/valeurs.json"],
        "/territoires/{code}": [
            "/territoires/93",
            *(f"/territoires/93008?avec={other}" for other in ("", "ept", "france", "semblables")),
        ],
        "/territoires/{code}/{theme}": [
            f"/territoires/93008/{t}"
            for t in ("cadrage", "enfance_education", "sante", "social", "logement?ordre=difficulte")
        ],
        "/territoires/{code}/quartiers": ["/territoires/93008/quartiers"],
        "/territoires/{code}/public/{public}": ["/territoires/93008/public/difficulte"],
        "/territoires/{code}/nouveautes": ["/territoires/93008/nouveautes"],
        "/territoires/{code}/flux.atom": ["/territoires/93008/flux.atom"],
        "/territoires/{code}/portrait": ["/territoires/93008/portrait"],
        "/portraits/{file}": [
            "/portraits/93008.pdf",
            "/portraits/93008.html",
            "/portraits/methode.html",
        ],
        "/p/{code}": ["/p/93008"],
        "/etude/{study}/{file}": ["/etude/logement_fragile/etude.html", "/etude/x/communes.csv"],
        "/themes/{theme}": [f"/themes/{t}" for t in ("cadrage", "social", "sante", "logement")],
        "/editions/{number}": ["/editions/1"],
        "/comparer/temps": [
            f"/comparer/temps?t=93008&t=93066&t=93&i={indicator}&theme={t}"
            for t in ("", "abs", "social")
        ],
        "/croiser": ["/croiser", f"/croiser?x={indicator}&y=population_municipale&t=93008"],
        "/graphiques/{indicator}/{file}": [
            f"/graphiques/{indicator}/{chart}.svg?territoire=93008"
            for chart in ("carte", "classement", "evolution")
        ],
        "/integrer/{indicator}/{chart}": [f"/integrer/{indicator}/{c}" for c in ("carte", "evolution")],
        "/static/{digest}/{name}": ["/static/000000000000/extranet.css"],
        "/comparer": [
            "/comparer?t=93008&t=93066",
            f"/comparer?t=93008&i={indicator}",
            "/comparer?t=93008&theme=abs",
            "/comparer?theme=tous&t=93008",
            f"/comparer?ajouter={indicator.replace('_', '+')}&i=population_municipale",
        ],
        "/telecharger/tableau.xlsx": [
            f"/telecharger/tableau.xlsx?t=93008&i={indicator}&i=population_municipale"
        ],
        "/telecharger/tableau.pdf": [
            f"/telecharger/tableau.pdf?t=93008&i={indicator}&i=population_municipale"
        ],
        "/recherche": [f"/recherche?q={indicator.replace('_', '+')}"],
        "/api/v1/recherche": [f"/api/v1/recherche?q={indicator.replace('_', '+')}"],
        "/connexion/{provider}": ["/connexion/inconnu"],
        "/connexion/{provider}/retour": ["/connexion/inconnu/retour"],
        "/invitation/{secret}": ["/invitation/inconnue"],
        "/gestion/{organisation}": [f"/gestion/{site.people['ccas'].organisation.id}"],
    }
    if route.path in own:
        return own[route.path]
    assert "{" not in route.path, f"say here what {route.path} may show, and to whom"
    return [route.path]


def text_of(content: bytes, kind: str, folder: Path) -> str:
    """The words of an answer, files included, and the files of an archive; a workbook is one."""
    if kind == "application/zip" or kind.startswith("application/vnd.openxml"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "\n".join(
                f"{name} {text_of(archive.read(name), guess_type(name)[0] or '', folder)}"
                for name in archive.namelist()
            )
    if kind == "application/pdf":
        return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)
    if kind == "application/vnd.apache.parquet":
        path = folder / "answer.parquet"
        path.write_bytes(content)
        return "\n".join(str(row) for row in duckdb.sql(f"FROM '{path}'").fetchall())
    return html.unescape(content.decode("utf-8-sig"))


def named(text: str, indicator: str, label: str) -> bool:
    return bool(re.search(rf"(?<![\w.]){indicator}(?!\w)", text)) or f">{label}<" in text


def get_routes(site: Site) -> list[APIRoute]:
    routes = [r for r in _all(site) if "GET" in (r.methods or ())]
    assert len(routes) > 25
    return routes


def _all(site: Site) -> list[APIRoute]:
    return [c.route for c in iter_route_contexts(site.app.routes) if isinstance(c.route, APIRoute)]


TAKES_INDICATOR = {
    "/indicateurs/{indicator}",
    "/indicateurs/{indicator}/origine",
    "/api/v1/indicateurs/{indicator}",
    "/telecharger/indicateur/{file}",
}
"""Routes that answer about one indicator: 200 or 404."""


@pytest.mark.parametrize("role", [*ROLES, "ccas-admin"])
def test_every_get_route_for_every_class(
    site: Site, role: str, classes: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    client = site.client(role)
    asked: dict[str, tuple[int, str]] = {}

    def read(address: str) -> tuple[int, str]:
        """What an address answers: most are the same whatever the class of the indicator tried."""
        if address not in asked:
            answer = client.get(address)
            assert answer.status_code < 500, address
            text = text_of(answer.content, answer.headers.get("content-type", ""), tmp_path)
            asked[address] = answer.status_code, text
        return asked[address]

    checked = 0
    for route in get_routes(site):
        for of, (indicator, label) in classes.items():
            for address in addresses(route, indicator, site):
                status, text = read(address)
                about = route.path in TAKES_INDICATOR or f"indicateur={indicator}" in address
                if about and may_see(role, of):
                    assert status == 200, (role, address)
                    assert indicator in text or label in text
                elif about:
                    assert_unknown(client, address, indicator, status, text)
                if not may_see(role, of):
                    shown = text.replace(address, "").replace(indicator.replace("_", " "), "")
                    assert not named(shown, indicator, label), (role, address)
                checked += 1
    assert checked > 4 * len(get_routes(site))


def assert_unknown(client: TestClient, address: str, indicator: str, status: int, text: str) -> None:
    """The very answer for an identifier that nobody has."""
    other = client.get(address.replace(indicator, NOBODY_HAS))
    assert (status, text) == (404, html.unescape(other.text)), address


MANAGERS = {"ccas-admin", "observatoire", "observatoire-admin"}


@pytest.mark.parametrize("role", [*ROLES, "ccas-admin", "cpam-admin", "observatoire-admin"])
def test_management_exists_for_its_administrators_only(site: Site, role: str) -> None:
    organisation = site.people["ccas"].organisation.id
    answer = site.client(role).get(f"/gestion/{organisation}")
    assert answer.status_code == (200 if role in MANAGERS else 404)
    assert ("ccas@exemple.fr" in answer.text) == (role in MANAGERS)


@pytest.mark.parametrize("role", ["visiteur", "ccas", "cpam", "cpam-admin"])
def test_every_post_route_refuses_who_may_not(site: Site, role: str) -> None:
    """Each POST route of someone else's management, tried by others, does not exist and does nothing."""
    organisation, person = site.people["ccas"].organisation.id, site.people["ccas"].id
    values = {"organisation": str(organisation), "person": str(person), "identifier": "x", "secret": "x"}
    client = site.client(role)
    tried = 0
    for route in _all(site):
        if "POST" not in (route.methods or ()) or not route.path.startswith(("/gestion", "/invitation")):
            continue
        data = {"email": "intrus@exemple.fr", "name": "Intrus", "new": "un mot de passe bien long"}
        answer = client.post(route.path.format(**values), data=data)
        assert answer.status_code == 404, route.path
        tried += 1
    assert tried == 9
    assert site.accounts.with_email("intrus@exemple.fr") is None
    assert not any(p.revoked for p in site.accounts.people(organisation))


def test_every_post_route_refuses_another_site(site: Site) -> None:
    client = site.client("ccas-admin")
    for route in _all(site):
        for method in set(route.methods or ()) - {"GET", "HEAD"}:
            for headers in (
                {"sec-fetch-site": "cross-site"},
                {"sec-fetch-site": "same-site"},
                {"sec-fetch-site": "", "origin": "https://ailleurs.example"},
                {"sec-fetch-site": "", "origin": "null"},
                {"sec-fetch-site": ""},
            ):
                address = re.sub(r"\{\w+\}", "1", route.path)
                answer = client.request(method, address, headers=headers, data={"a": "b"})
                assert answer.status_code == 403, (method, route.path, headers)


def test_a_page_kept_for_one_is_never_given_to_another(
    site: Site, classes: dict[str, tuple[str, str]]
) -> None:
    """The same address, asked in turn by those who may and those who may not, several times."""
    for _ in range(2):
        for role in (*ROLES, *reversed(ROLES)):
            client = site.client(role)
            for of, (indicator, label) in classes.items():
                answer = client.get(f"/indicateurs/{indicator}")
                assert answer.status_code == (200 if may_see(role, of) else 404)
                assert (f"<h1>{label}<" in html.unescape(answer.text)) == may_see(role, of)
