"""A real Chromium, and a real dashboard on a home of the module's own."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from engine import api
from storage import Home, Store
from tests.browser import chromium
from tests.browser.pages import serving
from tests.conftest import end_processes_of


@dataclass(frozen=True, slots=True)
class Site:
    address: str
    store: Store


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    if path is None:
        (pytest.fail if chromium.REQUIRED else pytest.skip)(f"No Chromium. {chromium.ADVICE}")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=chromium.FLAGS)
        yield found
        found.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = Home.find(tmp_path_factory.mktemp("site") / "home")
    store = api.open_store(home)
    try:
        with serving(home) as address:
            yield Site(address, store)
    finally:
        end_processes_of(home.root)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of one person. No page of it may meet an uncaught error."""
    errors: list[str] = []
    made = browser.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
    made.on("weberror", lambda error: errors.append(str(error.error)))
    yield made
    made.close()
    assert not errors


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()
