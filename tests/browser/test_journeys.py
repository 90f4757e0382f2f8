"""Ten journeys of the people the site is for."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import oidc_provider_mock
import pytest
from playwright.sync_api import Page, expect

from odds_pipeline.declarations.project import Project
from odds_pipeline.release.published import current_number, open_release
from odds_pipeline.storage.home import Home
from tests.extranet.conftest import PASSWORD, Site
from tests.extranet.observatory import publish_next

from .conftest import sign_in

pytestmark = pytest.mark.slow

OpenPage = Callable[..., Page]


def test_a_ccas_agent_finds_three_indicators_compares_and_downloads(
    open_page: OpenPage, observatory: Home, tmp_path: Path
) -> None:
    page = open_page()
    sign_in(page, "ccas")
    for words, label in (
        ("foyers alocataires", "Foyers allocataires"),
        ("rsa bobigni", "RSA"),
        ("population municipale", "Population municipale"),
    ):
        page.get_by_role("searchbox").fill(words)
        page.get_by_role("button", name="Chercher").click()
        expect(page.get_by_role("main").get_by_role("link", name=label).first).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Population municipale").first.click()
    page.get_by_label("Territoire à suivre").select_option(label="Bobigny")
    page.get_by_role("button", name="Afficher").click()
    expect(page.locator(".key")).to_contain_text("Bobigny")
    with open_release(observatory, access="membres") as connection:
        row = connection.execute(
            "SELECT value FROM indicator_values WHERE indicator = 'population_municipale' "
            "AND territory = '93008' ORDER BY month DESC LIMIT 1"
        ).fetchone()
    assert row is not None
    expect(page.locator(".key")).to_contain_text(f"{row[0]:,.0f}".replace(",", "\u202f"))
    page.goto("/territoires/93008")
    page.get_by_role("link", name="Comparer avec d’autres territoires").click()
    page.get_by_label("Territoire 2").select_option(label="Drancy")
    page.get_by_role("button", name="Comparer").click()
    expect(page.get_by_role("columnheader", name="Drancy").first).to_be_visible()
    page.get_by_text("Télécharger toutes les valeurs").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Parquet").click()
    path = tmp_path / "comparaison.parquet"
    download.value.save_as(path)
    found = duckdb.sql(f"SELECT DISTINCT territory_label FROM '{path}' ORDER BY 1").fetchall()
    assert found == [("Bobigny",), ("Drancy",)]
    assert "SIMULEES" in download.value.suggested_filename


def test_an_outsider_sees_only_what_is_public(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/territoires/93008")
    expect(page.get_by_role("link", name="Population municipale").first).to_be_visible()
    expect(page.get_by_role("link", name="Foyers allocataires")).to_have_count(0)
    answer = page.goto("/indicateurs/foyers_allocataires")
    assert answer is not None and answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("Page introuvable")
    page.goto("/recherche?q=foyers+allocataires")
    expect(page.locator("a[href='/indicateurs/foyers_allocataires']")).to_have_count(0)


def test_a_revoked_member_is_out_at_the_next_click(open_page: OpenPage, served: Site) -> None:
    page = open_page()
    sign_in(page, "ccas")
    page.goto("/indicateurs/foyers_allocataires")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Foyers allocataires")
    served.accounts.set_revoked(served.people["ccas"].id, True)
    page.get_by_role("button", name="Afficher").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Page introuvable")
    expect(page.get_by_role("link", name="Se connecter")).to_be_visible()


def test_a_release_is_published_in_the_middle_of_a_journey(
    open_page: OpenPage, observatory: Home, project: Project
) -> None:
    page = open_page()
    sign_in(page, "ccas")
    former = current_number(observatory)
    page.goto("/territoires/93008")
    page.get_by_role("link", name="Social", exact=True).click()
    expect(page.locator("footer")).to_contain_text(f"Édition n° {former}")
    number = publish_next(project, observatory, observatory.landing)
    page.get_by_role("rowheader").get_by_role("link", name="Foyers allocataires").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Foyers allocataires")
    expect(page.locator("footer")).to_contain_text(f"Édition n° {number}")
    page.get_by_role("link", name="Éditions").click()
    expect(page.get_by_role("rowheader", name=f"Édition {number}")).to_contain_text("en cours")


def test_an_administrator_opens_an_account_and_the_colleague_signs_in(open_page: OpenPage) -> None:
    page = open_page()
    sign_in(page, "ccas-admin")
    page.get_by_role("link", name="Mon compte").click()
    page.get_by_role("link", name="Gérer les comptes").click()
    page.locator("#name").fill("Nouvelle Collègue")
    page.locator("#email").fill("collegue@exemple.fr")
    page.get_by_role("button", name="Ouvrir le compte").click()
    address = page.locator("code.secret").inner_text()
    colleague = open_page()
    colleague.goto(address)
    expect(colleague.get_by_role("heading", level=1)).to_have_text("Bienvenue, Nouvelle Collègue")
    colleague.get_by_label("Mot de passe").fill("une phrase assez longue")
    colleague.get_by_role("button", name="Choisir ce mot de passe").click()
    colleague.get_by_role("link", name="Mon compte").click()
    expect(colleague.get_by_text("Organisation ccas")).to_be_visible()
    colleague.get_by_role("button", name="Se déconnecter").click()
    sign_in(colleague, "collegue", "une phrase assez longue")
    expect(colleague.get_by_role("link", name="Mon compte")).to_be_visible()


def test_by_keyboard_alone(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Aller à la recherche")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("bobgny")
    page.keyboard.press("Enter")
    expect(page).to_have_url("/recherche?q=bobgny")
    link = page.get_by_role("main").get_by_role("link", name="Bobigny", exact=True)
    for _ in range(25):
        if link.evaluate("e => e === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Bobigny")


def test_everything_works_without_javascript(open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page, "ccas")
    page.get_by_role("link", name="Indicateurs", exact=True).click()
    page.locator("a[href='/indicateurs/foyers_allocataires']").click()
    page.get_by_label("Période").select_option(index=1)
    page.get_by_label("Territoire à suivre").select_option(label="Stains")
    page.get_by_role("button", name="Afficher").click()
    expect(page.locator(".key")).to_contain_text("Stains")
    expect(page.locator("svg.odds-chart").first).to_be_visible()


def test_a_level_that_does_not_exist_says_which_do(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/indicateurs/population_municipale?niveau=france&territoire=93008")
    expect(page.get_by_role("main")).to_contain_text("existe à ces niveaux")
    expect(page.get_by_role("main")).to_contain_text("communes")


def test_a_wrong_password_then_the_right_one(open_page: OpenPage) -> None:
    page = open_page()
    sign_in(page, "ccas", "pas le bon")
    expect(page.get_by_role("alert")).to_have_text("Adresse ou mot de passe incorrect.")
    page.get_by_label("Adresse électronique").fill("ccas@exemple.fr")
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("link", name="Mon compte")).to_be_visible()


@pytest.fixture
def provider_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODDS_TEST_SECRET", "secret")


def test_an_agent_signs_in_through_the_federation(
    open_page: OpenPage, served: Site, provider_settings: None
) -> None:
    from odds_pipeline.declarations.extranet import Provider
    from odds_pipeline.extranet.identity.oidc import Client

    claims = {
        "email": "agente@drancy.example",
        "email_verified": True,
        "given_name": "Ana",
        "siret": "26930029200011",
    }
    user = oidc_provider_mock.User(sub="ana", claims=claims)
    with oidc_provider_mock.run_server_in_thread(user_claims=[user]) as server:
        provider = Provider(
            id="essai",
            label="ProConnect d’essai",
            issuer=f"http://localhost:{server.server_port}",
            client_id="odds",
            client_secret_env="ODDS_TEST_SECRET",
            scope="openid profile email",
        )
        served.accounts.save_organisation("CCAS de Drancy", "membres", siret="26930029200011")
        served.app.state.providers["essai"] = Client(provider, served.app.state.settings)
        page = open_page()
        page.goto("/connexion/essai?next=/territoires/93029")
        page.get_by_role("button", name="ana").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Drancy")
        page.get_by_role("link", name="Mon compte").click()
        expect(page.get_by_text("CCAS de Drancy")).to_be_visible()
