"""A real Chromium on a real server of the members' site."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.extranet.conftest import PASSWORD, Site, make_site, observatory

__all__ = ["make_site", "observatory"]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Ends with this folder's tests: Playwright's event loop would stay open in Dagster's tests."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("ODDS_REQUIRE_BROWSER"):
            pytest.fail("Chromium is required here and absent: apt-get install chromium")
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@pytest.fixture
def served(make_site: Callable[..., Site], tmp_path: Path) -> Iterator[Site]:
    """The site on a port of its own; its address is in its settings."""
    socket_server = uvicorn.Config("", port=0).bind_socket()
    port = socket_server.getsockname()[1]
    site = make_site(public_url=f"http://127.0.0.1:{port}")
    server = uvicorn.Server(uvicorn.Config(site.app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket_server]})
    thread.start()
    yield site
    server.should_exit = True
    thread.join()


@pytest.fixture
def open_page(chromium: Browser, served: Site) -> Iterator[Callable[..., Page]]:
    """Opens a browser window of its own; a console error (policy broken, missing file) fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def make(width: int = 1280, **options: object) -> Page:
        context = chromium.new_context(
            base_url=served.app.state.settings.public_url,
            viewport={"width": width, "height": 900},
            locale="fr-FR",
            **options,  # type: ignore[arg-type]
        )
        contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        own = served.app.state.settings.public_url

        def note(message: ConsoleMessage) -> None:
            if message.type == "error" and message.location.get("url", own).startswith(own):
                errors.append(message.text)

        page.on("console", note)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    expected = ("404 (Not Found)", "401 (Unauthorized)")
    assert not [e for e in errors if not any(words in e for words in expected)]


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Sign in by the form."""
    page.goto("/")
    page.get_by_role("navigation", name="Principale").get_by_role("link", name="Se connecter").click()
    page.get_by_label("Adresse électronique").fill(f"{name}@exemple.fr")
    page.get_by_label("Mot de passe").fill(password)
    page.get_by_role("button", name="Se connecter").click()
